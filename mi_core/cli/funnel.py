"""`mi funnel`: who gets how far, and how fast."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal, words
from mi_core.cli.app import AsOfScoring, Json, WorkspacePath, note_where_events_lie, open_workspace

if TYPE_CHECKING:
    from mi_core.funnels import Funnel

Row = Mapping[str, Any]


def funnel(
    steps: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STEP…",
            help="Two or more event types or names, in their order. Default: those of funnel.toml.",
        ),
    ] = None,
    order: Annotated[
        str,
        typer.Option(
            metavar="ORDER",
            help="ordered: other events may lie between the steps; strict: none may; "
            "any: the steps in any order.",
        ),
    ] = "ordered",
    window_days: Annotated[
        float,
        typer.Option("--window", metavar="DAYS", help="From the first step to the last, at most."),
    ] = 14,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="EVENT",
            help="Leave out who does this between the first and the last step, or EVENT:A-B, "
            "between steps A and B; may be repeated.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="BREAKDOWN", help="By persona, or channel or campaign that led in."),
    ] = None,
    as_of: AsOfScoring = None,
    days: Annotated[int, typer.Option(min=1, help="Days that it covers.")] = 90,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show how many people take some steps one after the other, and how long it takes them."""
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        progress("Following people", 0, 1)
        found = opened.funnel(
            steps or None,
            order=order,
            window_days=window_days,
            exclude=exclude or (),
            by=by,
            as_of=as_of,
            days=days,
        )
        if not as_json:
            note_where_events_lie(opened, found.since.date())
    terminal.write(found.as_dict() if as_json else _in_short(found), as_json=as_json)
    if not as_json:
        terminal.note("\n" + "\n".join(_remarks(found)))


def _in_short(found: "Funnel") -> dict[str, object]:
    steps = list(_steps(found))
    return {
        "since": found.since,
        "until": found.until,
        "order": found.order,
        "window": words.days(found.window_days),
        **({"left_out": found.excluded} if found.exclusions else {}),
        **({"steps": steps} if steps else {}),
    }


def _steps(found: "Funnel") -> Iterator[dict[str, object]]:
    for row in found.steps.to_dicts():
        yield {
            **({found.by: row["breakdown"]} if found.by else {}),
            "step": row["step"],
            "people": row["people"],
            "of the step before": words.percent(row["rate_of_previous"]),
            "of the first": words.percent(row["rate_of_first"]),
            "median time": words.days(row["median_days"]),
            "middle half": _spread(row),
            "still open": row["open"],
        }


def _spread(row: Row) -> str:
    if row["p25_days"] is None:
        return words.days(None)
    return words.between(row["p25_days"], row["p75_days"], words.days)


def _remarks(found: "Funnel") -> Iterator[str]:
    if found.order == "any":
        yield "A step stands for so many of the steps, whichever they are."
    yield "Times are from the step before. Still open: people who may yet go on, in their window."
    if found.exclusions:
        yield f"Left out: who did {words.listed(found.exclusions)} (between these steps)."
