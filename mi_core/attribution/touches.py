"""The credit of one person's touchpoints, under each model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mi_core.attribution.attribute import attribute
from mi_core.attribution.models import MODELS
from mi_core.attribution.paths import Scope, stage_paths
from mi_core.attribution.statistics import stage_touch_credit
from mi_core.definitions import Definitions
from mi_core.scoring import naive_utc
from mi_core.warehouse import Warehouse

EVER = timedelta(days=36_500)


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
    warehouse: Warehouse, definitions: Definitions, *, as_of: datetime, days: int = 90
) -> dict[str, float]:
    """Of each channel under markov, over everybody's paths; empty where that model abstains."""
    found = attribute(warehouse, definitions, ["markov"], as_of=as_of, days=days, draws=0)
    return dict(found.removal_effects.select("channel", "removal_effect").iter_rows())


def touch_credits(
    warehouse: Warehouse,
    definitions: Definitions,
    user_id: UUID,
    *,
    as_of: datetime,
    effects: Mapping[str, float],
) -> list[TouchCredit]:
    """The touchpoints with credit for a person's conversions before `as_of`, in order of time.

    A rule's shares follow from the path alone. So do shapley's under the value function
    `conversions`: each channel of the path has as much, in equal parts for its touchpoints. Under
    markov, touchpoints have credit in proportion to their channels' removal `effects`; summed up
    over people, that is near but not the channels' credit under markov.

    Touchpoints that the path's transform leaves out, such as all but the last of a run, have none.
    """
    until = naive_utc(as_of)
    scope = Scope(until - EVER, until, with_nulls=False)
    stage_paths(warehouse, scope, definitions.attribution, user_id=user_id)
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
