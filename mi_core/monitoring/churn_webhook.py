"""Sends who is about to leave to another service, as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks: a JSON body of `type`, `timestamp`, `data`;
headers webhook-id, webhook-timestamp and webhook-signature. A batch keeps its id over all tries, so
that the receiver can drop what it has already; it counts as sent only once it was answered with
2xx. People appear under their pseudonymous ids alone.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from mi_core import words
from mi_core.errors import SettingsError
from mi_core.magnetism import AT_RISK
from mi_core.monitoring import messages
from mi_core.monitoring.churn import AtRisk, new_at_risk, note_crossings
from mi_core.monitoring.looking import Looking
from mi_core.monitoring.sending import Claim, claimed
from mi_core.settings import Settings
from mi_core.signing import decoded, secrets_of, signature
from mi_core.state import State

TYPE = "churn_risk.high"
PER_BATCH = 100
TRIES = 4
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 30.0
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
AGAIN = frozenset({408, 425, 429})
"""Answers that may be another ones soon; so may any of 500 on."""

_WAITING = """
select user_id, batch_id
from churn_notice
where sent_at is null
order by case when batch_id is null then 1 else 0 end, batch_id, risk desc, user_id
"""
_IN_BATCH = "select user_id from churn_notice where batch_id = :batch_id and sent_at is null"
_PUT_IN = "update churn_notice set batch_id = :batch_id where user_id = :user_id"
_SENT = "update churn_notice set sent_at = :at where user_id = :user_id and batch_id = :batch_id"
# The id of a batch that has arrived would have later people taken for a repeat.
_LEFT_OUT = "update churn_notice set batch_id = null where batch_id = :batch_id and sent_at is null"


@dataclass(frozen=True)
class Delivery:
    """What became of a run: people and batches sent, people that wait, and why they do."""

    sent: int
    batches: int
    waiting: int
    problem: str | None = None


@dataclass(frozen=True)
class Webhook:
    """Where people are sent; `sleep` waits for seconds, `chance` gives 0-1."""

    url: str
    secrets: tuple[bytes, ...]
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    def __repr__(self) -> str:
        return "Webhook(…)"

    @classmethod
    def of(cls, settings: Settings) -> "Webhook":
        """The webhook of MI_CHURN_WEBHOOK_URL.

        Raises
        ------
        SettingsError
            It isn't set, or its secret isn't or can't be read.
        """
        if settings.churn_webhook_url is None:
            raise SettingsError("MI_CHURN_WEBHOOK_URL isn't set, so there is nobody to send to.")
        secrets = secrets_of(settings.churn_webhook_secret)
        if not secrets:
            raise SettingsError(
                "MI_CHURN_WEBHOOK_SECRET isn't set: without a signature the receiver can't know who"
                " sends. It is whsec_ and Base64 of 24 random bytes."
            )
        origin = "such as whsec_ and what openssl rand -base64 24 prints"
        keys = tuple(decoded(each, "MI_CHURN_WEBHOOK_SECRET", origin=origin) for each in secrets)
        return cls(settings.churn_webhook_url.get_secret_value(), keys)

    def post(self, webhook_id: str, body: Callable[[], bytes | None], claim: Claim) -> str | None:
        """Deliver a body, with tries as long as it helps; returns what is wrong, or nothing.

        The body is asked for anew before each try: a pause is long enough for an erasure. Where
        it is None, nothing is left to deliver.
        """
        problem: str | None = None
        wait = 0.0
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
            for number in range(TRIES):
                self.sleep(wait)
                if not claim.renew():
                    return "Another run has begun to send; this one has stopped."
                if (content := body()) is None:
                    return None
                problem, asked = self._ask(client, webhook_id, content)
                if asked is None:
                    return problem
                wait = max(asked, self._pause(number))
        return problem

    def _pause(self, number: int) -> float:
        """Seconds after a try, with full jitter, over twice as long after each."""
        return self.chance() * min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * float(2**number))

    def _ask(
        self, client: httpx.Client, webhook_id: str, body: bytes
    ) -> tuple[str | None, float | None]:
        """What is wrong, and for how long the receiver asks to be left alone; None: no use."""
        headers = self._headers(webhook_id, body)
        try:
            # What it says in its answer is of no interest, however long it is.
            with client.stream("POST", self.url, content=body, headers=headers) as response:
                return _verdict(response)
        except httpx.TransportError as error:
            return f"The churn webhook can't be reached ({type(error).__name__}).", 0.0

    def _headers(self, webhook_id: str, body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signatures = (signature(each, webhook_id, timestamp, body) for each in self.secrets)
        return {
            "content-type": "application/json",
            "user-agent": "mi-core",
            "webhook-id": webhook_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": " ".join(signatures),
        }


def _verdict(response: httpx.Response) -> tuple[str | None, float | None]:
    status = response.status_code
    if 200 <= status < 300:
        return None, None
    said = f"The churn webhook answered {status}"
    if status in AGAIN or status >= 500:
        return f"{said}, {TRIES} times.", _asked_wait(response)
    if 300 <= status < 400:
        said += ", which leads elsewhere: set MI_CHURN_WEBHOOK_URL to where it leads"
    else:
        said += ": it doesn't take what is sent; see its log, the URL and the secret"
    return f"{said}. The next run goes on from here.", None


def send_churn(at: Looking, webhook: Webhook) -> Delivery:
    """Send all who are at risk and of whom the service wasn't told.

    Where another run is sending just now, nothing is; the rest waits for the next run. Nor is
    anything while events have stopped: everybody would seem to leave, and be told of for nothing.
    """
    if why := _stale(at):
        return Delivery(0, 0, len(new_at_risk(at)), why)
    with claimed(at.state, "churn webhook") as claim:
        if claim is None:
            return Delivery(0, 0, 0, "Another run is sending just now.")
        people = {each.user_id: each for each in note_crossings(at)}
        sent = batches = 0
        problem = None
        for batch_id in _batches(at.state):
            told, problem = _deliver(at, webhook, claim, batch_id, people)
            if problem:
                break
            if told:
                _mark(at.state, batch_id, told)
                sent, batches = sent + len(told), batches + 1
        failed = ["the churn webhook"] if problem else []
        messages.note(at.state, messages.CHURN, failed, at=at.as_of)
        with at.state.reading() as transaction:
            left = sum(row["user_id"] in people for row in transaction.rows(_WAITING))
    return Delivery(sent, batches, left, problem)


def _stale(at: Looking) -> str | None:
    """Why scores say nothing of who leaves: the newest event is as old as rings an alert.

    However few events there are: a quiet workspace sends with its next one.
    """
    hours, most = at.row("newest_event", as_of=at.at)["hours_behind"], at.rules.events.alert
    if hours is None or hours < most:
        return None
    return (
        f"Nobody is told of: the newest event is {words.days(hours / 24)} old, and from"
        f" {words.days(most / 24)} on everybody seems to leave. See mi watch."
    )


def _deliver(
    at: Looking, webhook: Webhook, claim: Claim, batch_id: str, people: Mapping[str, AtRisk]
) -> tuple[list[AtRisk], str | None]:
    """Send a batch; returns who was in what went out last, and what is wrong, or nothing."""
    told: list[AtRisk] = []

    def body() -> bytes | None:
        # Who was forgotten since has no row any more; who is no longer at risk isn't told of.
        with at.state.reading() as transaction:
            here = {row["user_id"] for row in transaction.rows(_IN_BATCH, batch_id=batch_id)}
        told[:] = [each for each in people.values() if each.user_id in here]
        return _body(told, at) if told else None

    problem = webhook.post(batch_id, body, claim)
    return told, problem


def _batches(state: State) -> list[str]:
    """The batches of those who wait; who is in none yet is put into new ones, for good."""
    with state.writing() as transaction:
        rows = transaction.rows(_WAITING)
        found = list(dict.fromkeys(row["batch_id"] for row in rows if row["batch_id"]))
        fresh = [row["user_id"] for row in rows if not row["batch_id"]]
        for start in range(0, len(fresh), PER_BATCH):
            batch_id, some = str(uuid4()), fresh[start : start + PER_BATCH]
            found.append(batch_id)
            transaction.change_each(
                _PUT_IN, [{"batch_id": batch_id, "user_id": each} for each in some]
            )
    return found


def _mark(state: State, batch_id: str, told: Sequence[AtRisk]) -> None:
    now = datetime.now(UTC)
    rows = [{"at": now, "user_id": each.user_id, "batch_id": batch_id} for each in told]
    with state.writing() as transaction:
        transaction.change_each(_SENT, rows)
        transaction.change(_LEFT_OUT, batch_id=batch_id)


def _body(people: Sequence[AtRisk], at: Looking) -> bytes:
    document = {
        "type": TYPE,
        "timestamp": at.as_of.astimezone(UTC).isoformat(),
        "data": {"limit": AT_RISK, "people": [_told(each) for each in people]},
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _told(person: AtRisk) -> dict[str, Any]:
    seen = person.last_seen_at
    return asdict(person) | {"last_seen_at": seen.replace(tzinfo=UTC).isoformat() if seen else None}


def _asked_wait(response: httpx.Response) -> float:
    """Seconds of a Retry-After, within what a run waits."""
    text = response.headers.get("retry-after", "")
    return min(float(text), LONGEST_WAIT_SECONDS) if text.isascii() and text.isdigit() else 0.0
