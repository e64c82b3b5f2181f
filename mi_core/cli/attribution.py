"""`mi attribution`: which marketing earned the conversions, by all models side by side."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal, words
from mi_core.cli.app import (
    AsOfScoring,
    Json,
    WorkspacePath,
    definitions_in_force,
    note_where_events_lie,
    open_workspace,
)

if TYPE_CHECKING:
    from mi_core.attribution import Attribution

Row = Mapping[str, Any]

FEW_DRAWS = 100
_MODELS = (
    "first_touch, last_touch, last_non_direct, linear, position_based, w_shaped, time_decay, "
    "markov, shapley"
)


def attribution(
    context: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NAME", help=f"In detail: {_MODELS}; may be repeated."),
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="What gets the credit: channel, campaign, creative, email, post, event, "
            "etype, persona.",
        ),
    ] = "channel",
    conversion: Annotated[
        str | None, typer.Option(metavar="TYPE", help="One event type or name. Default: all.")
    ] = None,
    as_of: AsOfScoring = None,
    days: Annotated[int, typer.Option(min=1, help="Days that it covers.")] = 90,
    lookback_days: Annotated[
        float | None,
        typer.Option("--lookback", metavar="DAYS", help="Of a path, before its conversion."),
    ] = None,
    transform: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of paths: unique, exposure, first, frequency."),
    ] = None,
    direct: Annotated[
        str | None, typer.Option(metavar="NAME", help="Visits: keep, remove, remove_last.")
    ] = None,
    max_touches: Annotated[
        int | None, typer.Option(help="Only so many touchpoints, the last; 0: all.")
    ] = None,
    order: Annotated[
        int | None, typer.Option(help="Of markov: touches looked back, 1 to 4.")
    ] = None,
    value_function: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Of shapley: conversions, conversion_rate."),
    ] = None,
    draws: Annotated[
        int | None, typer.Option(help="Of people, for intervals; 0: no intervals.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of these: the same seed, the same intervals.")
    ] = 0,
    paths: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Your own paths, in place of the workspace's: CSV, Parquet or JSON Lines with "
            "path (a > b), conversions, nulls, value.",
        ),
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show which marketing earned the conversions, by nine models with intervals."""
    rules: dict[str, Any] = {
        "transform": transform,
        "direct": direct,
        "max_touches": max_touches,
        "order": order,
        "value_function": value_function,
        "draws": draws,
        "seed": seed,
    }
    if paths:
        _refuse_with_paths(context)
        found = _of_table(paths, models, workspace, rules)
    else:
        with open_workspace(workspace) as opened, terminal.progress() as progress:
            progress("Following paths", 0, 1)
            found = opened.attribution(
                models,
                by=by,
                conversion=conversion,
                as_of=as_of,
                days=days,
                lookback_days=lookback_days,
                **rules,
            )
            if found.since and not as_json:
                note_where_events_lie(opened, found.since.date())
    terminal.write(found.as_dict() if as_json else _in_short(found, models), as_json=as_json)
    if not as_json:
        terminal.note("\n" + "\n".join(_remarks(found, models)))


def _of_table(
    paths: Path, models: Sequence[str] | None, workspace: Path | None, rules: Mapping[str, Any]
) -> "Attribution":
    from mi_core.attribution import attribute_paths

    changes = {
        "markov_order" if name == "order" else name: value
        for name, value in rules.items()
        if value is not None
    }
    return attribute_paths(paths, models, definitions=definitions_in_force(workspace), **changes)


def _refuse_with_paths(context: typer.Context) -> None:
    """Options about the workspace's paths must not be taken as if they did something."""
    options = {
        "by": "--by",
        "conversion": "--conversion",
        "as_of": "--as-of",
        "days": "--days",
        "lookback_days": "--lookback",
    }
    for name, option in options.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{option} is not for --paths, which has its own paths.")


def _in_short(found: "Attribution", models: Sequence[str] | None) -> dict[str, object]:
    """All models side by side, and those that were asked for in detail."""
    credits = found.credits.to_dicts()
    details = {
        f"credit by {words.plain(model)}": list(_detail(found.by, credits, model))
        for model in models or ()
    }
    matrices = {
        f"conversions by {found.by}": _matrix(found.by, credits, "conversions", words.amount),
        f"CPA by {found.by}": _matrix(found.by, credits, "cpa", words.price),
    }
    # Of one model, the detail says all of it.
    tables = details if len(details) == 1 else matrices | details
    return _facts(found) | {title: rows for title, rows in tables.items() if rows}


