"""Leads on their way into the queue, from files and from events; and the bills of providers."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mi_core import enrichment
from mi_core.definitions import Definitions, load_definitions
from mi_core.enrichment.bills import read_bill
from mi_core.enrichment.capture import captured, withdrawn
from mi_core.enrichment.intake import Entry, as_entries, new_leads, people, read_leads
from mi_core.enrichment.listing import Left, left, newest
from mi_core.enrichment.queue import NewLead
from mi_core.errors import BadValue, IngestError, UnknownName
from mi_core.workspace import Workspace

DEFINITIONS: Definitions = load_definitions()
HALF = "\ud800"
"""Half of a character, as JSON can hold it and UTF-8 can't."""
WHEN = "2026-05-01T10:00:00Z"


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "leads.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def said(entries: Iterable[Entry]) -> list[tuple[str, str | None, str | None, str]]:
    return [(each.email, each.distinct_id, each.name, each.trigger) for each in entries]


# ---- files


@pytest.mark.parametrize(
    "text",
    [
        "email,user_id,name,trigger\na@x.com,u1,Ann Roe,webinar\n",
        "Email;User ID;Name;Trigger\r\na@x.com;u1;Ann Roe;webinar\r\n",
        "trigger\temail\tname\tuser_id\nwebinar\t a@x.com \tAnn Roe\tu1",
        "\ufeffemail,user_id,name,trigger\na@x.com,u1,Ann Roe,webinar\n",
        'email,user_id,name,trigger\n"a@x.com",u1,"Ann Roe",webinar\n',
        "email,user_id,name,trigger,\na@x.com,u1,Ann Roe,webinar,\n",
        "email,user_id,name,trigger, ,\na@x.com,u1,Ann Roe,webinar,of,nobody,else\n",
    ],
)
def test_a_file_of_leads_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str):
    assert said(read_leads(written(tmp_path, text)).entries) == [
        ("a@x.com", "u1", "Ann Roe", "webinar")
    ]


def test_only_the_address_is_needed(tmp_path: Path):
    assert said(read_leads(written(tmp_path, "email\na@x.com\n")).entries) == [
        ("a@x.com", None, None, "import")
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "leads.csv has no leads"),
        ("email\n", "leads.csv has no leads"),
        ("mail,name\na@x.com,Ann\n", "leads.csv has no column email; it has mail, name."),
        (
            "email,nmae\na@x.com,Ann\n",
            "leads.csv: There is no column of leads 'nmae'; did you mean 'name'?",
        ),
        (b"email\na@x.com\n\xff@x.com\n", "leads.csv is not UTF-8 text, in line 3; save it"),
        ('email\n"a@x.com"b\n', "leads.csv is no CSV file"),
        ("email\n" + "x" * 200_000, "leads.csv is no CSV file: field larger than"),
        ("x" * 200_000, "leads.csv is no CSV file: field larger than"),
        ("email,E-mail,Email\na@x.com,,\n", "leads.csv has more than one column email."),
        ("User ID,email,user_id\nu,a@x.com,v\n", "leads.csv has more than one column user_id."),
    ],
)
def test_a_file_that_has_no_leads_says_why(tmp_path: Path, text: str | bytes, complaint: str):
    with pytest.raises(IngestError) as raised:
        read_leads(written(tmp_path, text))
    assert str(raised.value).startswith(complaint)


def test_a_file_that_is_not_there_says_so(tmp_path: Path):
    with pytest.raises(IngestError, match=r"nothing\.csv can't be read: No such file"):
        read_leads(tmp_path / "nothing.csv")


def test_the_folder_itself_is_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IngestError, match=r"^\. can't be read: Is a directory"):
        read_leads(Path())


def test_columns_of_others_are_left_alone_and_named(workspace: Workspace, tmp_path: Path):
    text = "email,name,Last Name,email_2,nmae\nann@acme.com,Ann Roe,Roe,,x\n"
    queued = workspace.enrichment.put_file(written(tmp_path, text))
    assert queued.queued == 1
    assert queued.ignored_columns == ["last_name", "email_2", "nmae"]


