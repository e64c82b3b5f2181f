"""The steps of one lead: what each gave, where it came from, and why nothing was paid for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from mi_core.enrichment.calls import Outcome, Step
from mi_core.state import Transaction

if TYPE_CHECKING:
    from mi_core.enrichment.queue import Lead

Source = Literal["paid", "cache", "local", "rules", "skipped"]

DOWN = "down"
MISSING = frozenset({DOWN, *get_args(Outcome)} - {"ok"})
"""Reasons for which a step lacks what another try might give."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step gave. `reason` says why nobody was paid, or how the call that was made ended."""

    step: Step
    source: Source
    provider: str
    answer: Mapping[str, Any] | None = None
    reason: str | None = None
    error: str | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the lead lacks something that another try might give."""
        return self.reason in MISSING


_WRITE = """
insert into enrichment_step (lead_id, step, source, reason, provider, answer, error, done_at)
values (:lead_id, :step, :source, :reason, :provider, :answer, :error, :now)
on conflict (lead_id, step) do update
set
    source = excluded.source, reason = excluded.reason, provider = excluded.provider,
    answer = excluded.answer, error = excluded.error, done_at = excluded.done_at
where enrichment_step.source in ('skipped', 'rules')
"""
_ELSEWHERE = """
select s.step, s.provider, s.answer
from enrichment_step as s
join user_identity as u on u.lead_id = s.lead_id
where
    u.email_hash = :email_hash
    and coalesce(u.name_hash, '') = coalesce(:name_hash, '')
    and u.lead_id <> :lead_id
    and s.step = :step
    and s.source in ('paid', 'cache')
    and s.done_at >= :since
order by s.done_at desc
limit 1
"""
_READ = """
select step, source, reason, provider, answer, error
from enrichment_step
where lead_id = :lead_id
"""


def write(transaction: Transaction, lead_id: str, result: StepResult, *, now: datetime) -> None:
    """Keep what a step gave; what was paid for is never overwritten."""
    answer = None if result.answer is None else json.dumps(result.answer, sort_keys=True)
    transaction.change(
        _WRITE,
        lead_id=lead_id,
        step=result.step,
        source=result.source,
        reason=result.reason,
        provider=result.provider,
        answer=answer,
        error=result.error,
        now=now,
    )


def found_elsewhere(
    transaction: Transaction, lead: "Lead", step: Step, *, since: datetime
) -> StepResult | None:
    """What was paid for since then for another lead with the same address and name."""
    found = transaction.rows(
        _ELSEWHERE,
        email_hash=lead.email_hash,
        name_hash=lead.name_hash,
        lead_id=lead.lead_id,
        step=step,
        since=since,
    )
    if not found:
        return None
    answer = json.loads(found[0]["answer"])
    return StepResult(step, "cache", found[0]["provider"], answer, reason="result_cache")


def read(transaction: Transaction, lead_id: str) -> dict[Step, StepResult]:
    """The steps done so far, by name."""
    rows = transaction.rows(_READ, lead_id=lead_id)
    return {
        row["step"]: StepResult(**row | {"answer": row["answer"] and json.loads(row["answer"])})
        for row in rows
    }
