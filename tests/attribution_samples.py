"""Results of an attribution for the report's tests, small enough to hold in the head."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
from report_samples import event, put

from mi_core.attribution import Attribution
from mi_core.attribution.result import disagreement_frame
from mi_core.funnels import Funnel
from mi_core.retention import Retention
from mi_core.stories.attribution import AttributionReport
from mi_core.stories.period import Period
from mi_core.warehouse import Warehouse

UNTIL = datetime(2024, 6, 30)
LABELS = {"google_ads": "Google Ads", "email": "Email", "direct": "Direct", "referral": "Referral"}

Credits = Mapping[str, Mapping[str, float]]

CREDITS: Credits = {
    "first_touch": {"google_ads": 60, "email": 25, "direct": 15},
    "last_touch": {"google_ads": 40, "email": 30, "direct": 30},
    "linear": {"google_ads": 48, "email": 28, "direct": 24},
    "markov": {"google_ads": 44, "email": 38, "direct": 18},
}
"""100 conversions with touchpoints, shared out by four models."""


def attribution(
    credits: Credits = CREDITS,
    *,
    plus_minus: float | None = 5,
    unattributed: int = 10,
    nulls: int = 300,
    value: float = 50,
    spend: Mapping[str, float] | None = None,
    abstained: Mapping[str, str] | None = None,
    paths: Sequence[tuple[list[str], int, int]] = ((["google_ads", "email"], 30, 90),),
    **more: Any,
) -> Attribution:
    """An Attribution in which each interval is `plus_minus` conversions wide to either side.

    `value` is that of one conversion, `spend` by key. A model's move is as sure as its credit.
    """
    attributed = round(max((sum(each.values()) for each in credits.values()), default=0))
    rows = [
        _credited(model, key, number, attributed, plus_minus, value, (spend or {}).get(key))
        for model, keys in credits.items()
        for key, number in {**keys, "unattributed": unattributed}.items()
    ]
    frame = pl.DataFrame(rows, schema=CREDIT_SCHEMA)
    return Attribution(
        by="channel",
        conversion=None,
        base_rate=None,
        removal_effects=pl.DataFrame(),
        since=UNTIL - timedelta(days=90),
        until=UNTIL,
        lookback_days=30.0,
        transform="exposure",
        direct="keep",
        conversions=attributed + unattributed,
        value=value * (attributed + unattributed),
        unattributed_conversions=unattributed,
        unattributed_value=value * unattributed,
        null_paths=nulls,
        persons=attributed + nulls,
        groups=attributed + nulls,
        draws=0 if plus_minus is None else 1000,
        seed=7,
        level=0.95,
        config_version="0123456789ab",
        lake_snapshot=3,
        credits=frame,
        disagreement=disagreement_frame(frame, "channel"),
        moves=_moves(credits, attributed, plus_minus),
        paths=pl.DataFrame(
            [
                {
                    "path": path,
                    "conversions": conversions,
                    "nulls": less,
                    "value": value * conversions,
                    "conversion_rate": conversions / (conversions + less),
                }
                for path, conversions, less in paths
            ],
            schema=PATH_SCHEMA,
        ),
        paths_in_all=len(paths),
        abstained=dict(abstained or {}),
        assumptions={model: f"what {model} takes for granted" for model in credits},
        **more,
    )


CREDIT_SCHEMA = {
    "model": pl.String,
    "channel": pl.String,
    **dict.fromkeys(
        (
            *("conversions", "conversions_low", "conversions_high"),
            *("value", "value_low", "value_high", "share", "spend"),
            *("cpa", "cpa_low", "cpa_high", "roas", "roas_low", "roas_high"),
        ),
        pl.Float64,
    ),
}
PATH_SCHEMA = {
    "path": pl.List(pl.String),
    "conversions": pl.Int64,
    "nulls": pl.Int64,
    "value": pl.Float64,
    "conversion_rate": pl.Float64,
}


def put_touches(warehouse: Warehouse) -> None:
    """People who came by two channels of four, most of whom buy, and what two of those cost."""
    channels = ("google_ads", "meta_ads", "email", "<b>spring</b>")
    rows = []
    for number in range(40):
        name, day = f"touched {number}", 1 + number % 25
        for hour, step in ((9, 0), (12, 1 + number % 3)):
            channel = channels[(number * (number < 20) + step) % 4]
            rows.append(
                event(name, f"06-{day:02} {hour:02}:00", "ad_click", "ad_click", channel=channel)
            )
        if number % 3:
            at = f"06-{day + 2:02} 10:00"
            rows.append(event(name, at, "purchase", "purchase", value=4_900))
    put(warehouse, "lake.user_event", *rows)
    put(
        warehouse,
        "lake.campaign_spend",
        *({"spend_date": "2024-06-03", "channel": name, "cents": 50_000} for name in channels[:2]),
    )


COHORT_SCHEMA = {
    "cohort": pl.Date,
    **dict.fromkeys(("size", "period", "people"), pl.Int64),
    "rate": pl.Float64,
    "is_complete": pl.Boolean,
}
MEAN = ("period", "weighted_rate", "simple_rate")


def report(
    found: Attribution | None = None, *, before: int | None = None, **more: Any
) -> AttributionReport:
    """A report of 90 days; `before` is the number of conversions in the period before."""
    found = found or attribution()
    cents = round(100 * found.value)
    each = found.value / found.conversions if found.conversions else 0
    headline = pl.DataFrame(
        {
            "kind": ["purchase"],
            "conversions": [found.conversions],
            "value_cents": [cents],
            "conversions_before": pl.Series([before], dtype=pl.Int64),
            "value_cents_before": pl.Series(
                [None if before is None else round(100 * each * before)], dtype=pl.Int64
            ),
        }
    )
    attributed = found.conversions - found.unattributed_conversions
    lengths = pl.DataFrame({"touches": range(1, 11), "conversions": [attributed] + [0] * 9})
    days = pl.DataFrame({"day": range(30), "conversions": [0, 0, attributed] + [0] * 27})
    ends = pl.DataFrame(
        {"first_key": ["google_ads"], "last_key": ["email"], "conversions": [attributed]}
    )
    figures = {
        "period": Period(UNTIL, 90),
        "attribution": found,
        "labels": LABELS,
        "kinds": {"purchase": "Purchase"},
        "headline": headline if found.conversions or before else headline.clear(),
        "lengths": lengths.with_columns(pl.lit(0).alias("nulls")),
        "days": days,
        "ends": ends if attributed else ends.clear(),
        "first_event_at": datetime(2023, 1, 1),
        "funnel": funnel((100, 40, 10)),
        "retention": retention(),
    }
    return AttributionReport(**{**figures, **more})


def funnel(people: Sequence[int], *, waiting: int = 0, days: float = 2) -> Funnel:
    """A Funnel of the steps Landed, Tried and Bought, so many days from one to the next."""
    names = ("Landed", "Tried", "Bought")
    steps = [
        {
            "position": position,
            "step": names[position - 1],
            "people": number,
            "rate_of_previous": None if position == 1 or not before else number / before,
            "rate_of_first": number / people[0] if people[0] else None,
            "median_days": None if position == 1 else days,
            "p25_days": None if position == 1 else days,
            "p75_days": None if position == 1 else days,
            "median_days_from_first": days * (position - 1),
            "open": waiting if position == 1 else 0,
        }
        for position, (number, before) in enumerate(zip(people, (0, *people), strict=False), 1)
    ]
    times = [
        {
            "bucket_from_days": days * bucket,
            "bucket_to_days": days * (bucket + 1),
            "people": people[-1] * (bucket == 2),
        }
        for bucket in range(3)
    ]
    return Funnel(
        steps=pl.DataFrame(steps),
        times=pl.DataFrame(times),
        excluded=0,
        order="ordered",
        window_days=14,
        exclusions=(),
        by=None,
        since=UNTIL - timedelta(days=90),
        until=UNTIL,
        config_version="0123456789ab",
        lake_snapshot=3,
    )


def retention(weeks: int = 4) -> Retention:
    """A Retention of weekly cohorts of 10: half come back after a week, fewer later."""
    rows = [
        {
            "cohort": date(2024, 6, 3) + timedelta(weeks=cohort),
            "size": 10,
            "period": period,
            "people": 10 // (period + 1),
            "rate": 10 // (period + 1) / 10,
            "is_complete": cohort + period < weeks - 1,
        }
        for cohort in range(weeks)
        for period in range(weeks - cohort)
    ]
    mean = [
        {"period": period, "weighted_rate": 10 // (period + 1) / 10, "simple_rate": 0.0}
        for period in range(weeks - 1)
    ]
    return Retention(
        cohorts=pl.DataFrame(rows, schema=COHORT_SCHEMA),
        mean=pl.DataFrame(mean, schema=dict.fromkeys(MEAN, pl.Float64) | {"period": pl.Int64}),
        start=None,
        returning="engagement",
        every="week",
        kind="first_time",
        counting="on",
        by=None,
        as_of=UNTIL.replace(tzinfo=UTC),
        config_version="0123456789ab",
        lake_snapshot=3,
    )


def _credited(
    model: str,
    key: str,
    number: float,
    attributed: int,
    plus_minus: float | None,
    value: float,
    spent: float | None,
) -> dict[str, Any]:
    low = None if plus_minus is None else max(number - plus_minus, 0)
    high = None if plus_minus is None else number + plus_minus
    return {
        "model": model,
        "channel": key,
        "conversions": number,
        "conversions_low": low,
        "conversions_high": high,
        "value": number * value,
        "share": None if key == "unattributed" else number / attributed,
        "spend": spent,
        "cpa": spent / number if spent and number else None,
        "cpa_low": spent / high if spent and high else None,
        "cpa_high": spent / low if spent and low else None,
        "roas": number * value / spent if spent else None,
    }


def _moves(credits: Credits, attributed: int, plus_minus: float | None) -> pl.DataFrame:
    last = credits.get("last_touch", {})
    noise = None if plus_minus is None else plus_minus / attributed if attributed else 0
    rows = []
    for model, keys in credits.items() if last else ():
        for key, number in keys.items():
            move = (number - last[key]) / attributed
            # A model that gives the same credit does so in every draw.
            wide = noise if noise is None or move else 0
            low, high = (None, None) if wide is None else (move - wide, move + wide)
            clear = low is not None and (low > 0 or high < 0)
            rows.append(
                (model, key, number / attributed, last[key] / attributed, move, low, high, clear)
            )
    names = ("model", "channel", "share", "last_touch_share", "move", "move_low", "move_high")
    schema = dict.fromkeys(names, pl.Float64) | {"model": pl.String, "channel": pl.String}
    return pl.DataFrame(rows, schema=schema | {"is_clear": pl.Boolean}, orient="row")
