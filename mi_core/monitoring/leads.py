"""Checks of the enrichment: whether leads are completed, in time, and at the cost they may have."""

from datetime import timedelta
from typing import Any

from mi_core import words
from mi_core.definitions import Limit
from mi_core.enrichment import ledger
from mi_core.monitoring.check import Check, can_not_tell, found
from mi_core.monitoring.looking import Looking
from mi_core.shares import wilson


def enrichment(at: Looking) -> list[Check]:
    """What became of the leads that ended in the last 7 days, and what they cost."""
    at.warehouse.stage("lead", "enrichment/lead")
    ended = at.warehouse.relation("enrichment/ended", **at.week).row(0, named=True)
    return [_success(at, ended), _cost(at, ended)]


def _success(at: Looking, ended: dict[str, Any]) -> Check:
    """The completed leads' share of those that ended; what was refused at the door is no lead.

    Below its limit it is an alert where the whole 95 % interval is, and a warning where chance may
    explain it.
    """
    limit, named = at.rules.enrichment_success, ("enrichment_success", "Enrichment success")
    leads, completed = ended["leads"], ended["completed"]
    if leads < limit.least:
        return can_not_tell(*named, limit, _few(leads))
    low, high = wilson(completed, leads)
    said = (
        f"{words.percent(completed / leads)} of the {words.number(leads)} leads that ended in the"
        f" last 7 days were completed ({words.between(low, high, words.percent)} with chance)."
    )
    sure = limit if high < limit.alert else limit.model_copy(update={"alert": 0.0})
    advice = (
        "See mi enrich stats for what failed, and mi enrich status for providers that are down."
    )
    return found(*named, sure, completed / leads, said, advice, low_is_bad=True)


def _cost(at: Looking, ended: dict[str, Any]) -> Check:
    """Dollars per lead that ended; what is held for calls of unknown cost counts as spent."""
    limit, named = at.rules.cost_per_lead, ("cost_per_lead", "Cost per lead")
    leads = ended["leads"]
    if leads < limit.least:
        return can_not_tell(*named, limit, _few(leads))
    usd = (ended["cost_micros"] + ended["held_micros"]) / leads / 1e6
    said = f"The {words.number(leads)} leads that ended in the last 7 days cost ${usd:.4f} each."
    advice = "See mi enrich costs for what is dear, and mi enrich settle for calls of unknown cost."
    return found(*named, limit, usd, said, advice)


def budget(at: Looking) -> Check:
    """What is spent and held of the day's or the month's cap, whichever is nearer its end."""
    caps, rule = at.definitions.enrichment.budget, at.rules.budget
    limit = Limit(warning=caps.alert_share, least=1, **rule.model_dump())
    with at.state.reading() as transaction:
        now = ledger.budget(transaction, now=at.as_of, rules=at.definitions.enrichment)
    spans = [
        (spent / cap, name, spent, cap)
        for name, spent, cap in (
            ("daily", now.day_micros, now.day_cap_micros),
            ("monthly", now.month_micros, now.month_cap_micros),
        )
        if cap
    ]
    if not spans:
        return can_not_tell("budget", "Budget", limit, "Nothing may be spent: both caps are 0.")
    share, name, spent, cap = max(spans)
    said = (
        f"{words.percent(share)} of the {name} budget is spent or held: ${spent / 1e6:,.2f} of"
        f" ${cap / 1e6:,.2f}."
    )
    advice = (
        f"Leads wait once the {name} budget is gone: raise it in overlay.toml"
        " (enrichment.budget), or see mi enrich costs for what it goes to."
    )
    return found("budget", "Budget", limit, share, said, advice)


def lead_queue(at: Looking) -> Check:
    """How long the oldest lead that is due has waited for a worker."""
    limit, named = at.rules.lead_queue, ("lead_queue", "Lead queue")
    row = at.warehouse.relation("enrichment/waiting", at=at.at).row(0, named=True)
    if not row["leads"]:
        return found(*named, limit, 0.0, "No lead waits for a worker.", "")
    hours = (at.at - row["oldest_at"]) / timedelta(hours=1)
    said = (
        f"{words.count(row['leads'], 'lead')} {'wait' if row['leads'] > 1 else 'waits'} for a"
        f" worker, the oldest for {words.days(hours / 24)}."
    )
    advice = (
        "Run mi enrich run, or see why mi serve or the schedule doesn't; mi enrich status helps."
    )
    return found(*named, limit, hours, said, advice)


def _few(leads: int) -> str:
    if not leads:
        return "No lead ended in the last 7 days."
    return f"{words.count(leads, 'lead')} ended in the last 7 days: too few to tell."
