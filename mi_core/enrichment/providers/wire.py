"""What the services have in common: statuses as outcomes, prices as whole millionths of a dollar.

Errors are sentences of our own. What a service says about one may quote the key or the question.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from mi_core.definitions import ModelPrice
from mi_core.enrichment.calls import Outcome, Reply
from mi_core.enrichment.untrusted import json_object, mapping
from mi_core.errors import SettingsError

LONGEST_WAIT = 3600.0
_ERROR_BYTES = 100_000
NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
NO_MODEL = frozenset({"model_not_found", "invalid_model"})
"""The account can't use the model: no question is to blame, and every one would fail."""
LOST_BEHIND = frozenset({502, 504, 520, 524})
"""What a gateway says that passed the question on, or may have, and has no answer to give."""

_SAYS: Mapping[str, str] = {
    "rate_limited": "too many calls",
    "out_of_quota": "the account has nothing left",
    "key_refused": "the key is wrong or may not do this",
    "rejected": "the question is not accepted",
    "unavailable": "the service doesn't work just now",
    "lost": "a gateway lost the answer",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole response of a service, whatever its status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def request_id(self) -> str | None:
        """The id that the service knows the call by."""
        return identifier(self.headers.get("x-request-id"))


def turned_down(service: str, heard: Heard) -> Reply[Any]:
    """The outcome of a call that was answered with another status than 200.

    It costs nothing, but where a gateway lost the answer: the service may have done its work.
    """
    code = error_code(heard.content)
    outcome = _outcome(heard, code)
    named = f"{heard.status}, {code}" if code else f"{heard.status}"
    return Reply(
        outcome,
        None if outcome == "lost" else 0,
        error=f"{service}: {_SAYS[outcome]} ({named}).",
        request_id=heard.request_id,
        retry_after_seconds=retry_after(heard.headers) if outcome == "rate_limited" else None,
    )


def _outcome(heard: Heard, code: str | None) -> Outcome:
    status = heard.status
    if status in LOST_BEHIND:
        return "lost"
    if status == 402 or (code in NO_MONEY and status in (401, 403, 429)):
        return "out_of_quota"
    if status == 429:
        return "out_of_quota" if _is_used_up(heard) else "rate_limited"
    if status in (401, 403) or (code in NO_MODEL and status < 500):
        return "key_refused"
    # A redirect is not followed: it would send the question a second time.
    is_rejection = 400 <= status < 500 and status not in (408, 409, 425)
    return "rejected" if is_rejection else "unavailable"


def _is_used_up(heard: Heard) -> bool:
    """Whether a plan has no calls left: RapidAPI says this in words, with the same status."""
    message = (json_object(heard.content[:_ERROR_BYTES]) or {}).get("message")
    says_so = isinstance(message, str) and re.search("exceeded the [A-Z]+ quota", message)
    return bool(says_so) or heard.headers.get("x-ratelimit-requests-remaining") == "0"


def error_code(content: bytes) -> str | None:
    """The short name that a service has for an error; its message is left alone."""
    body = json_object(content[:_ERROR_BYTES]) or {}
    error = mapping(body.get("error"))
    found = (error.get("code"), error.get("type"), body.get("code"))
    names = [each for each in found if isinstance(each, str) and re.fullmatch("[a-z_]{3,40}", each)]
    return next((each for each in names if each in NO_MONEY), names[0] if names else None)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How long to wait, as the service says: in milliseconds, in seconds, or until a date."""
    thousandths = _number(headers.get("retry-after-ms"))
    text = headers.get("retry-after")
    seconds = thousandths / 1000 if thousandths is not None else _number(text)
    if seconds is None and text:
        seconds = _seconds_until(text)
    return None if seconds is None else min(seconds, LONGEST_WAIT)


def _number(text: str | None) -> float | None:
    """A figure from 0 on; not an infinity, nor a word for one."""
    return float(text) if text and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None


def _seconds_until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def unreadable(service: str, heard: Heard, cost_micros: int | None = None) -> Reply[Any]:
    """What came with status 200 is no JSON object; what it cost is in there, if anywhere."""
    error = f"{service}: the answer can't be read."
    return Reply("invalid", cost_micros, error=error, request_id=heard.request_id)


def identifier(value: object) -> str | None:
    """An id or a model's name as services write them; None of anything else."""
    fits = isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}", value)
    return value if fits else None  # type: ignore[return-value]


def checked_key(service: str, key: str) -> str:
    """The key, if it can stand in a header: what a client says of one that can't would show it."""
    if not re.fullmatch("[!-~]{1,500}", key):
        raise SettingsError(f"The key of {service} has characters that no key has.")
    return key


def priced(*items: tuple[int, float], share: float = 1.0) -> int:
    """Micros of `(tokens, dollars per million)`: one dollar per million is one micro a token."""
    return whole_micros(_sum(items) * Decimal(str(share)))


def whole_micros(micros: Decimal) -> int:
    """Rounded up, so that the ledger is never below the bill; sums of floats are a hair off."""
    exact = micros.quantize(Decimal("0.000001"))
    return int(exact.to_integral_value(ROUND_CEILING))


def at_most(body: Mapping[str, Any], price: ModelPrice, share: float = 1.0) -> int:
    """What a call with `body` can't cost more than: a token is at least a byte of it."""
    size = len(json.dumps(body, ensure_ascii=False).encode())
    tokens = ((size, price.input_usd), (price.max_output_tokens, price.output_usd))
    micros = _sum(tokens) + Decimal(str(price.per_call_usd)) * 1_000_000
    return whole_micros(micros * Decimal(str(share)))


def _sum(items: tuple[tuple[int, float], ...]) -> Decimal:
    return sum((tokens * Decimal(str(usd)) for tokens, usd in items), Decimal(0))


def dollars(value: object) -> int | None:
    """An amount in dollars that a service states, in micros; None of what can't be one."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not 0 <= value < 1000:  # type: ignore[arg-type,operator]
        return None
    return whole_micros(Decimal(str(value)) * 1_000_000)
