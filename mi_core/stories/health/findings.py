"""The data health report in short: what came, what is missing, what has shifted, what to do.

Every sentence is written from the figures of one HealthReport.
"""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.monitoring.check import Check
from mi_core.stories import telling
from mi_core.stories.comparing import said
from mi_core.stories.health import changes, doing
from mi_core.tables import Html, points, tiles

if TYPE_CHECKING:
    from mi_core.stories.health.figures import HealthReport

NAMES = {
    "webhook": "the webhook",
    "capture": "SDKs",
    "export": "exports",
    "query": "pulls",
}
"""Sources as sentences have them."""

SHIFTS = ("intent_drift", "magnetism_drift", "persona_mix")
"""Checks of whether people have shifted."""


def subtitle(report: "HealthReport") -> Html:
    """The period, and what it is compared with."""
    period = report.edition.period
    compared = f", compared with the {period.days} before" if report.edition.is_compared else ""
    days = words.count(period.days, "day")
    return Html(f'<p class="subtitle"><strong>{period}</strong> ({days}){compared}.</p>')


def headline(report: "HealthReport") -> Html:
    """What needs somebody, how fresh the data is, how much came, what is missing or unknown."""
    bad = [each for each in report.checks if each.is_bad]
    able = [each for each in report.checks if each.status != "unknown"]
    missed, reference = report.missed()
    silent, usual = report.silent_hours, report.usual_hours.height
    shown: list[tuple[str, str, str | None]] = [
        ("Checks that need somebody", f"{len(bad)} of {len(able)}", _can_not_tell(report)),
        ("Newest event", _age(report), "before the end of the period"),
        ("Events", words.number(report.total("events")), telling.note(changes.events(report))),
        ("Hours without events", words.number(len(silent)), f"of {usual:,} that always have some"),
        (
            "Missed by the webhook",
            words.percent(missed / reference) if report.is_live and reference else "–",
            telling.note(changes.missed_share(report), write=words.percent),
        ),
        (
            "Of unknown name",
            words.percent(_unknown_share(report)),
            telling.note(changes.unknown_share(report), write=words.percent),
        ),
    ]
    return tiles(shown)


def summary(report: "HealthReport") -> Html:
    """What happened, why, and how sure that is."""
    sentences = [
        what_needs_somebody(report),
        how_much_came(report),
        what_is_missing(report),
        what_is_unknown(report),
        what_was_left_out(report),
        what_shifted(report),
        how_the_period_went(report),
    ]
    return points(each for each in sentences if each)


def what_to_do(report: "HealthReport") -> Html:
    """What the figures ask for, the most pressing first."""
    steps = doing.steps(report)
    if not steps:
        return Html('<p class="nothing">Nothing: what can be told is well.</p>')
    return Html(f"<ol>{''.join(f'<li>{each}</li>' for each in steps)}</ol>")


def what_needs_somebody(report: "HealthReport") -> str:
    """The checks that are bad at the end of the period, or that none is."""
    alerts, warnings = (_of(report, status) for status in ("alert", "warning"))
    unknown = len(_of(report, "unknown"))
    if not alerts and not warnings:
        able = len(report.checks) - unknown
        told = words.count(able, "check") if able else "No check"
        return (
            f"<strong>Nothing needs anybody</strong>: {told} of {len(report.checks)} can tell, "
            "and all of these are well."
        )
    named = [
        f"{words.count(len(found), one)} ({_titles(found)})"
        for found, one in ((alerts, "alert"), (warnings, "warning"))
        if found
    ]
    first = (alerts or warnings)[0]
    # What has shifted, a sentence of its own tells.
    told = "" if first.name in SHIFTS else f" {escape(first.sentence)}"
    return f"<strong>{words.listed(named)}</strong>.{told}"


def how_much_came(report: "HealthReport") -> str:
    """How many events came, by which ways, against the period before."""
    total = report.total("events")
    change = telling.against(changes.events(report), "before, there were")
    if not total:
        return f"<strong>No event came in this period</strong>{change}."
    ways = [
        f"{NAMES[name]} {words.number(delivered)}"
        for name, delivered, _ in report.sources()
        if delivered
    ]
    by = f" By source, an event counting for each that brought it: {words.listed(ways)}."
    return (
        f"<strong>{words.number(total)} events of "
        f"{words.count(report.edition.period.days, 'day')}</strong> are here{change}."
        f"{by if ways else ''}"
    )


def what_is_missing(report: "HealthReport") -> str:
    """What the webhook missed, hours that no export or pull has, and hours without any event."""
    hours = report.hours_of(is_now=True)
    unverified = hours.filter(~hours["is_verified"]).height
    told = [_missed(report), _silent(report)]
    if unverified:
        told.append(
            f"No export or pull covers {words.number(unverified)} of "
            f"{words.count(hours.height, 'hour')}, so that nobody can vouch for them."
        )
    lead = "<strong>Nothing is known to be missing.</strong>"
    if report.silent_hours or (report.is_live and report.missed()[0]):
        lead = "<strong>Something is missing, or came late.</strong>"
    elif unverified:
        lead = f"<strong>{words.count(unverified, 'hour')} can't be vouched for.</strong>"
    return " ".join(each for each in (lead, *told) if each)


