"""What people are shown of leads and money: less than JSON has, in the words of a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mi_core.enrichment.costs import Costs, Stats
    from mi_core.enrichment.decoy_run import Decoys
    from mi_core.enrichment.leave import Budget
    from mi_core.enrichment.listing import Left
    from mi_core.enrichment.service import Queued, Status
    from mi_core.enrichment.worker import Worked
    from mi_core.state import Row


def queued(queued: "Queued") -> dict[str, object]:
    reasons = ", ".join(f"{count} {reason}" for reason, count in queued.skipped_for.items())
    return {
        "queued": queued.queued,
        "skipped": f"{queued.skipped}: {reasons}" if reasons else queued.skipped,
        "refused": queued.refused,
        "problems": list(queued.problems),
    }


def worked(worked: "Worked") -> dict[str, object]:
    """What there was of each; why it stopped is said beside it."""
    counts = asdict(worked)
    batches = counts.pop("batches") or {}
    shown = {
        name: counts[name] for name in counts if name not in ("stopped", "is_interrupted", "alert")
    }
    shown |= {f"batch_leads_{name}": batches.get(name) for name in _BATCHED}
    shown["batch_error"] = batches.get("error")
    return {name: value for name, value in shown.items() if value or name == "completed"}


_BATCHED = ("sent", "completed", "under_way")


def left(left: "Left", worked: "Worked") -> list[str]:
    """Sentences on what a run leaves."""
    said = []
    if left.due and worked.is_interrupted:
        said.append(f"Stopped; {_leads(left.due, 'is', 'are')} left.")
    elif left.due:
        said.append(f"{_leads(left.due, 'is', 'are')} still due.")
    elif not worked.taken:
        said.append("Nothing was due.")
    if left.later:
        said.append(
            f"{_leads(left.later, 'is', 'are')} due later, the next at {clock(left.next_at)}."
        )
    if left.held:
        said.append(
            f"{_leads(left.held, 'is', 'are')} held by a worker that may have died; its lease ends"
            f" at {clock(left.lease_ends_at)}."
        )
    if left.waiting:
        said.append(
            f"{_leads(left.waiting, 'waits', 'wait')} for a batch; run again to take it in."
        )
    for provider, calls in left.to_settle.items():
        which = "1 call" if calls == 1 else f"{calls:,} calls"
        said.append(f"The cost of {which} to {provider} is unknown: mi enrich settle {provider}.")
    return said


def _leads(count: int, one: str, several: str) -> str:
    return f"1 lead {one}" if count == 1 else f"{count:,} leads {several}"


def clock(at: datetime | None) -> str:
    """The time of day; with the day where that is another than today's."""
    if at is None:
        return "an unknown time"
    utc = at.astimezone(UTC)
    is_today = utc.date() == datetime.now(UTC).date()
    return f"{utc:%H:%M} UTC" if is_today else f"{utc:%Y-%m-%d %H:%M} UTC"


def lead(lead: "Row") -> dict[str, object]:
    """What a person wants to know of a lead; JSON has the rest."""
    steps = [
        {
            "step": step["step"],
            "by": step["provider"],
            "how": step["source"],
            "why": step["reason"],
            "said": _said(step),
        }
        for step in sorted(lead["steps"], key=lambda step: _STEPS.index(step["step"]))
    ]
    due = {"next_try_at": lead["next_try_at"]} if lead["status"] in ("pending", "failed") else {}
    return {
        "user_id": lead["user_id"],
        "status": lead["status"] + (", partial" if lead["is_partial"] else ""),
        "error": lead["error"],
        **due,
        "cost": _cost(lead["calls"]),
        "company": _company(lead),
        "profiles": ", ".join(each["url"] for each in lead["social_profiles"].values()) or None,
        "steps": steps,
    }


_STEPS = ("social", "company", "persona")


def _cost(calls: Sequence["Row"]) -> str:
    """What a lead's calls cost, and what is held for those that may yet be billed."""
    spent = sum(call["cost_micros"] or 0 for call in calls)
    held = sum(call["most_micros"] or 0 for call in calls if call["cost_micros"] is None)
    return f"${spent / 1e6:,.4f}" + (f", and ${held / 1e6:,.4f} held" if held else "")


