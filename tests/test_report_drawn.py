"""The relations of the magnetism report, on rows small enough to hold in the head."""

from datetime import datetime
from typing import Any

import pytest
from report_samples import AS_OF, event, intent, magnetism, memory_lake, milestone, person, put

from mi_core.warehouse import Warehouse

BANDS = ["cold", "cooling", "warm", "hot"]
BEGIN, WEEK = datetime(2024, 6, 2), datetime(2024, 6, 23)
NAMES = {person(name): name for name in "abcdefgh"}


@pytest.fixture
def lake(tmp_path):
    warehouse = memory_lake(tmp_path)
    yield warehouse
    warehouse.close()


def rows(lake: Warehouse, name: str, **params: object) -> list[dict[str, Any]]:
    return lake.relation(f"reports/{name}", **params).to_dicts()


def stage(lake: Warehouse, begin: datetime | None = BEGIN, week: datetime | None = WEEK) -> None:
    lake.stage("drawn", "reports/drawn", as_of=AS_OF, begin_at=begin, week_at=week, last_at=week)


def scored(name: str, index: float, *, risk: int, at: str = "06-30", days: str = "30d", **parts):
    """A person's index, with all of it in intent unless `parts` say otherwise."""
    band = BANDS[sum(index >= cut for cut in (30, 50, 70))]
    row = magnetism(name, band, churn_risk=risk, as_of=at) | {"time_window": days}
    zeros = dict.fromkeys(("engagement", "reactivation", "email_ctr", "social_returns"), 0)
    return row | {"magnetism_index": index, "intent": int(index)} | zeros | parts


def put_scores(lake: Warehouse, *scores: dict[str, object]) -> None:
    put(lake, "lake.user_magnetism_index", *scores)


def test_scorings_to_compare_with_are_the_nearest_before(lake):
    runs = {"05-20": "old", "06-01": "new", "06-20": "new", "06-29": "new", "06-30": "newest"}
    put(
        lake,
        "lake.score_run",
        *({"as_of": f"2024-{at}", "config_version": version} for at, version in runs.items()),
    )
    [found] = rows(lake, "drawn_scoring", as_of=AS_OF, since=datetime(2024, 5, 25))
    assert [found[f"{each}_at"].day for each in ("last", "week", "begin")] == [29, 20, 20]
    assert found["begin_at"].month == 5
    assert [found[f"{each}_version"] for each in ("last", "week", "begin")] == ["new", "new", "old"]


def test_of_each_earlier_day_the_last_scoring_is_compared_with_by_its_last_definitions(lake):
    runs = {"06-23 00": "a", "06-23 23": "z", "06-29 05": "z", "06-29 23": "z", "06-30 04": "z"}
    rows_of = [
        {"as_of": f"2024-{at}:00", "config_version": version, "lake_snapshot": 1}
        for at, version in runs.items()
    ]
    again = rows_of[3] | {"config_version": "b", "lake_snapshot": 2}
    put(lake, "lake.score_run", *rows_of, again)
    at = datetime(2024, 6, 30, 5)
    [found] = rows(lake, "drawn_scoring", as_of=at, since=datetime(2024, 6, 23))
    assert found["last_at"] == datetime(2024, 6, 29, 23)
    assert found["week_at"] == found["begin_at"] == datetime(2024, 6, 23, 23)
    assert (found["last_version"], found["week_version"]) == ("b", "z")


def test_a_scoring_is_by_the_definitions_that_it_was_made_with_last(lake):
    runs = [
        {"as_of": "2024-05-30", "config_version": version, "lake_snapshot": snapshot}
        for snapshot, version in enumerate("az0")
    ]
    put(lake, "lake.score_run", *runs)
    [found] = rows(lake, "scoring_near", since=BEGIN, latest=AS_OF)
    assert found["config_version"] == "0"


def test_without_an_earlier_scoring_there_is_nothing_to_compare_with(lake):
    put(lake, "lake.score_run", {"as_of": "2024-06-30", "config_version": "new"})
    [found] = rows(lake, "drawn_scoring", as_of=AS_OF, since=BEGIN)
    assert set(found.values()) == {None}
    put_scores(lake, scored("a", 40, risk=50))
    stage(lake, begin=None, week=None)
    [move] = rows(lake, "drawn_move")
    assert (move["band_then"], move["band_now"], move["people"]) == (None, "cooling", 1)