def test_a_problem_names_its_line_of_the_file(workspace: Workspace, tmp_path: Path):
    text = 'email,name\nann@acme.com,"Ann\nRoe"\n\nnope,\n'
    queued = workspace.enrichment.put_file(written(tmp_path, text))
    assert [each["line"] for each in queued.problems] == [5]


# ---- values


@pytest.mark.parametrize(
    "given",
    [
        "ann@acme.com",
        ["ann@acme.com"],
        {"email": "ann@acme.com"},
        [{"email": "ann@acme.com", "user_id": None, "name": None, "trigger": None}],
        Entry("ann@acme.com"),
        (each for each in [Entry("ann@acme.com")]),
    ],
)
def test_one_lead_or_several_are_given_as_one_likes(workspace: Workspace, given: Any):
    assert workspace.enrichment.put(given).queued == 1
    lead = workspace.enrichment.lead("ann@acme.com")
    assert (lead["status"], lead["trigger"]) == ("pending", "manual")


def test_a_mapping_has_the_names_of_a_file():
    given = {"email": "a@x.com", "user_id": "u1", "name": "Ann Roe", "trigger": "webinar"}
    assert said(as_entries(given)) == [("a@x.com", "u1", "Ann Roe", "webinar")]
    assert as_entries([]) == []


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (7, "A lead is an Entry, a mapping or an address, not a value of int."),
        (None, "A lead is an Entry, a mapping or an address, not a value of NoneType."),
        (b"ann@acme.com", "A lead is an Entry, a mapping or an address, not a value of bytes."),
        ([("ann@acme.com",)], "A lead is an Entry, a mapping or an address, not a value of tuple."),
        ({"email": 7}, "The email of a lead is a text, not a value of int."),
        ({"email": "a@x.com", "user_id": 7}, "The user_id of a lead is a text, not a value of int"),
        (Entry("a@x.com", trigger=None), "The trigger of a lead is a text, not a value of NoneTy"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_lead_is_refused_by_its_type(workspace: Workspace, given: Any, complaint: str):
    with pytest.raises(BadValue) as raised:
        workspace.enrichment.put(["bob@acme.com", *given] if isinstance(given, list) else given)
    assert str(raised.value).startswith(complaint)
    assert workspace.enrichment.status().leads["pending"] == 0


def test_a_key_that_no_lead_has_is_named(workspace: Workspace):
    with pytest.raises(UnknownName, match="no field of a lead 'mail'; did you mean 'email'"):
        workspace.enrichment.put({"mail": "ann@acme.com"})


def test_an_entry_is_at_hand():
    assert enrichment.Entry is Entry
    with pytest.raises(AttributeError, match="has no attribute 'Entrie'"):
        _ = enrichment.Entrie


def test_an_address_is_one_person_however_it_is_written(workspace: Workspace):
    queued = workspace.enrichment.put(["Ann.Roe@ACME.com", "ann.roe@acme.com "])
    assert (queued.queued, len(set(queued.user_ids))) == (1, 1)
    assert workspace.enrichment.lead("ann.roe@acme.com")["user_id"] == queued.user_ids[0]
    assert workspace.enrichment.withdraw("ANN.ROE@acme.com") == 1


def test_an_id_that_is_given_stays_as_it_is(workspace: Workspace):
    ids = ("Ann.Roe@acme.com", "ann.roe@acme.com")
    given = [Entry("ann.roe@acme.com", each) for each in ids]
    assert workspace.enrichment.put(given).queued == 2


def test_an_address_finds_the_person_whose_events_wrote_it_otherwise(workspace: Workspace):
    workspace.post([capture(properties={}, distinct_id="Ann.Roe@acme.com")])
    workspace.drain()
    known = str(workspace.sql("select user_id from analytics_events").item())
    assert workspace.enrichment.put("Ann.Roe@acme.com").user_ids == [known]


def test_one_id_is_withdrawn_as_well_as_several(workspace: Workspace):
    workspace.enrichment.put([Entry(f"{each}@acme.com", each) for each in ("ann", "bob", "cid")])
    assert workspace.enrichment.withdraw("ann") == 1
    assert workspace.enrichment.withdraw(["ann", "bob"]) == 1
    assert workspace.enrichment.lead("cid")["status"] == "pending"


def test_an_entry_shows_nobody():
    assert "x.com" not in repr(Entry("ann@x.com", "ann@x.com", "Ann Roe"))


def test_lines_that_cannot_be_enriched_are_listed_and_the_others_go_on(
    workspace: Workspace, tmp_path: Path
):
    file = written(tmp_path, "email\nann@acme.com\nnope\nbob@mailinator.com\n\nann@acme.com\n")

    queued = workspace.enrichment.put_file(file)

    assert (queued.queued, queued.skipped, queued.refused) == (1, 1, 2)
    assert [each["line"] for each in queued.problems] == [3, 4]
    assert queued.skipped_for == {"given twice": 1}
    assert "nope" not in str(queued.problems)
    assert "mailinator" not in str(queued.problems)


def test_a_line_of_nobody_is_listed_and_not_queued(workspace: Workspace, tmp_path: Path):
    queued = workspace.enrichment.put_file(written(tmp_path, "email,user_id\n,\nann@acme.com, \n"))

    assert (queued.queued, queued.refused, list(queued.statuses)) == (1, 1, ["refused", "queued"])
    assert list(queued.problems) == [
        {"line": 2, "problem": "The lead has neither an id nor an address."}
    ]
    assert sum(workspace.enrichment.status().leads.values()) == 1
    assert workspace.enrichment.lead("ann@acme.com")["user_id"] == queued.user_ids[1]


def lead_of(workspace: Workspace, *told: Any, **more: Any) -> NewLead:
    [lead] = new_leads(workspace.warehouse, workspace.keys, [Entry(*told)], **more)
    return lead


def test_a_blank_id_is_none(workspace: Workspace):
    by_address = lead_of(workspace, "ann@acme.com").user_id
    assert lead_of(workspace, "ann@acme.com", " \t").user_id == by_address
    assert lead_of(workspace, "ann@acme.com", "u1").user_id != by_address


@pytest.mark.parametrize("email", [f"a{HALF}@acme.com", f"a@ac{HALF}me.com", HALF])
def test_half_a_character_makes_no_address(workspace: Workspace, email: str):
    for distinct_id in (None, "u1", f"u{HALF}1"):
        error = lead_of(workspace, email, distinct_id).error
        assert error is not None
        assert error.startswith("That is no e-mail address: ")


def test_half_a_character_in_an_id_is_a_question_mark(workspace: Workspace):
    lead = lead_of(workspace, "ann@acme.com", f"u{HALF}1", f"Ann{HALF} Roe")
    assert lead.error is None
    assert lead.user_id == lead_of(workspace, "ann@acme.com", "u?1").user_id
    assert workspace.enrichment.put([Entry("ann@acme.com", f"u{HALF}1")]).queued == 1


@pytest.mark.parametrize(
    ("email", "name", "same_as"),
    [
        ("a@acme.com", "Ann Roe", "ann roe"),
        ("ann.roe@acme.com", None, "ann roe"),
        ("ann.roe@acme.com", "  ANN   ROE ", "ann roe"),
        ("ann.roe@acme.com", "Bob Strauß", "bob strauss"),
        ("a@acme.com", None, None),
        ("a@acme.com", "bob@acme.com", None),
        ("nope", "Ann Roe", None),
    ],
)
def test_a_name_is_known_by_its_hash_alone(
    workspace: Workspace, email: str, name: str | None, same_as: str | None
):
    expected = str(workspace.keys.hashes(same_as)[0]) if same_as else None
    assert lead_of(workspace, email, "u1", name).name_hash == expected


def test_leads_reopen_and_wait_for_batches_as_told(workspace: Workspace):
    plain = lead_of(workspace, "ann@acme.com")
    other = lead_of(workspace, "ann@acme.com", for_batch=True, reopens=False)
    assert (plain.for_batch, plain.reopens) == (False, True)
    assert (other.for_batch, other.reopens) == (True, False)


@pytest.mark.parametrize(
    ("trigger", "kept"),
    [
        ("webinar", "webinar"),
        ("  a\x00 \t b\u202e\n", "a b"),
        ("x" * 65, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
        (HALF, "manual"),
        (" \n", "manual"),
        ("é" * 64, "é" * 64),
    ],
)
def test_a_trigger_fits_its_column(any_workspace: Workspace, trigger: str, kept: str):
    any_workspace.enrichment.put([Entry("ann@acme.com", trigger=trigger)])
    assert any_workspace.enrichment.lead("ann@acme.com")["trigger"] == kept


def test_the_newest_leads_and_what_is_left_are_told_by_any_state(any_workspace: Workspace):
    any_workspace.enrichment.put(["ann@acme.com", "nope"])
    state, now = any_workspace.state, any_workspace.enrichment.clock()
    [pending] = newest(state, status="pending")
    assert (pending["domain"], pending["ended_at"]) == ("acme.com", None)
    assert len(newest(state, most=1)) == 1
    assert left(state, now=now) == Left(1, 0, None, 0, None, 0, {})
    earlier = left(state, now=now - timedelta(hours=1))
    assert (earlier.due, earlier.later, earlier.next_at) == (0, 1, pending["next_try_at"])


def test_a_trigger_of_a_file_that_cannot_be_seen_is_none(tmp_path: Path):
    [entry] = read_leads(written(tmp_path, "email,trigger\na@x.com,\u200b\n")).entries
    assert entry.trigger == "import"


# ---- bills


@pytest.mark.parametrize(
    ("text", "bill"),
    [
        ("call_id,usd\na,0.000001\nb,0\n", {"a": 1, "b": 0}),
        ("USD;Call ID;note\r\n 0.5 ; a ;x\r\n", {"a": 500_000}),
        ("\ufeffcall_id\tusd\t\na\t1e-3\n", {"a": 1_000}),
        ("call_id,usd\na,0.1\nb,1000\na,0.2\n", {"a": 300_000, "b": 10**9}),
        ("call_id,usd\na,0.0000001\n", {"a": 1}),
        ("call_id,usd\na,0.0000004\na,0.0000006\n", {"a": 1}),
        ("call_id,usd\na,-0\n", {"a": 0}),
        ("call_id,usd,x,x\na,2.675,1,2\n", {"a": 2_675_000}),
    ],
)
def test_a_bill_is_read_to_the_millionth(tmp_path: Path, text: str, bill: dict[str, int]):
    assert read_bill(written(tmp_path, text)) == bill


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "leads.csv has no column call_id; it has none."),
        ("call_id,usd\n", "leads.csv has no calls: a header, and a line for each, are needed."),
        ("id,usd\na,1\n", "leads.csv has no column call_id; it has id, usd."),
        ("call_id\na\n", "leads.csv has no column usd; it has call_id."),
        ("call_id,usd,USD\na,1,1\n", "leads.csv has more than one column usd."),
        ("call_id,usd\na,1\n,1\n", "leads.csv, line 3: there is no call_id."),
        ("call_id,usd\na\n", "leads.csv, line 2: usd is ''; it is a number, such as 0.0123."),
        ("call_id,usd\na,nan\n", "leads.csv, line 2: usd is 'nan'; it is a number"),
        ("call_id,usd\na,inf\n", "leads.csv, line 2: usd is 'inf'; it is a number"),
        ("call_id,usd\na,1_0\n", "leads.csv, line 2: usd is '1_0'; it is a number"),
        ("call_id;usd\na;0,01\n", "leads.csv, line 2: usd is '0,01'; it is a number"),
        ("call_id,usd\na,1e9999\n", "leads.csv, line 2: usd is '1e9999'; it is a number"),
        ("call_id,usd\na,1e999\n", "leads.csv, line 2: usd is 1e999; a call costs from 0 to"),
        (
            "call_id,usd\na,-0.01\n",
            "leads.csv, line 2: usd is -0.01; a call costs from 0 to 1,000.",
        ),
        ("call_id,usd\na,1000.1\n", "leads.csv, line 2: usd is 1000.1; a call costs from 0"),
        ('call_id,usd\n"a\nb",1\nc,x\n', "leads.csv, line 4: usd is 'x'"),
        (b"call_id,usd\n\xff,1\n", "leads.csv is not UTF-8 text, in line 2; save"),
        ('call_id,usd\n"a"b,1\n', "leads.csv is no CSV file"),
        ("call_id,usd\na," + "1" * 200_000, "leads.csv is no CSV file: field larger than"),
    ],
)
def test_what_is_no_bill_says_why(tmp_path: Path, text: str | bytes, complaint: str):
    with pytest.raises((IngestError, BadValue)) as raised:
        read_bill(written(tmp_path, text))
    assert str(raised.value).startswith(complaint)


