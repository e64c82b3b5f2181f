"""Retention, lifecycle and stickiness: PostHog's meaning of them, and a plain reference."""

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retention_lake import DEFINITIONS, put_events
from retention_reference import Act, cells, lifecycle_rows, stickiness_rows

from mi_core.errors import BadValue, UnknownName
from mi_core.retention import Retention, lifecycle, retention, stickiness
from mi_core.retention.cohorts import COUNTINGS, KINDS
from mi_core.retention.periods import EVERY
from mi_core.warehouse import Warehouse

POSTHOG = yaml.safe_load((Path(__file__).parent / "data/retention/posthog.yaml").read_text())
AS_OF = datetime(2026, 1, 26, tzinfo=UTC)
ANN, BOB, EVE = 1, 2, 3


@pytest.fixture
def ask(warehouse: Warehouse) -> Callable[..., Retention]:
    def retained(
        start: str | None = None, returning: str | None = None, **options: Any
    ) -> Retention:
        return retention(warehouse, DEFINITIONS, start, returning, **{"as_of": AS_OF, **options})

    return retained


def posthog_cases(insight: str) -> list[Any]:
    return [pytest.param(case, id=name) for name, case in POSTHOG[insight].items()]


def asked(case: Mapping[str, Any]) -> dict[str, Any]:
    return {**case["ask"], "as_of": case["ask"]["as_of"].replace(tzinfo=UTC)}


def triangle(found: pl.DataFrame) -> dict[date, str]:
    """People by cohort, as the YAML file writes them."""
    rows: dict[date, list[str]] = {}
    for row in found.sort("cohort", "period").to_dicts():
        rows.setdefault(row["cohort"], []).append(
            f"{row['people']}{'' if row['is_complete'] else '*'}"
        )
    return {cohort: " ".join(cells) for cohort, cells in rows.items()}


@pytest.mark.parametrize("case", posthog_cases("retention"))
def test_retention_is_that_of_posthog(
    warehouse: Warehouse, ask: Callable[..., Retention], case: Mapping[str, Any]
):
    put_events(warehouse, case["events"])

    expected = {cohort: str(people) for cohort, people in case["cohorts"].items()}
    assert triangle(ask(**asked(case)).cohorts) == expected


@pytest.mark.parametrize("case", posthog_cases("lifecycle"))
def test_lifecycle_is_that_of_posthog(warehouse: Warehouse, case: Mapping[str, Any]):
    put_events(warehouse, case["events"])
    ask = {"event": None} | asked(case)
    rows = lifecycle(warehouse, DEFINITIONS, **ask).rows()

    shown = {
        period: " ".join(map(str, counts)) + ("" if is_complete else "*")
        for period, *counts, is_complete in rows
    }
    assert shown == case["rows"]


@pytest.mark.parametrize("case", posthog_cases("stickiness"))
def test_stickiness_is_that_of_posthog(warehouse: Warehouse, case: Mapping[str, Any]):
    put_events(warehouse, case["events"])
    found = stickiness(warehouse, DEFINITIONS, **asked(case))

    assert dict(found.select("active_periods", "people").rows()) == case["rows"]
    assert found["share"].sum() == pytest.approx(1)


# --- the reference

