"""`mi retention`, `mi lifecycle`, `mi stickiness`: who comes back, and how often."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal, words
from mi_core.cli.app import AsOfScoring, Json, WorkspacePath, note_where_events_lie, open_workspace

if TYPE_CHECKING:
    from mi_core.retention import Retention

Row = Mapping[str, Any]

ANY = "any"
_WHAT = "an event's type or name, engagement (acts in the product), conversion, touch, any"
Event = Annotated[str, typer.Argument(metavar="EVENT", help=f"What is active: {_WHAT}.")]
Every = Annotated[str, typer.Option(metavar="PERIOD", help="day, week from Monday, or month.")]


def retention(
    start: Annotated[
        str, typer.Argument(metavar="START", help=f"What people start with: {_WHAT}.")
    ] = "engagement",
    returning: Annotated[
        str | None,
        typer.Option(metavar="EVENT", help="What they come back with. Default: as START."),
    ] = None,
    every: Every = "week",
    periods: Annotated[int, typer.Option(metavar="N", help="Periods after the first one.")] = 12,
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="Who starts: first_time, or recurring: in any period."),
    ] = "first_time",
    counting: Annotated[
        str,
        typer.Option(metavar="WAY", help="Who came back: on, or on_or_after: later ones, too."),
    ] = "on",
    by: Annotated[
        str | None, typer.Option(metavar="BREAKDOWN", help="The means by persona or channel.")
    ] = None,
    as_of: AsOfScoring = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show how many of those who started in a period came back, period by period."""
    with open_workspace(workspace) as opened:
        found = opened.retention(
            _event(start),
            returning,
            every=every,
            periods=periods,
            kind=kind,
            counting=counting,
            by=by,
            as_of=as_of,
        )
        if not (as_json or found.cohorts.is_empty()):
            note_where_events_lie(opened, found.cohorts["cohort"][0])
    terminal.write(found.as_dict() if as_json else _in_short(found), as_json=as_json)
    if not as_json:
        terminal.note(f"\n{_remark(found)}")


def lifecycle(
    event: Event = "engagement",
    every: Every = "week",
    days: Annotated[int, typer.Option(help="Back to the period so many days ago.")] = 90,
    as_of: AsOfScoring = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show new, returning, resurrecting and dormant people, period by period."""
    with open_workspace(workspace) as opened:
        found = opened.lifecycle(_event(event), every=every, as_of=as_of, days=days)
        if not as_json:
            note_where_events_lie(opened, found["period"][0])
    terminal.write(found if as_json else list(map(_marked, found.to_dicts())), as_json=as_json)
    if not (as_json or found["is_complete"].all()):
        terminal.note(f"\n* The {every} was still going on.")


def stickiness(
    event: Event = "engagement",
    every: Every = "day",
    days: Annotated[int, typer.Option(help="Back to the period so many days ago.")] = 30,
    as_of: AsOfScoring = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show how many people were active in how many periods."""
    with open_workspace(workspace) as opened:
        found = opened.stickiness(_event(event), every=every, as_of=as_of, days=days)
    shown = [row | {"share": words.percent(row["share"])} for row in found.to_dicts()]
    terminal.write(found if as_json else shown, as_json=as_json)


def _event(name: str) -> str | None:
    return None if name == ANY else name


def _in_short(found: "Retention") -> dict[str, object]:
    """A row of rates for each cohort and their mean; with a breakdown, the mean of each."""
    table = _means(found) if found.by else _triangle(found)
    tables = {f"share that came back after so many {found.every}s": table} if table else {}
    return {
        "start": found.start or "any event",
        "returning": found.returning or "any event",
        "people": f"{words.plain(found.kind)}, counted {words.plain(found.counting)}",
        "as_of": found.as_of,
        **tables,
    }


def _remark(found: "Retention") -> str:
    if not found.by and found.cohorts["is_complete"].all():
        return "The mean is over all cohorts that have got so far."
    if not found.by:
        return f"* The {found.every} was still going on; the mean leaves it out."
    if found.cohorts.is_empty():
        return "Nobody started in these periods."
    return "Means over the complete periods of all cohorts; --json has each cohort."


def _triangle(found: "Retention") -> list[dict[str, object]]:
    cohorts = found.cohorts.partition_by("cohort", maintain_order=True)
    rows = [_cohort(cohort.to_dicts(), cohorts[0].height) for cohort in cohorts]
    people = sum(cohort["size"][0] for cohort in cohorts)
    return [*rows, {"cohort": "mean", "people": people} | _rates(found.mean.to_dicts())]


def _cohort(cells: Sequence[Row], periods: int) -> dict[str, object]:
    """One row of the triangle, with nothing where a period hasn't begun."""
    shown = [_starred(words.percent(cell["rate"]), cell) for cell in cells[1:]]
    shown += [""] * (periods - len(cells))
    size = _starred(words.number(cells[0]["size"]), cells[0])
    named: dict[str, object] = {"cohort": str(cells[0]["cohort"]), "people": size}
    return named | {str(number): cell for number, cell in enumerate(shown, 1)}


def _means(found: "Retention") -> list[dict[str, object]]:
    assert found.by
    sizes: dict[str, int] = {}
    for row in found.cohorts.to_dicts():
        if row["period"] == 0:
            sizes[row["breakdown"]] = sizes.get(row["breakdown"], 0) + row["size"]
    return [
        {found.by: part["breakdown"][0], "people": sizes[part["breakdown"][0]]}
        | _rates(part.to_dicts())
        for part in found.mean.partition_by("breakdown", maintain_order=True)
    ]


def _rates(means: Iterable[Row]) -> dict[str, object]:
    return {
        str(row["period"]): words.percent(row["weighted_rate"]) for row in means if row["period"]
    }


def _marked(row: Row) -> dict[str, object]:
    """A row without `is_complete`, which its period tells by a star."""
    shown = {name: value for name, value in row.items() if name != "is_complete"}
    return shown | {"period": _starred(str(row["period"]), row)}


def _starred(text: str, row: Row) -> str:
    """With a star where the period was still going on."""
    return text if row["is_complete"] else f"{text}*"
