"""Leads on their way into the queue: from files, and from events that give an address."""

from pathlib import Path
from typing import Any

import pytest

from mi_core.definitions import Definitions, load_definitions
from mi_core.enrichment.capture import captured
from mi_core.enrichment.intake import Entry, read_leads
from mi_core.errors import IngestError
from mi_core.workspace import Workspace

DEFINITIONS: Definitions = load_definitions()
WHEN = "2026-05-01T10:00:00Z"


def written(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "leads.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def said(entries: list[Entry]) -> list[tuple[str, str | None, str | None, str]]:
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
    ],
)
def test_a_file_of_leads_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str):
    assert said(read_leads(written(tmp_path, text))) == [("a@x.com", "u1", "Ann Roe", "webinar")]


def test_only_the_address_is_needed(tmp_path: Path):
    assert said(read_leads(written(tmp_path, "email\na@x.com\n"))) == [
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
        (b"email\n\xff@x.com\n", "leads.csv is not UTF-8 text, at byte 6."),
        ('email\n"a@x.com"b\n', "leads.csv is no CSV file"),
    ],
)
def test_a_file_that_has_no_leads_says_why(tmp_path: Path, text: str | bytes, complaint: str):
    with pytest.raises(IngestError) as raised:
        read_leads(written(tmp_path, text))
    assert str(raised.value).startswith(complaint)


def test_a_file_that_is_not_there_says_so(tmp_path: Path):
    with pytest.raises(IngestError, match=r"nothing\.csv can't be read: No such file"):
        read_leads(tmp_path / "nothing.csv")


def test_an_entry_shows_nobody():
    assert "x.com" not in repr(Entry("ann@x.com", "ann@x.com", "Ann Roe"))


def test_lines_that_cannot_be_enriched_are_listed_and_the_others_go_on(
    workspace: Workspace, tmp_path: Path
):
    file = written(tmp_path, "email\nann@acme.com\nnope\nbob@mailinator.com\n\nann@acme.com\n")

    queued = workspace.enrichment.put_file(file)

    assert (queued.queued, queued.skipped, queued.refused) == (1, 1, 2)
    assert [each["lead"] for each in queued.problems] == [2, 3]
    assert "nope" not in str(queued.problems)
    assert "mailinator" not in str(queued.problems)


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
