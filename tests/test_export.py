"""Batch-export files in: every format, damaged ones, interrupted runs."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from exports import (
    JSON_LINES,
    PARQUET,
    Event,
    event,
    identify,
    lake_content,
    parquet_frame,
    write_export,
    write_lines,
)

from mi_core.errors import IngestError
from mi_core.ingest.export import find_exports
from mi_core.ingest.summary import IngestSummary
from mi_core.workspace import Workspace

VISIT = [
    event("$pageview", "anon", "05-01 10:00", {"referrer": "https://news.example/a"}, session="s1"),
    event("$pageview", "anon", "05-01 10:05", session="s1"),
    identify("ann", "anon", "05-01 10:06"),
    event("purchase", "ann", "06-02 09:00", {"price_cents": 1250, "plan": "pro"}),
    event("$pageview", "bob", "06-03 12:00", {"utm_source": "google", "utm_medium": "cpc"}),
]
PROPERTIES = pl.Struct(
    {
        name: pl.String
        for name in ("$session_id", "$anon_distinct_id", "referrer", "plan", "utm_source")
    }
)


def quarantined(summary: IngestSummary) -> list[dict[str, object]]:
    """The rows of the delivery's quarantine file."""
    assert summary.quarantine is not None
    return [json.loads(line) for line in summary.quarantine.read_text().splitlines()]


@pytest.fixture
def refuses(workspace: Workspace) -> Callable[[Path], str]:
    """Ingest a file that can't be taken in; returns the complaint, when nothing was changed."""
    workspace.ingest([write_export(workspace.path.parent / "before.jsonl", VISIT)])

    def refuse(file: Path) -> str:
        before = (workspace.warehouse.snapshot(), lake_content(workspace))
        with pytest.raises(IngestError) as caught:
            workspace.ingest([file])
        assert (workspace.warehouse.snapshot(), lake_content(workspace)) == before
        return str(caught.value)

    return refuse


# --- formats


def test_each_format_gives_the_same_events(workspace: Workspace, tmp_path: Path):
    files = [write_export(tmp_path / f"visit{e}", VISIT) for e in (*PARQUET, *JSON_LINES)]
    found, _ = find_exports(files)

    read = []
    for file in found:
        with file.as_raw_event(workspace.warehouse):
            rows = workspace.warehouse.frame("from raw_event order by row_no")
            read.append(rows.with_columns(pl.col("properties").str.json_decode(PROPERTIES)))

    assert len(read) == len(PARQUET) + len(JSON_LINES)
    assert all(rows.equals(read[0]) for rows in read)
    assert workspace.ingest(files[-1:]).accepted == len(VISIT)


def test_a_folder_gives_its_exports_and_names_what_it_ignores(workspace: Workspace, tmp_path: Path):
    folder = tmp_path / "exports" / "2024"
    folder.mkdir(parents=True)
    write_export(folder / "a.parquet", VISIT[:3])
    write_export(folder / "b.jsonl.gz", VISIT[3:])
    (folder / "a_manifest.json").write_text("{}")

    summary = workspace.ingest([tmp_path / "exports"])

    assert (summary.files, summary.accepted) == (2, len(VISIT))
    assert summary.ignored_files == ("a_manifest.json",)


def test_windows_that_overlap_count_their_events_once(workspace: Workspace, tmp_path: Path):
    write_export(tmp_path / "a.parquet", VISIT[:4])
    write_export(tmp_path / "b.jsonl", VISIT[2:])

    summary = workspace.ingest([tmp_path / "a.parquet", tmp_path / "b.jsonl"])

    assert (summary.delivered, summary.accepted, summary.duplicates) == (7, 5, 2)


def test_the_same_file_again_is_unchanged_and_the_same_events_are_duplicates(
    workspace: Workspace, tmp_path: Path
):
    file = write_export(tmp_path / "a.parquet", VISIT)
    workspace.ingest([file])
    before = lake_content(workspace)

    again = workspace.ingest([file])
    elsewhere = workspace.ingest([write_export(tmp_path / "b.jsonl", VISIT)])

    assert (again.files, again.unchanged_files, again.delivered) == (0, 1, 0)
    assert (elsewhere.accepted, elsewhere.duplicates) == (0, len(VISIT))
    assert lake_content(workspace) == before


def test_odd_file_names(workspace: Workspace, tmp_path: Path):
    names = ("a b.parquet", "o'clock.jsonl", "[1]*?.parquet", 'say "hi";--.jsonl', "ünï.jsonl.gz")
    write_export(tmp_path / "1xy.parquet", [event(who="matches [1]*?.parquet as a pattern")])

    files = [write_export(tmp_path / name, [event(who=name)]) for name in names]
    assert workspace.ingest(files).accepted == len(names)