def _said(step: "Row") -> str | None:
    answer = step["answer"]
    if step["step"] == "social" and step["source"] in ("paid", "cache") and not answer:
        return "none sure enough"
    if not answer:
        return None
    if step["step"] == "persona":
        return f"{answer['slug']}, {answer['confidence']:.0%} sure"
    if step["step"] == "social":
        return ", ".join(answer)
    return ", ".join(name for name, fact in answer.items() if fact["is_supported"]) or None


def _company(lead: "Row") -> str | None:
    told = (lead[f"company_{name}"] for name in ("name", "domain", "industry", "location"))
    size = f"{lead['company_size']:,} people" if lead["company_size"] else None
    return ", ".join(str(each) for each in (*told, size) if each) or None


def leads(rows: Sequence["Row"]) -> list[dict[str, object]]:
    """Leads with the one time that matters: the next try, or the end."""
    return [
        {name: row[name] for name in ("user_id", "status", "trigger", "domain")}
        | _when(row)
        | {"error": row["error"]}
        for row in rows
    ]


def _when(row: "Row") -> dict[str, object]:
    is_queued = row["status"] in ("pending", "failed")
    return {"next_try_or_end": row["next_try_at"] if is_queued else row["ended_at"]}


def not_retried(lead: "Row | None", *, partial: bool) -> str:
    """Why nothing was queued again: nothing of one lead, or of all of them."""
    if lead is None:
        which = "partial lead lacks anything" if partial else "dead letter is there"
        return f"No {which} that another try might give."
    status = lead["status"]
    if status == "completed":
        more = "" if partial else " mi enrich retry --partial asks for what one lacks."
        return f"It is completed{', and lacks nothing to be had' if partial else ''}.{more}"
    if status == "cancelled":
        return "It was cancelled; mi enrich lead EMAIL --again enriches it all the same."
    if status == "failed_permanent":
        return (
            "It is a dead letter; mi enrich retry without --partial queues those again."
            if partial
            else f"It was dead at once, and would be again: {lead['error']}"
        )
    return f"It is in the queue already: {status}."


def status(now: "Status", to_settle: Mapping[str, int]) -> dict[str, object]:
    """The queue at a glance; `to_settle` counts calls of unknown cost by their provider."""
    budget = now.budget
    spent = _column([budget.day_micros, budget.month_micros])
    caps = _column([budget.day_cap_micros, budget.month_cap_micros])
    held = _column([each["held_micros"] for each in now.providers])
    return {
        "today": f"{spent[0]} of {caps[0]}",
        "this_month": f"{spent[1]} of {caps[1]}",
        "answered_by": ", ".join(f"{step}: {name}" for step, name in now.answered_by.items()),
        "leads": now.leads,
        "providers": [
            {
                "provider": each["provider"],
                "state": _state(each),
                "to_settle": to_settle.get(each["provider"], 0),
                "held": dollars,
            }
            for each, dollars in zip(now.providers, held, strict=True)
        ],
    }


_STATE_WIDTH = 66
"""So the table of providers fits a screen of 100 columns."""


def _state(provider: "Row") -> str:
    """How a provider fares, until when, and why, as far as there is room."""
    name, reason = provider["provider"], _reason(provider)
    if provider["is_shut"]:
        begun, ended = f"shut until {clock(provider['shut_until'])}", f"; mi enrich reopen {name}"
    elif provider["is_down"]:
        begun, ended = f"down until {clock(provider['down_until'])}", ""
    else:
        return "well"
    room = _STATE_WIDTH - len(begun) - len(ended) - 2
    return begun + (f": {_cut(reason, room)}" if reason else "") + ended


