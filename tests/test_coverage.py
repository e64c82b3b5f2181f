"""The ledger of deliveries: what each source brought by hour, and what nobody can vouch for."""

import json
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenWorkspace
from exports import event, write_export
from report_samples import memory_lake, put
from typer.testing import CliRunner

from mi_core.cli import app
from mi_core.errors import BadValue
from mi_core.ingest.coverage import SOURCES, coverage, unverified
from mi_core.warehouse import Warehouse

DAY = datetime(2024, 5, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLUMNS = (
    *("hour", "events", "export", "query", "webhook", "capture"),
    *("only_webhook", "reference", "missed", "share", "is_verified"),
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    warehouse = memory_lake(tmp_path_factory.mktemp("lake"))
    yield warehouse
    warehouse.close()


@pytest.fixture(autouse=True)
def _empty(lake: Warehouse) -> None:
    for table in ("analytics_events", "event_delivery", "pull_window", "ingest_batch"):
        lake.sql(f"delete from lake.{table}")


def delivered(lake: Warehouse, *lines: str) -> None:
    """`1 05:30 webhook query`: event 1, its time on 1 May, its first source, further ones."""
    for line in lines:
        number, time, first, *further = line.split()
        row = {"event_id": str(uuid.UUID(int=int(number))), "occurred_at": f"2024-05-01 {time}"}
        put(lake, "lake.analytics_events", row | {"source": first})
        for source in further:
            put(lake, "lake.event_delivery", row | {"source": source})


def pulled(lake: Warehouse, *spans: tuple[str, str]) -> None:
    for since, until in spans:
        put(lake, "lake.pull_window", {"since": f"2024-05-{since}", "until": f"2024-05-{until}"})


def exported(lake: Warehouse, name: str, first: str, last: str) -> None:
    at = {"first_event_at": f"2024-05-{first}", "last_event_at": f"2024-05-{last}"}
    put(lake, "lake.ingest_batch", {"source": "export", "file_name": name, **at})


def verified(lake: Warehouse) -> list[int]:
    """The hours of 1 May that are."""
    hours = coverage(lake, days=1, as_of=DAY)
    return [row["hour"].hour for row in hours.to_dicts() if row["is_verified"]]


def test_an_hour_says_who_delivered_what(lake: Warehouse):
    pulled(lake, ("01 05:00", "01 07:00"))
    delivered(
        lake,
        "1 05:00 webhook",
        "2 05:10 webhook query",
        "3 05:20 query webhook",
        "4 05:59:59.999999 query",
        "5 06:00 export capture query",
        "6 06:00 capture",
        "7 07:30 webhook",
        "8 07:30 elsewhere",
        "9 08:30 query",
    )
    rows = coverage(lake, days=1, as_of=DAY).select(COLUMNS).rows()

    assert len(rows) == 24
    assert [row[1:] for row in rows[5:9]] == [
        (4, 0, 3, 3, 0, 1, 3, 1, 2 / 3, True),
        (2, 1, 1, 0, 2, 0, 1, 0, 1.0, True),
        (2, 0, 0, 1, 0, 1, 0, 0, None, False),
        (1, 0, 1, 0, 0, 0, 1, 1, None, False),
    ]
    assert rows[0] == (datetime(2024, 5, 1), *[0] * 8, None, False)


def test_hours_in_which_nothing_happened_can_be_verified(lake: Warehouse):
    pulled(lake, ("01 05:00", "01 06:00"))
    (row,) = (r for r in coverage(lake, days=1, as_of=DAY).to_dicts() if r["is_verified"])

    assert (row["events"], row["share"], row["missed"]) == (0, None, 0)


def test_windows_side_by_side_cover_an_hour_and_a_gap_does_not(lake: Warehouse):
    pulled(
        lake,
        *[("01 03:30", "01 05:10"), ("01 05:10", "01 05:10"), ("01 05:00", "01 05:30")],
        *[("01 05:30", "01 06:59:59.999999"), ("01 07:00", "01 08:00"), ("01 03:40", "01 03:50")],
    )

    assert verified(lake) == [4, 5, 7]


def test_an_exports_name_says_what_it_covers(lake: Warehouse):
    zone = "+00:00"
    name = f"2024-05-01T02:00:00{zone}-2024-05-01T04:00:00{zone}"
    exported(lake, f"{name}.parquet.zst", "01 01:50", "01 03:59")
    exported(lake, "2024-05-01T04:00:00Z-2024-05-01T05:00:00Z-1.jsonl.gz", "01 04:50", "01 04:59")
    exported(lake, f"None-2024-04-30T20:00:00-04:00{zone}.parquet", "01 22:50", "01 22:59")
    exported(lake, f"None-2024-05-01T01:00:00{zone}.parquet", "01 00:50", "01 00:59")
    pulled(lake, ("01 05:00", "01 05:30"))

    assert verified(lake) == [0, 2, 3, 4]


def test_of_another_file_only_hours_with_its_events_are_certain(lake: Warehouse):
    exported(lake, "a.jsonl", "01 02:10", "01 06:00")
    delivered(lake, "1 02:10 export", "2 04:30 webhook export", "3 05:30 webhook", "4 06:00 export")
    delivered(lake, "5 09:00 export")

    assert verified(lake) == [2, 4, 6]


def test_stretches_to_fetch(lake: Warehouse):
    pulled(lake, ("01 02:00", "01 03:00"), ("01 07:30", "01 22:00"))
    gaps = unverified(coverage(lake, days=1, as_of=DAY + timedelta(minutes=59)))

    assert [(one.hour, end) for one, end in gaps] == [
        (0, datetime(2024, 5, 1, 2)),
        (3, datetime(2024, 5, 1, 8)),
        (22, datetime(2024, 5, 2)),
    ]
    pulled(lake, ("01 00:00", "02 00:00"))
    assert unverified(coverage(lake, days=1, as_of=DAY)) == []


@pytest.mark.parametrize("days", [0, 4000, 1.5])
def test_days_are_some(lake: Warehouse, days: Any):
    with pytest.raises(BadValue, match=f"days is {days}; it is a whole number"):
        coverage(lake, days=days, as_of=DAY)
    with pytest.raises(BadValue, match="a time with a zone"):
        coverage(lake, days=1, as_of=datetime(2024, 5, 2))


@pytest.mark.parametrize("seed", range(4))
def test_it_counts_as_python_does(lake: Warehouse, seed: int):
    chance = random.Random(seed)
    told: dict[int, list[str]] = {}
    moments: dict[int, datetime] = {}
    for number in range(60):
        told[number] = chance.sample(SOURCES, chance.randint(1, 4))
        moments[number] = datetime(2024, 5, 1) + chance.random() * timedelta(hours=6)
        time = f"{moments[number]:%H:%M:%S.%f}"
        delivered(lake, " ".join([str(number), time, *told[number]]))
    edges = sorted(datetime(2024, 5, 1) + chance.randint(0, 12) * HOUR / 2 for _ in range(4))
    spans = [(edges[0], edges[2]), (edges[1], edges[3])]
    pulled(lake, *[(f"{one:%d %H:%M}", f"{end:%d %H:%M}") for one, end in spans])

    for row in coverage(lake, days=1, as_of=DAY).to_dicts():
        inside = [n for n, at in moments.items() if row["hour"] <= at < row["hour"] + HOUR]
        by = Counter(source for n in inside for source in told[n])
        only = Counter(told[n][0] for n in inside if len(told[n]) == 1)
        known = [n for n in inside if {"export", "query"} & set(told[n])]
        got = [n for n in known if {"webhook", "capture"} & set(told[n])]
        is_verified = all(
            any(one <= row["hour"] + part < end for one, end in spans)
            for part in (timedelta(), HOUR / 2)
        )
        assert row == {
            "hour": row["hour"],
            "events": len(inside),
            **{source: by[source] for source in SOURCES},
            **{f"only_{source}": only[source] for source in SOURCES},
            "reference": len(known),
            "received": len(got),
            "missed": len(known) - len(got),
            "share": len(got) / len(known) if is_verified and known else None,
            "is_verified": is_verified,
        }


# --- mi coverage


def mi(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def test_the_command_says_what_is_missing(fresh: OpenWorkspace, tmp_path: Path):
    workspace = fresh()
    rows = [event(at=f"05-01 {hour:02}:30") for hour in (1, 2, 2, 3, 3, 3)]
    rows = [row | {"uuid": str(uuid.uuid4())} for row in rows]
    zone = "+00:00"
    name = f"2024-05-01T02:00:00{zone}-2024-05-01T04:00:00{zone}.jsonl"
    workspace.post(rows[:3], received_at=DAY)
    workspace.drain()
    workspace.ingest([write_export(tmp_path / name, rows[1:])])
    options = ("coverage", "--days", "1", "--as-of", "2024-05-02", "--workspace")
    shown = mi(*options, str(workspace.path))
    told = json.loads(mi(*options, str(workspace.path), "--json").stdout)

    assert shown.exit_code == 0
    assert shown.stderr.strip().splitlines() == [
        "The webhook delivered 2 of the 5 events (40%) that exports and pulls have in 2 verified"
        " hours; those it missed are here all the same.",
        "22 hours are unverified: no export or pull covers them, so what the webhook missed there"
        " is missing here. To fetch it:",
        "  mi ingest posthog --since 2024-05-01T00:00 --until 2024-05-01T02:00",
        "  mi ingest posthog --since 2024-05-01T04:00 --until 2024-05-02T00:00",
    ]
    assert "2024-05-01 03:00:00" in shown.stdout
    assert (told["events"], told["missed"], told["share"]) == (6, 3, 0.4)
    assert [row["missed"] for row in told["worst_hours"]] == [3]
    assert told["unverified"][1]["command"] in shown.stderr
    assert len(told["hours"]) == 24
    assert told["hours"][0]["share"] is None
