"""What attribution can't say, and what would tell: said on the page, with this period's figures."""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.attribution import naming
from mi_core.tables import Html, definitions, points

if TYPE_CHECKING:
    from mi_core.stories.attribution.figures import AttributionReport

_TRANSFORMS = {
    "unique": "every touchpoint counts as it is",
    "exposure": "several touchpoints of one {noun} in a row count as one",
    "first": "only the first touchpoint of each {noun} counts",
    "frequency": "only the first touchpoint of each {noun} counts, under how often there was one",
}
_DIRECT = {
    "keep": "direct visits count as any other",
    "remove": "direct visits count only where there is nothing else",
    "remove_last": "direct visits at the end of a path count only where there is nothing else",
}

_HOW = {
    "first_touch": "All to the first touchpoint.",
    "last_touch": "All to the last touchpoint.",
    "last_non_direct": "All to the last touchpoint that isn't a direct visit, if there is one.",
    "linear": "The same to each touchpoint.",
    "markov": "From the steps that all people take, whether they convert or not: how many "
    "conversions fewer there would be if nobody could pass through a touchpoint of that kind. "
    "Where paths are long, its shares tend to come out alike.",
    "shapley": "From the sets of touchpoints that occur together: what one kind adds to a set, on "
    "average over all orders of joining.",
}


def limits(report: "AttributionReport") -> Html:
    """One point for each thing that these figures leave open."""
    said = [
        _cause(),
        _unseen(report),
        _rules(report),
        _chance(report),
        *_abstained(report),
        _average() if report.credit.budget.height else "",
        _experiment(),
    ]
    return points(each for each in said if each)


def _cause() -> str:
    return (
        "<strong>Credit is not effect.</strong> Nobody was kept from any touchpoint, so nobody can "
        "know who would have converted anyway. People about to buy search, open emails and come "
        "back by themselves: those touchpoints get credit whether they changed anything or not."
    )


def _unseen(report: "AttributionReport") -> str:
    found = report.attribution
    nobody = (
        f" {words.count(found.unattributed_conversions, 'conversion')} "
        f"({words.percent(found.unattributed_conversions / found.conversions)}) had no touchpoint "
        "that we saw."
        if found.unattributed_conversions
        else ""
    )
    late = (
        ""
        if report.is_covered
        else f" Events begin on {words.day(report.first_event_at)}: touchpoints before that are "
        "missing from the paths of the first conversions."
    )
    return (
        "<strong>What isn't seen gets no credit.</strong> Ads seen elsewhere and not clicked, "
        "recommendations, print and events leave no trace here; nor do visits without consent, or "
        f"on a device that we can't join to the person.{nobody}{late}"
    )


def _rules(report: "AttributionReport") -> str:
    found = report.attribution
    transform = _TRANSFORMS.get(found.transform, words.plain(found.transform))
    transform = transform.format(noun=report.credit.noun())
    direct = _DIRECT.get(found.direct, words.plain(found.direct))
    return (
        f"<strong>Rules decide too.</strong> Touchpoints more than {report.lookback} before a "
        f"conversion don't count; {transform}; {direct}. Other rules give other figures."
    )


def _chance(report: "AttributionReport") -> str:
    found = report.attribution
    if not report.credit.has_intervals:
        return ""
    miss = 1 - found.level
    return (
        f"<strong>The ranges are about chance alone.</strong> They say how far the figures would "
        f"vary with other people of the same kind, not whether a model is right; "
        f"{words.percent(miss)} of them miss, and this page shows many at a time."
    )


def _abstained(report: "AttributionReport") -> list[str]:
    found = report.attribution
    return [
        f"<strong>{naming.sentence(f'{naming.phrase(name)} gave no answer')}</strong> "
        f"{escape(naming.sentence(found.abstained[name]))}"
        for name in naming.in_order(found.abstained)
    ]


def _average() -> str:
    return (
        "<strong>Average is not marginal.</strong> Cost of a conversion divides all spend by all "
        "credit. It doesn't say what a little more or less spend would change."
    )


def _experiment() -> str:
    return (
        "<strong>What would tell:</strong> an experiment. Switch a channel off in some regions or "
        "for some people, chosen at random, for some weeks, and compare conversions with the rest."
    )


def assumptions(report: "AttributionReport") -> Html:
    """How each model counts, and what it takes for granted; of those without an answer, why."""
    found = report.attribution
    asked = {**dict.fromkeys(report.credit.models), **found.abstained}
    return definitions(
        (naming.heading(name), _how(report, name)) for name in naming.in_order(asked)
    )


def _how(report: "AttributionReport", model: str) -> str:
    found = report.attribution
    said = [_HOW.get(model, "")]
    if model in found.abstained:
        said.append(f"It gave no answer: {naming.sentence(found.abstained[model])}")
    elif model in found.assumptions:
        said.append(naming.sentence(found.assumptions[model]))
    return " ".join(each for each in said if each)