HOURS = 24 * 400
moments = st.one_of(
    st.integers(0, HOURS).map(lambda hours: timedelta(hours=hours)),
    # Borders of days, and so of weeks and months, are where mistakes are.
    st.integers(0, HOURS // 24).map(lambda days: timedelta(days=days)),
    st.integers(0, HOURS // 24).map(lambda days: timedelta(days=days, microseconds=-1)),
).map(lambda since: datetime(2023, 12, 1) + since)
events = st.lists(
    st.fixed_dictionaries(
        {
            "who": st.integers(1, 4),
            "at": moments,
            "event": st.sampled_from(["app_open", "feature_used", "purchase"]),
        }
    ),
    max_size=40,
)
PAIRS = ((None, None), ("purchase", "feature_used"), (None, "conversion"), ("engagement", None))
MEANT = {
    None: {"app_open", "feature_used", "purchase"},
    "purchase": {"purchase"},
    "feature_used": {"feature_used"},
    "conversion": {"purchase"},
    "engagement": {"app_open", "feature_used"},
}

compared = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def acts_of(
    rows: list[dict[str, Any]], start: str | None, returning: str | None
) -> dict[int, list[Act]]:
    people: dict[int, list[Act]] = {}
    for row in rows:
        is_start = row["event"] in MEANT[start]
        is_return = row["event"] in MEANT[returning or start]
        people.setdefault(row["who"], []).append(Act(row["at"], is_start, is_return))
    return people


@compared
@given(
    rows=events,
    as_of=moments,
    pair=st.sampled_from(PAIRS),
    periods=st.integers(1, 20),
    every=st.sampled_from(EVERY),
)
def test_retention_is_that_of_the_reference(
    warehouse: Warehouse,
    ask: Callable[..., Retention],
    rows: list[dict[str, Any]],
    as_of: datetime,
    pair: tuple[str | None, str | None],
    periods: int,
    every: str,
):
    put_events(warehouse, rows)
    people = acts_of(rows, *pair)
    for kind, counting in itertools.product(KINDS, COUNTINGS):
        options = {"every": every, "periods": periods, "kind": kind, "counting": counting}
        found = ask(*pair, as_of=as_of.replace(tzinfo=UTC), **options).cohorts
        columns = ("cohort", "period", "size", "people", "is_complete")
        counted = {(c, p): rest for c, p, *rest in found.select(columns).rows()}
        expected = {at: list(cell) for at, cell in cells(people, as_of=as_of, **options).items()}
        assert counted == expected, options


@compared
@given(rows=events, as_of=moments, days=st.integers(1, 60), every=st.sampled_from(EVERY))
def test_activity_is_that_of_the_reference(
    warehouse: Warehouse,
    rows: list[dict[str, Any]],
    as_of: datetime,
    days: int,
    every: str,
):
    put_events(warehouse, rows)
    people = acts_of(rows, None, None)
    options = {"every": every, "as_of": as_of.replace(tzinfo=UTC), "days": days}
    plain = options | {"as_of": as_of}
    stages = {row[0]: row[1:] for row in lifecycle(warehouse, DEFINITIONS, None, **options).rows()}
    often = stickiness(warehouse, DEFINITIONS, None, **options)

    assert stages == lifecycle_rows(people, **plain)
    assert dict(often.select("active_periods", "people").rows()) == stickiness_rows(people, **plain)


@compared
@given(rows=events, as_of=moments, every=st.sampled_from(EVERY), kind=st.sampled_from(KINDS))
def test_what_always_holds(
    warehouse: Warehouse,
    ask: Callable[..., Retention],
    rows: list[dict[str, Any]],
    as_of: datetime,
    every: str,
    kind: str,
):
    put_events(warehouse, rows)
    moment = as_of.replace(tzinfo=UTC)
    options = {"every": every, "kind": kind, "as_of": moment}
    on = ask(**options).cohorts
    rolling = ask(**options, counting="on_or_after").cohorts
    whole = on.filter(pl.col("period") == 0)

    assert (on["people"] <= rolling["people"]).all()
    assert (rolling["people"] <= rolling["size"]).all()
    assert whole["people"].to_list() == whole["size"].to_list()
    steps = pl.col("people").diff().over("cohort", order_by="period")
    assert rolling.select((steps <= 0).all()).item()

    active = {
        day: people
        for day, people in warehouse.sql(
            f"select date_trunc('{every}', occurred_at)::date, count(distinct user_id)"
            f" from lake.user_event where occurred_at < timestamp '{as_of}' group by all"
        ).fetchall()
    }
    stages = lifecycle(warehouse, DEFINITIONS, None, every=every, as_of=moment, days=60)
    now = stages.select(pl.sum_horizontal("new", "returning", "resurrecting")).to_series()
    before = stages.select(pl.sum_horizontal("returning", "dormant")).to_series().to_list()
    assert now.to_list() == [active.get(day, 0) for day in stages["period"]]
    assert before[1:] == now.to_list()[:-1]


# --- events


@pytest.mark.parametrize(
    ("event", "people"),
    [
        (None, {ANN, BOB, EVE}),
        ("email_click", {ANN}),  # a type, which has two names
        ("email_clicked", set()),
        ("unheard_of", {BOB}),  # in no taxonomy, but in the lake
        ("conversion", {BOB}),
        ("engagement", {EVE}),
        ("touch", {ANN}),
        ("it's", {EVE}),
    ],
)
def test_an_event_is_a_type_a_name_or_a_flag(
    warehouse: Warehouse, event: str | None, people: set[int]
):
    at = "2026-01-20 00:00:00"
    put_events(
        warehouse,
        [
            {"who": ANN, "at": at, "event": "email_click"},
            {"who": BOB, "at": at, "event": "unheard_of"},
            {"who": BOB, "at": at, "event": "purchase_completed"},
            {"who": EVE, "at": at, "event": "$pageview"},
            {"who": EVE, "at": at, "event": "it's"},
        ],
    )
    found = stickiness(warehouse, DEFINITIONS, event, every="week", as_of=AS_OF, days=7)

    assert found["people"].to_list() == [len(people)]


def test_of_page_views_the_first_of_a_session_is_a_touch(warehouse: Warehouse):
    at = "2026-01-20 00:00:00"
    put_events(
        warehouse,
        [
            {"who": ANN, "at": at, "event": "$pageview", "etype": "landing_view"},
            {"who": BOB, "at": at, "event": "$pageview"},
        ],
    )
    touched = stickiness(warehouse, DEFINITIONS, "touch", every="week", as_of=AS_OF, days=7)

    assert touched["people"].to_list() == [1]


def test_the_same_event_as_start_and_return_is_one(ask: Callable[..., Retention]):
    assert ask("purchase", "purchase").cohorts.equals(ask("purchase").cohorts)
    assert ask("purchase").returning == "purchase"
    assert (ask().start, ask().returning) == (None, None)
    assert (ask("purchase", "app_open").start, ask(None, "app_open").returning) == (
        "purchase",
        "app_open",
    )


# --- breakdowns


def by_breakdown(found: pl.DataFrame) -> dict[str, dict[date, str]]:
    return {
        rows["breakdown"][0]: triangle(rows)
        for rows in found.partition_by("breakdown", maintain_order=True)
    }


def test_people_are_broken_down_by_the_channel_they_first_came_from(
    warehouse: Warehouse, ask: Callable[..., Retention]
):
    put_events(
        warehouse,
        [
            {"who": ANN, "at": "2026-01-04 00:00:00", "event": "ad_click", "channel": "google_ads"},
            {"who": ANN, "at": "2026-01-05 00:00:00", "event": "email_click", "channel": "email"},
            {"who": ANN, "at": "2026-01-05 00:00:00", "event": "app_open"},
            {"who": ANN, "at": "2026-01-12 00:00:00", "event": "app_open"},
            {"who": BOB, "at": "2026-01-05 00:00:00", "event": "app_open"},
            {"who": BOB, "at": "2026-01-05 00:00:01", "event": "email_click", "channel": "email"},
            {"who": BOB, "at": "2026-01-12 00:00:00", "event": "app_open"},
            {"who": EVE, "at": "2026-01-12 00:00:00", "event": "app_open"},
        ],
    )
    options = {"by": "channel", "periods": 1, "as_of": datetime(2026, 1, 19, tzinfo=UTC)}
    first_time = by_breakdown(ask("app_open", **options).cohorts)
    recurring = by_breakdown(ask("app_open", kind="recurring", **options).cohorts)

    week, next_week = date(2026, 1, 5), date(2026, 1, 12)
    assert first_time == {
        "(none)": {week: "1 1", next_week: "1"},
        "google_ads": {week: "1 1", next_week: "0"},
    }
    # By their second week Bob has come from an email.
    assert recurring == {
        "(none)": {week: "1 1", next_week: "1"},
        "email": {week: "0 0", next_week: "1"},
        "google_ads": {week: "1 1", next_week: "1"},
    }


def test_people_are_broken_down_by_persona(warehouse: Warehouse, ask: Callable[..., Retention]):
    put_events(
        warehouse,
        [
            {"who": ANN, "at": "2026-01-05 00:00:00"},
            {"who": BOB, "at": "2026-01-12 00:00:00"},
            # Known, but not of a cohort that is shown: no rows of a persona without people.
            {"who": EVE, "at": "2025-06-01 00:00:00"},
            {"who": EVE, "at": "2026-01-12 00:00:00"},
        ],
    )
    rows = [
        (f"00000000-0000-0000-0000-{n:012}", slug) for n, slug in ((1, "automation_pro"), (3, "x"))
    ]
    for row in rows:
        warehouse.sql(
            "insert into state.user_persona values ($1, $2, 1, 'manual', '2026-01-01', null)", row
        )
    found = ask(by="persona", periods=1, as_of=datetime(2026, 1, 19, tzinfo=UTC))
    warehouse.sql("delete from state.user_persona")

    week, next_week = date(2026, 1, 5), date(2026, 1, 12)
    assert by_breakdown(found.cohorts) == {
        "(none)": {week: "0 0", next_week: "1"},
        "automation_pro": {week: "1 0", next_week: "0"},
    }
    assert set(found.mean["breakdown"]) == {"(none)", "automation_pro"}


@pytest.mark.parametrize("by", ["channel", "persona"])
def test_breakdowns_add_up_to_everybody(
    warehouse: Warehouse, ask: Callable[..., Retention], by: str
):
    channels = [None, "email", "google_ads"]
    put_events(
        warehouse,
        [
            {
                "who": number % 17,
                "at": datetime(2026, 1, 1) + timedelta(hours=number * number % 600),
                "event": ("app_open", "ad_click", "purchase")[number % 3],
                "channel": channels[number % 5 % 3],
            }
            for number in range(300)
        ],
    )
    for kind, counting in itertools.product(KINDS, COUNTINGS):
        options = {"kind": kind, "counting": counting, "periods": 4}
        whole = ask("purchase", "app_open", **options).cohorts
        parts = ask("purchase", "app_open", by=by, **options).cohorts
        keys = ("cohort", "period", "is_complete")
        together = parts.group_by(keys).agg(pl.col("size", "people").sum()).sort(keys)
        assert together.equals(whole.select(together.columns).sort(keys))


def test_nobody_is_broken_down_into_nothing(warehouse: Warehouse, ask: Callable[..., Retention]):
    put_events(warehouse, [])
    found = ask(by="channel")

    assert (found.cohorts.height, found.mean.height) == (0, 0)
    assert found.cohorts.columns[:2] == ["breakdown", "cohort"]


# --- means


def test_means_are_of_complete_periods_and_of_cohorts_with_people(
    warehouse: Warehouse, ask: Callable[..., Retention]
):
    put_events(
        warehouse,
        [
            *({"who": who, "at": "2026-01-05 00:00:00"} for who in range(1, 5)),
            {"who": 1, "at": "2026-01-12 00:00:00"},
            {"who": 5, "at": "2026-01-12 00:00:00"},
            {"who": 5, "at": "2026-01-19 00:00:00"},
        ],
    )
    found = ask(periods=3, as_of=datetime(2026, 1, 27, tzinfo=UTC))

    # Period 1: 1 of 4 and 1 of 1; two more cohorts are empty. Period 2: 0 of 4, the other goes on.
    assert found.mean.rows() == [
        (0, 1.0, 1.0, 2),
        (1, 0.4, 0.625, 2),
        (2, 0.0, 0.0, 1),
        (3, None, None, 0),
    ]
    assert found.cohorts.filter(pl.col("size") == 0)["rate"].is_null().all()


def test_a_result_is_plain_values(warehouse: Warehouse, ask: Callable[..., Retention]):
    put_events(warehouse, [{"who": ANN, "at": "2026-01-20 00:00:00"}])
    plain = ask(periods=1).as_dict()

    assert plain["cohorts"][-1] == {
        "cohort": date(2026, 1, 19),
        "size": 1,
        "period": 0,
        "people": 1,
        "rate": 1.0,
        "is_complete": True,
    }
    assert plain["mean"][0]["cohorts"] == 1
    assert (plain["every"], plain["as_of"]) == ("week", AS_OF)
    assert plain["config_version"] == DEFINITIONS.version


# --- what can't be asked for


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"every": "weak"}, "There is no period 'weak'; did you mean 'week'?"),
        ({"kind": "first-time"}, "did you mean 'first_time'?"),
        ({"counting": "after"}, "There is no way of counting 'after'"),
        ({"by": "chanel"}, "There is no breakdown 'chanel'; did you mean 'channel'?"),
        ({"start": "purchas"}, "There is no event 'purchas'; did you mean 'purchase'?"),
        ({"returning": "aple_sent"}, "There is no event 'aple_sent'; did you mean 'apple_sent'?"),
    ],
)
def test_an_unknown_name_is_a_sentence_with_the_nearest(
    warehouse: Warehouse, ask: Callable[..., Retention], options: dict[str, str], sentence: str
):
    put_events(warehouse, [{"who": ANN, "at": "2026-01-20 00:00:00", "event": "apple_sent"}])
    with pytest.raises(UnknownName) as raised:
        ask(**options)

    assert sentence in str(raised.value)


