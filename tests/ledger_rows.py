"""Rows of the queue and the ledger, as few columns as a test needs to name."""

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from mi_core.state import State

PROVIDERS = {"social": "rapidapi", "company": "perplexity", "persona": "openai"}
_NUMBERS = itertools.count(1)

Row = dict[str, Any]


def id_of(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def lead(at: str, status: str = "completed", *, user_id: str | None = None, **more: Any) -> Row:
    """A row of user_identity: a lead queued at a time of 2024, that ended then if it has ended."""
    number = id_of(next(_NUMBERS))
    moment = _moment(at)
    has_ended = status in ("completed", "failed_permanent", "cancelled")
    return {
        "user_id": user_id or number,
        "lead_id": number,
        "status": status,
        "email_hash": number,
        "email_domain": "acme.com",
        "is_partial": 0,
        "tries": 1,
        "cost_micros": 0,
        "for_batch": 0,
        "queued_at": moment,
        "ended_at": moment if has_ended else None,
        "enriched_at": moment if status == "completed" else None,
    } | more


def call(at: str, step: str, cost: int | None, of: Row | None = None, **more: Any) -> Row:
    """A row of enrichment_call for `cost` millionths of a dollar; None where nobody knows."""
    return {
        "call_id": id_of(next(_NUMBERS)),
        "user_id": of["user_id"] if of else id_of(0),
        "lead_id": of["lead_id"] if of else None,
        "step": step,
        "provider": PROVIDERS[step],
        "cost_micros": cost,
        "most_micros": 9000,
        "called_at": _moment(at),
        "is_cached": 0,
        "status": "lost" if cost is None else "ok",
    } | more


def step(of: Row, name: str, source: str = "paid", answer: str | None = "{}", **more: Any) -> Row:
    """A row of enrichment_step, done when the lead was queued."""
    return {
        "lead_id": of["lead_id"],
        "step": name,
        "source": source,
        "provider": PROVIDERS[name],
        "answer": answer,
        "done_at": of["queued_at"],
    } | more


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(f"2024-{at}").replace(tzinfo=UTC)


def put_rows(state: State, rows: Mapping[str, Iterable[Row]]) -> None:
    """Insert rows by table into the state of a workspace."""
    with state.writing() as transaction:
        for table, each in rows.items():
            for row in each:
                columns = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                transaction.change(f"insert into {table} ({columns}) values ({values})", **row)
