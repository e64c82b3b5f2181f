"""What campaigns cost: amounts by day, channel and campaign, from CSV or Parquet files.

A file has the columns `date`, `channel`, `campaign` or `campaign_id` (may be left out or empty, for
the channel as a whole), and `spend`, in the currency's unit, or `cents`. Every file is read and
checked before one transaction writes: an error means that nothing was taken in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mi_core.definitions import Definitions
from mi_core.errors import IngestError, UnknownName
from mi_core.ingest.door import personal_pattern
from mi_core.ingest.spend_files import SpendFile, load_spend_files
from mi_core.warehouse import Warehouse

MOST_CENTS = 1_000_000_000_000
"""More than so much for a day of a campaign is a slip."""


@dataclass(frozen=True)
class SpendSummary:
    """What became of spend files; each of the `rows` is added, replaced or unchanged.

    `days` and `channels` count the different ones, `cents` is the sum of all rows; `since` and
    `until` are the first and the last day.
    """

    files: int
    rows: int
    days: int
    channels: int
    cents: int
    added: int
    unchanged: int
    replaced: int
    since: date
    until: date


def ingest_spend(
    warehouse: Warehouse,
    definitions: Definitions,
    files: Iterable[Path],
    *,
    replace: bool = False,
) -> SpendSummary:
    """Take spend files into the lake; rows that are there already are left alone.

    Parameters
    ----------
    replace
        Where the lake says otherwise than a row, the row counts: another amount is replaced, and a
        channel's total by its campaigns or the other way round.

    Raises
    ------
    IngestError
        A file can't be taken in, or, without `replace`, the lake says otherwise.
    """
    sources = load_spend_files(warehouse, list(files))
    if not sources:
        raise IngestError("There is no spend file to take in.")
    _check(warehouse, definitions, sources)
    with warehouse.publish("spend"):
        warehouse.stage("spend_change", "staging/spend_change")
        if not replace:
            _refuse_changes(warehouse, sources)
        _write(warehouse)
    return _summary(warehouse, len(sources))


def _write(warehouse: Warehouse) -> None:
    warehouse.stage("spend_gone", "staging/spend_gone")
    warehouse.sql(
        "delete from lake.campaign_spend as stored where exists ("
        " from spend_gone as gone where gone.spend_date = stored.spend_date"
        " and gone.channel = stored.channel"
        " and gone.campaign_id is not distinct from stored.campaign_id)"
    )
    warehouse.sql(
        "insert into lake.campaign_spend select spend_date, channel, campaign_id, cents"
        " from spend_change where kind <> 'unchanged'"
    )


def _summary(warehouse: Warehouse, files: int) -> SpendSummary:
    row = warehouse.sql(
        "select count(*), count(distinct spend_date), count(distinct channel), sum(cents),"
        " count(*) filter (kind = 'new'), count(*) filter (kind = 'unchanged'),"
        " count(*) filter (kind not in ('new', 'unchanged')), min(spend_date), max(spend_date)"
        " from spend_change"
    ).fetchone()
    assert row is not None
    return SpendSummary(files, *row)


def _check(warehouse: Warehouse, definitions: Definitions, sources: Sequence[SpendFile]) -> None:
    """Refuse rows that say nothing that can be taken, or the same thing twice."""
    warehouse.stage(
        "spend_row",
        "staging/spend_row",
        personal=personal_pattern(definitions, "campaign_id"),
        most_cents=MOST_CENTS,
    )
    faults = warehouse.sql(
        "select file_no, row_no, fault, said, is_cents from spend_row"
        " where fault is not null order by file_no, row_no"
    ).fetchall()
    if faults:
        file_no, row_no, *fault = faults[0]
        more = f" {len(faults) - 1:,} more of the rows can't be taken." if faults[1:] else ""
        raise IngestError(
            f"{sources[file_no].place(row_no)}: {_complaint(definitions, *fault)}{more}"
        )
    _refuse_repeats(warehouse, sources)
    _refuse_mixtures(warehouse, sources)


def _complaint(definitions: Definitions, fault: str, said: str | None, is_cents: bool) -> str:
    match fault:
        case "date":
            named = f"{said!r} is no day of 2000 to 2099" if said else "there is no date"
            return f"{named}; write a day as 2024-06-30."
        case "channel" if said:
            return str(UnknownName("channel", said, definitions.channels.names))
        case "channel":
            return f"there is no channel. Allowed: {', '.join(sorted(definitions.channels.names))}."
        case "campaign":
            return "the campaign looks like personal data, which is never stored; rename it."
    most = f"{MOST_CENTS:,}" if is_cents else f"{MOST_CENTS // 100:,}"
    kind = "whole number of cents" if is_cents else "amount"
    named = f"{said!r} is no {kind}" if said else f"there is no {'cents' if is_cents else 'spend'}"
    example = "1250" if is_cents else "12.50"
    return f"{named}; write {example}: from 0 to {most}, without currency or thousands separators."


def _refuse_repeats(warehouse: Warehouse, sources: Sequence[SpendFile]) -> None:
    warehouse.stage("spend_repeat", "staging/spend_repeat")
    row = warehouse.sql(
        "select file_no, row_no, first_file_no, first_row_no, spend_date, channel, campaign_id"
        " from spend_repeat order by file_no, row_no"
    ).fetchone()
    if row:
        file_no, row_no, first_file_no, first_row_no, *key = row
        raise IngestError(
            f"{sources[file_no].place(row_no)}: {_named(*key)} is there already, in "
            f"{sources[first_file_no].place(first_row_no)}; each may be there once."
        )


def _refuse_mixtures(warehouse: Warehouse, sources: Sequence[SpendFile]) -> None:
    warehouse.stage("spend_mixture", "staging/spend_mixture")
    row = warehouse.sql(
        "select spend_date, channel, total_at, campaign_at from spend_mixture order by all"
    ).fetchone()
    if row:
        day, channel, total, campaign = row
        raise IngestError(
            f"{_at(sources, total)} has the total of {channel} on {day}, and "
            f"{_at(sources, campaign)} a campaign of it: that would count twice; leave out the one "
            "or the other."
        )


def _refuse_changes(warehouse: Warehouse, sources: Sequence[SpendFile]) -> None:
    """Refuse rows of which the lake says something else."""
    row = warehouse.sql(
        "select file_no, row_no, kind, cents, stored_cents, spend_date, channel, campaign_id"
        " from spend_change where kind not in ('new', 'unchanged') order by file_no, row_no"
    ).fetchone()
    if row is None:
        return
    file_no, row_no, kind, cents, stored_cents, *key = row
    says = {
        "amount": f"is {(stored_cents or 0) / 100:.2f} in the lake, and {cents / 100:.2f} here",
        "total": "is a campaign, and the lake has the total of the channel: that would count twice",
        "campaigns": "is a total, and the lake has campaigns: that would count twice",
    }[kind]
    raise IngestError(
        f"{sources[file_no].place(row_no)}: {_named(*key)} {says}. "
        "With --replace what the files say takes its place."
    )


def _named(day: date, channel: str, campaign_id: str | None) -> str:
    return f"{channel}{f', {campaign_id},' if campaign_id else ''} on {day}"


def _at(sources: Sequence[SpendFile], where: dict[str, int]) -> str:
    return sources[where["file_no"]].place(where["row_no"])