@pytest.mark.parametrize("periods", [0, -1, 127])
def test_periods_that_no_set_holds_are_refused(ask: Callable[..., Retention], periods: int):
    with pytest.raises(BadValue, match=f"1 to 126 periods, not {periods}"):
        ask(periods=periods)


@pytest.mark.parametrize("by", [None, "channel"])
@pytest.mark.parametrize("returning", [None, "ad_click"])
@pytest.mark.parametrize("periods", [1, 62, 63, 64, 126])
def test_a_set_is_as_wide_as_it_takes(
    warehouse: Warehouse,
    ask: Callable[..., Retention],
    periods: int,
    returning: str | None,
    by: str | None,
):
    newest = datetime(2026, 1, 25)
    days = [newest - timedelta(days=n) for n in (0, periods)]
    put_events(warehouse, [{"who": ANN, "at": day, "event": "ad_click"} for day in days])
    found = ask(None, returning, every="day", periods=periods, by=by).cohorts
    people = found.filter(pl.col("size") == 1)["people"]

    assert people.to_list() == [1, *[0] * (periods - 1), 1]


@pytest.mark.parametrize("verb", [lifecycle, stickiness])
@pytest.mark.parametrize(
    ("every", "days", "sentence"),
    [
        ("day", 0, "At least 1 day is looked at, not 0"),
        ("day", 127, "At most 126 days are looked at, and 127 days are more"),
        ("month", 10**9, "At most 126 months are looked at"),
    ],
)
def test_days_that_no_set_holds_are_refused(
    warehouse: Warehouse, verb: Callable[..., pl.DataFrame], every: str, days: int, sentence: str
):
    with pytest.raises(BadValue, match=sentence):
        verb(warehouse, DEFINITIONS, None, every=every, as_of=AS_OF, days=days)


@pytest.mark.parametrize("verb", [lifecycle, stickiness])
def test_activity_takes_the_same_periods_as_retention(
    warehouse: Warehouse, verb: Callable[..., pl.DataFrame]
):
    assert verb(warehouse, DEFINITIONS, None, every="day", as_of=AS_OF, days=126).height == 126
    with pytest.raises(UnknownName, match="did you mean 'month'"):
        verb(warehouse, DEFINITIONS, None, every="months", as_of=AS_OF)
