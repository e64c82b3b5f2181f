"""What markov goes by in a look at one person: removal effects, stored with the scores.

They follow from how many paths took which step of the chain. These counts are stored too, so that a
scoring takes only those people out and puts them in again whose paths may have changed since.
"""

import math
from datetime import UTC, datetime

import numpy as np

from mi_core.attribution.markov import Chain
from mi_core.attribution.models import effects_of_removal
from mi_core.attribution.paths import LAKE, Scope, Source, stage_paths
from mi_core.definitions import AttributionRules, Definitions
from mi_core.relations import relation_sql
from mi_core.scoring import More, Since, naive_utc, period_before
from mi_core.warehouse import Warehouse

DAYS = 90
"""Removal effects are those of so many days before `as_of`."""

COLUMNS = {
    "as_of": "timestamp",
    "config_version": "varchar",
    "days": "integer",
    "channel": "varchar",
    "removal_effect": "double",
}
"""Of the lake's table `removal_effect`."""


def _of_path_event(view: str) -> str:
    """The rows of a view of everybody's events that the events in `path_event` give."""
    return f"from ({relation_sql(view).replace('lake.user_event', 'path_event')})"


_SOME = Source(
    _of_path_event("views/touchpoint"),
    _of_path_event("views/conversion"),
    # When an address was left changes no step.
    "select null::uuid as user_id, null::timestamp as email_captured_at limit 0",
)
"""The touchpoints and conversions of some people, by the views of everybody's."""


def removal_effects_to_store(
    warehouse: Warehouse, definitions: Definitions, *, as_of: datetime
) -> More:
    """What `scoring.score` needs to know to store them with the scores as of then."""
    return More(
        tables=("removal_effect", "chain_step"),
        days=DAYS,
        oldest_day=_oldest_day(definitions),
        stage=lambda since: stage_removal_effects(warehouse, definitions, since, as_of=as_of),
    )


def removal_effects(
    warehouse: Warehouse, definitions: Definitions, *, as_of: datetime, days: int = DAYS
) -> dict[str, float]:
    """Of each channel under markov, over everybody's paths; empty where that model abstains."""
    rules = _without_draws(definitions)
    with warehouse.reading():
        _stage_steps(warehouse, "chain_step", Scope(*period_before(as_of, days)), rules, LAKE)
        return _effects(warehouse, rules)


def stage_removal_effects(
    warehouse: Warehouse, definitions: Definitions, since: Since | None, *, as_of: datetime
) -> None:
    """Stage `removal_effect` and `chain_step` as the lake's tables have them.

    They are the same as `removal_effects`; where only some people have changed `since` a run that
    stored steps, for less.
    """
    rules, moment = _without_draws(definitions), naive_utc(as_of)
    with warehouse.reading() as snapshot:
        if since and _has_kept(warehouse, definitions, since):
            _stage_again(warehouse, definitions, since, as_of, snapshot)
        else:
            scope = Scope(*period_before(as_of, DAYS))
            _stage_steps(warehouse, "chain_step", scope, rules, LAKE)
        effects = _effects(warehouse, rules)
    about = {"as_of": moment.isoformat(), "config_version": definitions.version, "days": DAYS}
    warehouse.stage("chain_step", "attribution/chain_stored", snapshot=snapshot, **about)
    nothing: list[tuple[str | None, float | None]] = [(None, None)]
    found = [*effects.items()] or nothing
    rows = [{**about, "channel": channel, "removal_effect": each} for channel, each in found]
    warehouse.load_rows("removal_effect", rows, COLUMNS)


def stored_removal_effects(
    warehouse: Warehouse, definitions: Definitions, *, as_of: datetime
) -> dict[str, float]:
    """The same as `removal_effects`: as stored with the scores of `as_of`, else computed.

    What was stored goes by the events that the scoring saw.
    """
    wanted = (naive_utc(as_of), definitions.version, DAYS)
    rows = warehouse.query("attribution/removal_effect").fetchall()
    stored = {channel: effect for *about, channel, effect in rows if tuple(about) == wanted}
    if not stored:
        return removal_effects(warehouse, definitions, as_of=as_of)
    return {channel: effect for channel, effect in stored.items() if channel is not None}


def _without_draws(definitions: Definitions) -> AttributionRules:
    return definitions.attribution.model_copy(update={"draws": 0})


def _oldest_day(definitions: Definitions) -> int:
    return DAYS + math.ceil(definitions.attribution.lookback_days)


def _has_kept(warehouse: Warehouse, definitions: Definitions, since: Since) -> bool:
    """Whether the stored steps are of that run."""
    rows = warehouse.query("attribution/chain_kept").fetchall()
    return rows == [(since.as_of, definitions.version, DAYS, since.lake_snapshot)]


def _stage_again(
    warehouse: Warehouse, definitions: Definitions, since: Since, as_of: datetime, snapshot: int
) -> None:
    """Stage everybody's steps from those stored, by the paths of the people in `scope_person`."""
    versions = {"since": since.lake_snapshot, "snapshot": snapshot}
    [(is_any_gone,)] = warehouse.query("attribution/removed_event", **versions).fetchall()
    events_then = "scope_event"
    if not is_any_gone:
        period = {"as_of": naive_utc(as_of), "last_as_of": since.as_of, "days": DAYS}
        last = since.lake_snapshot
        warehouse.stage("path_person", "attribution/path_person", last_snapshot=last, **period)
    else:
        warehouse.sql("create or replace temp table path_person as from scope_person")
        events_then = "event_then"
        days = _oldest_day(definitions)
        reads = {"as_of": since.as_of, "oldest_day": days, "version": since.lake_snapshot}
        warehouse.stage(events_then, "scores/changed_event", **reads)
    then = since.as_of.replace(tzinfo=UTC)
    for step, moment, events, version in (
        ("step_before", then, events_then, since.lake_snapshot),
        ("step_now", as_of, "scope_event", snapshot),
    ):
        with warehouse.view("changed_event", f"from temp.{events}"):
            warehouse.stage("path_event", "attribution/path_event", version=version)
        scope = Scope(*period_before(moment, DAYS))
        _stage_steps(warehouse, step, scope, _without_draws(definitions), _SOME)
    warehouse.stage("chain_step", "attribution/chain_step_next")


def _stage_steps(
    warehouse: Warehouse, table: str, scope: Scope, rules: AttributionRules, source: Source
) -> None:
    """Stage as `table` how many of the paths took which step."""
    stage_paths(warehouse, scope, rules, source=source)
    order = rules.markov_order
    warehouse.stage("transition", "attribution/transition", order=order)
    warehouse.stage(table, "attribution/chain_step", order=order)


def _effects(warehouse: Warehouse, rules: AttributionRules) -> dict[str, float]:
    """Of each channel, from the steps in `chain_step`."""
    keys = warehouse.stage("chain_key", "attribution/chain_key")
    edges = warehouse.arrays("attribution/chain_edge", order=rules.markov_order)
    chain = Chain.from_edges(edges["from_state"], edges["to_state"], keys)
    names = warehouse.sql("select key from chain_key order by code").fetchall()
    times = edges["times"].astype(np.float64)
    return effects_of_removal(chain, times, [name for (name,) in names], rules)
