"""The credit of one person's touchpoints, under each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mi_core.attribution.models import MODELS, effects_of_removal
from mi_core.attribution.paths import PERSON, Scope, stage_paths
from mi_core.attribution.statistics import stage_touch_credit
from mi_core.definitions import Definitions
from mi_core.scoring import naive_utc, period_before
from mi_core.warehouse import Warehouse

EVER = timedelta(days=36_500)
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


@dataclass(frozen=True, slots=True)
class TouchCredit:
    """A touchpoint before a conversion, in naive UTC, and its share of it under each model.

    `credit` has no `markov` where no removal effects are known of the path's channels.
    """

    conversion_id: UUID
    converted_at: datetime
    event_id: UUID
    touched_at: datetime
    channel: str
    credit: Mapping[str, float]


def removal_effects(
    warehouse: Warehouse, definitions: Definitions, *, as_of: datetime, days: int = DAYS
) -> dict[str, float]:
    """Of each channel under markov, over everybody's paths; empty where that model abstains."""
    rules = definitions.attribution.model_copy(update={"draws": 0})
    with warehouse.reading():
        stage_paths(warehouse, Scope(*period_before(as_of, days)), rules)
        return effects_of_removal(warehouse, rules)


def stage_removal_effects(
    warehouse: Warehouse, definitions: Definitions, *, as_of: datetime
) -> None:
    """Stage them as `removal_effect`, in the columns of the lake's table, for `scoring.score`."""
    effects = removal_effects(warehouse, definitions, as_of=as_of)
    about = {
        "as_of": naive_utc(as_of).isoformat(),
        "config_version": definitions.version,
        "days": DAYS,
    }
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


def stage_person_events(
    warehouse: Warehouse, definitions: Definitions, user_id: UUID, *, as_of: datetime
) -> int:
    """Stage all of a person's events before `as_of` as `person_event`; returns how many."""
    return warehouse.stage(
        "person_event",
        "journeys/person_event",
        user_id=user_id,
        as_of=naive_utc(as_of),
        etypes=list(definitions.etypes),
        phases=[etype.phase for etype in definitions.etypes.values()],
    )


def touch_credits(
    warehouse: Warehouse,
    definitions: Definitions,
    *,
    as_of: datetime,
    effects: Mapping[str, float],
) -> list[TouchCredit]:
    """The touchpoints with credit for the conversions in `person_event`, in order of time.

    `as_of` is what the person's events were staged as of.

    A rule's shares follow from the path alone. So do shapley's under the value function
    `conversions`: each channel of the path has as much, in equal parts for its touchpoints. Under
    markov, touchpoints have credit in proportion to their channels' removal `effects`; summed up
    over people, that is near but not the channels' credit under markov.

    Touchpoints that the path's transform leaves out, such as all but the last of a run, have none.
    """
    until = naive_utc(as_of)
    scope = Scope(until - EVER, until, with_nulls=False)
    stage_paths(warehouse, scope, definitions.attribution, source=PERSON)
    stage_touch_credit(warehouse, definitions.attribution)
    rows = [{"key": key, "effect": effect} for key, effect in effects.items() if effect == effect]
    warehouse.load_rows("channel_effect", rows, {"key": "varchar", "effect": "double"})
    found = warehouse.query("attribution/person_credit").fetchall()
    return [
        TouchCredit(conversion, converted_at, event, touched_at, channel, _known(shares))
        for conversion, converted_at, event, touched_at, channel, *shares in found
    ]


def _known(shares: Sequence[float | None]) -> dict[str, float]:
    """The shares by model, without that of a model that has none."""
    return {model: share for model, share in zip(MODELS, shares, strict=True) if share is not None}