def _facts(found: "Attribution") -> dict[str, object]:
    period = {} if found.since is None else {"since": found.since, "until": found.until}
    # A path table needn't say how often its paths ended without one.
    nulls = f", {words.number(found.null_paths)} without" if found.null_paths else ""
    spread = f"{found.level:.0%} of {words.count(found.draws, 'draw')} of people"
    return {
        **period,
        "conversions": found.conversions,
        "value": words.price(found.value),
        "without_touchpoints": found.unattributed_conversions,
        "paths": f"{words.number(found.converting_paths)} with a conversion{nulls}",
        "intervals": spread if found.draws else "none",
    }


def _matrix(by: str, credits: Sequence[Row], figure: str, write: Any) -> list[dict[str, object]]:
    """Keys down, models across, the keys with most conversions first; only keys with a figure."""
    rows: dict[str, dict[str, object]] = {}
    for row in sorted(_keyed(by, credits), key=_most(by, credits)):
        if row[figure] is not None:
            named = rows.setdefault(row[by], {by: row[by]})
            named[words.stacked(row["model"])] = _with_spread(row, figure, write)
    headers = [words.stacked(model) for model in dict.fromkeys(row["model"] for row in credits)]
    return [{by: key} | {name: row.get(name) for name in headers} for key, row in rows.items()]


def _keyed(by: str, credits: Sequence[Row]) -> Iterator[Row]:
    """Without the row of what nothing is credited for, which has no share."""
    return (row for row in credits if row["share"] is not None)


def _most(by: str, credits: Sequence[Row]) -> Any:
    totals: dict[str, float] = {}
    for row in _keyed(by, credits):
        totals[row[by]] = totals.get(row[by], 0.0) + row["conversions"]
    return lambda row: (-totals[row[by]], row[by])


def _with_spread(row: Row, figure: str, write: Any) -> str:
    """`113 ±9`: half of the interval to either side, both without decimals from ten on."""
    low, high = row[f"{figure}_low"], row[f"{figure}_high"]
    write = words.number if row[figure] >= 10 else write
    spread = f" ±{write((high - low) / 2)}" if low is not None and high is not None else ""
    return f"{write(row[figure])}{spread}"


def _detail(by: str, credits: Sequence[Row], model: str) -> Iterator[dict[str, object]]:
    """A model's rows, each figure with the ends of its interval."""
    rows = [row for row in credits if row["model"] == model]
    for row in sorted(rows, key=lambda row: (row["share"] is None, -row["conversions"])):
        yield {
            by: row[by],
            "conversions": _with_ends(row, "conversions", words.amount),
            "share": words.percent(row["share"]),
            "value": _with_ends(row, "value", words.number),
            "spend": words.price(row["spend"]),
            "CPA": _with_ends(row, "cpa", words.price),
            "ROAS": _with_ends(row, "roas", words.price),
        }


def _with_ends(row: Row, figure: str, write: Any) -> str:
    low, high = row[f"{figure}_low"], row[f"{figure}_high"]
    ends = f" ({words.between(low, high, write)})" if low is not None and high is not None else ""
    return f"{write(row[figure])}{ends}"


def _remarks(found: "Attribution", models: Sequence[str] | None) -> Iterator[str]:
    """What the figures rest on, and which model had nothing to say."""
    for model, why in found.abstained.items():
        yield f"{words.plain(model)} abstains: {why}"
    for model, said in found.assumptions.items():
        yield f"{words.plain(model)}: {said}"
    yield from found.spend_gaps
    if found.since and not found.conversion:
        yield "All kinds of conversions count, each with its value: --conversion purchase for one."
    if 0 < found.draws < FEW_DRAWS:
        yield f"{words.count(found.draws, 'draw')} are few: the intervals are rough."
    yield f"Paths: transform {found.transform}, direct visits: {found.direct}."
    if not models:
        yield "With --model NAME: a model's value, spend, CPA and ROAS, each with its interval."
