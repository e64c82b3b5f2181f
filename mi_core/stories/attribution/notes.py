"""What stands above the charts and tables of each section, in words."""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.attribution.naming import phrase, sentence
from mi_core.stories.attribution.sentences import cannot_tell, moved_by
from mi_core.tables import Html, points
from mi_core.tables import sentence as quiet

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.attribution.crediting import Credit
    from mi_core.stories.attribution.figures import AttributionReport

NOTHING = Html("")


def ranges(credit: "Credit") -> Html:
    """How to read the marks and their lines."""
    if credit.keys.len() < 2:
        return NOTHING
    found, shown, there = credit.found, len(credit.shown), credit.keys.len()
    few = (
        f" Shown are the {shown} of {words.number(there)} {credit.noun(2)} with most credit."
        if shown < there
        else ""
    )
    how = (
        f"Where the lines of two {credit.noun(2)} under one model overlap, their difference may be "
        "noise; where they don't, it is clear."
        if credit.can_tell
        else "Lines of so few conversions look surer than they are."
    )
    if not credit.has_intervals:
        return _paragraph(f"No intervals were computed, so nothing here says what is noise.{few}")
    return _paragraph(
        f"A line holds {words.percent(found.level)} of {words.count(found.draws, 'result')}, each "
        f"computed again from people drawn at random among the {words.number(found.persons)} here. "
        f"{how}{few}"
    )


def moves(credit: "Credit") -> Html:
    """One sentence for each model, against last touch."""
    models = credit.moves["model"].unique(maintain_order=True).to_list()
    if not credit.can_tell:
        return quiet(cannot_tell(credit))
    if not models:
        return _paragraph("There is nothing to compare with what last touch gives.")
    return points(
        f"<strong>{sentence(phrase(model)).rstrip('.')}</strong> {moved_by(credit, model)}."
        for model in models
    )


def spend(credit: "Credit") -> Html:
    """What shares of spend and of credit do and don't say."""
    some = credit.budget.height
    if not some:
        spent = f"{words.price(credit.spend)} was spent on what got no credit from any model."
        return _paragraph(spent) if credit.spend else NOTHING
    there = words.count(some, credit.noun(), credit.noun(2))
    gaps = "".join(f" {each}" for each in credit.found.spend_gaps)
    return _paragraph(
        f"Spend is known for {there}: {words.price(credit.spend)} in all. A budget that followed "
        "credit would have the same share of both. That is an average over all that was spent: it "
        "doesn't say what the next unit of spend would bring, which is usually less." + gaps
    )


def paths(report: "AttributionReport") -> Html:
    """How long paths are, in touchpoints and in days."""
    lengths, days = report.lengths, report.days
    total = int(lengths["conversions"].sum())
    if not total:
        return NOTHING
    one = int(lengths["conversions"][0])
    had_one = "each" if one == total > 1 else words.number(one) if one else "none"
    day = _middle(days["day"], days["conversions"])
    within = "one day" if day == 0 else f"{day + 1} days"
    return _paragraph(
        f"Of {words.count(total, 'conversion')} with touchpoints, {had_one} had a single one. "
        f"{'It' if total == 1 else 'Half or more'} came within {within} of the first touchpoint; "
        f"the window of {report.lookback} allows no longer wait."
    )


def funnel(report: "AttributionReport") -> Html:
    """How many took all steps in time, and for how many time is not up."""
    found, steps = report.funnel, report.funnel.steps
    started, ended = int(steps["people"][0]), int(steps["people"][-1])
    if not started:
        return NOTHING
    window = words.count(round(found.window_days), "day")
    typical = words.days(steps["median_days_from_first"][-1])
    took = f", half of them in {typical} or less" if ended > 1 else ""
    waiting = int(steps["open"].sum())
    still = (
        f" The {window} of {words.count(waiting, 'other person', 'other people')} "
        f"{'is' if waiting == 1 else 'are'} not over, so the shares may yet rise."
        if waiting
        else ""
    )
    return _paragraph(
        f"Of {words.count(started, 'person', 'people')} who took the step "
        f"“{escape(steps['step'][0])}”, {words.number(ended)} ({words.percent(ended / started)}) "
        f"went on to “{escape(steps['step'][-1])}” within {window}{took}.{still}"
    )


def retention(report: "AttributionReport") -> Html:
    """The mean over cohorts, of the weeks that are over."""
    import polars as pl

    joined = int(report.retention.cohorts.filter(pl.col("period") == 0)["size"].sum())
    rates = dict(report.retention.mean.select("period", "weighted_rate").iter_rows())
    shown = [week for week in (1, 4, 8, 12) if rates.get(week) is not None]
    if not shown:
        return NOTHING
    first, *later = shown
    said = [f"{words.percent(rates[first])} were active again in week {first} after"]
    said += [f"{words.percent(rates[week])} in week {week}" for week in later]
    return _paragraph(
        f"Of {words.count(joined, 'person', 'people')} who came for the first time in these weeks, "
        f"{words.listed(said)}. Only weeks that are over count."
    )


def _middle(values: "pl.Series", counts: "pl.Series") -> int:
    """The smallest value by which half of the counts are reached."""
    return int(values.filter(counts.cum_sum() >= counts.sum() / 2)[0])


def _paragraph(text: str) -> Html:
    return Html(f"<p>{text}</p>")
