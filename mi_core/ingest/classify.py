"""Typed events follow the taxonomy: when it changes, so does what the lake's events are.

`analytics_events` keeps each event as it came; `user_event` is what the taxonomy, the channel rules
and the measures make of it. The lake remembers by which version of these its events were typed.
"""

import hashlib
import json
from collections.abc import Callable

from mi_core.definitions import Definitions
from mi_core.relations import relation_sql
from mi_core.warehouse import Warehouse

_TYPING = ("session_first", "typed_event", "channel_evidence", "channel_class", "user_event")
_LOOKED_FOR = (
    "utm_source",
    "utm_medium",
    "referrer",
    "campaign_id",
    "utm_campaign",
    "creative_id",
    "utm_content",
    "template_id",
    "item_id",
    "item_type",
    "network",
)
"""Properties in the order that typed_event.sql counts on."""

Progress = Callable[[str, int, int], None]
"""Called with a step in words, how much of it is done, and how much there is."""


def silent(step: str, done: int, total: int) -> None:
    """Progress for those who don't look."""


def type_events(warehouse: Warehouse, definitions: Definitions) -> None:
    """Stage `scope_event`, rows of user_event, from `accepted_event` and `session_first`."""
    measures = definitions.measures
    factors = measures.duration_ms | measures.value_cents
    warehouse.stage(
        "typed_event",
        "staging/typed_event",
        names=[f'$."{name}"' for name in (*_LOOKED_FOR, *factors)],
        factors=list(factors.values()),
        durations=len(measures.duration_ms),
        click_flags=[f"has_{name}" for name in definitions.channels.click_ids],
    )
    warehouse.stage("channel_evidence", "staging/channel_evidence")
    warehouse.stage("channel_class", "staging/channel_class")
    warehouse.stage("scope_event", "staging/user_event")


def classification_version(definitions: Definitions) -> str:
    """12 hex digits that change with whatever decides how an event is typed."""
    parts = definitions.config()
    decisive = {name: parts[name] for name in ("events", "channels", "measures")}
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
    text += "".join(relation_sql(f"staging/{name}") for name in _TYPING)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def keep_classified(
    warehouse: Warehouse, definitions: Definitions, *, progress: Progress = silent
) -> bool:
    """Type the lake's events again if other definitions typed them; tells whether it did."""
    version = classification_version(definitions)
    if _current(warehouse) == version:
        return False
    everything = "select *, null as reason from lake.analytics_events"
    with warehouse.view("staged", everything), warehouse.publish(f"classification {version}"):
        if _current(warehouse) == version:
            return False
        _retype(warehouse, definitions, progress)
        warehouse.sql("delete from lake.classification")
        warehouse.sql("insert into lake.classification values ($version)", {"version": version})
    return True


def _current(warehouse: Warehouse) -> str | None:
    row = warehouse.sql("select version from lake.classification").fetchone()
    return row[0] if row else None


def _retype(warehouse: Warehouse, definitions: Definitions, progress: Progress) -> None:
    months = warehouse.sql(
        "select distinct date_trunc('month', occurred_at)::timestamp as month"
        " from lake.analytics_events order by month"
    ).fetchall()
    warehouse.sql("delete from lake.user_event")
    warehouse.sql("delete from lake.user_milestone")
    warehouse.stage("session_first", "staging/session_first", since=None, until=None)
    for number, (month,) in enumerate(months):
        progress("Typing events again", number, len(months))
        warehouse.stage("accepted_event", "staging/stored_event", month=month)
        type_events(warehouse, definitions)
        warehouse.sql("insert into lake.user_event by name from scope_event")
        write_milestones(warehouse)


def write_milestones(warehouse: Warehouse) -> None:
    """Bring the milestones of the people in `scope_event` up to date; `milestone_next` has them."""
    warehouse.stage("milestone_new", "scores/milestone")
    warehouse.stage("milestone_next", "staging/milestone_next")
    warehouse.sql(
        "delete from lake.user_milestone where user_id in (select user_id from milestone_next)"
    )
    warehouse.sql("insert into lake.user_milestone by name from milestone_next")
