"""How a mix moves: shares then and now of people most of whom were there both times."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mi_core.stories.comparing import Change, of_moves, of_shares

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = ("persona", "label", "people", "people_then", "stayed", "came", "went", "new", "gone")


def mix(moves: "pl.DataFrame", names: Mapping[str, str]) -> "pl.DataFrame":
    """One row per persona of `names`, from `reports/persona_move`.

    `people, share` now, `people_then, share_then`; `stayed`; `came` from another kind and `went` to
    one; `new`, who weren't there then, and `gone`, who aren't now. Nobody was there then: null.
    """
    import polars as pl

    rows = [(slug, label, *_counts(moves, slug)) for slug, label in names.items()]
    frame = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
    share, then = (
        pl.when(pl.col(name).sum() > 0).then(pl.col(name) / pl.col(name).sum())
        for name in ("people", "people_then")
    )
    return frame.with_columns(share.alias("share"), then.alias("share_then"))


def change(moves: "pl.DataFrame", names: Mapping[str, str], slug: str) -> Change:
    """The change of one persona's share, as one of all that are looked at."""
    cells = (
        (people, now == slug if now else None, then == slug if then else None)
        for then, now, people in _cells(moves)
    )
    return of_moves(cells, among=len(names))


def movers(moves: "pl.DataFrame") -> tuple[int, int]:
    """How many people there were both times, and how many of these are of another kind now."""
    both = [(then, now, people) for then, now, people in _cells(moves) if then and now]
    return sum(row[2] for row in both), sum(row[2] for row in both if row[0] != row[1])


def main_source(moves: "pl.DataFrame", slug: str) -> tuple[str, int] | None:
    """The persona from which most came to this one, and how many."""
    found = [
        (then, people)
        for then, now, people in _cells(moves)
        if now == slug and then and then != slug
    ]
    return max(found, key=lambda row: (row[1], row[0]), default=None)


def compared(frame: "pl.DataFrame", name: str) -> dict[str, tuple[int, int, Change]]:
    """Persona → its people of whom `name` holds, all its people, and that against all others.

    All personas are looked at together.
    """
    counted = {
        slug: (part, size) for slug, part, size in frame.select("persona", name, "people").rows()
    }
    parts = sum(part for part, _ in counted.values())
    sizes = sum(size for _, size in counted.values())
    among = max(1, sum(size > 0 for _, size in counted.values()))
    return {
        slug: (part, size, of_shares(part, size, parts - part, sizes - size, among=among))
        for slug, (part, size) in counted.items()
    }


def _counts(moves: "pl.DataFrame", slug: str) -> tuple[int, ...]:
    cells = list(_cells(moves))
    now = sum(people for _, to, people in cells if to == slug)
    then = sum(people for was, _, people in cells if was == slug)
    stayed = sum(people for was, to, people in cells if was == to == slug)
    new = sum(people for was, to, people in cells if to == slug and was is None)
    gone = sum(people for was, to, people in cells if was == slug and to is None)
    return now, then, stayed, now - stayed - new, then - stayed - gone, new, gone


def _cells(moves: "pl.DataFrame") -> "list[tuple[str | None, str | None, int]]":
    return moves.select("persona_then", "persona_now", "people").rows()
