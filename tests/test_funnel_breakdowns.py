"""Funnels by persona, channel and campaign."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from funnel_lake import at, put_minutes
from retention_lake import put_events

from mi_core.funnels import BY, ORDERS, Funnel
from mi_core.warehouse import Warehouse

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 1440
ANN, BOB, EVE = 1, 2, 3


def people(found: Funnel) -> list[int]:
    return found.steps["people"].to_list()


def parts(found: Funnel) -> dict[str, list[int]]:
    """People at each step, by breakdown."""
    return {
        part["breakdown"][0]: part["people"].to_list()
        for part in found.steps.partition_by("breakdown", maintain_order=True)
    }


def touched(who: int, minute: int, channel: str | None, campaign: str | None = None) -> Any:
    touch = {"who": who, "at": at(minute), "event": "ad_click"}
    return touch | {"channel": channel, "campaign_id": campaign}


def put_touches(warehouse: Warehouse, rows: list[dict[str, Any]]) -> None:
    """As `put_events`, with campaigns."""
    put_events(warehouse, rows)
    for number, row in enumerate(rows):
        if campaign := row.get("campaign_id"):
            warehouse.sql(
                "update lake.user_event set campaign_id = $1 where event_id = $2::uuid",
                [campaign, str(UUID(int=number))],
            )


def test_people_are_broken_down_by_the_last_touchpoint_before_they_entered(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_touches(
        warehouse,
        [
            touched(ANN, 0, "google_ads", "spring"),
            touched(ANN, 100, "email", "news"),
            touched(ANN, 101, "direct"),
            {"who": ANN, "at": at(100), "event": "feature_used"},
            {"who": ANN, "at": at(102), "event": "purchase"},
            touched(BOB, 101, "email", "news"),
            {"who": BOB, "at": at(100), "event": "feature_used"},
            touched(EVE, 90, "google_ads", None),
            {"who": EVE, "at": at(100), "event": "feature_used"},
        ],
    )

    assert parts(ask_funnel("feature_used purchase", by="channel")) == {
        "(none)": [1, 0],
        "email": [1, 1],
        "google_ads": [1, 0],
    }
    assert parts(ask_funnel("feature_used purchase", by="campaign")) == {
        "(none)": [2, 0],
        "news": [1, 1],
    }


def test_the_counted_attempt_is_the_one_that_is_broken_down(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_touches(
        warehouse,
        [
            touched(ANN, 0, "google_ads"),
            {"who": ANN, "at": at(1), "event": "feature_used"},
            touched(ANN, 5_000, "email"),
            {"who": ANN, "at": at(5_001), "event": "feature_used"},
            {"who": ANN, "at": at(5_002), "event": "purchase"},
            touched(ANN, 9_000, "direct"),
            {"who": ANN, "at": at(9_001), "event": "feature_used"},
        ],
    )

    assert parts(ask_funnel("feature_used purchase", by="channel", window_days=1)) == {
        "email": [1, 1]
    }


def test_a_touchpoint_leads_in_for_30_days_even_from_before_the_period(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_touches(
        warehouse,
        [
            touched(ANN, 0, "email"),
            {"who": ANN, "at": at(30 * DAY), "event": "feature_used"},
            touched(BOB, -1, "email"),
            {"who": BOB, "at": at(30 * DAY), "event": "feature_used"},
        ],
    )
    end = at(31 * DAY).replace(tzinfo=UTC)

    found = ask_funnel("feature_used purchase", by="channel", as_of=end, days=1)
    assert parts(found) == {"(none)": [1, 0], "email": [1, 0]}


def test_people_are_broken_down_by_persona(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_minutes(warehouse, {ANN: "a 0 b 1", BOB: "a 0", EVE: "a 0 b 1"})
    for who, slug, until in (
        (ANN, "automation_pro", None),
        (BOB, "automation_pro", "2026-02-01"),
        (EVE, "automation_pro", "2026-03-02"),
    ):
        warehouse.sql(
            "insert into state.user_persona values ($1, $2, 1, 'manual', '2026-01-01', $3)",
            [str(UUID(int=who)), slug, until],
        )
    found = ask_funnel("a b", by="persona")
    warehouse.sql("delete from state.user_persona")

    assert parts(found) == {"automation_pro": [2, 2], "(none)": [1, 0]}


def test_rates_are_those_of_the_breakdown(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_touches(
        warehouse,
        [
            *(touched(who, 0, "email") for who in (1, 2)),
            *({"who": who, "at": at(1), "event": "feature_used"} for who in range(1, 6)),
            *({"who": who, "at": at(2), "event": "purchase"} for who in (1, 5)),
        ],
    )
    found = ask_funnel("feature_used purchase", by="channel").steps

    assert found.select("breakdown", "people", "rate_of_previous", "rate_of_first").rows() == [
        ("(none)", 3, None, 1),
        ("(none)", 1, 1 / 3, 1 / 3),
        ("email", 2, None, 1),
        ("email", 1, 1 / 2, 1 / 2),
    ]


def crowd() -> list[dict[str, Any]]:
    channels = [None, "email", "google_ads"]
    return [
        {
            "who": number % 23,
            "at": at(number * number % 9_000),
            "event": ("ad_click", "feature_used", "purchase", "app_crash")[number * 7 % 11 % 4],
            "channel": channels[number % 5 % 3],
        }
        for number in range(400)
    ]


@pytest.mark.parametrize("exclude", [(), ("app_crash",)])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("by", BY)
def test_breakdowns_add_up_to_everybody(
    warehouse: Warehouse,
    ask_funnel: Callable[..., Funnel],
    by: str,
    order: str,
    exclude: tuple[str, ...],
):
    put_events(warehouse, crowd())
    options = {"order": order, "window_days": 0.5, "exclude": exclude}
    whole, broken = (
        ask_funnel("ad_click feature_used purchase", by=each, **options) for each in (None, by)
    )

    counted = ("people", "open")
    together = broken.steps.group_by("position", maintain_order=True).agg(pl.col(counted).sum())
    assert together.equals(whole.steps.select("position", *counted))
    assert broken.excluded == whole.excluded
    assert broken.times["people"].sum() == whole.times["people"].sum() == people(whole)[-1]
    sizes = broken.steps.filter(pl.col("position") == 1)["people"].to_list()
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("order", ORDERS)
def test_nobody_further_on_who_was_not_there_before(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel], order: str
):
    put_events(warehouse, crowd())
    counts = people(ask_funnel("ad_click feature_used purchase", order=order))

    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0


def test_who_is_left_out_is_in_no_step_and_no_breakdown(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 0 x 1 b 2"}, channel="email")
    found = ask_funnel("a b", exclude=["x"], by="channel")

    assert found.excluded == 1
    assert (found.steps.height, found.times.height) == (0, 0)
