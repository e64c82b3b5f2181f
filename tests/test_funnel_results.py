"""What a funnel tells of a lake: its tables, its steps, its period, its result."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from funnel_lake import BEGIN, at, put_minutes
from retention_lake import DEFINITIONS, put_events

from mi_core.definitions import FunnelStep
from mi_core.errors import RelationError
from mi_core.funnels import BY, ORDERS, Funnel
from mi_core.warehouse import Warehouse

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
DAY = 1440
ANN, BOB, EVE = 1, 2, 3


def people(found: Funnel) -> list[int]:
    return found.steps["people"].to_list()


# --- tables


def test_rates_are_of_the_step_before_and_of_the_first(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 0 b 1 c 2", 2: "a 0 b 1", 3: "a 0", 4: "a 0"})
    found = ask_funnel("a b c").steps

    assert found["position"].to_list() == [1, 2, 3]
    assert found["step"].to_list() == ["a", "b", "c"]
    assert found["rate_of_previous"].to_list() == [None, 0.5, 0.5]
    assert found["rate_of_first"].to_list() == [1, 0.5, 0.25]


def test_a_rate_of_nobody_is_none(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_minutes(warehouse, {1: "a 0"})
    found = ask_funnel("a b c").steps

    assert found["people"].to_list() == [1, 0, 0]
    assert found["rate_of_previous"].to_list() == [None, 0, None]
    assert found["rate_of_first"].to_list() == [1, 0, 0]
    assert found["median_days"].to_list() == [None, None, None]


def test_times_are_medians_and_quartiles_since_the_step_before_and_the_first(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    ways = {who: f"a 0 b {who * DAY} c {who * DAY + 720}" for who in range(1, 6)}
    put_minutes(warehouse, ways)
    found = ask_funnel("a b c").steps

    assert found["median_days"].to_list() == [None, 3, 0.5]
    assert found["p25_days"].to_list() == [None, 2, 0.5]
    assert found["p75_days"].to_list() == [None, 4, 0.5]
    assert found["median_days_from_first"].to_list() == [None, 3, 3.5]


def test_times_to_the_last_step_are_in_the_cube_root_of_the_people_buckets(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    # 8 people, so 2 buckets; the border between them belongs to the second.
    minutes = [0, 60, DAY, 2 * DAY, 2 * DAY, 3 * DAY, 4 * DAY, 4 * DAY]
    put_minutes(warehouse, {who: f"a 0 b {each}" for who, each in enumerate(minutes, 1)})

    assert ask_funnel("a b").times.rows() == [(0, 2, 3), (2, 4, 5)]


def test_what_lies_on_the_bound_of_a_bucket_belongs_to_the_later_one(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    # 120 people, so 5 buckets of 20 minutes, whose bounds are no round numbers of days.
    put_minutes(warehouse, {who: f"a 0 b {20 * (who % 6)}" for who in range(1, 121)})

    assert ask_funnel("a b").times["people"].to_list() == [20, 20, 20, 20, 40]


@pytest.mark.parametrize(
    ("ways", "rows"),
    [
        ({1: "a 0"}, []),
        ({1: "a 0 b 0", 2: "a 5 b 5"}, [(0, 0, 2)]),
        ({1: f"a 0 b {DAY}"}, [(0, 1, 1)]),
    ],
)
def test_times_of_few_people(
    warehouse: Warehouse,
    ask_funnel: Callable[..., Funnel],
    ways: dict[int, str],
    rows: list[tuple[float, float, int]],
):
    put_minutes(warehouse, ways)

    assert ask_funnel("a b").times.rows() == rows


def test_every_converted_person_is_in_the_bucket_that_holds_their_time(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    minutes = [who * who * 7 % 19_000 for who in range(1, 201)]
    put_minutes(
        warehouse, {who: f"a 0 b {each}" for who, each in enumerate(minutes, 1) if who != 99}
    )
    del minutes[98]
    found = ask_funnel("a b")
    rows = found.times.rows()

    assert len(rows) == 6
    assert [people for _, _, people in rows[:-1]] == [
        sum(low <= each / DAY < high for each in minutes) for low, high, _ in rows[:-1]
    ]
    assert found.times["people"].sum() == len(minutes) == people(found)[-1]
    assert rows[-1][1] == pytest.approx(max(minutes) / DAY)


def test_open_are_those_whose_window_reaches_the_end(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(
        warehouse,
        {1: "a 0", 2: "a 50", 3: "a 49 b 55", 4: "a 59 b 60", 5: "a 60 b 61 c 62", 6: "a 0 a 99"},
    )
    found = ask_funnel("a b c", window_days=50 / DAY, as_of=at(100).replace(tzinfo=UTC)).steps

    # The last minute of a window belongs to it, and the end of the period isn't observed yet.
    assert found["people"].to_list() == [6, 3, 1]
    assert found["open"].to_list() == [2, 1, 0]


def test_strictly_only_an_attempt_up_to_the_last_event_is_open(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 60 b 70", 2: "a 60 o 70", 3: "a 60 o 70 a 80", 4: "a 40"})
    end = at(100).replace(tzinfo=UTC)
    found = ask_funnel("a b c", order="strict", window_days=50 / DAY, as_of=end).steps

    assert found["people"].to_list() == [4, 1, 0]
    assert found["open"].to_list() == [1, 1, 0]


def test_in_any_order_every_step_keeps_an_attempt_open(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "b 60", 2: "b 0 c 10", 3: "c 50 a 60", 4: "a 60 b 61 c 62"})
    end = at(100).replace(tzinfo=UTC)
    found = ask_funnel("a b c", order="any", window_days=50 / DAY, as_of=end).steps

    assert found["people"].to_list() == [4, 3, 1]
    assert found["open"].to_list() == [1, 1, 0]
    assert found["step"].to_list() == ["any 1 of 3", "any 2 of 3", "any 3 of 3"]


def test_the_period_has_its_first_moment_and_not_its_end(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 0 b 1440", 2: "a 0 b 1439", 3: "a -1 b 5"})
    found = ask_funnel(
        "a b", as_of=datetime(2026, 1, 2, 2, tzinfo=UTC) - timedelta(hours=2), days=1
    )

    assert people(found) == [2, 1]
    assert (found.since, found.until) == (BEGIN, BEGIN + timedelta(days=1))


def test_the_end_may_be_given_in_any_zone(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_minutes(warehouse, {1: "a 0 b 1440", 2: "a 0 b 1439"})
    end = datetime.fromisoformat("2026-01-02T02:00:00+02:00")

    assert people(ask_funnel("a b", as_of=end, days=1)) == [2, 1]


@pytest.mark.parametrize("window_days", [1e6, float("inf")])
def test_a_window_may_be_longer_than_the_period(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel], window_days: float
):
    put_minutes(warehouse, {1: f"a 0 b {9 * DAY}"})
    found = ask_funnel("a b", window_days=window_days)

    assert people(found) == [1, 1]
    assert found.window_days == window_days


def test_a_window_of_less_than_a_microsecond_holds_one_moment(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_events(
        warehouse,
        [
            {"who": ANN, "at": BEGIN, "event": "a"},
            {"who": ANN, "at": BEGIN, "event": "b"},
            {"who": BOB, "at": BEGIN, "event": "a"},
            {"who": BOB, "at": BEGIN + timedelta(microseconds=1), "event": "b"},
        ],
    )

    assert people(ask_funnel("a b", window_days=1e-15)) == [2, 1]


# --- steps


def test_steps_are_by_default_those_of_the_definitions(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    landing = {"event": "$pageview", "etype": "landing_view"}
    put_events(
        warehouse,
        [
            {"who": ANN, "at": at(0)} | landing,
            {"who": ANN, "at": at(1), "event": "email_submitted"},
            {"who": ANN, "at": at(2), "event": "trial_started"},
            {"who": ANN, "at": at(3), "event": "purchase_completed"},
            {"who": BOB, "at": at(0)} | landing,
            {"who": BOB, "at": at(1), "event": "trial_started"},
            {"who": EVE, "at": at(0), "event": "$pageview"},
        ],
    )
    found = ask_funnel()

    assert found.steps["step"].to_list() == [step.name for step in DEFINITIONS.funnel.steps]
    assert people(found) == [2, 1, 1, 1]


def test_a_step_is_a_type_or_an_event(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_events(
        warehouse,
        [
            {"who": ANN, "at": at(0), "event": "app_opened"},
            {"who": ANN, "at": at(1), "event": "it's"},
            {"who": BOB, "at": at(0), "event": "app_open"},
        ],
    )

    assert people(ask_funnel(["app_open", "it's"])) == [2, 1]  # a type of two names
    assert people(ask_funnel(["app_opened", "it's"])) == [1, 1]
    assert people(ask_funnel(["app_open", "feature_clicked"])) == [
        2,
        0,
    ]  # in the taxonomy, never sent


def test_a_step_may_be_taken_by_several_types_and_events(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_events(
        warehouse,
        [
            {"who": ANN, "at": at(0), "event": "a"},
            {"who": ANN, "at": at(1), "event": "purchase_completed"},
            {"who": BOB, "at": at(0), "event": "app_open"},
            {"who": BOB, "at": at(1), "event": "b"},
            {"who": EVE, "at": at(0), "event": "app_open"},
        ],
    )
    came = FunnelStep(name="Came", etypes=("app_open",), events=("a", "app_open"))
    gave = FunnelStep(name="Gave", etypes=("purchase",), events=("b",))
    found = ask_funnel([came, gave])

    assert people(found) == [3, 2]
    assert found.steps["step"].to_list() == ["Came", "Gave"]
    assert people(ask_funnel([came, "b"])) == [3, 1]


def test_one_event_takes_one_step(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_events(
        warehouse,
        [
            {"who": ANN, "at": at(0), "event": "app_open"},
            {"who": BOB, "at": at(0), "event": "app_open"},
            {"who": BOB, "at": at(0), "event": "app_opened"},
        ],
    )
    named = FunnelStep(name="named", events=("app_open", "app_opened"))

    assert people(ask_funnel(["app_open", named])) == [2, 1]


@pytest.mark.parametrize("order", ["ordered", "strict"])
def test_a_funnel_may_have_as_many_steps_as_a_mask_has_bits(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel], order: str
):
    put_minutes(warehouse, {1: " ".join(f"a {minute}" for minute in range(40)), 2: "a 0 a 1"})

    assert people(ask_funnel(["a"] * 31, order=order)) == [2, 2, *[1] * 29]
    assert people(ask_funnel(["a"] * 8, exclude=["x:7-8"], order=order)) == [2, 2, *[1] * 6]


# --- nothing, and everything as plain values


@pytest.mark.parametrize("by", [None, *BY])
@pytest.mark.parametrize("order", ORDERS)
def test_of_an_empty_lake_everything_is_nothing(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel], order: str, by: str | None
):
    put_events(warehouse, [])
    found = ask_funnel("feature_used purchase", order=order, by=by, exclude=["app_crash"])

    assert people(found) == ([] if by else [0, 0])
    assert (found.excluded, found.times.height) == (0, 0)
    assert ("breakdown" in found.steps.columns) == bool(by)


def test_a_result_is_plain_values(warehouse: Warehouse, ask_funnel: Callable[..., Funnel]):
    put_minutes(warehouse, {1: f"a 0 b {DAY}", 2: "a 0 x 1"}, channel="email")
    plain = ask_funnel("a b", exclude=["x"], by="channel").as_dict()

    assert json.loads(json.dumps(plain, default=str)) == {
        "steps": plain["steps"],
        "times": [{"breakdown": "(none)", "bucket_from_days": 0, "bucket_to_days": 1, "people": 1}],
        "excluded": 1,
        "order": "ordered",
        "window_days": 14,
        "exclusions": ["x:1-2"],
        "by": "channel",
        "since": "2025-12-01 00:00:00",
        "until": "2026-03-01 00:00:00",
        "config_version": DEFINITIONS.version,
        "lake_snapshot": 0,
    }
    assert plain["steps"][1] == {
        "breakdown": "(none)",
        "position": 2,
        "step": "b",
        "people": 1,
        "rate_of_previous": 1.0,
        "rate_of_first": 1.0,
        "median_days": 1.0,
        "p25_days": 1.0,
        "p75_days": 1.0,
        "median_days_from_first": 1.0,
        "open": 0,
    }


def test_nothing_of_one_funnel_stays_for_the_next(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 0 b 1"})
    for by in (None, *BY):
        assert ask_funnel("a b", by=by).steps.height == 2

    left = {name for (name,) in warehouse.sql("select table_name from duckdb_tables()").fetchall()}
    assert not {name for name in left if name.startswith("funnel")}


def test_a_source_that_is_not_there_is_an_error_and_leaves_nothing(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 0 b 1"})
    with pytest.raises(RelationError, match="nowhere"):
        ask_funnel("a b", source="nowhere")

    assert people(ask_funnel("a b")) == [1, 1]


def test_events_may_come_from_another_table(
    warehouse: Warehouse, ask_funnel: Callable[..., Funnel]
):
    put_minutes(warehouse, {1: "a 0 b 1"})
    warehouse.sql(
        "create or replace temp table other as select user_id, occurred_at, event_name, etype"
        " from lake.user_event where event_name <> 'b'"
    )

    assert people(ask_funnel(["a", FunnelStep(name="b", events=("b",))], source="other")) == [1, 0]
