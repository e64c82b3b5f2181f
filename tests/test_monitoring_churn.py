"""Who is about to leave: each told of once, by signed webhooks over loopback."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from monitoring_hook import Hook, Post, listening
from report_samples import AS_OF, event, fill, magnetism, person, put
from starlette.datastructures import Headers
from stores import new_workspace
from typer.testing import CliRunner

from mi_core.api.signatures import Verifier
from mi_core.cli import app
from mi_core.errors import SettingsError
from mi_core.ingest.classify import classification_version
from mi_core.monitoring.churn_webhook import Delivery, Webhook, send_churn
from mi_core.monitoring.messages import messages
from mi_core.settings import load_settings
from mi_core.signing import decoded
from mi_core.workspace import Workspace, open_workspace

SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODw=="
AT_RISK = [person(f"person {number:02}") for number in (0, 2, 3, 4, 6)]
"""Of the sample people: a risk of 70 or more, and an address, a trial or a purchase."""
NOW = datetime.now(UTC)


def landing(at: datetime) -> dict[str, object]:
    """An event of somebody who isn't scored, at a time of any year."""
    written = at.replace(tzinfo=None).isoformat()
    return event("passer-by", "01-01", "landing_view") | {"occurred_at": written}


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as opened:
        yield opened


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of sample people with three scorings and one new event, to be copied."""
    folder = tmp_path_factory.mktemp("filled") / "shop"
    with new_workspace(folder) as workspace, workspace.warehouse.publish("rows of the tests"):
        fill(workspace.warehouse)
        put(workspace.warehouse, "lake.user_event", landing(NOW - timedelta(hours=1)))
        version = classification_version(workspace.definitions)
        workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
    return folder


@pytest.fixture
def shop(filled: Path, tmp_path: Path) -> Iterator[Workspace]:
    shutil.copytree(filled, tmp_path / "shop")
    with open_workspace(tmp_path / "shop") as workspace:
        yield workspace


def webhook(hook: Hook, waits: list[float] | None = None, *secrets: str) -> Webhook:
    """To `hook`; what it would wait is noted in place of waiting."""
    keys = tuple(decoded(each, "X", origin="…") for each in secrets or [SECRET])
    noted = waits if waits is not None else []
    return Webhook(f"{hook.url}/churn", keys, sleep=noted.append, chance=lambda: 1.0)


def send(shop: Workspace, hook: Hook, waits: list[float] | None = None) -> Delivery:
    return send_churn(shop._looking(None), webhook(hook, waits))


def told(posts: list[Post]) -> list[str]:
    return [each["user_id"] for post in posts for each in post.json["data"]["people"]]


def score_again(shop: Workspace, at: str, risks: dict[str, int]) -> None:
    """One more scoring, as of a day of 2024, of people by name."""
    rows = [magnetism(name, "cold", churn_risk=risk, as_of=at) for name, risk in risks.items()]
    with shop.warehouse.publish("one more scoring"):
        put(shop.warehouse, "lake.score_run", {"as_of": f"2024-{at}"})
        put(shop.warehouse, "lake.user_magnetism_index", *rows)


# --- whom


def test_the_list_has_who_is_at_risk_with_reason_and_advice(shop: Workspace):
    found = shop.churn_list().to_dicts()
    assert [row["user_id"] for row in found] == AT_RISK
    assert found[0] | {"user_id": ""} == {
        "user_id": "",
        "risk": 100,
        "risk_before": 100,
        "reason": "1 purchase; last active on 29 June 2024; magnetism 40.",
        "recommendation": "Send a win-back offer: this person has gone cold.",
        "last_seen_at": datetime(2024, 6, 29, 12),
    }
    assert shop.churn_list(datetime(2024, 4, 1, tzinfo=UTC)).height == 0


def test_each_is_told_of_once_until_well_below_the_limit(shop: Workspace, hook: Hook):
    assert send(shop, hook) == Delivery(sent=5, batches=1, waiting=0)
    assert told(hook.posts) == AT_RISK
    assert shop.churn_list().height == 0
    assert send(shop, hook) == Delivery(0, 0, 0)
    # Above 60 is not well again; and who has just crossed is new.
    score_again(shop, "07-01", {"person 00": 61, "person 02": 59, "person 08": 70, "person 03": 90})
    assert send(shop, hook).sent == 1
    score_again(shop, "07-02", {"person 00": 95, "person 02": 95, "person 08": 71, "person 03": 90})
    assert send(shop, hook).sent == 1
    assert told(hook.posts[1:]) == [person("person 08"), person("person 02")]
    assert hook.posts[2].json["data"]["people"][0]["risk_before"] == 59


def test_who_is_at_risk_is_compared_with_a_scoring_that_is_kept(shop: Workspace, hook: Hook):
    score_again(shop, "07-01 05:00", {"person 00": 90})
    assert send(shop, hook).sent == 1
    score_again(shop, "07-01 23:00", {"person 02": 50})
    score_again(shop, "07-20", {"person 02": 95})
    assert shop.maintain().scorings_thinned == 1
    # Told of last was that of 5:00, which is gone; the nearest that is left is that of 23:00 …
    assert shop.churn_list()["risk_before"].to_list() == [50]
    # … and as of then, the scoring before is the one of June.
    assert shop.churn_list(datetime(2024, 7, 2, tzinfo=UTC)).height == 0


def test_batches_have_a_hundred_people_at_most(shop: Workspace, hook: Hook):
    names = [f"more {number}" for number in range(230)]
    with shop.warehouse.publish("more people"):
        rows = [{"user_id": person(name), "trial_started_at": "2024-05-01"} for name in names]
        put(shop.warehouse, "lake.user_milestone", *rows)
    score_again(shop, "07-01", dict.fromkeys(names, 80))
    assert send(shop, hook) == Delivery(sent=230, batches=3, waiting=0)
    assert [len(post.json["data"]["people"]) for post in hook.posts] == [100, 100, 30]
    assert len({post.headers["webhook-id"] for post in hook.posts}) == 3
    assert len(set(told(hook.posts))) == 230


# --- when


def events_end(shop: Workspace, ago: timedelta) -> None:
    with shop.warehouse.publish("events that ended"):
        shop.warehouse.sql("delete from lake.user_event where occurred_at > '2025-01-01'")
        put(shop.warehouse, "lake.user_event", landing(datetime.now(UTC) - ago))


def test_nobody_is_told_of_while_events_have_stopped(shop: Workspace, hook: Hook):
    limit = timedelta(hours=shop.definitions.monitoring.events.alert)
    events_end(shop, limit + timedelta(minutes=1))
    held = send(shop, hook)
    assert (held.sent, held.batches, held.waiting, hook.posts) == (0, 0, 5, [])
    assert held.problem == (
        "Nobody is told of: the newest event is 2.0 days old, and from 2.0 days on everybody seems"
        " to leave. See mi watch."
    )
    with shop.state.reading() as transaction:
        assert transaction.rows("select user_id from churn_notice") == []
    # Nobody's turn is used up, and nobody who is noted is taken for well.
    events_end(shop, limit - timedelta(minutes=10))
    assert send(shop, hook).sent == 5
    score_again(shop, "07-01", dict.fromkeys(["person 00"], 20))
    events_end(shop, timedelta(days=882))
    assert send(shop, hook).sent == 0
    with shop.state.reading() as transaction:
        assert len(transaction.rows("select user_id from churn_notice")) == 5


# --- how


def test_it_is_a_standard_webhook_of_pseudonymous_ids(shop: Workspace, hook: Hook):
    send_churn(shop._looking(None), webhook(hook, None, SECRET, OLD))
    [post] = hook.posts
    for secret in (SECRET, OLD):
        verifier = Verifier.of(load_settings(webhook_signing_secret=secret), is_open=False)
        known = verifier.check(Headers(post.headers), post.body, datetime.now(UTC))
        assert known == post.headers["webhook-id"]
    assert post.path == "/churn"
    assert post.json["type"] == "churn_risk.high"
    assert set(post.json) == {"type", "timestamp", "data"}
    assert post.json["data"]["limit"] == 70
    assert post.json["data"]["people"][1] == {
        "user_id": AT_RISK[1],
        "risk": 92,
        "risk_before": 92,
        "reason": "Left an address; last active on 29 June 2024; magnetism 40.",
        "recommendation": "win_back",
        "last_seen_at": "2024-06-29T12:00:00+00:00",
    }


def test_a_try_is_repeated_under_its_id_with_growing_pauses(shop: Workspace, hook: Hook):
    waits: list[float] = []
    hook.answers = [503, (429, {"retry-after": "7"}), None, 200]
    assert send(shop, hook, waits).sent == 5
    assert waits == [0, 1, 7, 4]
    assert len({post.headers["webhook-id"] for post in hook.posts}) == 1
    assert len({post.body for post in hook.posts}) == 4 - 3


def test_what_did_not_arrive_goes_out_with_the_next_run_under_its_id(shop: Workspace, hook: Hook):
    hook.answers = [500] * 4
    failed = send(shop, hook)
    assert "the churn webhook took nothing" in messages(shop._looking(None)).sentence
    assert (failed.sent, failed.waiting) == (0, 5)
    assert failed.problem == "The churn webhook answered 500, 4 times."
    assert shop.churn_list().height == 5
    assert send(shop, hook).sent == 5
    assert len(hook.posts) == 5
    assert len({post.headers["webhook-id"] for post in hook.posts}) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (404, "The churn webhook answered 404: it doesn't take what is sent; see its log, the URL"),
        ((302, {"location": "/other"}), "answered 302, which leads elsewhere: set MI_CHURN"),
    ],
)
def test_it_gives_up_where_a_repeat_is_of_no_use(
    shop: Workspace, hook: Hook, answer: Any, sentence: str
):
    hook.answers = [answer]
    found = send(shop, hook)
    assert sentence in str(found.problem)
    assert found.waiting == 5
    assert [post.path for post in hook.posts] == ["/churn"]


def test_who_is_at_risk_no_longer_is_not_told_of_with_the_rest(shop: Workspace, hook: Hook):
    hook.answers = [400]
    send(shop, hook)
    score_again(shop, "07-01", {"person 00": 90, "person 02": 65})
    assert send(shop, hook).sent == 1
    # The first batch has arrived; under its id nobody would hear of anybody else.
    score_again(shop, "07-02", {"person 00": 90, "person 02": 75})
    assert send(shop, hook).sent == 1
    assert [told([post]) for post in hook.posts[1:]] == [[AT_RISK[0]], [AT_RISK[1]]]
    assert hook.posts[0].headers["webhook-id"] == hook.posts[1].headers["webhook-id"]
    assert hook.posts[2].headers["webhook-id"] != hook.posts[1].headers["webhook-id"]


def test_two_runs_at_once_send_once(shop: Workspace, hook: Hook):
    other: list[Delivery] = []

    def meanwhile() -> None:
        hook.before_answer = None
        other.append(send_churn(shop._looking(None), webhook(hook)))

    hook.before_answer = meanwhile
    assert send(shop, hook).sent == 5
    assert [each.problem for each in other] == ["Another run is sending just now."]
    assert len(hook.posts) == 1


def test_who_has_lost_the_claim_stops(shop: Workspace, hook: Hook):
    def another_takes_over() -> None:
        with shop.state.writing() as transaction:
            transaction.change("update sending set token = 'another'")

    hook.answers, hook.before_answer = [500], another_takes_over
    found = send(shop, hook)
    assert found.problem == "Another run has begun to send; this one has stopped."
    assert len(hook.posts) == 1


def test_an_erased_person_is_told_of_to_nobody_and_leaves_no_row(shop: Workspace, hook: Hook):
    hook.answers = [400]
    send(shop, hook)
    with shop.state.writing() as transaction:
        transaction.change(
            "insert into erasure (erasure_id, begun_at, receipt) values ('e', :at, '{}')",
            at=AS_OF.replace(tzinfo=UTC),
        )
        gone = AT_RISK[0]
        transaction.change("insert into erased_id values (:gone, 'e')", gone=gone)
        transaction.change("delete from churn_notice where user_id = :gone", gone=gone)
    assert send(shop, hook).sent == 4
    assert gone not in told(hook.posts[1:])
    with shop.state.reading() as transaction:
        assert len(transaction.rows("select user_id from churn_notice")) == 4


def test_a_notice_follows_a_person_to_another_id(any_workspace: Workspace):
    state = any_workspace.state
    rows = [("a", "2024-07-01"), ("b", None), ("c", None)]
    with state.writing() as transaction:
        for user_id, sent in rows:
            transaction.change(
                "insert into churn_notice (user_id, crossed_at, risk, sent_at)"
                " values (:user_id, :at, 80, :sent)",
                user_id=user_id,
                at=AS_OF.replace(tzinfo=UTC),
                sent=sent,
            )
    state.move_people([("a", "new"), ("b", "new"), ("c", "c2")])
    with state.reading() as transaction:
        found = transaction.rows("select user_id, sent_at from churn_notice order by user_id")
    assert [(row["user_id"], bool(row["sent_at"])) for row in found] == [
        ("c2", False),
        ("new", True),
    ]


@pytest.mark.parametrize("answers", [[], [503, 503]])
def test_who_is_forgotten_while_batches_go_out_is_told_of_no_more(
    shop: Workspace, hook: Hook, monkeypatch: pytest.MonkeyPatch, answers: list[int]
):
    monkeypatch.setattr("mi_core.monitoring.churn_webhook.PER_BATCH", 2)
    gone = [AT_RISK[1], AT_RISK[2], AT_RISK[3]] if not answers else AT_RISK[:2]

    def forget() -> None:
        with shop.state.writing() as transaction:
            for each in gone:
                transaction.change("delete from churn_notice where user_id = :gone", gone=each)

    hook.answers, hook.before_answer = list(answers), forget
    found = send(shop, hook)
    later = hook.posts[1:]
    assert later
    assert not set(gone) & set(told(later))
    # The first two were in the first request; who is gone leaves no row, and waits for nothing.
    assert found.waiting == 0
    assert found.problem is None
    with shop.state.reading() as transaction:
        assert not set(gone) & {
            row["user_id"] for row in transaction.rows("select user_id from churn_notice")
        }


# --- settings and the command


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "MI_CHURN_WEBHOOK_URL isn't set"),
        ({"churn_webhook_url": "https://crm.example/s3cret"}, "MI_CHURN_WEBHOOK_SECRET isn't set"),
        (
            {"churn_webhook_url": "https://crm.example", "churn_webhook_secret": "s3cret"},
            "MI_CHURN_WEBHOOK_SECRET must be whsec_ and Base64 of 16 bytes or more, such as whsec_",
        ),
    ],
)
def test_it_says_what_is_not_set(settings: dict[str, str], sentence: str):
    with pytest.raises(SettingsError) as caught:
        Webhook.of(load_settings(**settings))
    assert sentence in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://crm.example/x", "crm.example", "https://", "https://a.example/#b", "ftp://a.b"]
)
def test_it_sends_in_the_clear_to_this_machine_alone(url: str):
    with pytest.raises(SettingsError, match=r"must be like https://service\.example"):
        load_settings(churn_webhook_url=url)
    assert load_settings(churn_webhook_url="http://localhost:8/x").churn_webhook_url


def test_the_command(shop: Workspace, hook: Hook, monkeypatch: pytest.MonkeyPatch):
    def mi(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["churn", *arguments, "--workspace", str(shop.path)])

    assert [row["user_id"] for row in json.loads(mi("--json").stdout)] == AT_RISK
    monkeypatch.setenv("MI_CHURN_WEBHOOK_URL", f"{hook.url}/x")
    monkeypatch.setenv("MI_CHURN_WEBHOOK_SECRET", SECRET)
    events_end(shop, timedelta(days=882))
    held = mi("--send")
    assert (held.exit_code, hook.posts) == (1, [])
    assert "the newest event is 882.0 days old" in held.stderr
    events_end(shop, timedelta(hours=1))
    hook.answers = [403]
    refused = mi("--send")
    assert refused.exit_code == 1
    assert "answered 403" in refused.stderr
    sent = mi("--send", "--json")
    assert (sent.exit_code, json.loads(sent.stdout)["sent"]) == (0, 5)