def test_a_bill_that_is_not_there_says_so(tmp_path: Path):
    with pytest.raises(IngestError, match=r"nothing\.csv can't be read: No such file"):
        read_bill(tmp_path / "nothing.csv")


def test_no_bill_has_calls_that_are_to_come(workspace: Workspace):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(BadValue, match="still to come"):
        workspace.enrichment.settle("openai", {}, before=tomorrow)


@pytest.mark.parametrize(("bill", "as_held"), [(None, False), ({}, True)])
def test_nothing_is_settled_unasked(workspace: Workspace, bill: Any, as_held: bool):
    with pytest.raises(BadValue, match="Settle by a bill, or as_held without one"):
        workspace.enrichment.settle("openai", bill, as_held=as_held)


def test_a_provider_without_calls_has_nothing_to_settle(workspace: Workspace):
    with pytest.raises(BadValue, match="openai has no calls to settle"):
        workspace.enrichment.settle("openai", as_held=True)
    with pytest.raises(UnknownName, match="no provider 'openia'; did you mean 'openai'"):
        workspace.enrichment.settle("openia", as_held=True)


# ---- events


def capture(**more: Any) -> dict[str, Any]:
    return {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "event": "lead_captured",
        "distinct_id": "visitor-1",
        "timestamp": WHEN,
        "properties": {"email": "ann.roe@acme.com"},
        **more,
    }


