"""What a lead's steps come to: its identity, its persona and its event, in one transaction."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mi_core.enrichment import queue
from mi_core.enrichment.calls import Step
from mi_core.enrichment.queue import Finding, Lead
from mi_core.enrichment.steps import StepResult
from mi_core.state import State, Transaction

EVENT = "identity_enriched"
_PAID_FOR = ("paid", "cache")


def complete(
    state: State,
    transaction: Transaction,
    lead: Lead,
    done: Mapping[Step, StepResult],
    *,
    company_domain: str | None,
    now: datetime,
) -> bool:
    """End a lead whose steps are done; false where the lease was lost, and nothing is written."""
    error = "; ".join(each.error for each in done.values() if each.error) or None
    is_partial = any(each.is_missing for each in done.values())
    finding = _finding("completed", done, company_domain, error, is_partial=is_partial)
    if not queue.finish(transaction, lead, finding, now=now):
        return False
    lead = _as_known_now(transaction, lead)
    if assigned := _persona(lead, done["persona"]):
        row, source = assigned
        state.assign_personas([row], source=source, assigned_at=now, within=transaction)
    state.post([_event(lead, finding, now)], now, within=transaction)
    return True


def bury(
    transaction: Transaction,
    lead: Lead,
    done: Mapping[Step, StepResult],
    error: str,
    *,
    company_domain: str | None,
    now: datetime,
) -> bool:
    """Make a lead a dead letter, with what its steps gave so far and its last error.

    One that was completed before, and tried again for what it lacks, is completed still.
    """
    status = "completed" if lead.is_partial else "failed_permanent"
    finding = _finding(status, done, company_domain, error, is_partial=lead.is_partial)
    return queue.finish(transaction, lead, finding, now=now)


def _finding(
    status: str,
    done: Mapping[Step, StepResult],
    company_domain: str | None,
    error: str | None,
    *,
    is_partial: bool,
) -> Finding:
    profiles = done["social"].answer if "social" in done else None
    return Finding(
        status,
        is_partial=is_partial,
        error=error,
        social_profiles=dict(profiles) if profiles else None,
        company=_company(done.get("company"), company_domain),
    )


def _persona(lead: Lead, result: StepResult) -> tuple[tuple[str, str, float], str] | None:
    """The assignment and its source; none for a stranger, of whom rules say what fits everybody."""
    answer = result.answer or {}
    if result.source in _PAID_FOR:
        source = "ai_enrichment"
    elif "rule_persona" in answer.get("evidence", ()):
        source = "behavior_analysis"
    else:
        return None
    return (lead.user_id, answer["slug"], answer["confidence"]), source


def _as_known_now(transaction: Transaction, lead: Lead) -> Lead:
    """The lead under its person's user_id, which may be another one since it was taken."""
    query = "select user_id from user_identity where lead_id = :lead_id"
    return replace(lead, user_id=transaction.rows(query, lead_id=lead.lead_id)[0]["user_id"])


def _company(result: StepResult | None, domain: str | None) -> dict[str, Any]:
    """The company's columns: facts that their source bears out, and no others."""
    facts = result.answer or {} if result else {}
    known = {name: fact["value"] for name, fact in facts.items() if fact["is_supported"]}
    return {"domain": domain, **known}


def _event(lead: Lead, finding: Finding, now: datetime) -> tuple[str, str]:
    """The event that tells the lake, as the inbox holds it; the same lead gives the same id."""
    event_id = str(uuid5(NAMESPACE_URL, f"{EVENT}/{lead.lead_id}"))
    company = finding.company or {}
    known = {name for name, value in company.items() if value is not None}
    properties = {
        "has_company": bool(known - {"domain"}),
        "fields_filled": len(known) + len(finding.social_profiles or {}),
    }
    at = now.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    body = {
        "source": "enrichment",
        "event_id": event_id,
        "event_name": EVENT,
        "distinct_id_hash": lead.user_id,
        "occurred_at": at,
        "received_at": at,
        "properties": json.dumps(properties),
        "experiments": "{}",
    }
    return event_id, json.dumps(body)
