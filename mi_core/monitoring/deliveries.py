"""Checks of what comes in: whether events arrive, all of them, under names that are known."""

from datetime import timedelta

from mi_core import words
from mi_core.ingest.coverage import coverage
from mi_core.monitoring.check import Check, can_not_tell, found
from mi_core.monitoring.looking import DAYS_BACK, Looking

NAMES_SHOWN = 5
PEOPLE_BEHIND_A_NAME = 5
"""An event name of fewer people isn't repeated: a stray one may say who somebody is."""


def newest_event(at: Looking) -> Check:
    """How old the newest event is.

    A workspace that has few events anyway can be silent for a day by chance: it can't tell.
    """
    limit, named = at.rules.events, ("events", "Newest event")
    row = at.row("newest_event", as_of=at.at)
    if row["last_event_at"] is None:
        return can_not_tell(*named, limit, "There is no event yet.")
    hours, events = row["hours_behind"], row["events"]
    said = f"The newest event is {words.days(hours / 24)} old"
    if events < limit.least:
        few = f"{said}, of {words.count(events, 'event')} in 28 days: too few to say whether more"
        return can_not_tell(*named, limit, f"{few} should have come.")
    said = f"{said}; the 28 days up to it have {words.number(events)}."
    advice = (
        "See whether PostHog's destination is switched on and mi serve runs, or whether an export"
        " or mi ingest posthog is due."
    )
    return found(*named, limit, hours, said, advice)


def silent_hours(at: Looking) -> Check:
    """Hours of the last 7 days without any event that have some in every other week.

    Until the newest event only: what is missing since then, `newest_event` says.
    """
    limit, named = at.rules.silent_hours, ("silent_hours", "Silent hours")
    last = at.row("newest_event", as_of=at.at)["last_event_at"]
    until = (last or at.at).replace(minute=0, second=0, microsecond=0)
    since = (at.at - timedelta(days=7)).replace(minute=0, second=0, microsecond=0)
    if last is None or until <= since:
        return can_not_tell(*named, limit, "There is no event in the last 7 days.")
    hours = at.warehouse.relation(
        "monitoring/usual_hour", since=since, until=until, least=limit.least
    )
    if not hours.height:
        few = f"No hour had {limit.least} events or more in each of the 4 weeks before."
        return can_not_tell(*named, limit, few)
    silent = hours.filter(hours["events"] == 0)["hour"].to_list()
    said = f"Each of the {hours.height} hours that always have events has some."
    if silent:
        when = words.moment(silent[0])
        said = (
            f"{words.count(len(silent), 'hour')} of {hours.height} that always have events"
            f" {'have' if len(silent) > 1 else 'has'} none, the first from {when} on."
        )
    advice = "Fetch what is missing with mi ingest posthog; mi coverage says for which hours."
    return found(*named, limit, len(silent), said, advice)


def webhook_coverage(at: Looking) -> Check:
    """The share of what exports and pulls have that the webhook, or an SDK, delivered too."""
    limit, named = at.rules.coverage, ("coverage", "Webhook coverage")
    live = at.row("live_event", since=at.at - DAYS_BACK, until=at.at)
    if not live["events"]:
        return can_not_tell(*named, limit, "No event of 28 days came by the webhook or an SDK.")
    hours = coverage(at.warehouse, days=7, as_of=at.as_of)
    known = hours.filter(hours["is_verified"])
    reference, received = int(known["reference"].sum()), int(known["received"].sum())
    if reference < limit.least:
        few = (
            f"Exports and pulls have {words.count(reference, 'event')} of the last 7 days, too few"
            " to compare the webhook with."
        )
        return can_not_tell(*named, limit, few)
    said = (
        f"The webhook delivered {words.number(received)} of the {words.number(reference)} events"
        f" that exports and pulls have in {words.number(known.height)} hours of the last 7 days."
    )
    advice = (
        "See in PostHog whether the destination fails or filters events, and in /metrics what"
        " mi serve refuses; until then run mi ingest posthog more often."
    )
    return found(*named, limit, received / reference, said, advice, low_is_bad=True)


def inbox(at: Looking) -> Check:
    """How long the oldest event has waited in the inbox for a drain."""
    limit, named = at.rules.inbox, ("inbox", "Inbox")
    row = at.row("inbox", as_of=at.at)
    if not row["events"]:
        return found(*named, limit, 0.0, "No event waits in the inbox.", "")
    hours = (at.at - row["oldest_at"]) / timedelta(hours=1)
    said = (
        f"{words.count(row['events'], 'event')} {'wait' if row['events'] > 1 else 'waits'} in the"
        f" inbox, the oldest for {words.days(hours / 24)}."
    )
    advice = "See whether mi serve runs, and its log: it drains the inbox within seconds."
    return found(*named, limit, hours, said, advice)


def unknown_events(at: Looking) -> Check:
    """The share of events whose name the taxonomy doesn't know."""
    limit, named = at.rules.unknown_events, ("unknown_events", "Unknown event names")
    row = at.row("known_events", **at.week)
    if row["events"] < limit.least:
        few = f"Too few events came in the last 7 days to tell: {words.number(row['events'])}."
        return can_not_tell(*named, limit, few)
    share = row["unknown"] / row["events"]
    said = (
        f"{words.percent(share)} of the {words.number(row['events'])} events of the last 7 days"
        f" have a name that the taxonomy doesn't know{_names(at)}."
    )
    advice = "Say in overlay.toml what they mean; mi definitions check looks it over."
    return found(*named, limit, share, said, advice)


def _names(at: Looking) -> str:
    """The most frequent of them, where many enough people have them."""
    names = at.warehouse.relation("reports/unknown_events", **at.week)
    shared = names.filter(names["people"] >= PEOPLE_BEHIND_A_NAME).head(NAMES_SHOWN)
    told = [f"{name} ({words.number(n)})" for name, n in shared["event_name", "events"].rows()]
    return f": {words.listed(told)}" if told else ""