@pytest.mark.parametrize(
    "event",
    [
        capture(),
        capture(properties={"$set": {"email": "ann.roe@acme.com"}}),
        capture(properties={"$set_once": {"$email": "ann.roe@acme.com"}}),
        capture(properties={}, person={"properties": {"email": "ann.roe@acme.com"}}),
        capture(properties=None, distinct_id="ann.roe@acme.com"),
        capture(event="email_submitted"),
    ],
)
def test_an_event_that_gives_an_address_is_a_lead(event: dict[str, Any]):
    [entry] = captured([event], (), DEFINITIONS)
    assert entry.email == "ann.roe@acme.com"
    assert entry.distinct_id == event["distinct_id"]
    assert entry.trigger == event["event"]


@pytest.mark.parametrize(
    "event",
    [
        capture(event="page_viewed"),
        capture(event="of no known name"),
        capture(properties={}),
        capture(properties={"email": 7}),
        capture(properties="email"),
        capture(properties=["a@x.com"]),
        capture(distinct_id=None),
        capture(person="a@x.com", properties={}),
        capture(properties={"email": "ann.roe@acme.com", "consent_marketing": False}),
        capture(properties={"email": "ann.roe@acme.com", "consent_analytics": "No"}),
        capture(properties={"email": "ann.roe@acme.com", "$set": {"consent_marketing": 0}}),
        capture(
            properties={"email": "ann.roe@acme.com"},
            person={"properties": {"consent_marketing": False}},
        ),
    ],
)
def test_other_events_are_not(event: dict[str, Any]):
    assert captured([event], (), DEFINITIONS) == []


