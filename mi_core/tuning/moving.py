"""Who would have another persona by other thresholds, and which threshold it is that they cross."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from mi_core.tuning.rules import FIELDS, BoolArray, Personas, assign, in_order, passes


@dataclass(frozen=True)
class Moves:
    """What becomes of people between two sets of rules.

    Attributes
    ----------
    counts
        `before, after, cases`: from which persona to which, those who stay as well.
    people
        `user_id, as_of, before, after, why`: those who change. `why` names the thresholds that they
        now are on the other side of, in the rule that decides: the one left where a rule of lower
        rank takes them, otherwise the one that takes them.
    """

    counts: pl.DataFrame
    people: pl.DataFrame


def moves(frame: pl.DataFrame, before: Personas, after: Personas) -> Moves:
    """Who would change persona, and why.

    Parameters
    ----------
    frame
        Cases, such as `cases.present`: each row counts.
    before, after
        The same personas in the same order; of their rules, thresholds may differ.
    """
    named = frame.select(
        "user_id",
        "as_of",
        assign(frame, before).alias("before"),
        assign(frame, after).alias("after"),
    )
    counts = named.group_by("before", "after").agg(pl.len().cast(pl.Int64).alias("cases"))
    order = {each.slug: each.position for each in in_order(before)}
    counts = counts.sort(pl.col("before", "after").replace_strict(order))
    has_moved = pl.col("before") != pl.col("after")
    people = named.with_columns(_why(frame, named, before, after)).filter(has_moved)
    return Moves(counts, people)


def _why(frame: pl.DataFrame, named: pl.DataFrame, before: Personas, after: Personas) -> pl.Series:
    """By row, the thresholds crossed in the rule that decides; of no meaning where nobody moves."""
    position = {each.slug: each.position for each in in_order(before)}
    rank_before, rank_after = (named[each].replace_strict(position) for each in ("before", "after"))
    # Who falls to a rule of lower rank has left one; who rises is taken by one.
    decides = named["before"].zip_with(rank_before < rank_after, named["after"])
    told = [
        pl.select(pl.when(pl.Series(crossed) & (decides == slug)).then(words)).to_series()
        for slug, crossed, words in _crossings(frame, before, after)
    ]
    if not told:
        return pl.Series("why", [""] * frame.height, dtype=pl.String)
    return pl.select(
        pl.concat_str(told, separator="; ", ignore_nulls=True).alias("why")
    ).to_series()


def _crossings(
    frame: pl.DataFrame, before: Personas, after: Personas
) -> Iterator[tuple[str, BoolArray, pl.Series]]:
    """Each number that differs: its persona, who is on another side of it, and that in words."""
    for slug, persona in before.items():
        for field, (column, is_above) in FIELDS.items():
            old, new = (getattr(each.rule, field) for each in (persona, after[slug]))
            if old == new:
                continue
            crossed = _passes(frame, field, old) != _passes(frame, field, new)
            side = "above" if is_above else "below"
            change = f"{column} {{}}: {side} {_said(new)}, not {_said(old)}"
            yield (
                slug,
                crossed,
                frame.select(pl.format(change, pl.col(column).fill_null(0))).to_series(),
            )


def _passes(frame: pl.DataFrame, field: str, limit: float | None) -> BoolArray:
    return np.ones(frame.height, np.bool_) if limit is None else passes(frame, field, limit)


def _said(limit: float | None) -> str:
    return "any" if limit is None else f"{limit:g}"
