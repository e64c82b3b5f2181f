"""The attribution report in short: what happened, who gets the credit, how sure that is.

Every sentence is written from the figures of one AttributionReport, and says no more than their
intervals allow. Credit is a way of counting: no sentence says that a channel caused anything.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.attribution import naming, sentences
from mi_core.stories.period import careful
from mi_core.tables import Html, points, tiles

if TYPE_CHECKING:
    from mi_core.stories.attribution.figures import AttributionReport

UNATTRIBUTED_SHARE = 0.2
"""From here on the report says that much is out of sight."""


def subtitle(report: "AttributionReport") -> Html:
    """The period, the one it is compared with, and how far back touchpoints are looked for."""
    days = words.count(report.period.days, "day")
    compared = f", compared with the {report.period.days} before" if report.is_compared else ""
    return Html(
        f'<p class="subtitle"><strong>{report.period}</strong> ({days}){compared}. '
        f"Touchpoints in the {report.lookback} before each conversion.{careful(report.edition)}</p>"
    )


def headline(report: "AttributionReport") -> Html:
    """The headline figures; value and spend where there is any."""
    found, credited = report.attribution, report.credit.conversions
    number, price = words.number, words.price
    against = words.against(found.conversions, report.before("conversions"))
    shown = [("Conversions", number(found.conversions), against)]
    if found.value:
        against = words.against(found.value, report.before("value"), price)
        shown.append(("Their value", price(found.value), against))
    shown.append(("With touchpoints", number(credited), _of_conversions(report, credited)))
    if report.credit.spend:
        shown.append(("Spend", price(report.credit.spend), None))
    return tiles(shown)


def summary(report: "AttributionReport") -> Html:
    """The main points, a sentence or two each: who gets the credit first."""
    credit = report.credit
    said = [
        sentences.who_gets_credit(credit),
        sentences.what_is_clear(credit),
        sentences.where_budget_would_go(credit),
        sentences.what_would_move(credit),
        sentences.where_models_part(credit),
        f"{what_happened(report)} {what_is_known(report)}".rstrip(),
        how_sure(report),
    ]
    return points(each for each in said if each)


def what_happened(report: "AttributionReport") -> str:
    """Conversions by kind, against the period before, and their value."""
    found, before = report.attribution, report.before("conversions")
    if not found.conversions:
        earlier = f"; in the period before there were {words.number(before)}" if before else ""
        return f"<strong>There were no conversions in this period</strong>{earlier}."
    compared = (
        f", {words.change(found.conversions, before)} in the period before"
        if before is not None
        else ""
    )
    kinds = report.headline.filter(report.headline["conversions"] > 0)
    each = [_of_kind(report, *row) for row in kinds.iter_rows()]
    twice = " Whoever did both counts for both." if kinds.height == 2 else ""
    twice = " Whoever did several counts for each." if kinds.height > 2 else twice
    return (
        f"<strong>{words.count(found.conversions, 'conversion')}</strong>{compared}: "
        f"{words.listed(each)}.{twice}"
    )


def what_is_known(report: "AttributionReport") -> str:
    """How many conversions had touchpoints, and how many people had some and didn't convert."""
    found, credited = report.attribution, report.credit.conversions
    said = []
    if found.conversions:
        window = f"had a touchpoint in the {report.lookback} before"
        gone = found.unattributed_conversions
        if not credited:
            said.append(f"None {window}")
        elif not gone:
            said.append(f"{'It' if found.conversions == 1 else 'All of them'} {window}")
        else:
            share = words.percent(gone / found.conversions)
            are = "is" if gone == 1 else "are"
            said.append(
                f"{words.number(credited)} of them {window}; the other "
                f"{words.number(gone)} ({share}) {are} credited to nobody"
            )
    if found.null_paths:
        people = words.count(found.null_paths, "person", "people")
        said.append(f"{people} had touchpoints and didn't convert")
    return " ".join(f"{each}." for each in said)


def how_sure(report: "AttributionReport") -> str:
    """What makes the figures of this period doubtful."""
    doubts = "; ".join(_doubts(report))
    if not doubts:
        return ""
    return (
        f"<strong>Read with care:</strong> {doubts}. "
        '<a href="#what-this-page-cannot-say">What this page can\'t say</a>.'
    )


def _doubts(report: "AttributionReport") -> list[str]:
    found, credit = report.attribution, report.credit
    doubts = []
    gone = found.unattributed_conversions
    if found.conversions and gone / found.conversions >= UNATTRIBUTED_SHARE:
        share = words.percent(gone / found.conversions)
        doubts.append(f"{share} of conversions have no touchpoint that we know of")
    if credit.conversions and not credit.has_intervals:
        doubts.append("no intervals were computed, so nothing says what is noise")
    if credit.conversions and found.abstained:
        names = [naming.phrase(name) for name in naming.in_order(found.abstained)]
        doubts.append(f"{words.listed(names)} gave no answer")
    if not report.is_covered:
        first = words.day(report.first_event_at)
        doubts.append(f"events begin on {first}, so that earlier touchpoints are out of sight")
    if not report.is_compared:
        doubts.append("the period before isn't covered, so nothing is compared with it")
    return doubts


def _of_kind(
    report: "AttributionReport", kind: str, conversions: int, cents: int, *_: object
) -> str:
    worth = f" (worth {words.money(cents)})" if cents else ""
    return f"{words.number(conversions)} × “{escape(report.kind(kind))}”{worth}"


def _of_conversions(report: "AttributionReport", number: int) -> str | None:
    total = report.attribution.conversions
    return f"{words.percent(number / total)} of conversions" if total else None