def what_is_unknown(report: "HealthReport") -> str:
    """The share of events of unknown name, against the period before."""
    events_now, unknown = report.total("events"), report.total("unknown")
    if not events_now:
        return ""
    change = changes.unknown_share(report)
    if not unknown:
        was = "before, the share of others was"
        known = (
            telling.against(change, was, write=words.percent) if change and change.before else ""
        )
        return f"<strong>Every event has a name that the settings know</strong>{known}."
    compared = telling.against(change, "before, it was", write=words.percent)
    names = report.unknown_events.height
    return (
        f"<strong>{words.percent(unknown / events_now)} of the events have a name that the "
        f"settings don't know</strong> ({words.number(unknown)} under "
        f"{words.count(names, 'name')}){compared}. They are kept, and add to no score."
    )


def what_was_left_out(report: "HealthReport") -> str:
    """What became of the rows of files and pulls."""
    rows = report.fetched()
    if not rows:
        before = report.fetched(is_now=False)
        had = words.count(before, "row")
        none = "<strong>No export file or pull reached up to this period</strong>"
        return f"{none}; before, there were {had}." if before else ""
    rejected, withheld, twice = (
        report.outcome(name) for name in ("rejected", "withheld", "duplicates")
    )
    change = telling.against(changes.rejected_share(report), "before, it was", write=words.percent)
    return (
        f"<strong>Of {words.count(rows, 'row')} in export files and pulls, "
        f"{words.number(rejected)} ({words.percent(rejected / rows)}) couldn't be read</strong>"
        f"{change}. {words.number(withheld)} were withheld for want of consent, and "
        f"{words.number(twice)} had come already and were stored once."
    )


def what_shifted(report: "HealthReport") -> str:
    """Whether scores or personas have shifted within a week."""
    found = [each for each in report.checks if each.name in SHIFTS]
    able = [each for each in found if each.status != "unknown"]
    if not able:
        return f"<strong>Whether scores have shifted can't be told.</strong> {found[0].sentence}"
    bad = [each for each in able if each.is_bad]
    if not bad:
        most = max(able, key=lambda each: (each.value or 0) / (each.limit or 1))
        return (
            "<strong>Scores and personas are as a week before</strong>, as far as chance lets that "
            f"be seen. Nearest to its limit: {most.title.lower()}. {escape(most.sentence)}"
        )
    told = " ".join(escape(each.sentence) for each in bad)
    return f"<strong>Shifted within a week: {_titles(bad).lower()}.</strong> {told}"


def how_the_period_went(report: "HealthReport") -> str:
    """For how long checks were bad, as watches found them."""
    spans = report.statuses
    if not spans.height:
        return (
            "<strong>Nobody watched in this period</strong>, so that nothing is known of how long "
            "anything was bad: run mi watch on a schedule."
        )
    bad = spans.filter(spans["status"].is_in(["warning", "alert"]))
    if not bad.height:
        return "<strong>No watch of this period found anything bad.</strong>"
    titles = {each.name: each.title for each in report.checks}
    hours = bad.with_columns(
        ((bad["until"] - bad["since"]).dt.total_seconds() / 3600).alias("hours")
    )
    longest = hours.sort("hours", descending=True).row(0, named=True)
    return (
        f"<strong>Watches found something bad {words.count(bad.height, 'time')}</strong>; the "
        f"longest was {titles.get(longest['name'], longest['name']).lower()}, for "
        f"{words.days(longest['hours'] / 24)} from {words.moment(longest['since'])} on."
    )


# --- inner parts


def _missed(report: "HealthReport") -> str:
    missed, reference = report.missed()
    if not report.is_live:
        return "Nothing came by the webhook or an SDK: what there is, exports and pulls brought."
    if not reference:
        return ""
    change = changes.missed_share(report)
    compared = f"; before, it was {words.percent(change.before)}: {said(change)}" if change else ""
    return (
        f"Of {words.number(reference)} events that exports and pulls have, the webhook missed "
        f"{words.number(missed)} ({words.percent(missed / reference)}){compared}; these are here "
        "all the same."
    )


def _silent(report: "HealthReport") -> str:
    silent, usual = report.silent_hours, report.usual_hours.height
    if not usual:
        return "No hour of the week has events always, so that a gap can't be told from quiet."
    if not silent:
        return f"Each of {words.count(usual, 'hour')} that always have events has some."
    return (
        f"{words.count(len(silent), 'hour')} that always have events had none, the first on "
        f"{words.moment(silent[0])}."
    )


def _unknown_share(report: "HealthReport") -> float | None:
    total = report.total("events")
    return report.total("unknown") / total if total else None


def _age(report: "HealthReport") -> str:
    if report.newest_event_at is None:
        return "–"
    return words.days(
        (report.edition.period.until - report.newest_event_at).total_seconds() / 86400
    )


def _can_not_tell(report: "HealthReport") -> str | None:
    unknown = len(_of(report, "unknown"))
    return f"{unknown} can't tell" if unknown else None


def _of(report: "HealthReport", status: str) -> list[Check]:
    return [each for each in report.checks if each.status == status]


def _titles(checks: list[Check]) -> str:
    return words.listed([checks[0].title, *(each.title.lower() for each in checks[1:])])