def test_folder_names_are_no_columns(workspace: Workspace, tmp_path: Path):
    folder = tmp_path / "event=purchase" / "distinct_id=eve"
    folder.mkdir(parents=True)
    workspace.ingest([write_export(folder / "a.parquet", VISIT[:1])])

    assert workspace.sql("select event_name from lake.user_event").item() == "$pageview"


# --- files that can't be taken in


def damaged() -> dict[str, bytes]:
    return {
        "random.parquet": random.Random(1).randbytes(5_000),
        "random.jsonl.gz": random.Random(2).randbytes(5_000),
        "random.jsonl.br": random.Random(3).randbytes(5_000),
        "empty.parquet": b"",
        "empty.jsonl": b"",
        "blank.jsonl": b"\n\n",
        "text.jsonl": b"Dear jane@mail.example,\nhow are you?\n",
    }


def test_a_file_of_nonsense_is_refused_by_name(refuses: Callable[[Path], str], tmp_path: Path):
    for name, content in damaged().items():
        (tmp_path / name).write_bytes(content)
        complaint = refuses(tmp_path / name)

        assert complaint.startswith(name)
        assert complaint.endswith(".")
        assert "jane" not in complaint


@pytest.mark.parametrize("ending", [".parquet", ".jsonl.gz", ".jsonl.br"])
def test_a_truncated_file_is_refused(refuses: Callable[[Path], str], tmp_path: Path, ending: str):
    file = tmp_path / f"cut{ending}"
    whole = write_export(file, [event(who=f"person {n}") for n in range(300)]).read_bytes()

    for size in (len(whole) // 2, len(whole) - 9, len(whole) - 1):
        file.write_bytes(whole[:size])
        assert "damaged" in refuses(file)


def test_a_bad_file_keeps_its_good_neighbours_out(
    refuses: Callable[[Path], str], tmp_path: Path, workspace: Workspace
):
    folder = tmp_path / "delivery"
    folder.mkdir()
    good = write_export(folder / "good.parquet", [event(who="new")])
    (folder / "worse.parquet").write_bytes(b"PAR1")

    assert refuses(folder).startswith("worse.parquet")
    assert workspace.ingest([good]).accepted == 1


def test_the_persons_model_is_refused(refuses: Callable[[Path], str], tmp_path: Path):
    columns = ("team_id", "distinct_id", "person_id", "properties", "person_version", "is_deleted")
    pl.DataFrame({name: ["1"] for name in columns}).write_parquet(tmp_path / "persons.parquet")

    assert "is not of the events model: it lacks uuid, event, timestamp" in refuses(
        tmp_path / "persons.parquet"
    )


def test_persons_as_lines_are_refused(refuses: Callable[[Path], str], tmp_path: Path):
    row = {"team_id": 1, "distinct_id": "jane@mail.example", "person_id": "p", "properties": {}}
    file = write_lines(tmp_path / "persons.jsonl", [json.dumps(row)] * 2)

    complaint = refuses(file)

    assert "uuid is missing or is not a UUID (2 rows)" in complaint
    assert "jane" not in complaint


def test_lines_in_another_time_zone_are_refused(refuses: Callable[[Path], str], tmp_path: Path):
    for moment in ("2024-05-01T10:00:00", "2024-05-01T10:00:00+02:00"):
        rows = [event(), event(who="bob") | {"timestamp": moment}]
        assert "not in UTC" in refuses(write_export(tmp_path / "zone.jsonl", rows))


def test_parquet_without_a_time_zone_is_refused(refuses: Callable[[Path], str], tmp_path: Path):
    frame = parquet_frame(VISIT).with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    frame.write_parquet(tmp_path / "naive.parquet")

    assert "timestamp is TIMESTAMP and says no time zone" in refuses(tmp_path / "naive.parquet")


def test_parquet_written_in_another_time_zone_has_the_same_instants(
    workspace: Workspace, tmp_path: Path
):
    frame = parquet_frame(VISIT[:1])
    frame = frame.with_columns(pl.col("timestamp").dt.convert_time_zone("Europe/Berlin"))
    frame.write_parquet(tmp_path / "berlin.parquet")
    workspace.ingest([tmp_path / "berlin.parquet"])

    assert str(workspace.sql("select occurred_at from lake.user_event").item()) == (
        "2024-05-01 10:00:00"
    )


def test_what_is_no_export_is_refused(refuses: Callable[[Path], str], tmp_path: Path):
    (tmp_path / "nothing.csv").write_text("a,b")
    (tmp_path / "folder").mkdir()

    for name in ("nothing.csv", "folder", "gone.parquet"):
        assert name in refuses(tmp_path / name)


# --- rows that can't be taken in


REJECTED: list[tuple[Event | str, str]] = [
    ("{not JSON", "line is not JSON"),
    (json.dumps(event(properties={"source": "\ud800"})), "line is not JSON"),
    ("[1, 2]", "uuid is missing or is not a UUID"),
    (event() | {"uuid": "one"}, "uuid is missing or is not a UUID"),
    (event() | {"event": " "}, "event name is missing"),
    (event() | {"event": {"name": "jane"}}, "event name is missing"),
    (
        event("mail to jane@mail.example"),
        "event name is too long or looks like personal data",
    ),
    (event(who=" "), "distinct_id is missing or a placeholder"),
    (event(who="[Object object]"), "distinct_id is missing or a placeholder"),
    (event(who="NULL"), "distinct_id is missing or a placeholder"),
    (event() | {"timestamp": None}, "timestamp is missing or unreadable"),
    (event() | {"timestamp": "yesterday"}, "timestamp is missing or unreadable"),
    (event() | {"timestamp": 1714557600}, "timestamp is missing or unreadable"),
    (event() | {"timestamp": "0000-01-01T00:00:00Z"}, "timestamp is before 2000 or after 2100"),
    (
        event() | dict.fromkeys(("timestamp", "created_at"), "9999-12-31T23:59:59Z"),
        "timestamp is before 2000 or after 2100",
    ),
    (
        event() | dict.fromkeys(("timestamp", "created_at"), "290000-01-01T00:00:00Z"),
        "timestamp is before 2000 or after 2100",
    ),
    (event() | {"timestamp": "2024-07-01T00:00:00Z"}, "timestamp is after its arrival"),
    (event() | {"properties": [1]}, "properties are not a JSON object with unique names"),
    (event() | {"properties": "{"}, "properties are not a JSON object with unique names"),
    (
        json.dumps(event()).replace('"properties": {', '"properties": {"plan": 1, "plan": 2'),
        "properties are not a JSON object with unique names",
    ),
]


def test_a_bad_row_is_rejected_with_its_reason(workspace: Workspace, tmp_path: Path):
    rows = [row if isinstance(row, str) else json.dumps(row) for row, _ in REJECTED]
    file = write_lines(tmp_path / "rows.jsonl", [json.dumps(event()), *rows])
    summary = workspace.ingest([file])

    assert summary.accepted == 1
    assert [row["reason"] for row in quarantined(summary)] == [reason for _, reason in REJECTED]
    assert sum(summary.rejected.values()) == len(REJECTED)


def test_rejected_rows_are_in_quarantine_without_what_they_said(
    workspace: Workspace, tmp_path: Path
):
    lines = [json.dumps(event()), '{"email": "jane@mail.example', json.dumps(event(who="guest"))]
    summary = workspace.ingest([write_lines(tmp_path / "rows.jsonl", lines)])

    assert quarantined(summary) == [
        {
            "file_name": "rows.jsonl",
            "row_no": 2,
            "event_id": None,
            "reason": "line is not JSON",
        },
        {
            "file_name": "rows.jsonl",
            "row_no": 3,
            "event_id": event(who="guest")["uuid"],
            "reason": "distinct_id is missing or a placeholder",
        },
    ]


def test_without_consent_to_analytics_an_event_is_counted_and_not_stored(
    workspace: Workspace, tmp_path: Path
):
    refusals = (False, "false", "False", 0, "0", "no")
    shy = [
        event(who="shy", key=repr(refusal), properties={"consent_analytics": refusal})
        for refusal in refusals
    ]
    summary = workspace.ingest([write_export(tmp_path / "a.jsonl", [event(), *shy])])

    assert (summary.accepted, summary.withheld, summary.rejected) == (1, len(refusals), {})
    assert workspace.sql("select count(*) from lake.analytics_events").item() == 1
    assert workspace.sql("select count(*) from lake.identity_alias").item() == 1


def test_unknown_events_are_stored_and_counted_by_name(workspace: Workspace, tmp_path: Path):
    rows = [event("brewed", key=str(n)) for n in range(3)] + [event("sipped"), event("purchase")]
    summary = workspace.ingest([write_export(tmp_path / "a.parquet", rows)])

    assert summary.unknown_events == {"brewed": 3, "sipped": 1}
    assert workspace.sql("select count(*) from lake.user_event where etype is null").item() == 4


def test_an_amount_beyond_reason_is_none(workspace: Workspace, tmp_path: Path):
    amounts = (1e300, "inf", "nan", "1e400", 2**63, -5, "much", None)
    rows = [
        event("purchase", key=repr(a), properties={"price_cents": a, "duration_ms": a})
        for a in amounts
    ]
    summary = workspace.ingest([write_export(tmp_path / "a.jsonl", rows)])

    assert summary.accepted == len(amounts)
    assert workspace.sql("select distinct value, duration from lake.user_event").rows() == [
        (None, None)
    ]
