"""The end of a report: what is needed to make it again, for a reader and for a program.

The notebook's last cell shows it; `reports.render` takes the program's part, the manifest, from
there, so that a page always carries the figures it was written from.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date
from importlib.metadata import version
from math import isfinite
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.stories.period import Edition
from mi_core.tables import Html, definitions

if TYPE_CHECKING:
    import polars as pl

MANIFEST = "application/vnd.mi.manifest+json"

PACKAGES = ("mi-core", "duckdb", "polars", "numpy", "scipy", "altair", "papermill", "nbconvert")
"""What figures and page are made with."""

LONGEST = 500
"""Rows of a frame that a manifest holds; of a longer one their number and a hash."""

DIGITS = 9
"""Significant digits of a figure: the last few of a float depend on the order of adding."""


class Foot(Html):
    """The foot as markup, and the manifest beside it."""

    manifest: dict[str, Any]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/html": str(self), MANIFEST: self.manifest}


def foot(report: object, edition: Edition, more: Iterable[tuple[str, str]] = ()) -> Foot:
    """The foot of a page.

    Parameters
    ----------
    report
        The dataclass that all of the page is written from. Its `OF_STATE` names the fields that lie
        in the state, which has no snapshots to look back to.
    more
        Further terms and what is said of them.
    """
    period = edition.period
    made_with = {name: version(name) for name in PACKAGES}
    said = [
        ("As of", words.moment(period.until)),
        ("Period", f"{period} ({words.count(period.days, 'day')})"),
        ("Configuration", edition.config_version or "–"),
        ("Lake snapshot", str(edition.lake_snapshot)),
        *more,
        ("Made with", ", ".join(" ".join(each) for each in made_with.items())),
    ]
    shown = Foot(definitions(said))
    shown.manifest = {
        "as_of": period.until.isoformat(),
        "days": period.days,
        "config_version": edition.config_version,
        "definitions": edition.definitions,
        "lake_snapshot": edition.lake_snapshot,
        "packages": made_with,
        "figures": figures(report),
        "of_state": list(getattr(report, "OF_STATE", ())),
    }
    return shown


def figures(report: object) -> dict[str, Any]:
    """All that a report's dataclass holds, as plain values for JSON, by the name of the field."""
    return {
        field.name: _plain(getattr(report, field.name))
        for field in fields(report)  # type: ignore[arg-type]
        if not isinstance(getattr(report, field.name), Edition)
    }


def _plain(value: Any) -> Any:
    import polars as pl

    if isinstance(value, pl.DataFrame):
        return _rows(value)
    if is_dataclass(value):
        return figures(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return str(value)


def _rows(frame: "pl.DataFrame") -> Any:
    rows = [
        {name: _plain(value) for name, value in row.items()} for row in frame.iter_rows(named=True)
    ]
    if len(rows) <= LONGEST:
        return rows
    content = json.dumps(rows, sort_keys=True).encode()
    return {"rows": len(rows), "sha256": hashlib.sha256(content).hexdigest()}
