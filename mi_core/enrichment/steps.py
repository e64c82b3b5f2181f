"""The steps of one lead: what each gave, where it came from, and why nothing was paid for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from mi_core.enrichment.calls import Outcome, Step
from mi_core.state import Transaction

Source = Literal["paid", "cache", "local", "rules", "skipped"]

DOWN = "down"
_MISSING = {DOWN, *get_args(Outcome)} - {"ok"}


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
        return self.reason in _MISSING


_WRITE = """
insert into enrichment_step (lead_id, step, source, reason, provider, answer, error, done_at)
values (:lead_id, :step, :source, :reason, :provider, :answer, :error, :now)
on conflict (lead_id, step) do update
set
    source = excluded.source, reason = excluded.reason, provider = excluded.provider,
    answer = excluded.answer, error = excluded.error, done_at = excluded.done_at
where enrichment_step.source in ('skipped', 'rules')
"""
_COPY = """
insert into enrichment_step (lead_id, step, source, reason, provider, answer, done_at)
select :lead_id, step, 'cache', 'result_cache', provider, answer, :now
from enrichment_step
where lead_id = :twin and source in ('paid', 'cache')
on conflict (lead_id, step) do update
set
    source = excluded.source, reason = excluded.reason, provider = excluded.provider,
    answer = excluded.answer, error = null, done_at = excluded.done_at
where enrichment_step.source in ('skipped', 'rules')
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


def copy(transaction: Transaction, lead_id: str, twin: str, *, now: datetime) -> None:
    """Take over what was paid for another lead with the same address.

    What was skipped, or answered by rules, says something of that other person alone.
    """
    transaction.change(_COPY, lead_id=lead_id, twin=twin, now=now)


def read(transaction: Transaction, lead_id: str) -> dict[Step, StepResult]:
    """The steps done so far, by name."""
    rows = transaction.rows(_READ, lead_id=lead_id)
    return {
        row["step"]: StepResult(**row | {"answer": row["answer"] and json.loads(row["answer"])})
        for row in rows
    }
