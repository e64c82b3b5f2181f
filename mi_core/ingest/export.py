"""PostHog batch-export files of the events model: Parquet and JSON Lines, in every compression.

Formats: PostHog's documentation of batch exports (S3). `.parquet.zst` is ordinary Parquet; windows
are by time of arrival and overlap, so the same event comes in several files.
"""

import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mi_core.errors import IngestError, RelationError
from mi_core.relations import quoted, relation_sql
from mi_core.warehouse import Warehouse

NOT_UTC = "timestamp is not in UTC"

_PARQUET = (".parquet", *(f".parquet.{c}" for c in ("zst", "lz4", "sz", "gz", "br")))
_JSON_LINES = {
    ".jsonl": "uncompressed",
    ".jsonl.gz": "gzip",
    ".jsonl.br": "brotli",
}
_REQUIRED = ("uuid", "event", "distinct_id", "properties", "timestamp")


@dataclass(frozen=True)
class ExportFile:
    """One file of an export."""

    path: Path
    format: Literal["parquet", "jsonl"]
    compression: str

    def digest(self) -> str:
        """What tells this content from any other: 32 hex digits of its SHA-256."""
        with self.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()[:32]

    @contextmanager
    def as_raw_event(self, warehouse: Warehouse) -> Iterator[None]:
        """The file as the view `raw_event`, while the block runs.

        Raises
        ------
        IngestError
            The file is damaged, of another schema, or of a time zone that isn't UTC.
        """
        with _readable(self) as path, _explained(self):
            if self.format == "parquet":
                with warehouse.view("raw_event", _parquet(self, path, warehouse)):
                    yield
            else:
                with (
                    warehouse.view("raw_json", _lines(self, path)),
                    warehouse.view("raw_event", relation_sql("staging/raw_json")),
                ):
                    yield


def find_exports(paths: Iterable[Path]) -> tuple[list[ExportFile], list[Path]]:
    """The export files at `paths`, and what else lies in the folders among them.

    Raises
    ------
    IngestError
        A path isn't there, a file isn't named like an export, or a folder holds none.
    """
    files: list[ExportFile] = []
    others: list[Path] = []
    for path in paths:
        if not path.exists():
            raise IngestError(f"{path} isn't there.")
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        known = [(p, _classify(p)) for p in found]
        exports = [file for _, file in known if file]
        if not exports:
            raise IngestError(
                f"{path} is no PostHog batch export: expected files named "
                f"*{', *'.join((_PARQUET[0], '.parquet.zst', *_JSON_LINES))}."
            )
        files += exports
        others += [p for p, file in known if not file]
    return files, others


def _classify(path: Path) -> ExportFile | None:
    name = path.name.lower()
    if name.endswith(_PARQUET):
        return ExportFile(path, "parquet", "own")
    for ending, compression in _JSON_LINES.items():
        if name.endswith(ending):
            return ExportFile(path, "jsonl", compression)
    return None


@contextmanager
def _readable(file: ExportFile) -> Iterator[Path]:
    """A path that DuckDB can read; brotli, which it can't, is unpacked outside the workspace."""
    if file.path.stat().st_size == 0:
        raise IngestError(f"{file.path.name} is empty.")
    if file.compression == "gzip":
        _check_gzip(file)
    if file.compression != "brotli":
        yield file.path
        return
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "export.jsonl"
        _unpack_brotli(file, unpacked)
        yield unpacked


def _check_gzip(file: ExportFile) -> None:
    """Read to the end: DuckDB takes what a file that was cut off still holds, and says nothing."""
    try:
        with gzip.open(file.path) as source:
            while source.read(1 << 20):
                continue
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _damaged(file) from None


def _unpack_brotli(file: ExportFile, target: Path) -> None:
    import brotli

    decompressor = brotli.Decompressor()
    try:
        with file.path.open("rb") as source, target.open("wb") as sink:
            while chunk := source.read(1 << 20):
                sink.write(decompressor.process(chunk))
    except brotli.error:
        raise _damaged(file) from None
    if not decompressor.is_finished():
        raise _damaged(file)


@contextmanager
def _explained(file: ExportFile) -> Iterator[None]:
    """DuckDB's complaints as ours. Its wording is left out, for it may quote the file."""
    try:
        yield
    except RelationError:
        raise _damaged(file) from None


def _damaged(file: ExportFile) -> IngestError:
    return IngestError(f"{file.path.name} is damaged, or is not what its name says.")


def _parquet(file: ExportFile, path: Path, warehouse: Warehouse) -> str:
    options = "file_row_number = true, hive_partitioning = false"
    source = f"read_parquet({quoted(literal_path(path))}, {options})"
    columns = {name: kind for name, kind, *_ in warehouse.sql(f"describe from {source}").fetchall()}
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        raise IngestError(
            f"{file.path.name} is not of the events model: it lacks {', '.join(missing)}; "
            f"its columns are {', '.join(sorted(columns.keys() - {'file_row_number'}))}."
        )
    times = [name for name in ("timestamp", "created_at") if name in columns]
    for name in times:
        if columns[name] != "TIMESTAMP WITH TIME ZONE":
            raise IngestError(
                f"{file.path.name}: {name} is {columns[name]} and says no time zone; "
                "PostHog's exports are in UTC."
            )
    person = "person_id::varchar" if "person_id" in columns else "null"
    arrival = "coalesce(created_at, timestamp)" if "created_at" in columns else "timestamp"
    return (
        "select file_row_number + 1 as row_no, null::varchar as fault, uuid::varchar as uuid,"
        f" event, distinct_id, {person} as person_id, properties::varchar as properties,"
        " timezone('UTC', timestamp) as occurred_at,"
        f" timezone('UTC', {arrival}) as received_at from {source}"
    )


def _lines(file: ExportFile, path: Path) -> str:
    compression = "uncompressed" if file.compression == "brotli" else file.compression
    return (
        "select row_number() over () as row_no, json, null::timestamptz as arrived_at"
        f" from read_json_objects({quoted(literal_path(path))}, format = 'newline_delimited',"
        f" ignore_errors = true, compression = '{compression}')"
    )


def literal_path(path: Path) -> str:
    """The path with its wildcards taken literally."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path.absolute()))
