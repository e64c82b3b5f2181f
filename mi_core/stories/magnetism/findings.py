"""The magnetism report in short: how strongly people are drawn back, who leaves, what to do.

Every sentence is written from the figures of one MagnetismReport, and says no more than their
intervals allow. What goes together with what is told; that it caused it, nowhere.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import tables, words
from mi_core.stories import comparing, telling
from mi_core.stories.magnetism import groups, parts
from mi_core.stories.magnetism.figures import CHECKED_DAYS, CHECKED_PEOPLE
from mi_core.stories.period import careful
from mi_core.tables import Html

if TYPE_CHECKING:
    from mi_core.stories.magnetism.figures import MagnetismReport


def subtitle(report: "MagnetismReport") -> Html:
    """The scoring, and the one that it is compared with."""
    begin, days = report.scored_at("begin"), words.count(report.period.days, "day")
    compared = f", compared with those of {words.day(begin)}" if begin else ""
    return Html(
        f'<p class="subtitle"><strong>{report.period}</strong> ({days}). '
        f"Scores as of {words.moment(report.period.until)}{compared}.{careful(report.edition)}</p>"
    )


def tiles(report: "MagnetismReport") -> Html:
    """The headline figures."""
    begin, week = report.scored_at("begin"), report.scored_at("week")
    shown: list[tuple[str, str, str | None]] = [
        ("People scored", words.number(report.people), None)
    ]
    if report.people:
        change = report.drawn_back
        note = telling.note(change, write=words.percent) if begin else None
        shown.append(("Warm or hot", words.percent(change.value), note))
    if report.known:
        share = words.percent(report.known_at_risk / report.known)
        shown.append(
            ("At risk of leaving", words.number(report.known_at_risk), f"{share} of known people")
        )
    if report.of_all("all_cents"):
        shown.append(("Those at risk have spent", words.money(report.of_all("all_cents")), None))
    if week and report.known:
        since = f"since {words.day(week)}"
        came = report.at_risk("week", was=False, now=True)
        went = report.at_risk("week", was=True, now=False)
        shown += [("Newly at risk", words.number(came), since)]
        shown += [("Won back", words.number(went), since)]
    return tables.tiles(shown)


def summary(report: "MagnetismReport") -> Html:
    """The main points, a sentence or two each."""
    said = [
        _who_leaves(report),
        _what_changed_lately(report),
        _how_drawn(report),
        parts.what_moved(report),
        _where_risk_gathers(report),
        _what_to_do(report),
        _what_risk_means(report),
        _how_sure(report),
    ]
    return tables.points(each for each in said if each)


def rule_note(report: "MagnetismReport") -> Html:
    """How those who were at risk at the period's begin fared, against the others."""
    change = report.was_rule_right
    if change is None:
        return tables.sentence(
            f"To check the rule takes a scoring {CHECKED_DAYS} days ago or more, with "
            f"{CHECKED_PEOPLE} known people at risk and as many others; there is none yet."
        )
    begin = words.day(report.scored_at("begin"))
    (_, all_at_risk), (_, others) = (report.stayed_away(at_risk=each) for each in (True, False))
    verdict = (
        comparing.said(change)
        if change.is_clear
        else "no clear difference, so that the rule told little"
    )
    most = " Most of those at risk came back all the same." if change.value < 0.5 else ""
    return Html(
        f"<p>Of the {_people(all_at_risk)} at risk on {begin}, {words.percent(change.value)} have "
        f"done nothing in the product since; of the {words.number(others)} others whom we knew "
        f"{words.percent(change.before)}: {verdict}.{most} The risk is a rule of thumb for whom to "
        "look at first, and no probability: a risk of 80 doesn't mean that 80% leave. What was "
        "done to win people back is in these figures, too.</p>"
    )


def _who_leaves(report: "MagnetismReport") -> str:
    if not report.people:
        return "<strong>Nobody has been scored.</strong>"
    if not report.known:
        return (
            "<strong>Nobody can be lost yet</strong>: no one has left an address, begun a trial or "
            "bought."
        )
    at_risk, known = report.known_at_risk, report.known
    begin = report.scored_at("begin")
    change = report.risk_change() if begin and _were_known(report) else None
    compared = telling.against(change, f"on {words.day(begin)} it was", write=words.percent)
    if not at_risk:
        none = f"None of {_people(known)} whom we know is at risk of leaving"
        return f"<strong>{none}</strong>{compared if change and change.before else ''}."
    spent = report.of_all("all_cents")
    worth = f" They have spent {words.money(spent)} so far." if spent else ""
    are = "is" if at_risk == 1 else "are"
    return (
        f"<strong>{words.number(at_risk)} of {_people(known)} whom we know {are} at risk of "
        f"leaving</strong>, {words.percent(at_risk / known)}{compared}.{worth}"
    )


