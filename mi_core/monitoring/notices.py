"""What each channel is told, and when: once as a check turns bad, then daily, then that it is well.

The state database has each check's status as of the newest watch (`alert`), its changes
(`alert_change`), and what each channel was told last (`alert_notice`). A channel is told of what
differs from that. So one that couldn't be reached is told at the next run, and the others aren't
told twice; a new channel hears of what is bad at the time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from mi_core import words
from mi_core.definitions import MonitoringRules
from mi_core.ingest.keys import HashKeys
from mi_core.monitoring.alerts import Channel, channels
from mi_core.monitoring.check import RANK, Check
from mi_core.monitoring.sending import claimed
from mi_core.settings import Settings
from mi_core.state import State, Transaction, moment

News: TypeAlias = Literal["bad", "worse", "still", "well"]

_SEEN = "select name, status, since, seen_at, well_runs from alert"
_SEE = """
insert into alert (name, status, since, seen_at, well_runs)
values (:name, :status, :at, :at, :well)
on conflict (name) do update
set
    status = excluded.status,
    since = case when alert.status = excluded.status then alert.since else excluded.since end,
    seen_at = excluded.seen_at,
    well_runs = case
        when excluded.status = 'ok' then alert.well_runs + 1
        when excluded.status = 'unknown' then alert.well_runs
        else 0
    end
where alert.seen_at < excluded.seen_at
"""
_CHANGE = """
insert into alert_change (name, changed_at, status, value)
select name, since, status, cast(:value as double precision)
from alert
where name = :name and since = :at
on conflict (name, changed_at) do update
set status = excluded.status, value = excluded.value
"""
_TOLD = "select name, status, notified_at from alert_notice where channel = :channel"
_TELL = """
insert into alert_notice (channel, name, status, notified_at)
values (:channel, :name, :status, :at)
on conflict (channel, name) do update
set status = excluded.status, notified_at = excluded.notified_at
"""


@dataclass(frozen=True)
class Seen:
    """A check as the newest watch saw it."""

    name: str
    status: str
    since: datetime
    seen_at: datetime
    well_runs: int


@dataclass(frozen=True)
class Told:
    """What a channel was told of a check last."""

    status: str
    notified_at: datetime


@dataclass(frozen=True)
class Notified:
    """What became of a run's messages: kinds of channels, and how many things each was told."""

    told: Mapping[str, int]
    failed: Sequence[str]


def record(state: State, checks: Iterable[Check], *, as_of: datetime) -> None:
    """Write down what a watch found, unless a newer one has written already."""
    with state.writing() as transaction:
        for check in checks:
            if transaction.change(
                _SEE,
                name=check.name,
                status=check.status,
                at=as_of,
                well=int(check.status == "ok"),
            ):
                transaction.change(_CHANGE, name=check.name, at=as_of, value=check.value)


def seen(state: State) -> dict[str, Seen]:
    """Each check as the newest watch saw it."""
    with state.reading() as transaction:
        return _seen(transaction)


def notify(
    state: State,
    keys: HashKeys,
    settings: Settings,
    rules: MonitoringRules,
    checks: Sequence[Check],
    *,
    as_of: datetime,
) -> Notified:
    """Tell each channel what it doesn't know yet; `checks` are those just recorded.

    A channel that somebody else is telling just now is left to them. What a channel didn't take is
    not marked as told.

    Raises
    ------
    SettingsError
        There is no channel, or one that can't be read.
    """
    told: dict[str, int] = {}
    failed: list[str] = []
    for channel in channels(settings):
        key = str(keys.hashes(f"alert channel {channel.address}")[0])
        with claimed(state, f"alerts {key}") as claim:
            if claim is None:
                continue
            news = _news(state, key, rules, checks, as_of)
            if not news:
                continue
            if _deliver(channel, checks, news):
                _mark(state, key, checks, news, as_of)
                told[channel.schema] = told.get(channel.schema, 0) + len(news)
            else:
                failed.append(channel.schema)
    return Notified(told, failed)


def news_of(
    found: Seen, told: Told | None, rules: MonitoringRules, *, as_of: datetime
) -> News | None:
    """What there is to tell of a check to a channel that was `told` so; None: nothing.

    What isn't known is no news, neither good nor bad; nor is what got better without being well.
    """
    was = told.status if told else "ok"
    rank, rank_told = RANK[found.status], RANK[was]
    if rank and not rank_told:
        return "bad"
    if rank > rank_told:
        return "worse"
    reminder = timedelta(hours=rules.notices.reminder_hours)
    if rank and told and as_of - told.notified_at >= reminder:
        return "still"
    if found.status == "ok" and rank_told and found.well_runs >= rules.notices.well_runs:
        return "well"
    return None


def message(checks: Sequence[Check], news: Mapping[str, News]) -> tuple[str, str]:
    """Title and body of one message about all of it; the worst comes first."""
    named = {check.name: check for check in checks}
    order = {"alert": 0, "warning": 1, "ok": 2}
    told = sorted(news, key=lambda name: order[named[name].status])
    return _title(named, news), "\n\n".join(_paragraph(named[name], news[name]) for name in told)


def _title(named: Mapping[str, Check], news: Mapping[str, News]) -> str:
    counted = [
        (sum(named[name].status == status for name in news), one)
        for status, one in (("alert", "alert"), ("warning", "warning"))
    ]
    parts = [words.count(number, one) for number, one in counted if number]
    if well := sum(kind == "well" for kind in news.values()):
        parts.append(f"{well} well again")
    return f"Marketing intelligence: {words.listed(parts)}"


def _paragraph(check: Check, kind: News) -> str:
    if kind == "well":
        return f"Well again – {check.title}. {check.sentence}"
    begins = {"bad": "", "worse": ", worse than before", "still": ", still"}[kind]
    return (
        f"{check.status.title()}{begins} – {check.title}. {check.sentence}"
        f"\nWhat to do: {check.what_to_do}"
    )


def _news(
    state: State, channel: str, rules: MonitoringRules, checks: Sequence[Check], as_of: datetime
) -> dict[str, News]:
    """By the name of the check; of one that a newer watch saw otherwise, that one tells."""
    with state.reading() as transaction:
        now = _seen(transaction)
        told = {
            row["name"]: Told(row["status"], _at(row["notified_at"]))
            for row in transaction.rows(_TOLD, channel=channel)
        }
    mine = [now[check.name] for check in checks if now[check.name].status == check.status]
    found = {
        each.name: news_of(each, told.get(each.name), rules, as_of=as_of)
        for each in mine
        if each.seen_at <= as_of
    }
    return {name: kind for name, kind in found.items() if kind}


def _deliver(channel: Channel, checks: Sequence[Check], news: Mapping[str, News]) -> bool:
    return channel.send(*message(checks, news))


def _mark(
    state: State,
    channel: str,
    checks: Sequence[Check],
    news: Mapping[str, News],
    as_of: datetime,
) -> None:
    status = {check.name: check.status for check in checks}
    rows = [
        {"channel": channel, "name": name, "status": status[name], "at": as_of} for name in news
    ]
    with state.writing() as transaction:
        transaction.change_each(_TELL, rows)


def _seen(transaction: Transaction) -> dict[str, Seen]:
    return {row["name"]: _as_seen(row) for row in transaction.rows(_SEEN)}


def _as_seen(row: Mapping[str, Any]) -> Seen:
    return Seen(
        row["name"],
        row["status"],
        _at(row["since"]),
        _at(row["seen_at"]),
        int(row["well_runs"]),
    )


def _at(stored: datetime | str) -> datetime:
    at = moment(stored)
    assert at is not None  # the columns are never null
    return at
