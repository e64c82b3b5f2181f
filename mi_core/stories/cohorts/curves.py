"""What cohorts add up to: shares with intervals, and how the newest differ from those before.

Only periods that are over count, and only people for whom a period is over are in its share.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mi_core.stories.comparing import Change, of_shares, share_range

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Newest:
    """The newest cohorts for which a period is over, and as many before them."""

    change: Change
    first: date
    first_before: date
    size: int
    size_before: int


@dataclass(frozen=True)
class Parts:
    """What a change of a share goes together with: other groups, or other shares within groups."""

    of_mix: float
    of_shares: float


def curve(cohorts: "pl.DataFrame") -> "pl.DataFrame":
    """One row per period after the first: `period, size, people, rate, low, high`."""
    import polars as pl

    summed = _over(cohorts).group_by("period").agg(pl.col("size", "people").sum()).sort("period")
    pairs = summed.select("people", "size").rows()
    ends = [share_range(*pair) for pair in pairs]
    return summed.with_columns(
        (pl.col("people") / pl.col("size")).alias("rate"),
        pl.Series("low", [low for low, _ in ends], dtype=pl.Float64),
        pl.Series("high", [high for _, high in ends], dtype=pl.Float64),
    )


def newest(cohorts: "pl.DataFrame", side: int, *, period: int = 1) -> Newest | None:
    """How the newest `side` cohorts did in a period, against the `side` before; None of too few."""
    now, before = _sides(cohorts, side, period)
    if not (now.height and before.height):
        return None
    (people, size), (people_before, size_before) = _sum(now), _sum(before)
    return Newest(
        of_shares(people, size, people_before, size_before),
        now["cohort"].min(),  # type: ignore[arg-type]
        before["cohort"].min(),  # type: ignore[arg-type]
        size,
        size_before,
    )


def parts(groups: "pl.DataFrame", side: int, *, period: int = 1) -> Parts | None:
    """The change of `newest` taken apart by the groups of a breakdown (Kitagawa 1955)."""
    import polars as pl

    now, before = (
        each.group_by("breakdown").agg(pl.col("size", "people").sum())
        for each in _sides(groups, side, period)
    )
    if not (now["size"].sum() and before["size"].sum()):
        return None
    both = now.join(before, on="breakdown", how="full", coalesce=True, suffix="_before")
    both = both.fill_null(0)
    weight, weight_before = (
        pl.col(f"size{end}") / pl.col(f"size{end}").sum() for end in ("", "_before")
    )
    known, known_before = (
        pl.when(pl.col(f"size{end}") > 0).then(pl.col(f"people{end}") / pl.col(f"size{end}"))
        for end in ("", "_before")
    )
    # A group that wasn't there both times differs by its weight alone.
    share = pl.coalesce(known, known_before)
    share_before = pl.coalesce(known_before, known)
    found = both.select(
        ((weight - weight_before) * (share + share_before) / 2).sum().alias("of_mix"),
        ((share - share_before) * (weight + weight_before) / 2).sum().alias("of_shares"),
    )
    return Parts(*found.row(0))


def groups(cohorts: "pl.DataFrame", *, period: int = 1) -> "list[tuple[str, int, Change]]":
    """Each group with its people and its share in a period against that of all others.

    All are looked at together; the change's `before` is the share of the others.
    """
    import polars as pl

    summed = (
        _over(cohorts)
        .filter(pl.col("period") == period, pl.col("breakdown") != "(none)")
        .group_by("breakdown")
        .agg(pl.col("size", "people").sum())
        .sort("size", "breakdown", descending=[True, False])
    )
    people, size = _sum(summed)
    return [
        (name, each, of_shares(came, each, people - came, size - each, among=summed.height))
        for name, each, came in summed.select("breakdown", "size", "people").iter_rows()
    ]


def _over(cohorts: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return cohorts.filter("is_complete", pl.col("size") > 0, pl.col("period") > 0)


def _sides(
    cohorts: "pl.DataFrame", side: int, period: int
) -> tuple["pl.DataFrame", "pl.DataFrame"]:
    import polars as pl

    over = cohorts.filter("is_complete", pl.col("period") == period)
    days = over["cohort"].unique().sort(descending=True)
    newest, before = days[:side], days[side : 2 * side]
    if len(before) < side:
        return over.clear(), over.clear()
    found = over.filter(pl.col("size") > 0)
    return (
        found.filter(pl.col("cohort").is_in(newest.implode())),
        found.filter(pl.col("cohort").is_in(before.implode())),
    )


def _sum(rows: "pl.DataFrame") -> tuple[int, int]:
    return int(rows["people"].sum()), int(rows["size"].sum())