def test_moves_between_bands_count_who_came_and_who_is_gone(lake):
    put_scores(
        lake,
        scored("a", 20, risk=80, at="06-02"),
        scored("a", 60, risk=20),
        scored("b", 10, risk=90, at="06-02"),
        scored("b", 65, risk=20),
        scored("c", 75, risk=5),
        scored("d", 75, risk=5, at="06-02"),
        scored("e", 75, risk=5, at="06-23"),  # neither now nor then
        scored("a", 5, risk=5, days="7d"),
    )
    stage(lake)
    moves = {(r["band_then"], r["band_now"]): r["people"] for r in rows(lake, "drawn_move")}
    assert moves == {("cold", "warm"): 2, (None, "hot"): 1, ("hot", None): 1}


def test_parts_add_up_to_the_index_and_change_is_of_those_scored_twice(lake):
    put_scores(
        lake,
        scored("a", 45.5, risk=50, intent=20, engagement=10, email_ctr=5),
        scored("a", 30, risk=50, at="06-02", intent=12, engagement=18),
        scored("b", 10, risk=50),
    )
    stage(lake)
    found = {row["part"]: row for row in rows(lake, "drawn_part")}
    points = {part: row["points"] for part, row in found.items()}
    assert points["intent"] == 3000
    assert sum(points.values()) - points["index"] == points["index"] == 5550
    assert points["bonus"] == 1050  # of a's 45.5 the parts give 35
    assert (found["intent"]["both"], found["intent"]["change"]) == (1, 800)
    assert found["engagement"]["change_squares"] == 640_000
    assert (found["index"]["people"], found["index"]["people_then"]) == (2, 1)


def test_seven_days_stand_beside_thirty(lake):
    put_scores(
        lake,
        *(scored("a", 60, risk=5, at=at) for at in ("06-02", "06-30")),
        scored("a", 55, risk=5, days="7d"),
        scored("a", 65, risk=5, at="06-02", days="7d"),
        scored("b", 60, risk=5),
        scored("b", 55.1, risk=5, days="7d"),
        scored("c", 60, risk=5),
    )
    stage(lake)
    assert [tuple(row.values()) for row in rows(lake, "drawn_pace", points=5.0)] == [
        ("alike", None, 1),
        ("weaker", "stronger", 1),
        (None, None, 1),
    ]
    warm = rows(lake, "drawn_window", bands=BANDS)[2]
    assert (warm["band"], warm["people"], warm["people_7d"]) == ("warm", 3, 2)
    assert (warm["people_then"], warm["people_7d_then"]) == (1, 1)


def put_known(lake: Warehouse) -> None:
    """All but f are known: a since before the period, the others since before its end."""
    known = {"a": "05-01", "b": "06-01", "c": "06-10", "d": "06-01", "e": "06-01"}
    put(
        lake,
        "lake.user_milestone",
        *(milestone(n, email_captured_at=at) for n, at in known.items()),
    )
    put(lake, "lake.user_milestone", milestone("g", email_captured_at="07-01"))  # not yet


def test_risk_then_and_now_and_who_stayed_away(lake):
    put_known(lake)
    put_scores(
        lake,
        *(scored(name, 10, risk=95, at="06-02") for name in "abf"),
        scored("d", 10, risk=69, at="06-02"),
        *(scored(name, 10, risk=100) for name in "abcfg"),
    )
    put(
        lake,
        "lake.user_event",
        event("a", "06-01 23:59", "app_open", "app_open"),  # before the begin
        event("a", "06-20", "email_opened", "email_open"),  # no act in the product
        event("b", "06-02", "app_open", "app_open"),
        event("d", "06-30", "app_open", "app_open"),  # after the end
    )
    stage(lake)
    found = {row["risk_from"]: row for row in rows(lake, "drawn_risk")}
    assert len(found) == 10
    assert (found[90]["people"], found[90]["people_then"], found[90]["stayed_away"]) == (3, 2, 1)
    assert (found[60]["people"], found[60]["people_then"], found[60]["stayed_away"]) == (0, 1, 1)


