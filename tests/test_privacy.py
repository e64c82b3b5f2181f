"""What passes the privacy door, and that nothing else is ever written down."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from exports import Event, alias, event, identify, through_door, write_export, write_lines
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from report_samples import memory_lake

from mi_core.definitions import load_definitions
from mi_core.ingest.door import _SUSPICIOUS, Door, personal_pattern
from mi_core.ingest.keys import HashKeys
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace

QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
KEYS = HashKeys((b"new key of the tests, 32 characters", b"old " * 30))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator["OpenDoor"]:
    opened = OpenDoor(tmp_path_factory.mktemp("door"))
    yield opened
    opened.warehouse.close()


class OpenDoor:
    """The door by itself, with nothing behind it."""

    def __init__(self, path: Path) -> None:
        self.warehouse: Warehouse = memory_lake(path)
        self.door = Door(load_definitions(), KEYS)

    def passed(self, *events: Event) -> list[dict[str, Any]]:
        """What the door lets pass of events, properties and experiments as plain values."""
        through_door(self.warehouse, self.door, events)
        rows = self.warehouse.frame("from passed order by row_no").to_dicts()
        for row in rows:
            for name in ("properties", "experiments"):
                row[name] = json.loads(row[name] or "{}")
        return rows


def hashed(identifier: str) -> list[str]:
    """HMAC-SHA-256 under each key, first 128 bits, by Python's own means."""
    return [
        hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()[:32] for key in KEYS.keys
    ]


def bare(found: object) -> str:
    return str(found).replace("-", "")


# --- ids


@QUICK
@given(st.lists(TEXT.filter(lambda t: t.strip(" ")), min_size=1, max_size=30))
@example(["jane@mail.example", "Ω" * 63, "x" * 64, "x" * 65, "\0", "a\0b", "𝄞", "x" * 100_000])
def test_the_hash_in_sql_is_the_hmac_of_python(door: OpenDoor, ids: list[str]):
    door.warehouse.load_rows("id", [{"id": text, "row_no": n} for n, text in enumerate(ids)])
    pads = KEYS.pads()
    rows = door.warehouse.sql(
        "select keyed_hash(id, $inner_pad, $outer_pad),"
        " keyed_hash(id, $old_inner_pad, $old_outer_pad) from id order by row_no",
        pads,
    ).fetchall()

    assert [[bare(value) for value in row] for row in rows] == [hashed(text) for text in ids]


def test_a_person_is_found_again_by_the_python_hash(door: OpenDoor):
    [row] = door.passed(identify(" jane@mail.example ", "anon-1", "05-01 10:00", person="p-1"))

    assert [bare(row["distinct_id_hash"]), bare(row["old_distinct_id_hash"])] == hashed(
        "jane@mail.example"
    )
    assert [bare(row["linked_hash"]), bare(row["old_linked_hash"])] == hashed("anon-1")
    assert bare(row["person_hash"]) == hashed("person:p-1")[0]
    assert [bare(h) for h in KEYS.hashes(" jane@mail.example ")] == hashed("jane@mail.example")


# --- properties


def test_only_whitelisted_properties_pass_and_the_others_are_counted(door: OpenDoor):
    held = {"plan": "pro", "email": "jane@mail.example", "$ip": "203.0.113.7", "$set": {"name": 1}}
    [row] = door.passed(event(properties=held))

    assert row["properties"] == {"plan": "pro"}
    assert sorted(row["dropped"]) == ["$ip", "$set", "email"]
    assert row["screened"] in (None, [])


PERSONAL = [
    "jane@mail.example",
    "Jane <jane.doe+news@mail.example>",
    "jane%40mail.example",
    "+49 171 1234567",
    "call +1 (555) 123-4567 now",
    "%2B491711234567",
    "%2b491711234567",
    "0171 1234567",
    "0171/1234567",
    "(555) 123-4567",
    "555.123.4567",
    "4917112345678",
    "https://shop.example/reset?token=abc",
    "/reset?email=jane",
    "?utm_source=x",
    "https://shop.example/#jane",
    ["jane@mail.example"],
    {"name": "Jane"},
]