def test_an_event_that_the_door_refuses_is_no_lead():
    assert captured([capture()], {0: "consent_analytics is false"}, DEFINITIONS) == []


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"$set": {"name": "Ann Roe"}}, "Ann Roe"),
        ({"$set_once": {"name": "Ann Roe"}, "$set": {"name": 7}}, "Ann Roe"),
        ({"name": "Footer form"}, None),
        ({"name": "Pro plan", "$set": {}}, None),
    ],
)
def test_a_name_is_the_person_s_and_not_the_event_s(more: dict[str, Any], name: str | None):
    [entry] = captured([capture(properties={"email": "a@acme.com"} | more)], (), DEFINITIONS)
    assert entry.name == name


def test_a_name_may_come_with_the_person():
    event = capture(person={"properties": {"name": "Ann Roe"}})
    event["properties"]["name"] = "Footer form"
    [entry] = captured([event], (), DEFINITIONS)
    assert entry.name == "Ann Roe"


WITHHELD = ("false", '"false"', '"FALSE"', '"No"', '"no"', "0", '"0"')
OTHERS = ("true", "null", '""', '"yes"', "1", '"1"', "0.0", '"no."', '" no"', "[]", "{}", '["no"]')


@pytest.mark.parametrize("value", [*WITHHELD, *OTHERS])
def test_consent_is_withheld_where_the_door_says_so(workspace: Workspace, value: str):
    said = capture(properties={"consent_analytics": json.loads(value)})
    refused = workspace.post([said]).refused
    assert bool(refused) == bool(withdrawn([said])) == (value in WITHHELD)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "page_viewed", "properties": {"consent_marketing": "no"}},
        {"event": "consent_marketing_changed", "properties": {"$set": {"consent_marketing": 0}}},
        {"properties": {"consent_analytics": False}},
        {"person": {"properties": {"consent_analytics": False}}},
        {"event": None, "uuid": None, "timestamp": None, "properties": {"consent_analytics": 0}},
    ],
)
def test_withheld_consent_cancels_what_waits(workspace: Workspace, event: dict[str, Any]):
    workspace.post([capture(), capture(distinct_id="visitor-2")])

    workspace.post([capture(**{"properties": {}} | event)])

    assert workspace.enrichment.lead("visitor-1")["status"] == "cancelled"
    assert workspace.enrichment.lead("visitor-2")["status"] == "pending"
    workspace.post([capture()])
    assert workspace.enrichment.lead("visitor-1")["status"] == "cancelled"
    assert workspace.enrichment.work().completed == 1