def test_who_became_at_risk_and_who_was_won_back(lake):
    put_known(lake)
    put(lake, "lake.user_event", event("b", "06-05", "purchase", "purchase", value=700))
    put_scores(
        lake,
        scored("a", 10, risk=70),
        scored("a", 10, risk=69, at="06-02"),
        scored("b", 50, risk=30),
        scored("b", 10, risk=90, at="06-02"),
        scored("b", 10, risk=90, at="06-23"),
        scored("c", 10, risk=70, at="06-02"),  # wasn't known then
        scored("c", 10, risk=70),
        scored("f", 10, risk=99),  # was never known
    )
    stage(lake)
    moves = [tuple(row.values()) for row in rows(lake, "drawn_risk_move", risk=70)]
    assert [row[1:] for row in moves if row[0] == "begin"] == [
        (False, True, 1, 0),
        (True, False, 1, 700),
        (None, True, 1, 0),
    ]
    assert [row[1:] for row in moves if row[0] == "week"] == [
        (True, False, 1, 700),
        (None, True, 2, 0),
    ]


def test_groups_are_of_known_people_by_persona_and_first_channel(lake):
    put_known(lake)
    put(lake, "lake.user_intent_score", *(intent(name, 30, "medium") for name in "abcf"))
    put(
        lake,
        "state.user_persona",
        {"user_id": person("a"), "slug": "automation_pro", "assigned_at": "2024-06-01"},
    )
    put(
        lake,
        "lake.user_event",
        event("a", "05-01", "ad_clicked", "ad_click", channel="email"),
        event("a", "05-02", "ad_clicked", "ad_click", channel="direct"),
    )
    put_scores(lake, *(scored(name, 10, risk=90) for name in "abf"), scored("c", 60, risk=5))
    stage(lake)
    found = [tuple(row.values()) for row in rows(lake, "drawn_group", risk=70)]
    assert found == [
        ("channel", None, 2, 1, 7000),
        ("channel", "email", 1, 1, 1000),
        ("persona", "student_early_career", 2, 1, 7000),
        ("persona", "automation_pro", 1, 1, 1000),
    ]


def test_advice_says_whom_it_can_reach(lake):
    put_known(lake)
    put(lake, "lake.user_milestone", milestone("h", purchased_at="06-01"))  # without an address
    put_scores(
        lake,
        *(scored(name, 10, risk=90) for name in "afh"),
        scored("b", 60, risk=5, recommendations=["build_habit", "win_back"]),
    )
    stage(lake)
    assert [tuple(row.values()) for row in rows(lake, "drawn_advice", risk=70)] == [
        ("win_back", 4, 2, 2, 1),
        ("build_habit", 1, 1, 0, 0),
    ]


def test_the_board_begins_with_those_who_have_most_to_lose(lake):
    put_known(lake)
    put(lake, "lake.user_intent_score", intent("a", 80, "very_high"), intent("b", 80, "very_high"))
    put(
        lake,
        "lake.user_event",
        event("b", "06-10", "purchase", "purchase", value=900),
        event("b", "06-20", "subscription_renewal", "subscription_renewal", value=100),
        event("b", "06-25", "email_opened", "email_open"),
        event("c", "06-10", "purchase", "purchase", value=1100),
        event("d", "06-10", "purchase", "purchase", value=9999),  # no risk
        event("e", "07-10", "purchase", "purchase", value=9999),  # after the scoring
    )
    put_scores(
        lake,
        scored("a", 10, risk=95),
        scored("a", 10, risk=95, at="06-23"),
        scored("b", 10, risk=90),
        scored("c", 10, risk=70),
        scored("d", 90, risk=5),
        scored("e", 10, risk=80),
        scored("f", 10, risk=100),
    )
    stage(lake)
    board = rows(lake, "drawn_board", risk=70, people=3)
    assert [NAMES[row["user_id"]] for row in board] == ["b", "c", "a"]
    assert [row["spent_cents"] for row in board] == [1000, 1100, 0]
    assert [row["was_at_risk"] for row in board] == [False, False, True]
    assert [row["is_ready"] for row in board] == [False, False, True]  # b bought lately
    assert {row["listed"] for row in board} == {4}
    first = board[0]
    assert (first["ready"], first["with_address"], first["with_revenue"]) == (1, 4, 2)
    assert (first["all_cents"], first["last_here_at"].day) == (2100, 10)
