"""The two ways in: the workspace's own paths, or a table of paths that people bring along."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from mi_core.attribution.models import MODELS, estimate
from mi_core.attribution.path_table import stage_path_table
from mi_core.attribution.paths import BY, Scope, stage_paths
from mi_core.attribution.result import (
    Attribution,
    credit_frame,
    disagreement_frame,
    move_frame,
    removal_frame,
)
from mi_core.definitions import AttributionRules, Definitions, load_definitions
from mi_core.definitions.checks import attribution_problems
from mi_core.errors import BadValue, UnknownName
from mi_core.scoring import period_before
from mi_core.settings import load_settings
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

CENTS = 100.0
PATHS_SHOWN = 50

NO_TIMES = {
    "w_shaped": "A path table doesn't say when an address was left.",
    "time_decay": "A path table doesn't say how long before the conversion each touchpoint was.",
}


def attribute(
    warehouse: Warehouse,
    definitions: Definitions,
    models: Sequence[str] | None = None,
    *,
    by: str = "channel",
    conversion: str | None = None,
    as_of: datetime,
    days: int = 90,
    seed: int = 0,
    **changes: Any,
) -> Attribution:
    """Share the conversions of a period out over the touchpoints before them.

    Parameters
    ----------
    models
        Some of `MODELS`; default: all.
    by
        What gets the credit, one of `BY`.
    conversion
        An event type or name flagged as a conversion; default: all of them.
    as_of
        Exclusive end of the period, with a time zone; it begins `days` before.
    seed
        Of the bootstrap: the same seed, the same intervals.
    changes
        Values of `AttributionRules` in place of those of attribution.toml, such as
        `lookback_days=7`, `transform="unique"`, `markov_order=2`, `draws=0`.

    Raises
    ------
    UnknownName
        A model, column, conversion or rule that isn't there; it names the nearest.
    BadValue
        A value that can't be.
    """
    rules, chosen = _rules(definitions, changes), _models(models)
    _check_seed(seed)
    if by not in BY:
        raise UnknownName("column to count by", by, BY)
    since, until = period_before(as_of, days)
    _check_conversion(definitions, conversion)
    scope = Scope(since, until, by, conversion)
    with warehouse.reading() as snapshot:
        # Frequency makes keys such as email(2), on which nothing was spent.
        spend = {} if rules.transform == "frequency" else _spend(warehouse, scope)
        [(spend_days, unplaced)] = warehouse.query(
            "attribution/spend_known", since=scope.since, until=scope.until
        ).fetchall()
        stage_paths(warehouse, scope, rules, more_keys=list(spend))
        [(persons,)] = warehouse.sql("select count(distinct user_id) from journey").fetchall()
        return _answer(
            warehouse,
            rules,
            chosen,
            by=by,
            unit=CENTS,
            seed=seed,
            spend=spend,
            conversion=conversion,
            since=scope.since,
            until=until,
            persons=persons,
            lookback_days=rules.lookback_days,
            config_version=definitions.version,
            lake_snapshot=snapshot,
            spend_days=spend_days,
            spend_without_campaign=unplaced / CENTS,
        )


def attribute_paths(
    paths: "Path | str | pl.DataFrame",
    models: Sequence[str] | None = None,
    *,
    definitions: Definitions | None = None,
    seed: int = 0,
    **changes: Any,
) -> Attribution:
    """Share the conversions of a path table out; needs no workspace.

    Parameters
    ----------
    paths
        A frame, or a file (CSV, Parquet, JSON): `path`, a list or text joined by `>`,
        `conversions`, and if known `nulls` (times that the path ended without one) and `value` (of
        all its conversions). ChannelAttribution's names are understood too.
    models
        Some of `MODELS`; default: all that need no times.
    definitions
        Whose attribution.toml counts; default: the package's.
    changes
        As in `attribute`; paths are taken as they are (`transform="unique"`) unless it says else.

    Raises
    ------
    UnknownName, BadValue
        As in `attribute`.
    IngestError
        A table that can't be read, or a row that says what can't be.
    """
    definitions = definitions or load_definitions()
    rules, chosen = _rules(definitions, {"transform": "unique"} | changes), _models(models)
    _check_seed(seed)
    warehouse = Warehouse(Path(), load_settings())
    try:
        stage_path_table(warehouse, paths, rules, seed=seed)
        return _answer(
            warehouse,
            rules,
            chosen,
            by="channel",
            unit=1.0,
            seed=seed,
            spend={},
            abstained={model: NO_TIMES[model] for model in chosen if model in NO_TIMES},
        )
    finally:
        warehouse.close()


def _answer(
    warehouse: Warehouse,
    rules: AttributionRules,
    models: Sequence[str],
    *,
    by: str,
    unit: float,
    seed: int,
    spend: Mapping[str, float],
    abstained: dict[str, str] | None = None,
    conversion: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    persons: int | None = None,
    lookback_days: float | None = None,
    config_version: str | None = None,
    lake_snapshot: int | None = None,
    spend_days: int | None = None,
    spend_without_campaign: float = 0.0,
) -> Attribution:
    """Run the models over the staged paths and put their figures into frames."""
    found = estimate(warehouse, rules, models, seed=seed, abstained=abstained)
    answered = [model for model in models if model in found.by_model]
    level, totals = rules.level, found.totals
    credits = credit_frame(found, answered, by, unit=unit, spend=spend, level=level)
    paths = warehouse.relation("attribution/top_path", paths=PATHS_SHOWN)
    return Attribution(
        credits=credits,
        disagreement=disagreement_frame(credits, by),
        moves=move_frame(found, answered, by, level=level),
        paths=paths.drop("paths_in_all").with_columns(value=paths["value"] / unit),
        removal_effects=removal_frame(found, by, level=level),
        base_rate=float(found.removal.base[0]) if found.removal else None,
        abstained=found.abstained,
        assumptions={m: said for m, said in found.assumptions.items() if m in answered},
        by=by,
        conversion=conversion,
        since=since,
        until=until,
        lookback_days=lookback_days,
        transform=rules.transform,
        direct=rules.direct,
        conversions=int(totals.conversions.sum() + totals.unattributed.sum()),
        value=float(totals.value.sum() + totals.unattributed_value.sum()) / unit,
        unattributed_conversions=int(totals.unattributed.sum()),
        unattributed_value=float(totals.unattributed_value.sum()) / unit,
        null_paths=int(totals.nulls.sum()),
        persons=persons,
        paths_in_all=paths["paths_in_all"].item(0) if paths.height else 0,
        groups=totals.groups,
        draws=rules.draws,
        seed=seed,
        level=level,
        config_version=config_version,
        lake_snapshot=lake_snapshot,
        spend_days=spend_days,
        spend_without_campaign=spend_without_campaign,
    )


def _spend(warehouse: Warehouse, scope: Scope) -> dict[str, float]:
    """What was spent on each key in the period, in the currency's unit."""
    rows = warehouse.query(
        "attribution/spend", by=scope.by, since=scope.since, until=scope.until
    ).fetchall()
    return {key: cents / CENTS for key, cents in rows}