def test_consent_withheld_in_the_same_delivery_counts(workspace: Workspace):
    later = capture(event="page_viewed", properties={"consent_marketing": False})
    workspace.post([capture(), later])
    assert workspace.enrichment.lead("visitor-1")["status"] == "cancelled"


def test_consent_withheld_under_another_id_counts(workspace: Workspace):
    identify = {
        **capture(event="$identify", distinct_id="user-1"),
        "uuid": "00000000-0000-4000-8000-000000000002",
        "properties": {"$anon_distinct_id": "visitor-1"},
    }
    workspace.post([capture(), identify])
    workspace.drain()

    workspace.post([capture(distinct_id="user-1", properties={"consent_marketing": "false"})])

    assert workspace.enrichment.lead("visitor-1")["status"] == "cancelled"


@pytest.mark.parametrize("distinct_id", [None, "", "stranger", f"s{HALF}"])
def test_consent_of_nobody_we_know_changes_nothing(workspace: Workspace, distinct_id: Any):
    workspace.post([capture()])
    workspace.post([capture(distinct_id=distinct_id, properties={"consent_marketing": False})])
    assert workspace.enrichment.status().leads["pending"] == 1


def test_events_without_leads_cost_nothing(workspace: Workspace):
    workspace.post([capture(event="page_viewed"), capture(properties={"consent_marketing": True})])
    assert "enrichment" not in vars(workspace)