def _were_known(report: "MagnetismReport") -> bool:
    return bool(report.risks["people_then"].sum())


def _what_changed_lately(report: "MagnetismReport") -> str:
    week = report.scored_at("week")
    if week is None or not report.known:
        return ""
    came = report.at_risk("week", was=False, now=True)
    went = report.at_risk("week", was=True, now=False)
    if not came and not went:
        nobody = "nobody became at risk, and nobody was won back"
        return f"<strong>Since {words.day(week)} {nobody}.</strong>"
    cents = report.at_risk("week", was=False, now=True, column="spent_cents")
    is_new = cents and cents != report.of_all("all_cents")
    worth = f", who have spent {words.money(cents)}" if is_new else ""
    return (
        f"<strong>Since {words.day(week)}, {_people(came)} became at risk</strong>{worth}; "
        f"{words.number(went) if went else 'nobody'} {'was' if went < 2 else 'were'} won back."
    )


def _how_drawn(report: "MagnetismReport") -> str:
    if not report.people:
        return ""
    begin, change = report.scored_at("begin"), report.drawn_back
    compared = telling.against(
        change if begin else None, f"on {words.day(begin)} it was", write=words.percent
    )
    return (
        f"<strong>{words.percent(change.value)} of people are warm or hot</strong>, the bands of "
        f"those who come back by themselves{compared}."
    )


def _where_risk_gathers(report: "MagnetismReport") -> str:
    """Of channels alone: personas go by the same acts as the risk does."""
    first = next(groups.clearly_apart(report, "channel"), None)
    if first is None:
        return ""
    return (
        f"<strong>Of those who first came by {escape(first.label)}, "
        f"{words.percent(first.share)} are at risk</strong>, of all others "
        f"{words.percent(first.apart.before)}: {comparing.said(first.apart)}. That says where to "
        "look, and not why."
    )


def _what_to_do(report: "MagnetismReport") -> str:
    if not report.board.height:
        return "<strong>Nobody needs to be won back now.</strong>" if report.people else ""
    at_risk, with_address = report.known_at_risk, report.of_all("with_address")
    steps = [_whom_first(report)]
    if with_address:
        reached = "all" if with_address == at_risk else words.number(with_address)
        steps.append(f"an email can reach {reached} of those at risk")
    if ready := report.of_all("ready"):
        look = "looks" if ready == 1 else "look"
        steps.append(f"{words.number(ready)} of them {look} ready to buy, so that an offer fits")
    return (
        f"<strong>What to do:</strong> {'; '.join(steps)}. "
        '<a href="#who-is-about-to-leave">See who they are</a>.'
    )


def _whom_first(report: "MagnetismReport") -> str:
    listed, spent = report.board.height, report.of_all("with_revenue")
    if not spent:
        return "begin with those at the highest risk; none of them has bought yet"
    if spent <= listed:
        who = "one who has" if spent == 1 else f"{words.number(spent)} who have"
        return f"begin with the {who} bought before"
    share = words.percent(report.listed_cents / report.of_all("all_cents"))
    return (
        f"begin with the {words.number(listed)} on the board: {share} of what those at risk have "
        "spent is theirs"
    )


def _what_risk_means(report: "MagnetismReport") -> str:
    change = report.was_rule_right
    if change is None:
        return ""
    begin = words.day(report.scored_at("begin"))
    return (
        f"<strong>At risk is not lost</strong>: of those at risk on {begin}, "
        f"{words.percent(change.value)} have stayed away since, of the others "
        f"{words.percent(change.before)}. "
        '<a href="#does-the-rule-hold">See how the rule did</a>.'
    )


def _how_sure(report: "MagnetismReport") -> str:
    doubts = []
    if report.people and report.scored_at("begin") is None:
        doubts.append("there is one scoring alone, so that nothing is compared")
    if report.other_definitions:
        when = [words.day(report.scored_at(each)) for each in report.other_definitions]
        days = words.listed(list(dict.fromkeys(when)))
        doubts.append(f"the scores of {days} were made with other definitions")
    change = report.was_rule_right
    if change is not None and change.low <= 0:
        doubts.append("those at risk earlier didn't clearly stay away more often than others")
    return f"<strong>Read with care:</strong> {'; '.join(doubts)}." if doubts else ""


def _people(number: int) -> str:
    return words.count(number, "person", "people")
