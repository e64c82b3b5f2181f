"""What can go wrong in a call of a paid service, and the plans by which it does."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

REFUSED = (
    *("rate_limited", "insufficient_quota", "server_error"),
    *("bad_key", "forbidden", "bad_request", "unprocessable"),
)
"""An error before any work is done: nothing is billed. An `html` page of status 502 is one too."""
WITHOUT_WORK = ("hang_before", "cut_before")
"""Without an answer, nothing billed."""
AFTER_WORK = ("hang_after", "cut_after", "cut_midway", "malformed_json")
"""Billed, and the answer doesn't arrive, or half of it does."""
OF_MODELS = ("refusal", "cut_off", "invalid_json", "unknown_slug")
"""Billed answers that are of no use; of the social links `invalid_json` alone: not its shape."""
KINDS = ("ok", "slow", "html", *REFUSED, *WITHOUT_WORK, *AFTER_WORK, *OF_MODELS)

ENDPOINTS = (
    "rapidapi",
    "perplexity",
    "openai",  # responses asked for one at a time
    "openai.files",
    "openai.batches",
    "openai.lines",  # lines of a batch
)
PAID = ENDPOINTS[:3]


def applies(kind: str, endpoint: str) -> bool:
    """Whether this can happen there."""
    if endpoint == "openai.lines":
        return kind == "ok" or kind in REFUSED + OF_MODELS
    if endpoint in ("openai.files", "openai.batches"):
        return kind not in OF_MODELS
    return endpoint != "rapidapi" or kind not in ("refusal", "cut_off", "unknown_slug")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    `status` is that of `server_error` (500) and of `html` (502); an `html` page of status 200 is
    billed, as every 200 is. `retry_after`, in seconds, goes with any error, and as milliseconds
    where `in_ms`. `slow` takes `seconds` more. `reset` cuts by RST in place of FIN.
    """

    kind: str = "ok"
    status: int | None = None
    retry_after: float | None = None
    in_ms: bool = False
    seconds: float = 0.1
    reset: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.status is None:
            object.__setattr__(self, "status", 502 if self.kind == "html" else 500)

    @property
    def headers(self) -> dict[str, str]:
        if self.retry_after is None:
            return {}
        if self.in_ms:
            return {"retry-after-ms": f"{self.retry_after * 1000:g}"}
        return {"retry-after": f"{self.retry_after:g}"}


OK = Fault()
Plan = str | Fault | Iterable[str | Fault | None] | Callable[[Any], str | Fault | None]


class Faults:
    """By endpoint, what goes wrong: `faults["openai"] = ["rate_limited", Fault("slow"), "ok"]`.

    A plan is one fault for every call, an iterable of one for each call (then all is well), or a
    function of the call. None is well too.
    """

    def __init__(self) -> None:
        self._plans: dict[str, Callable[[Any], str | Fault | None]] = {}
        self._lock = threading.Lock()

    def __setitem__(self, endpoint: str, plan: Plan) -> None:
        if endpoint not in ENDPOINTS:
            raise KeyError(f"{endpoint} is none of {', '.join(ENDPOINTS)}")
        self._plans[endpoint] = _function(plan)

    def clear(self) -> None:
        self._plans.clear()

    def random(
        self, share: float, kinds: Iterable[str | Fault], seed: int, endpoints: Iterable[str] = PAID
    ) -> None:
        """Let a share of all calls fail, each in one of the ways that there are of `kinds`."""
        faults = [_fault(kind) for kind in kinds]
        for endpoint in endpoints:
            possible = [fault for fault in faults if applies(fault.kind, endpoint)]
            self[endpoint] = _at_random(share, possible, random.Random(f"{seed} {endpoint}"))

    def next(self, endpoint: str, call: Any) -> Fault:
        with self._lock:
            plan = self._plans.get(endpoint)
            fault = _fault(plan(call) if plan else None)
        if not applies(fault.kind, endpoint):
            raise ValueError(f"{fault.kind} can't happen to {endpoint}")
        return fault


def _fault(given: str | Fault | None) -> Fault:
    return Fault(given) if isinstance(given, str) else given or OK


def _function(plan: Plan) -> Callable[[Any], str | Fault | None]:
    if isinstance(plan, str | Fault):
        fault = _fault(plan)
        return lambda call: fault
    if callable(plan):
        return plan
    listed: Iterator[str | Fault | None] = iter([plan] if plan is None else plan)
    return lambda call: next(listed, None)


def _at_random(share: float, faults: list[Fault], rng: random.Random) -> Callable[[Any], Fault]:
    return lambda call: rng.choice(faults) if faults and rng.random() < share else OK
