"""Path tables: paths that people bring along, with how often each converted and how often not."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mi_core.attribution.paths import groups_of, stage_steps
from mi_core.definitions import AttributionRules
from mi_core.errors import BadValue, IngestError, RelationError, UnknownName
from mi_core.ingest.export import literal_path
from mi_core.relations import identifier, quoted
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

IntArray = npt.NDArray[np.int64]

COLUMNS = {
    "path": ("path",),
    "conversions": ("conversions", "total_conversions"),
    "nulls": ("nulls", "total_null", "null_conversions"),
    "value": ("value", "total_conversion_value", "conversion_value"),
}
"""What a path table says, and the names it may say it under; nulls and value may be missing."""

READERS = {
    ".csv": "read_csv({file}, all_varchar = true)",
    ".parquet": "read_parquet({file})",
    ".jsonl": "read_ndjson({file})",
    ".ndjson": "read_ndjson({file})",
    ".json": "read_json({file})",
}


def stage_path_table(
    warehouse: Warehouse, source: "Path | str | pl.DataFrame", rules: AttributionRules, *, seed: int
) -> None:
    """Stage the paths of a table: `path` (a list, or text joined by >), conversions, nulls, value.

    Raises
    ------
    IngestError
        A table that can't be read, or a row that says what can't be; nothing is computed.
    """
    with _file(source) as file:
        _stage_rows(warehouse, file)
    warehouse.stage("path_touch", "journeys/path_table_touch", direct_channel=rules.direct_channel)
    _refuse_bad_rows(warehouse)
    _stage_journeys(warehouse, groups_of(rules), seed)
    stage_steps(warehouse, rules)


@contextmanager
def _file(source: "Path | str | pl.DataFrame") -> Iterator[Path]:
    if isinstance(source, (Path, str)):
        yield Path(source)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "the frame.parquet"
        frame = source.collect() if hasattr(source, "collect") else source
        if not hasattr(frame, "write_parquet"):
            raise BadValue(
                f"A path table is a file or a Polars frame, not a {type(source).__name__}."
            )
        frame.write_parquet(file)
        yield file


def _stage_rows(warehouse: Warehouse, file: Path) -> None:
    suffix = next((s for s in reversed(file.suffixes) if s not in (".gz", ".zst")), "")
    if suffix not in READERS:
        raise UnknownName("kind of path table", suffix or file.name, READERS)
    if not file.exists():
        raise IngestError(f"There is no path table {file}.")
    reader = READERS[suffix].format(file=quoted(literal_path(file)))
    try:
        types = dict(
            row[:2] for row in warehouse.sql(f"describe select * from {reader}").fetchall()
        )
        names = _names(types, file)
        columns = ", ".join(_column(name, found, types) for name, found in names.items())
        warehouse.sql(
            "create or replace temp table path_row as select"
            f" row_number() over () as journey_id, {columns} from {reader}"
        )
    except RelationError as error:
        raise IngestError(f"{file.name} can't be read as a path table: {error}") from None


def _names(types: Mapping[str, str], file: Path) -> dict[str, str]:
    """By column of a path table, the name that it has in this one."""
    lowered = {name.lower(): name for name in types}
    found = {
        column: lowered[name]
        for column, names in COLUMNS.items()
        for name in names
        if name in lowered
    }
    for column in ("path", "conversions"):
        if column not in found:
            raise IngestError(
                f"{file.name} has no column {column!r}, which a path table needs; "
                f"it has: {', '.join(types)}."
            )
    return found


def _column(column: str, name: str, types: Mapping[str, str]) -> str:
    quoted_name = identifier(name)
    if column != "path":
        return f"{quoted_name}::varchar as {column}"
    if types[name].endswith("[]"):
        return f"{quoted_name}::varchar[] as path"
    return f"string_split({quoted_name}, '>') as path"


def _refuse_bad_rows(warehouse: Warehouse) -> None:
    for missing in ("nulls", "value"):
        warehouse.sql(f"alter table path_row add column if not exists {missing} varchar")
    bad = warehouse.query("journeys/path_table_problem").fetchone()
    if bad:
        row, problem = bad
        raise IngestError(f"Row {row} of the path table {problem}.")


def _stage_journeys(warehouse: Warehouse, groups: int, seed: int) -> None:
    """Put each path, as often as it was walked, into groups at random: its people are unknown."""
    counted = warehouse.arrays("journeys/path_table_count")
    walks = np.stack([counted["conversions"], counted["nulls"]]).astype(np.int64)
    rng = np.random.default_rng(seed)
    row, group, times = _spread(walks.ravel(), groups, rng)
    rows = walks.shape[1]
    converted = row < rows
    row = row % rows
    worth = np.divide(counted["value"], walks[0], out=np.zeros(rows), where=walks[0] > 0)
    warehouse.load_arrays(
        "journey",
        {
            "journey_id": counted["journey_id"][row],
            "person_group": group.astype(np.int32),
            "conversions": np.where(converted, times, 0),
            "nulls": np.where(converted, 0, times),
            "value": np.where(converted, times * worth[row], 0.0),
        },
    )


def _spread(
    counts: IntArray, groups: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray]:
    """Each of `counts` things put into a group, all groups as full: (index, group, times).

    Of a count above `groups`, only how many come into which group is drawn.
    """
    many = counts > groups
    small = np.where(many, 0, counts)
    index = np.repeat(np.arange(len(counts)), small)
    group = rng.permutation(len(index)) % groups
    shares = np.full(groups, 1 / groups)
    large = rng.multinomial(counts[many], shares)
    of_many, in_group = np.nonzero(large)
    return (
        np.concatenate([index, np.flatnonzero(many)[of_many]]),
        np.concatenate([group, in_group]),
        np.concatenate([np.ones(len(index), dtype=np.int64), large[of_many, in_group]]),
    )
