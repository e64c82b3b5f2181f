"""The watch: look at everything, remember it, show it, and tell whom it concerns."""

from mi_core import words
from mi_core.enrichment import ledger, queue
from mi_core.errors import NotDelivered
from mi_core.ingest.keys import HashKeys
from mi_core.monitoring import messages, notices
from mi_core.monitoring.check import Check
from mi_core.monitoring.checks import look
from mi_core.monitoring.looking import Looking
from mi_core.monitoring.status_page import Facts, write_status
from mi_core.settings import Settings


def watch(
    at: Looking,
    keys: HashKeys,
    settings: Settings,
    *,
    notify: bool = False,
    is_live: bool = False,
) -> list[Check]:
    """Look at the workspace, write its status page, and with `notify` tell the channels.

    A look back, before the newest watch, only looks: page, records and channels are of how things
    stand. With `is_live` it is none, whatever clock the newest watch went by.

    Raises
    ------
    SettingsError
        With `notify`: there is no channel, or one that can't be read. All else is done.
    NotDelivered
        A channel didn't take its message; all else is done.
    """
    checks = look(at)
    newest = max((each.seen_at for each in notices.seen(at.state).values()), default=at.as_of)
    if at.as_of < newest and not is_live:
        return checks
    notices.record(at.state, checks, as_of=at.as_of)
    seen = notices.seen(at.state)
    write_status(at.warehouse.path / "reports", checks, seen, _facts(at), as_of=at.as_of)
    if notify:
        told = notices.notify(at.state, keys, settings, at.rules, checks, as_of=at.as_of)
        messages.note(at.state, messages.ALERTS, told.failed, at=at.as_of)
        if told.failed:
            raise NotDelivered(
                f"{words.listed(told.failed)} didn't take the message; it is sent again at the next"
                " run. See MI_ALERT_URLS.",
                checks,
            )
    return checks


def _facts(at: Looking) -> Facts:
    """The workspace in short: what came, what was made of it, what waits, what is spent."""
    with at.warehouse.reading() as snapshot:
        newest = at.row("newest_event", as_of=at.at)["last_event_at"]
        scored = at.row("scoring", as_of=at.at)["scored_as_of"]
        waiting = at.row("inbox", as_of=at.at)["events"]
    with at.state.reading() as transaction:
        leads = queue.count(transaction)
        spent = ledger.budget(transaction, now=at.as_of, rules=at.definitions.enrichment)
    due = leads["pending"] + leads["failed"]
    return [
        ("Newest event", words.moment(newest)),
        ("Newest scoring", words.moment(scored)),
        ("Events in the inbox", words.number(waiting)),
        ("Leads that wait", words.number(due + leads["waiting"])),
        ("Leads being worked on", words.number(leads["processing"])),
        ("Dead letters", words.number(leads["failed_permanent"])),
        ("Spent today", _of(spent.day_micros, spent.day_cap_micros)),
        ("Spent this month", _of(spent.month_micros, spent.month_cap_micros)),
        ("Lake snapshot", str(snapshot)),
        ("Definitions", at.definitions.version),
    ]


def _of(micros: int, cap: int) -> str:
    return f"${micros / 1e6:,.2f} of ${cap / 1e6:,.2f}"
