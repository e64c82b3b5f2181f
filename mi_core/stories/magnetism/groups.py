"""Which groups of known people are at risk more often than the others, chance left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mi_core.stories import comparing
from mi_core.stories.comparing import Change

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.magnetism.figures import MagnetismReport

UNKNOWN = {"channel": "No known channel", "persona": "No persona"}

SHOWN = 10
"""Groups drawn of a kind; of the others there is a sentence."""

FEWEST = 5
"""People of a group; of fewer, nothing is said."""


@dataclass(frozen=True)
class Group:
    """The known people of one persona, or first seen through one channel.

    `low` and `high` are of an interval of the share at risk. `apart` is that share against the one
    of all others, as one of so many groups of the kind.
    """

    label: str
    people: int
    at_risk: int
    low: float
    high: float
    apart: Change

    @property
    def share(self) -> float:
        return self.at_risk / self.people


def groups(report: "MagnetismReport", kind: str) -> list[Group]:
    """The groups of a kind, `persona` or `channel`, those at risk most often first."""
    rows = report.groups.filter(report.groups["kind"] == kind)
    everybody = (int(rows["people"].sum()), int(rows["at_risk"].sum()))
    counted = rows.filter(rows["people"] >= FEWEST)
    found = [
        _group(report, kind, row["key"], (row["people"], row["at_risk"]), everybody, counted.height)
        for row in counted.iter_rows(named=True)
    ]
    return sorted(found, key=lambda each: (-each.share, -each.people, each.label))


def frame(report: "MagnetismReport", kind: str) -> "pl.DataFrame":
    """The `SHOWN` largest groups of a kind, as the chart takes them."""
    import polars as pl

    found = groups(report, kind)
    largest = sorted(found, key=lambda each: -each.people)[:SHOWN]
    rows = [_row(each) for each in found if each in largest]
    names = ("label", "people", "at_risk", "value", "low", "high", "others")
    return pl.DataFrame(rows, schema=None if rows else dict.fromkeys(names, pl.Float64))


def clearly_apart(report: "MagnetismReport", kind: str) -> Iterator[Group]:
    """Groups at risk clearly more often than all others of their kind."""
    return (each for each in groups(report, kind) if each.apart.low > 0)


def _group(
    report: "MagnetismReport",
    kind: str,
    key: str | None,
    own: tuple[int, int],
    everybody: tuple[int, int],
    among: int,
) -> Group:
    (people, at_risk), (all_people, all_at_risk) = own, everybody
    low, high = comparing.share_range(at_risk, people, among=among)
    apart = comparing.of_shares(
        at_risk, people, all_at_risk - at_risk, all_people - people, among=among
    )
    label = UNKNOWN[kind] if key is None else report.labels.get(key, key)
    return Group(label, people, at_risk, low, high, apart)


def _row(group: Group) -> dict[str, object]:
    return {
        "label": group.label,
        "people": group.people,
        "at_risk": group.at_risk,
        "value": group.share,
        "low": group.low,
        "high": group.high,
        "others": group.apart.before,
    }