def _reason(provider: "Row") -> str:
    """Why, without the provider's name before it: the row has that."""
    reason = (provider["reason"] or "").strip()
    while reason.lower().startswith(f"{provider['provider']}:"):
        reason = reason[len(provider["provider"]) + 1 :].strip()
    return reason.rstrip(".")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def may_spend_no_more(budget: "Budget") -> str | None:
    """A sentence where a cap is used up."""
    if budget.month_micros >= budget.month_cap_micros:
        return "Nothing more may be spent this month: [enrichment.budget] in overlay.toml says so."
    if budget.day_micros >= budget.day_cap_micros:
        return "Nothing more may be spent today: [enrichment.budget] in overlay.toml says so."
    return None


def stats(stats: "Stats") -> dict[str, object]:
    return {
        "days": f"{stats.since:%Y-%m-%d %H:%M} to {stats.until:%Y-%m-%d %H:%M} UTC",
        "ended": f"{stats.ended:,}, {stats.completed:,} of them completed",
        **_success(stats),
        "partial": _percent(stats.partial_share),
        "refused_addresses": stats.refused,
        "spent": f"${stats.spent_usd:,.4f}, and ${stats.held_usd:,.4f} held",
        "in_30_days": f"${stats.projected_30_days_usd:,.2f} at this pace;"
        f" the monthly cap is ${stats.monthly_cap_usd:,.2f}",
        "due_now": stats.due,
        "oldest_due_since": stats.oldest_due_at,
        "leads_now": stats.by_status,
        "top_errors": [asdict(each) for each in stats.top_errors],
    }


def _success(stats: "Stats") -> dict[str, object]:
    """Both rates where bad addresses make a difference."""
    rate, of_all = stats.success_rate, stats.success_rate_with_refused
    more = {"success_with_refused": _percent(of_all)} if of_all != rate else {}
    return {"success": _percent(rate), **more}


def decoys(decoys: "Decoys") -> dict[str, object]:
    """The rate with its interval, and the price of knowing it."""
    found: dict[str, object] = {
        "searched": decoys.asked,
        "answered": decoys.answered,
        "kept_a_profile": decoys.matched,
    }
    if decoys.low is not None and decoys.high is not None:
        found["wrong"] = (
            f"{_percent(decoys.false_match_rate)}"
            f" (95 % interval {_percent(decoys.low)}–{_percent(decoys.high)})"
        )
    return found | {"cost": f"${decoys.cost_micros / 1e6:,.4f}"}


def costs(costs: "Costs") -> dict[str, object]:
    """Dollars to the hundredth of a cent: a lead costs less than one."""
    return {
        "days": f"{costs.since:%Y-%m-%d %H:%M} to {costs.until:%Y-%m-%d %H:%M} UTC",
        "leads": f"{costs.leads:,}, {costs.useful_leads:,} of them useful",
        "a_lead": _usd(costs.usd_per_lead),
        "a_useful_lead": _usd(costs.usd_per_useful_lead),
        "spent": f"{_usd(costs.spent_usd)}, and {_usd(costs.held_usd)} held",
        "saved": _usd(costs.saved_usd),
        "providers": [
            {
                "provider": each.provider,
                "calls": each.calls,
                "failed": each.failed,
                "spent": _usd(each.usd),
                "held": _usd(each.held_usd),
                "median_ms": each.median_ms,
                "p95_ms": each.p95_ms,
            }
            for each in costs.providers
        ],
        "saved_by": [
            {
                "by": each.name,
                "step": each.step,
                "times": each.times,
                "each": _usd(each.usd_each),
                "saved": _usd(each.usd),
            }
            for each in costs.savings
        ],
        "elsewhere": [
            {
                "who": each.name,
                "a_lead": _usd(each.usd_per_lead),
                "these_leads": _usd(each.usd),
                "less_here": _percent(each.saved_percent and each.saved_percent / 100),
                "priced_on": each.priced_on,
            }
            for each in costs.comparisons
            if costs.compared_leads
        ],
    }


def _usd(dollars: float | None) -> str | None:
    return None if dollars is None else f"${dollars:,.4f}"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


def _column(amounts: Sequence[int]) -> list[str]:
    """Millionths as dollars, all with cents where they are enough; a lead costs less than one."""
    digits = 2 if all(micros % 10_000 == 0 for micros in amounts) else 4
    return [f"${micros / 1e6:,.{digits}f}" for micros in amounts]