def _models(models: Sequence[str] | None) -> list[str]:
    """The models asked for, in the order of `MODELS`; one may come by itself."""
    models = [models] if isinstance(models, str) else models
    for model in models or ():
        if model not in MODELS:
            raise UnknownName("attribution model", model, MODELS)
    return [model for model in MODELS if models is None or model in models]


def _rules(definitions: Definitions, changes: Mapping[str, Any]) -> AttributionRules:
    """Those of the definitions with `changes`, checked as the definitions are."""
    fields = AttributionRules.model_fields
    for name in changes:
        if name not in fields:
            raise UnknownName("rule of attribution", name, fields)
    base = definitions.attribution.model_dump()
    try:
        rules = AttributionRules.model_validate(base | dict(changes))
    except ValidationError as error:
        raise _refusal(error) from None
    changed = definitions.model_copy(update={"attribution": rules})
    for (_, *parts), problem in attribution_problems(changed):
        raise BadValue(f"{'.'.join(parts)} {problem}")
    return rules


def _refusal(error: ValidationError) -> UnknownName | BadValue:
    [problem, *_] = error.errors()
    name = ".".join(map(str, problem["loc"]))
    if problem["type"] == "literal_error":
        allowed = get_args(AttributionRules.model_fields[name].annotation)
        return UnknownName(name, str(problem["input"]), allowed)
    should = problem["msg"].removeprefix("Input should be ")
    return BadValue(f"{name} is {problem['input']!r}, but should be {should}.")


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise BadValue(f"A seed is 0 or more, not {seed}.")


def _check_conversion(definitions: Definitions, conversion: str | None) -> None:
    events = {name: event for name, event in definitions.events.items() if event.conversion}
    allowed = {*events, *(event.etype for event in events.values() if event.etype)}
    if conversion is not None and conversion not in allowed:
        raise UnknownName("conversion", conversion, allowed)
