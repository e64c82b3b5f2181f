"""Ingest against a bare DuckDB read and write of the same files."""

import shutil
from functools import partial
from pathlib import Path

from measure import arguments, in_turns, sample, show

from mi_core import open_workspace
from mi_core.warehouse import scratch


def bare(export: Path, target: Path) -> None:
    """Read every column of the files and write it again, as DuckDB does it unasked."""
    scratch().execute(
        f"copy (from read_parquet('{export}/*')) to '{target}' (format parquet, compression zstd)"
    )


def ingest(export: Path, folder: Path) -> None:
    """A first ingest into a new workspace."""
    shutil.rmtree(folder, ignore_errors=True)
    with open_workspace(folder) as workspace:
        workspace.ingest([export])


def again(export: Path, folder: Path) -> None:
    """The same files into the workspace that holds them."""
    with open_workspace(folder) as workspace:
        workspace.ingest([export])


if __name__ == "__main__":
    options = arguments(__doc__)
    export = sample(options.folder, options.events)
    folder = options.folder / f"ingest-{options.events}"
    contenders = {
        "bare read and write": partial(bare, export, options.folder / "bare.parquet"),
        "mi ingest": partial(ingest, export, folder),
        "mi ingest again": partial(again, export, folder),
    }
    costs = in_turns(contenders, options.rounds)
    show(f"Ingest, {options.events:,} events", costs, "bare read and write")
    rate = options.events / costs["mi ingest"].wall_seconds
    print(f"\n{rate:,.0f} rows a second.")
    shutil.rmtree(folder)
    (options.folder / "bare.parquet").unlink()
