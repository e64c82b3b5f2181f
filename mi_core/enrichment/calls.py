"""What a paid call is: asked, sent at most once under an id of ours, answered at a known cost.

A provider never raises for what its service does: each way that a call can end is an outcome, with
what it cost. A cost that nobody can know (the connection broke after the question was sent) is
None, and the ledger holds the most that it can be until it is settled.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

Step = Literal["social", "company", "persona"]
STEPS: tuple[Step, ...] = ("social", "company", "persona")

Outcome = Literal[
    "ok",
    "refused",  # the model declined to answer
    "cut_off",  # the answer was longer than the tokens it may have
    "invalid",  # no valid JSON, or not what was asked for
    "rate_limited",  # too many calls; wait as long as it says
    "unavailable",  # not reached, or an error of the service
    "lost",  # sent, and no answer came: nobody knows whether it was billed
    "out_of_quota",  # the account has no money left
    "key_refused",  # the key is wrong or may not do this
    "rejected",  # the question can't be answered, and never will be
]
AGAIN: frozenset[str] = frozenset({"invalid", "rate_limited", "unavailable", "lost"})
"""Outcomes after which the same question may be asked again."""
BROKEN: frozenset[str] = frozenset({"unavailable", "lost"})
"""Outcomes that speak against the service, not the question: several in a row trip the breaker."""
SHUT: frozenset[str] = frozenset({"out_of_quota", "key_refused"})
"""Outcomes that every further question would have too, until somebody mends the account."""

Question_contra = TypeVar("Question_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Request:
    """A call ready to be sent; it can't cost more than `most_micros`, millionths of a dollar."""

    body: Mapping[str, Any]
    most_micros: int
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Reply(Generic[Answer_co]):
    """How a call ended, and what it cost in millionths of a dollar (None: nobody knows)."""

    outcome: Outcome
    cost_micros: int | None
    answer: Answer_co | None = None
    error: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    request_id: str | None = None
    retry_after_seconds: float | None = None


class Provider(Protocol[Question_contra, Answer_co]):
    """Somebody who answers one kind of question for money."""

    @property
    def name(self) -> str:
        """The name that ledger and results know it by, such as `perplexity`."""

    def request(self, question: Question_contra) -> Request:
        """The call that asks `question`, with the most it can cost."""

    async def send(self, request: Request, call_id: str) -> Reply[Answer_co]:
        """Send it once; `call_id` goes along, so that a bill can be matched to the ledger."""

    async def close(self) -> None:
        """Let go of the connections."""


@dataclass(frozen=True, slots=True)
class SocialQuestion:
    """Whose profiles to look for: a name, and where the person works if that is known."""

    name: str
    company_domain: str | None = None


@dataclass(frozen=True, slots=True)
class SocialAnswer:
    """Candidates by network, in the order of the search; none of them is verified."""

    candidates: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CompanyQuestion:
    """Which company to describe. Nothing about a person goes into it."""

    domain: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said of a company, with the page and the words that say so."""

    value: str | int
    source_url: str | None
    snippet: str | None
    is_supported: bool


@dataclass(frozen=True, slots=True)
class CompanyAnswer:
    """Facts by name: `name`, `industry` (of a closed list), `size` (people), `location`."""

    facts: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class PersonaQuestion:
    """What is known of a person, as names and numbers of closed lists: no free text of others."""

    facts: Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class PersonaAnswer:
    """One of the personas, a confidence in 0-1, and which of the facts speak for it."""

    slug: str
    confidence: float
    evidence: tuple[str, ...]
