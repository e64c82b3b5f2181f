"""Where purchases came from, by one model, and whether others would say the same."""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.attribution import naming
from mi_core.stories.executive.figures import MODEL

if TYPE_CHECKING:
    from mi_core.stories.executive.figures import ExecutiveReport


def where_from(report: "ExecutiveReport") -> str:
    """The channel with most credit, how sure its lead is, and what is credited to nobody."""
    found, credited = report.attribution, report.credited
    if not found.conversions:
        return ""
    named = [row for row in credited.iter_rows(named=True) if row["key"] != naming.NONE]
    if not named or not report.credit.conversions:
        return (
            "<strong>Where the purchases came from isn't known</strong>: none had a touchpoint in "
            f"the {found.lookback_days:g} days before."
        )
    first, *others = named
    then = [f"{escape(row['label'])} ({words.percent(row['value'])})" for row in others[:2]]
    next_ = f", then {words.listed(then)}" if then else ""
    return (
        f"<strong>{escape(first['label'])} gets most credit for the purchases</strong>, "
        f"{_share(first)}{next_}. {how_sure(report, first['key'])}{_unattributed(report)} Credit "
        "is a way of counting, here in equal parts to each touch; it proves no cause."
    )


def how_sure(report: "ExecutiveReport", key: str) -> str:
    """Whether a channel's lead is clear, and whether it depends on the model."""
    credit = report.credit
    if len(credit.named) < 2:
        return "No other channel was on a path."
    if not credit.can_tell:
        lead = "So few purchases can't tell channels apart."
    elif MODEL in credit.leads_clearly(key):
        lead = "Its lead is clear."
    else:
        lead = "Its lead is within noise."
    others = [model for model in credit.models if model != MODEL]
    same = [model for model in others if credit.firsts.get(model) == [key]]
    if len(same) == len(others):
        return f"{lead} First and last touch say the same."
    different = [naming.phrase(model) for model in others if model not in same]
    return f"{lead} By {words.listed(different)} another comes first."


def _share(row: "dict[str, float]") -> str:
    share = f"{words.percent(row['value'])} of it"
    if row["low"] is None or row["low"] == row["high"]:
        return share
    return f"{share} ({words.between(row['low'], row['high'], words.percent)})"


def _unattributed(report: "ExecutiveReport") -> str:
    found = report.attribution
    gone = found.unattributed_conversions
    if not gone:
        return ""
    return (
        f" {words.percent(gone / found.conversions)} of purchases have no known touchpoint and "
        "are credited to nobody."
    )
