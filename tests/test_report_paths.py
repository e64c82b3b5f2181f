"""The relations of the attribution report, on rows small enough to hold in the head."""

from datetime import datetime
from typing import Any

import pytest
from report_samples import event, memory_lake, milestone, person, put

from mi_core.warehouse import Warehouse

SINCE, UNTIL, PREVIOUS = datetime(2024, 6, 1), datetime(2024, 6, 30), datetime(2024, 5, 3)
SPAN = {"since": SINCE, "until": UNTIL, "previous": PREVIOUS}


@pytest.fixture
def lake(tmp_path):
    warehouse = memory_lake(tmp_path)
    yield warehouse
    warehouse.close()


def rows(lake: Warehouse, name: str, **params: object) -> list[dict[str, Any]]:
    return lake.relation(f"reports/{name}", **params).to_dicts()


def conversions(lake: Warehouse, *, first_event: str = "05-03") -> None:
    put(
        lake,
        "lake.user_event",
        event("anna", "05-10 09:00", "purchase", "purchase", value=700),
        event("anna", "06-01 00:00", "purchase", "purchase", value=500),
        event("bo", "06-29 23:59", "purchase", "purchase"),
        event("bo", "06-02 09:00", "trial_started", "trial_started"),
        event("cy", "06-30 00:00", "purchase", "purchase", value=900),  # too late
        event("cy", "06-02 09:00", "ad_click", "ad_click"),  # no conversion
    )
    put(lake, "lake.user_milestone", milestone("anna", first_event_at=first_event))


def test_conversions_by_kind_and_those_of_the_period_before(lake):
    conversions(lake)
    bought, tried = rows(lake, "conversion_headline", conversion=None, **SPAN)
    assert bought == {
        "kind": "purchase",
        "conversions": 2,
        "value_cents": 500,
        "conversions_before": 1,
        "value_cents_before": 700,
    }
    assert (tried["kind"], tried["conversions"], tried["conversions_before"]) == (
        "trial_started",
        1,
        0,
    )


def test_conversions_of_one_kind(lake):
    conversions(lake)
    [only] = rows(lake, "conversion_headline", conversion="trial_started", **SPAN)
    assert (only["kind"], only["conversions"], only["value_cents"]) == ("trial_started", 1, 0)


def test_conversions_are_not_compared_with_a_period_that_is_not_covered(lake):
    conversions(lake, first_event="05-20")
    bought, _ = rows(lake, "conversion_headline", conversion=None, **SPAN)
    assert (bought["conversions"], bought["conversions_before"]) == (2, None)


def test_readings_within_a_reading_are_of_its_snapshot(workspace):
    lake = workspace.warehouse
    with lake.reading() as outer:
        with lake.reading() as inner:
            lake.sql("create or replace temp table kept as select 1")
        assert lake.sql("select count(*) from lake.user_event").fetchone() == (0,)
    assert inner == outer
    with lake.publish("a write after both"):
        put(lake, "lake.user_event", event("anna", "06-01 00:00", "purchase", "purchase"))
    with lake.reading() as later:
        assert later > outer


def paths(lake: Warehouse, *made: tuple[int, int, str]) -> None:
    """Stage paths of (conversions, nulls, keys): the letters of `keys`, in their order."""
    keys = sorted({key for *_, path in made for key in path})
    steps = [
        {
            "journey_id": number,
            "position": position,
            "touches": len(path),
            "code": keys.index(key) + 1,
        }
        for number, (_, _, path) in enumerate(made)
        for position, key in enumerate(path, start=1)
    ]
    lake.load_rows("path_key", [{"code": n, "key": key} for n, key in enumerate(keys, start=1)])
    lake.load_rows("path_step", steps)
    lake.load_rows(
        "journey",
        [
            {"journey_id": number, "conversions": conversions, "nulls": nulls}
            for number, (conversions, nulls, _) in enumerate(made)
        ],
    )


def test_long_paths_are_counted_as_one(lake):
    paths(lake, (1, 0, "a"), (1, 0, "b"), (0, 1, "a"), (1, 0, "aba"), (1, 0, "abab"), (0, 1, "ab"))
    assert rows(lake, "path_length", longest=3) == [
        {"touches": 1, "conversions": 2, "nulls": 1},
        {"touches": 2, "conversions": 0, "nulls": 1},
        {"touches": 3, "conversions": 2, "nulls": 0},
    ]


def test_ends_of_paths_with_conversions(lake):
    paths(lake, (1, 0, "a"), (1, 0, "aba"), (1, 0, "abb"), (0, 1, "bb"))
    assert rows(lake, "path_ends") == [
        {"first_key": "a", "last_key": "a", "conversions": 2},
        {"first_key": "a", "last_key": "b", "conversions": 1},
    ]


def test_days_from_the_first_touchpoint_in_the_window(lake):
    put(
        lake,
        "lake.user_event",
        event("anna", "06-01 09:00", "ad_click", "ad_click"),  # before the window
        event("anna", "06-08 09:00", "ad_click", "ad_click"),  # two days and an hour before
        event("anna", "06-10 09:59", "ad_click", "ad_click"),
        event("anna", "06-10 10:00", "ad_click", "ad_click"),  # at the conversion: too late
        event("bo", "06-10 09:59", "ad_click", "ad_click"),
        event("bo", "06-10 09:58", "app_open", "app_open"),  # no touchpoint
        event("cy", "06-03 10:00", "ad_click", "ad_click"),  # a week to the second
    )
    journey = {
        "ended_at": "2024-06-10 10:00",
        "from_at": "2024-06-03 10:00",
        "until_at": "2024-06-10 10:00",
        "conversions": 1,
    }
    columns = {
        "journey_id": "bigint",
        "user_id": "uuid",
        "conversions": "bigint",
        **dict.fromkeys(("ended_at", "from_at", "until_at"), "timestamp"),
    }
    people = [
        journey | {"journey_id": number, "user_id": person(name)}
        for number, name in enumerate(("anna", "bo", "cy", "di"))
    ]
    lake.load_rows("journey", [*people, people[0] | {"journey_id": 9, "conversions": 0}], columns)
    found = rows(lake, "path_days", days=7)
    assert {row["day"]: row["conversions"] for row in found} == {0: 1, 2: 1, 6: 1} | dict.fromkeys(
        (1, 3, 4, 5), 0
    )
