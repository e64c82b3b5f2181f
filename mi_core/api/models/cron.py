"""What scheduled work did."""

from typing import Annotated

from pydantic import Field

from mi_core.api.models.analytics import Count
from mi_core.api.models.base import Answer, Utc, example

Seconds = Annotated[float, Field(ge=0)]

STEP = {"name": "score", "seconds": 1.84}
VIEW = {"name": "mv_daily_funnel", "seconds": 0.021, "rows": 180}


class Step(Answer):
    """A step of the work, and how long it took."""

    model_config = example(**STEP)

    name: str
    seconds: Seconds


class View(Answer):
    """A stored view as it is now; `seconds` is what its own rows took to compute and write."""

    model_config = example(**VIEW)

    name: str
    seconds: Seconds
    rows: Count


class Refreshed(Answer):
    """What a refresh did: the inbox drained, everybody scored, the views stored."""

    model_config = example(
        as_of="2024-06-30T00:00:00Z",
        mode="incremental",
        reason="",
        events_drained=412,
        users_scored=800,
        users_recomputed=96,
        personas_changed=5,
        steps=[STEP],
        views=[VIEW],
        seconds=2.31,
    )

    as_of: Utc
    mode: str = Field(description="full or incremental; the same scores either way.")
    reason: str = Field(description="Why it was a full one; empty otherwise.")
    events_drained: Count
    users_scored: Count
    users_recomputed: Count
    personas_changed: Count
    steps: list[Step]
    views: list[View]
    seconds: Seconds


class QueueWorked(Answer):
    """What became of the leads that were taken: ten at most."""

    model_config = example(
        taken=10,
        completed=8,
        partial=1,
        failed=1,
        failed_permanent=0,
        put_off=1,
        waiting_for_batch=0,
        lost=0,
        due=14,
        stopped=None,
        alert=None,
        seconds=3.2,
    )

    taken: Count
    completed: Count
    partial: Count = Field(description="Of the completed ones.")
    failed: Count = Field(description="To be tried again.")
    failed_permanent: Count
    put_off: Count
    waiting_for_batch: Count
    lost: Count = Field(description="Cancelled, or given to another worker, meanwhile.")
    due: Count = Field(description="Leads that are still due.")
    stopped: str | None = Field(description="What stopped the run before its end.")
    alert: str | None
    seconds: Seconds
