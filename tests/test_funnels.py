"""Funnels of a lake: PostHog's meaning of them, a plain reference, and what always holds."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
import yaml
from funnel_lake import BEGIN, put_minutes
from funnel_reference import Act, Asked, step_rows, ways
from retention_lake import put_events

from mi_core.definitions import FunnelStep
from mi_core.funnels import ORDERS, Funnel
from mi_core.warehouse import Warehouse

POSTHOG = yaml.safe_load((Path(__file__).parent / "data/funnels/posthog.yaml").read_text())
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES_A_DAY = 1440


def reached(found: Funnel) -> str:
    return " ".join(map(str, found.steps["people"]))


def minutes(column: pl.Series) -> list[float | None]:
    return [None if days is None else round(days * MINUTES_A_DAY, 6) for days in column]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{part}: {name}")
        for part in POSTHOG
        for name, case in POSTHOG[part].items()
    ],
)
def test_a_funnel_is_that_of_posthog(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel], case: Mapping[str, Any]
):
    put_minutes(warehouse, case["people"])
    wanted = dict(case["ask"])
    found = ask_funnel(
        wanted.pop("steps"), window_days=wanted.pop("window") / MINUTES_A_DAY, **wanted
    )

    assert reached(found) == str(case["reached"])
    assert found.excluded == case.get("left_out", 0)
    if "median" in case:
        assert minutes(found.steps["median_days"]) == case["median"]


# --- the reference

STEPS = (
    FunnelStep(name="opened", etypes=("app_open",)),
    FunnelStep(name="used", events=("feature_used", "unheard_of")),
    FunnelStep(name="bought", etypes=("purchase",), events=("feature_used",)),
    FunnelStep(name="opened again", events=("app_opened",)),
    FunnelStep(name="began", etypes=("trial_started",)),
)
MEANT = {
    "app_open": {0},
    "app_opened": {0, 3},
    "feature_used": {1, 2},
    "unheard_of": {1},
    "purchase": {2},
    "purchase_completed": {2},
    "trial_started": {4},
    "search_performed": set(),
    "app_crash": set(),
}
"""Event → the places in STEPS of the steps that it takes."""

BARRED = {
    "app_crash": {"app_crash"},
    "search_performed": {"search_performed"},
    "purchase": {"purchase", "purchase_completed"},
}
"""Exclusion → the events that are it."""

PLANS: tuple[tuple[tuple[int, ...], tuple[tuple[str, int, int], ...], tuple[str, ...]], ...] = (
    ((0, 1), (), ORDERS),
    ((0, 1, 2), (("app_crash", 1, 3), ("search_performed", 2, 3)), ("ordered", "strict")),
    ((1, 1, 2), (("app_crash", 2, 3),), ("ordered", "strict")),
    ((0, 3, 0), (), ("ordered", "strict")),
    ((4, 0, 1, 4), (("purchase", 2, 4),), ("ordered", "strict")),
    ((0, 1, 4), (("app_crash", 1, 3),), ORDERS),
    ((0, 4), (("purchase", 1, 2), ("search_performed", 1, 2)), ORDERS),
)
"""Steps, exclusions and the orders in which they can be asked for."""

HOURS = 60


def crowd(seed: int) -> list[dict[str, Any]]:
    """Events at full hours, so that many of a person's come at one moment."""
    rng = Random(seed)
    return [
        {
            "who": who,
            "at": BEGIN + timedelta(hours=rng.randrange(HOURS)),
            "event": rng.choice(list(MEANT)),
        }
        for who in range(1, 151)
        for _ in range(rng.randrange(14))
    ]


def microseconds(at: datetime) -> int:
    return (at - BEGIN) // timedelta(microseconds=1)


def referred(
    rows: list[dict[str, Any]],
    plan: tuple[int, ...],
    exclusions: tuple[tuple[str, int, int], ...],
    *,
    order: str,
    hours: int,
    until: datetime,
    days: int,
) -> tuple[list[Any], int]:
    """The rows of `steps` in days, and who is left out, as the reference has them."""
    bounds = tuple((after, before) for _, after, before in exclusions)
    asked = Asked(len(plan), hours * 3_600_000_000, microseconds(until), order, bounds)
    people: dict[int, list[Act]] = {}
    for row in rows:
        taken = [n for n, step in enumerate(plan, 1) if step in MEANT[row["event"]]]
        barred = [n for n, (name, _, _) in enumerate(exclusions, 1) if row["event"] in BARRED[name]]
        is_in = until - timedelta(days=days) <= row["at"] < until
        # An order that isn't strict sees no other events.
        if is_in and (taken or barred or order == "strict"):
            act = Act(microseconds(row["at"]), frozenset(taken), frozenset(barred))
            people.setdefault(row["who"], []).append(act)
    found = list(ways(people, asked).values())
    shown = [
        (people, still, *(None if each is None else each / 86_400_000_000 for each in spans))
        for people, still, *spans in step_rows(found, len(plan))
    ]
    return shown, sum(each.is_left_out for each in found)


COLUMNS = ("people", "open", "median_days", "p25_days", "p75_days", "median_days_from_first")


@pytest.mark.parametrize(
    ("seed", "hours", "until", "days"),
    [(1, 6, 60, 3), (2, 24, 50, 1), (3, 48, 100, 4), (4, 1, 60, 2), (5, 12, 48, 1)],
)
def test_a_funnel_is_that_of_the_reference(
    warehouse: Warehouse,
    ask_funnel: Callable[..., Funnel],
    seed: int,
    hours: int,
    until: int,
    days: int,
):
    rows, end = crowd(seed), BEGIN + timedelta(hours=until)
    put_events(warehouse, rows)
    for plan, exclusions, orders in PLANS:
        for order in orders:
            found = ask_funnel(
                [STEPS[place] for place in plan],
                order=order,
                exclude=[f"{name}:{after}-{before}" for name, after, before in exclusions],
                window_days=hours / 24,
                as_of=end.replace(tzinfo=UTC),
                days=days,
            )
            expected, left_out = referred(
                rows, plan, exclusions, order=order, hours=hours, until=end, days=days
            )
            assert found.excluded == left_out
            for shown, row in zip(found.steps.select(COLUMNS).rows(), expected, strict=True):
                assert shown == pytest.approx(row)