def test_an_event_that_comes_again_reopens_nothing(workspace: Workspace):
    workspace.post([capture()])
    workspace.enrichment.cancel("visitor-1")

    workspace.post([capture()])
    assert workspace.enrichment.lead("visitor-1")["status"] == "cancelled"
    assert workspace.enrichment.work().completed == 0

    workspace.post([capture(properties={"email": "ann.roe@company.com"})])
    assert workspace.enrichment.lead("visitor-1")["status"] == "pending"
    assert workspace.enrichment.lead("visitor-1")["email_domain"] == "company.com"


def test_a_cancelled_lead_is_opened_again_where_somebody_says_so(workspace: Workspace):
    workspace.post([capture()])
    workspace.enrichment.cancel("visitor-1")
    given = Entry("ann.roe@acme.com", "visitor-1")
    assert workspace.enrichment.put(given).skipped_for == {"cancelled": 1}
    assert workspace.enrichment.lead("visitor-1")["status"] == "cancelled"

    assert workspace.enrichment.put(given, again=True).queued == 1
    assert workspace.enrichment.lead("visitor-1")["status"] == "pending"


def test_ids_are_looked_up_together_or_not_at_all(workspace: Workspace):
    assert people(workspace.warehouse, workspace.keys, []) == []
    assert workspace.enrichment.withdraw([]) == 0


def test_an_address_in_an_event_queues_its_lead_once(workspace: Workspace):
    for _ in range(2):
        workspace.post([capture()])
    workspace.drain()

    assert workspace.enrichment.work().completed == 1
    workspace.drain()

    lead = workspace.enrichment.lead("visitor-1")
    assert (lead["status"], lead["trigger"]) == ("completed", "lead_captured")
    assert lead["company_domain"] == "acme.com"
    names = workspace.sql("select event_name from analytics_events order by occurred_at")
    assert names["event_name"].to_list() == ["lead_captured", "identity_enriched"]
    people = workspace.sql("select count(distinct user_id) from analytics_events").item()
    assert people == 1


def test_the_lead_of_a_known_person_is_that_person_s(workspace: Workspace):
    identify = {
        **capture(event="$identify", distinct_id="user-1"),
        "uuid": "00000000-0000-4000-8000-000000000002",
        "properties": {"$anon_distinct_id": "visitor-1"},
    }
    workspace.post([capture(properties={}), identify])
    workspace.drain()
    of_visitor = workspace.sql("select distinct user_id from analytics_events").item()

    for distinct_id in ("visitor-1", "user-1"):
        [user_id] = workspace.enrichment.put([Entry("ann.roe@acme.com", distinct_id)]).user_ids
        assert user_id == of_visitor


def test_a_lead_that_is_another_person_by_now_keeps_what_was_found(workspace: Workspace):
    workspace.enrichment.put([Entry("ann.roe@acme.com", "visitor-1")])
    workspace.enrichment.work()
    workspace.drain()
    identify = {**capture(event="$identify", distinct_id="user-1")}
    identify["properties"] = {"$anon_distinct_id": "visitor-1"}

    workspace.post([identify])
    workspace.drain()

    assert workspace.enrichment.lead("user-1")["company_domain"] == "acme.com"
    assert workspace.enrichment.lead("visitor-1")["status"] == "completed"
