"""The personas report in short: who they are, how the mix moved, what each kind does.

Every sentence is written from the figures of one PersonasReport, and says no more than their
intervals allow. A persona is a description: no sentence says that it makes anybody do anything.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.comparing import said
from mi_core.stories.period import careful
from mi_core.stories.personas import mixing
from mi_core.tables import Html, points, tiles

if TYPE_CHECKING:
    from mi_core.stories.personas.figures import PersonasReport


def subtitle(report: "PersonasReport") -> Html:
    """The period, and the scoring that the mix is compared with."""
    days = words.count(report.edition.period.days, "day")
    then = f", compared with the scoring of {report.then}" if report.then.as_of else ""
    return Html(
        f'<p class="subtitle"><strong>{report.edition.period}</strong> ({days}){then}. A persona '
        f"is the kind of customer a person most resembles.{careful(report.edition)}</p>"
    )


def headline(report: "PersonasReport") -> Html:
    """How many people, how many changed their kind, what they did, and how many may leave."""
    both, moved = mixing.movers(report.moves)
    counted = report.result.select("trials", "buyers", "revenue_cents").sum().row(0, named=True)
    shown: list[tuple[str, str, str | None]] = [("People", words.number(report.people), None)]
    if both:
        note = f"of {words.number(both)} known on {report.then}"
        shown.append(("Are of another kind now", words.percent(moved / both), note))
    if counted["trials"]:
        shown.append(("Started a trial", words.number(counted["trials"]), None))
    shown.append(("Bought", words.number(counted["buyers"]), None))
    if counted["revenue_cents"]:
        shown.append(("Revenue", words.money(counted["revenue_cents"]), None))
    shown.append(("At risk of leaving", words.number(int(report.standing["at_risk"].sum())), None))
    return tiles(shown)


def summary(report: "PersonasReport") -> Html:
    """Who they are, how the mix moved, who buys, who may leave, how sure that is."""
    sentences = [
        who_they_are(report),
        how_the_mix_moved(report),
        who_buys(report),
        who_pays(report),
        who_may_leave(report),
        how_sure(report),
    ]
    return points(each for each in sentences if each)


def who_they_are(report: "PersonasReport") -> str:
    """The largest kinds."""
    ranked = report.standing.filter(report.standing["people"] > 0).sort(
        "people", "position", descending=[True, False]
    )
    if not ranked.height:
        return "<strong>Nobody has been scored</strong>, so there are no personas."
    first, *others = [
        f"{_name(report, slug)} ({words.percent(share)})"
        for slug, share in ranked.select("persona", "share").iter_rows()
    ]
    rest = f", then {words.listed(others)}" if others else ""
    return f"<strong>The largest kind is {first}</strong>{rest}."


def how_the_mix_moved(report: "PersonasReport") -> str:
    """The kind whose share has clearly changed most, and what that is made of."""
    if report.then.as_of is None:
        return ""
    changes = {slug: report.moved(slug) for slug in report.names}
    clear = [slug for slug, change in changes.items() if change.is_clear]
    if not clear:
        return f"<strong>No kind's share has clearly changed</strong> since {report.then}."
    each = sorted(clear, key=lambda slug: -abs(changes[slug].value - changes[slug].before))
    slug, change = each[0], changes[each[0]]
    grown = "grown" if change.low > 0 else "fallen"
    others = ""
    if len(each) > 1:
        told = [f"{_name(report, other)}, {said(changes[other])}" for other in each[1:]]
        others = f" Clear as well: {'; '.join(told)}."
    return (
        f"<strong>The share of {_name(report, slug)} has {grown} most since {report.then}"
        f"</strong>, from {words.percent(change.before)} to {words.percent(change.value)} of "
        f"people: {said(change)}. {_made_of(report, slug)}{others}"
    )


def who_buys(report: "PersonasReport") -> str:
    """Which kinds bought clearly more or less often than all others."""
    found = mixing.compared(report.ahead, "buyers")
    if not sum(part for part, _, _ in found.values()):
        return "<strong>Nobody bought</strong> of those looked at."
    if sum(size > 0 for _, size, _ in found.values()) < 2:
        return ""
    clear = sorted(
        ((slug, change) for slug, (_, _, change) in found.items() if change.is_clear),
        key=lambda row: -abs(row[1].value - row[1].before),
    )
    if not clear:
        return "<strong>No kind clearly buys more often</strong> than all others: it may be chance."
    each = [
        f"{_name(report, slug)} {words.percent(change.value)}, {said(change)}"
        for slug, change in clear[:3]
    ]
    since = f"since {report.then}" if report.then.as_of else "in the period"
    return f"<strong>Who bought {since}</strong>, against all others: {'; '.join(each)}."


def who_pays(report: "PersonasReport") -> str:
    """The kind that most revenue came from."""
    total = int(report.result["revenue_cents"].sum())
    if not total or report.standing.filter(report.standing["people"] > 0).height < 2:
        return ""
    first = report.result.sort("revenue_cents", descending=True).row(0, named=True)
    share, people = first["revenue_cents"] / total, first["people"] / report.people
    return (
        f"<strong>{words.percent(share)} of revenue came from {_name(report, first['persona'])}"
        f"</strong>, who are {words.percent(people)} of people."
    )


def who_may_leave(report: "PersonasReport") -> str:
    """How many are at risk, and of which kind most of them are."""
    total = int(report.standing["at_risk"].sum())
    if not total:
        return "<strong>Nobody is at risk of leaving</strong>."
    first = report.standing.sort("at_risk", descending=True).row(0, named=True)
    are = "is" if total == 1 else "are"
    return (
        f"<strong>{words.count(total, 'person', 'people')} {are} at risk of leaving</strong>; "
        f"{words.number(first['at_risk'])} of them resemble {_name(report, first['persona'])}."
    )


def how_sure(report: "PersonasReport") -> str:
    """What makes these figures doubtful."""
    doubts = []
    if report.then.as_of is None:
        doubts.append("there is no earlier scoring to compare the mix with")
    elif not report.then.is_alike:
        doubts.append(
            "the earlier scoring was made by other definitions, so that some people are of another "
            "kind by these alone"
        )
    return f"<strong>Read with care:</strong> {'; '.join(doubts)}." if doubts else ""


def basis_note(report: "PersonasReport") -> Html:
    """Whose trials and purchases are counted, and why so."""
    if report.then.as_of is None:
        text = (
            "These are people by their persona of now. As a persona goes partly by trials and "
            "prices looked at, some of these differences are so by its rule."
        )
    else:
        text = (
            f"A persona goes partly by trials and prices looked at. So people are taken by the "
            f"persona that they had on {report.then}, and what counts is what they did after that."
        )
    return Html(f"<p>{text}</p>")


def _made_of(report: "PersonasReport", slug: str) -> str:
    [row] = report.mix.filter(report.mix["persona"] == slug).rows(named=True)
    came, went, new = (words.number(row[name]) for name in ("came", "went", "new"))
    source = mixing.main_source(report.moves, slug)
    mostly = f", most from {_name(report, source[0])}" if source and row["came"] else ""
    return f"{came} came from another kind{mostly}; {went} went to one; {new} are new."


def _name(report: "PersonasReport", slug: str) -> str:
    return escape(report.names.get(slug, slug))
