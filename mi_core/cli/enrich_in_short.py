"""What people are shown of leads and money: less than JSON has, in the words of a sentence."""

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mi_core.enrichment.costs import Costs, Stats
    from mi_core.enrichment.service import Queued, Status
    from mi_core.state import Row


def queued(queued: "Queued") -> dict[str, object]:
    return {
        "queued": queued.queued,
        "skipped": queued.skipped,
        "refused": queued.refused,
        "problems": list(queued.problems),
    }


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
        for step in lead["steps"]
    ]
    return {
        "user_id": lead["user_id"],
        "status": lead["status"] + (", partial" if lead["is_partial"] else ""),
        "error": lead["error"],
        "next_try_at": lead["next_try_at"],
        "cost": _dollars(lead["cost_micros"]),
        "company": _company(lead),
        "profiles": ", ".join(each["url"] for each in lead["social_profiles"].values()) or None,
        "steps": steps,
    }


def _said(step: "Row") -> str | None:
    answer = step["answer"]
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


def status(now: "Status") -> dict[str, object]:
    budget = now.budget
    return {
        "today": f"{_dollars(budget.day_micros)} of {_dollars(budget.day_cap_micros)}",
        "this_month": f"{_dollars(budget.month_micros)} of {_dollars(budget.month_cap_micros)}",
        "answered_by": ", ".join(f"{step}: {name}" for step, name in now.answered_by.items()),
        "leads": now.leads,
        "providers": [
            {
                "provider": each["provider"],
                "state": f"down: {each['reason']}" if each["is_down"] else "well",
                "calls_of_unknown_cost": each["open_calls"],
                "held": _dollars(each["held_micros"]),
            }
            for each in now.providers
        ],
    }


def stats(stats: "Stats") -> dict[str, object]:
    return {
        "days": f"{stats.since:%Y-%m-%d %H:%M} to {stats.until:%Y-%m-%d %H:%M} UTC",
        "ended": f"{stats.ended:,}, {stats.completed:,} of them completed",
        "success": _percent(stats.success_rate),
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


def _dollars(micros: int) -> str:
    """Cents where they are enough; a lead costs less than one."""
    return f"${micros / 1e6:,.2f}" if micros % 10_000 == 0 else f"${micros / 1e6:,.4f}"
