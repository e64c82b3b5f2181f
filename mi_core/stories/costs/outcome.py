"""What was found for leads, and which of them then began a trial or bought."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.stories import comparing
from mi_core.stories.costs import naming
from mi_core.stories.costs.figures import FOLLOWED_DAYS
from mi_core.tables import Column, Html, sentence, table

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.costs.figures import CostReport

FEWEST = 5
"""Leads of a group; of fewer, nothing is drawn."""

_COMPARED = ("profile", "company", "persona")


def who_went_on(report: "CostReport") -> str:
    """How many of those followed began a trial, and whether what was found goes with it."""
    everybody = _of(report, "any", is_found=None)
    if not everybody or not everybody["untried"]:
        return ""
    tried, untried = everybody["tried"], everybody["untried"]
    low, high = comparing.share_range(tried, untried)
    said = (
        f"<strong>Of {words.count(untried, 'lead')} that ended from {report.followed_period}, "
        f"{words.percent(tried / untried)} began a trial within {FOLLOWED_DAYS} days</strong> "
        f"({words.between(low, high, words.percent)})"
    )
    apart = [each for name in _COMPARED if (each := _apart(report, name))]
    if not apart:
        return f"{said}."
    clear = "; ".join(apart)
    return f"{said}. {clear}. That goes together; it says not why."


def found_note(report: "CostReport") -> Html:
    """For how many leads of the period something was found that behaviour doesn't give."""
    found = report.found
    if not found["leads"]:
        return sentence("No lead was completed in this period.")
    leads = words.count(found["leads"], "lead was", "leads were")
    each = [
        f"{words.number(found[f'with_{name}'])} with {naming.FOUND[name]}" for name in _COMPARED
    ]
    return Html(
        f"<p>{leads} completed: {words.listed(each)}. {words.number(found['useful'])} have at "
        f"least one of them, {words.percent(found['useful'] / found['leads'])}: these are of use "
        "beyond what behaviour says.</p>"
    )


def frame(report: "CostReport") -> "pl.DataFrame":
    """The share who began a trial, of all and with and without each thing found."""
    import polars as pl

    wanted = [_row(each) for each in _both(report, "untried") if each["untried"] >= FEWEST]
    names = ("label", "people", "went_on", "value", "low", "high")
    return pl.DataFrame(wanted, schema=None if wanted else dict.fromkeys(names, pl.Float64))


def bought(report: "CostReport") -> Html:
    """A table of who tried and who bought, by what was found."""
    import polars as pl

    rows = [
        {
            "label": _label(each),
            "untried": each["untried"],
            "tried": _share(each["tried"], each["untried"]),
            "unsold": each["unsold"],
            "bought": _share(each["bought"], each["unsold"]),
        }
        for each in _both(report, "untried")
    ]
    if not rows:
        return sentence(
            f"No lead ended from {report.followed_period}: there is nobody yet to follow for "
            f"{FOLLOWED_DAYS} days."
        )
    columns = {
        "label": Column("What was found"),
        "untried": Column("Hadn't tried", words.number, is_figure=True),
        "tried": Column("Then began a trial", is_figure=True),
        "unsold": Column("Hadn't bought", words.number, is_figure=True),
        "bought": Column("Then bought", is_figure=True),
    }
    caption = f"Leads that ended from {report.followed_period}, each followed {FOLLOWED_DAYS} days"
    return table(pl.DataFrame(rows), columns, caption=caption)


def _both(report: "CostReport", name: str) -> list[dict[str, Any]]:
    """The rows of all leads, and of what was found for some and for others not."""
    rows = list(report.followed.iter_rows(named=True))
    sides = Counter(each["found"] for each in rows if each[name])
    return [each for each in rows if each["is_found"] is None or sides[each["found"]] == 2]


def _of(report: "CostReport", name: str, *, is_found: bool | None) -> dict[str, Any] | None:
    for row in report.followed.iter_rows(named=True):
        if row["found"] == name and row["is_found"] == is_found:
            return row
    return None


def _apart(report: "CostReport", name: str) -> str:
    """`with a kept profile 40% did, without 20%: 20 points more (5 to 34)`; if it is clear."""
    found, other = (_of(report, name, is_found=each) for each in (True, False))
    if not found or not other or not found["untried"] or not other["untried"]:
        return ""
    change = comparing.of_shares(
        found["tried"], found["untried"], other["tried"], other["untried"], among=len(_COMPARED)
    )
    if not change.is_clear:
        return ""
    return (
        f"With {naming.FOUND[name]} {words.percent(change.value)} did, without "
        f"{words.percent(change.before)}: {comparing.said(change)}"
    )


def _row(row: dict[str, Any]) -> dict[str, Any]:
    people, went_on = row["untried"], row["tried"]
    low, high = comparing.share_range(went_on, people)
    share = went_on / people if people else 0.0
    return {
        "label": _label(row),
        "people": people,
        "went_on": went_on,
        "value": share,
        "low": low,
        "high": high,
    }


def _label(row: dict[str, Any]) -> str:
    if row["is_found"] is None:
        return naming.FOUND["any"]
    return f"{'With' if row['is_found'] else 'Without'} {naming.FOUND[row['found']]}"


def _share(part: int, whole: int) -> str:
    if not whole:
        return "–"
    low, high = comparing.share_range(part, whole)
    return (
        f"{words.number(part)}, {words.percent(part / whole)} "
        f"({words.between(low, high, words.percent)})"
    )
