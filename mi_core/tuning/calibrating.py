"""How often a persona's stated confidence holds.

Where a person or a model has named the persona, whether they agree; elsewhere, whether the rules
still say the same a horizon later. The second is steadiness, not truth: a rule can be wrong twice.
"""

from datetime import timedelta

import polars as pl

from mi_core.shares import wilson
from mi_core.tuning.cases import Cases
from mi_core.tuning.rules import Personas, assign, in_order

_SCHEMA = {
    "persona": pl.String,
    "basis": pl.String,
    "stated": pl.Float64,
    "people": pl.Int64,
    "held": pl.Int64,
    "share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "verdict": pl.String,
}


def calibration(cases: Cases, personas: Personas | None = None) -> pl.DataFrame:
    """Stated confidence by persona, and how often it held.

    Each person counts once for each basis: at the newest instant at which the rules' persona can be
    held against something.

    Parameters
    ----------
    personas
        By whose rules; default: those in force.

    Returns
    -------
    pl.DataFrame
        `persona, basis, stated, people, held, share, low, high, verdict`, with Wilson's 95 %
        intervals. `basis` is `label` or `stayed`; `verdict` is `too high`, `too low` or `fits`, the
        stated confidence lying above, below or in the interval; null of nobody.
    """
    rules = personas or cases.definitions.personas
    named = cases.frame.with_columns(assign(cases.frame, rules))
    rows = [
        _row(each.slug, basis, each.confidence, found)
        for basis, found in (("label", _labelled(named)), ("stayed", _later(named, cases)))
        for each in in_order(rules)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _labelled(named: pl.DataFrame) -> pl.DataFrame:
    """One row per person with a label: `persona, has_held`."""
    found = named.filter(pl.col("label").is_not_null())
    return _newest(found.with_columns((pl.col("label") == pl.col("persona")).alias("has_held")))


def _later(named: pl.DataFrame, cases: Cases) -> pl.DataFrame:
    """One row per person without a label who was seen again: `persona, has_held`.

    Seen at the first instant a horizon or more after.
    """
    horizon = timedelta(days=cases.horizon_days)
    nexts = {
        at: next((later for later in cases.instants if later >= at + horizon), None)
        for at in cases.instants
    }
    later = named.select("user_id", next_at="as_of", next_persona="persona")
    unlabelled = named.join(named.filter(pl.col("label").is_not_null()), on="user_id", how="anti")
    seen_again = unlabelled.with_columns(
        pl.col("as_of").replace_strict(nexts, return_dtype=pl.Datetime("us")).alias("next_at")
    ).join(later, on=["user_id", "next_at"])
    has_held = (pl.col("next_persona") == pl.col("persona")).alias("has_held")
    return _newest(seen_again.with_columns(has_held))


def _newest(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort("as_of").unique("user_id", keep="last").select("persona", "has_held")


def _row(slug: str, basis: str, stated: float, found: pl.DataFrame) -> tuple[object, ...]:
    own = found.filter(pl.col("persona") == slug)["has_held"]
    held, people = int(own.sum()), len(own)
    low, high = wilson(held, people)
    return (
        slug,
        basis,
        stated,
        people,
        held,
        held / people if people else None,
        low,
        high,
        _verdict(stated, low, high, people),
    )


def _verdict(stated: float, low: float, high: float, people: int) -> str | None:
    if not people:
        return None
    if stated > high:
        return "too high"
    return "too low" if stated < low else "fits"
