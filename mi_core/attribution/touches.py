"""What markov goes by in a look at one person: removal effects, stored with the scores."""

from datetime import datetime

from mi_core.attribution.models import effects_of_removal
from mi_core.attribution.paths import Scope, stage_paths
from mi_core.definitions import Definitions
from mi_core.scoring import naive_utc, period_before
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
