"""Deliveries of export files: read, put through the door, staged, published.

Every file is staged by itself, past the door, under its content's digest; only when all of them
stand does one transaction publish them. So a damaged file changes nothing, and a run that was
interrupted finds the files that it had staged.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from mi_core.errors import IngestError
from mi_core.ingest.classify import Progress, keep_classified, silent
from mi_core.ingest.door import WITHHELD, Door
from mi_core.ingest.erased import ERASED
from mi_core.ingest.export import NOT_UTC, ExportFile, find_exports
from mi_core.ingest.publish import publish
from mi_core.ingest.summary import IngestSummary, tally
from mi_core.locks import file_lock
from mi_core.relations import quoted
from mi_core.warehouse import Warehouse


@dataclass(frozen=True)
class _Staged:
    """A file past the door."""

    file: ExportFile
    digest: str
    rows: Path


def ingest_files(
    warehouse: Warehouse, door: Door, paths: Iterable[Path], *, progress: Progress = silent
) -> IngestSummary:
    """Take export files, or folders of them, into the lake.

    Raises
    ------
    IngestError
        A file can't be taken in; nothing of the delivery was.
    """
    files, others = find_exports(paths)
    folder = warehouse.path / "staging"
    # One delivery at a time: two with the same file would write the same staged rows.
    with file_lock(warehouse.path / "delivery.lock", warehouse.settings.lock_timeout_seconds):
        folder.mkdir(exist_ok=True)
        staged = _stage_new(warehouse, door, files, folder, progress)
        summary = _publish(warehouse, door, staged, progress) if staged else IngestSummary()
        shutil.rmtree(folder)
    return replace(
        summary,
        files=len(staged),
        unchanged_files=len(files) - len(staged),
        ignored_files=tuple(path.name for path in others),
    )


def _publish(
    warehouse: Warehouse, door: Door, staged: list[_Staged], progress: Progress
) -> IngestSummary:
    batch_id = hashlib.sha256("".join(sorted(s.digest for s in staged)).encode()).hexdigest()[:16]
    rows = _staged_rows(warehouse, staged)
    with warehouse.view("staged", rows):
        told = tally(warehouse)
        # Before the files count as known: a run that is interrupted here writes it again.
        quarantine = (
            _quarantine(warehouse, batch_id) if told["rejected"].keys() - {ERASED} else None
        )
    with warehouse.lock():
        # Under the same lock: between the two, a process with other definitions might type again.
        keep_classified(warehouse, door.definitions, progress=progress)
        with warehouse.view("staged", rows), warehouse.publish(f"ingest {batch_id}"):
            published = publish(warehouse, door.definitions, batch_id, progress=progress)
            warehouse.stage(
                "batch_file", "staging/batch_file", batch_id=batch_id, withheld=WITHHELD
            )
            warehouse.sql("insert into lake.ingest_batch by name from batch_file")
    return IngestSummary(
        accepted=published.accepted,
        duplicates=published.duplicates,
        moved_ids=published.moved_ids,
        quarantine=quarantine,
        **told,
    )


def _stage_new(
    warehouse: Warehouse, door: Door, files: list[ExportFile], folder: Path, progress: Progress
) -> list[_Staged]:
    """Put the files that the lake doesn't hold yet through the door."""
    known = {
        row[0] for row in warehouse.sql("select file_digest from lake.ingest_batch").fetchall()
    }
    staged = []
    for file in files:
        digest = file.digest()
        if digest not in known:
            known.add(digest)
            staged.append(_Staged(file, digest, folder / f"{digest}-{door.version}.parquet"))
    missing = [each for each in staged if not each.rows.exists()]
    # DuckDB reads a file of one row group, as most are, in one thread: so several files at once.
    with ThreadPoolExecutor(warehouse.settings.threads or os.cpu_count()) as threads:
        running = [threads.submit(_stage, warehouse, door, each) for each in missing]
        try:
            for number, (each, run) in enumerate(zip(missing, running, strict=True)):
                progress(f"Reading {each.file.path.name}", number, len(missing))
                run.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    return staged


def _stage(warehouse: Warehouse, door: Door, staged: _Staged) -> None:
    unfinished = staged.rows.with_suffix(".unfinished")
    with warehouse.beside() as own:
        with staged.file.as_raw_event(own):
            own.write_file(unfinished, "staging/door", **door.open(own))
        _check(own, staged.file, unfinished)
    unfinished.rename(staged.rows)


def _check(warehouse: Warehouse, file: ExportFile, rows: Path) -> None:
    """Refuse a file of which no row can be taken in, or whose times aren't UTC."""
    counted = warehouse.sql(
        f"select reason, count(*) from read_parquet({quoted(str(rows))}) group by reason"
    ).fetchall()
    reasons: Mapping[str | None, int] = dict(counted)
    complaint = None
    if not reasons:
        complaint = "is empty."
    elif NOT_UTC in reasons:
        complaint = "has times that are not in UTC; PostHog's exports are."
    elif not {None, WITHHELD, ERASED} & reasons.keys():
        told = ", ".join(
            f"{reason} ({times:,} row{'s'[: times > 1]})" for reason, times in reasons.items()
        )
        complaint = f"holds no event that can be taken in: {told}."
    if complaint:
        rows.unlink()
        raise IngestError(f"{file.path.name} {complaint}")


def _staged_rows(warehouse: Warehouse, staged: list[_Staged]) -> str:
    """The rows of the staged files, as a query; their names are in `staged_file`."""
    warehouse.load_rows(
        "staged_file",
        [
            {
                "file_no": number,
                "source": "export",
                "file_name": _told_name(each),
                "file_digest": each.digest,
                "rows": str(each.rows),
            }
            for number, each in enumerate(staged)
        ],
    )
    paths = ", ".join(quoted(str(each.rows)) for each in staged)
    return (
        "select f.file_no, f.source, s.* exclude (filename)"
        f" from read_parquet([{paths}], filename = true) as s"
        " join staged_file as f on f.rows = s.filename"
    )


def _told_name(staged: _Staged) -> str:
    """The file's name as it may be stored: not one that holds an address."""
    name = staged.file.path.name
    return name if "@" not in name else f"{staged.digest}{staged.file.path.suffix}"


def _quarantine(warehouse: Warehouse, batch_id: str) -> Path:
    target = warehouse.path / "quarantine" / f"{batch_id}.jsonl"
    target.parent.mkdir(exist_ok=True)
    warehouse.write_file(target, "staging/quarantine", untold=[WITHHELD, ERASED])
    return target