@pytest.mark.parametrize("name", ["source", "reason", "utm_content", "topic", "cta"])
def test_values_that_look_personal_are_dropped_and_counted(door: OpenDoor, name: str):
    allowed = ["4917112345678"] if name.startswith("utm") else []
    rows = door.passed(
        *(event(key=str(n), properties={name: v, "rank": 3}) for n, v in enumerate(PERSONAL))
    )

    kept = [row["properties"][name] for row in rows if name in row["properties"]]
    assert kept == allowed
    assert all(row["properties"]["rank"] == 3 for row in rows)
    assert sum(len(row["screened"] or []) for row in rows) == len(PERSONAL) - len(allowed)


@QUICK
@given(
    st.lists(
        st.one_of(
            TEXT,
            st.sampled_from([text for text in PERSONAL if isinstance(text, str)]),
            st.from_regex(r"[ ().\-+/0-9]{6,24}", fullmatch=True),
            st.from_regex(r"[a-z0-9.]{1,5}(@|%40)[a-z.]{1,8}", fullmatch=True),
            st.from_regex(r"(//|/|\.|)[a-z/.]{0,6}[?#][a-z=]{1,6}", fullmatch=True),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_the_quick_look_misses_nothing_that_a_screen_finds(door: OpenDoor, values: list[str]):
    personal = personal_pattern(door.door.definitions, None)
    missed = door.warehouse.sql(
        "select text from (select unnest($values) as text)"
        " where regexp_matches(text, $personal)"
        " and not regexp_matches(to_json(map {'source': text})::varchar, $quick)",
        {"values": values, "personal": personal, "quick": _SUSPICIOUS},
    ).fetchall()

    assert missed == []


def test_a_referrer_is_its_host_and_a_click_id_a_flag(door: OpenDoor):
    held = {
        "$referrer": "https://jane:secret@News.Example:8443/jane?mail=jane@mail.example",
        "gclid": "Cj0KCQ-jane",
        "fbclid": "IwAR-jane",
    }
    [row] = door.passed(event(properties=held))

    assert row["properties"] == {
        "referrer": "news.example",
        "has_gclid": True,
        "has_fbclid": True,
    } or row["properties"] == {
        "referrer": "news.example",
        "has_gclid": "true",
        "has_fbclid": "true",
    }


@pytest.mark.parametrize(
    "referrer", ["$direct", "", "Jane Doe", "4917112345678", "http://[::1]/", None, {"a": 1}]
)
def test_what_is_no_host_is_no_referrer(door: OpenDoor, referrer: object):
    [row] = door.passed(event(properties={"referrer": referrer}))

    assert row["properties"].get("referrer") is None


def test_flags_and_experiments_become_assignments(door: OpenDoor):
    held = {
        "$feature/new-door": "blue",
        "exp_price": "b",
        "$feature/jane@mail.example": True,
        "exp_mail": "jane@mail.example",
    }
    [row] = door.passed(event(properties=held))

    assert row["experiments"] == {"new-door": "blue", "price": "b"}
    assert row["properties"] == {}
    assert row["dropped"] == ["(personal)"]


def test_escaped_characters_hide_nothing(workspace: Workspace, tmp_path: Path):
    line = json.dumps(event(properties={"source": "A", "topic": "B", "reason": "C"}))
    line = line.replace('"A"', r'"jane\u0040mail.example"').replace(
        '"B"', r'"\u002b49171123456\u0037"'
    )
    line = line.replace('"C"', r'"https:\/\/shop.example\/a?mail=jane"')
    summary = workspace.ingest([write_lines(tmp_path / "a.jsonl", [line])])

    assert summary.screened_values == {"source": 1, "topic": 1, "reason": 1}
    assert workspace.sql("select properties from lake.analytics_events").item() == "{}"


def test_documents_of_odd_shape_pass_or_fail_by_themselves(workspace: Workspace, tmp_path: Path):
    deep = "[" * 200_000 + "]" * 200_000
    lines = [
        json.dumps(event(key="deep")).replace('"properties": {', f'"properties": {{"plan": {deep}'),
        json.dumps(event(key="wide", properties={f"p{n}": n for n in range(5_000)})),
        json.dumps(event(key="long", properties={"email": "x" * 5_000_000, "plan": "pro"})),
        json.dumps(event(key="control", who="a\0b\x1f", properties={"plan": "a\0\r\n\tb"})),
    ]
    summary = workspace.ingest([write_lines(tmp_path / "odd.jsonl", lines)])

    assert (summary.accepted, summary.rejected) == (4, {})
    assert sorted(
        json.loads(text).get("plan", "")
        for text in workspace.sql("select properties from lake.analytics_events")["properties"]
    ) == ["", "", "a\0\r\n\tb", "pro"]


# --- what is on disk

SECRETS = {
    "jane@mail.example",
    "jane%40mail.example",
    "Jane Mallory",
    "203.0.113.77",
    "+49 171 9876543",
    "anon-0190-device",
    "second-name-of-jane",
    "person-uuid-of-jane",
    "Cj0KCQ-click",
    "tok_live_123",
}


def nasty() -> list[Event]:
    """Personal data in every place where PostHog's users have it."""
    who = "jane@mail.example"
    held = {
        "$ip": "203.0.113.77",
        "$set": {"email": who, "name": "Jane Mallory"},
        "source": "+49 171 9876543",
        "reason": f"asked by {who}",
        "topic": {"name": "Jane Mallory"},
        "referrer": f"https://news.example/{who}?token=tok_live_123",
        "gclid": "Cj0KCQ-click",
        "Jane Mallory": 1,
        "$feature/jane@mail.example": True,
        "exp_mail": who,
        "utm_campaign": "https://shop.example/?mail=jane%40mail.example",
    }
    person = "person-uuid-of-jane"
    return [
        event("$pageview", "anon-0190-device", "05-01 10:00", held, person=person, session="s1"),
        identify(who, "anon-0190-device", "05-01 10:01", person=person),
        alias(who, "second-name-of-jane", "05-01 10:02"),
        event("purchase", who, "05-02 10:00", held | {"price_cents": 990}, person=person),
        event(who, who, "05-02 11:00"),
        event("guest says Jane Mallory", "guest", "05-02 12:00", held),
        event("shy", who, "05-02 13:00", held | {"consent_analytics": False}),
    ]


def test_no_byte_of_the_workspace_tells_who_someone_is(
    workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    lines = [json.dumps(row) for row in nasty()]
    workspace.ingest([write_lines(tmp_path / "a.jsonl", [*lines, '{"cut": "jane@mail.example'])])
    workspace.ingest([write_export(tmp_path / "b.parquet.zst", nasty()[:4])])
    workspace.post([row | {"uuid": row["uuid"][:-4] + "0000"} for row in nasty()])
    workspace.drain()

    assert workspace.sql("select count(*) from lake.analytics_events").item() == 8
    assert leaks(workspace.path) == {}
    assert [secret for secret in SECRETS if secret in caplog.text] == []


def leaks(folder: Path) -> dict[str, list[str]]:
    """File → the secrets in it, in its raw bytes or in its decoded values."""
    found = {}
    for file in (p for p in folder.rglob("*") if p.is_file()):
        text = file.read_bytes().decode("utf-8", "ignore")
        if file.suffix == ".parquet":
            text += str(pl.read_parquet(file).rows())
        if names := [secret for secret in SECRETS if secret in text]:
            found[str(file.relative_to(folder))] = names
    return found


def test_the_search_for_leaks_finds_them(tmp_path: Path):
    rows = pl.DataFrame({"a": ["jane@mail.example"] * 100})
    rows.write_parquet(tmp_path / "a.parquet", compression="zstd")
    (tmp_path / "b.sqlite").write_bytes(b"\0\xff203.0.113.77\0")

    assert leaks(tmp_path) == {"a.parquet": ["jane@mail.example"], "b.sqlite": ["203.0.113.77"]}
