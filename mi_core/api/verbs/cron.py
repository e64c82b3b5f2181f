"""Scheduled work, done now."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from mi_core.api.models.cron import QueueWorked, Refreshed, Step, View
from mi_core.enrichment import queue
from mi_core.enrichment.service import PER_RUN
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace

VIEWS = {
    "mv_daily_funnel": ("reports/daily_funnel", "mv_daily_funnel"),
    "mv_persona_performance": ("reports/persona_performance", "mv_persona_performance"),
    "mv_user_magnetism_7d": ("mv_user_magnetism_7d",),
    "mv_user_magnetism_30d": ("mv_user_magnetism_30d",),
}
"""Stored view → what its own rows are computed and written by, as `Warehouse.timed` calls it."""


def refresh_views(workspace: Workspace) -> Refreshed:
    """Drain the inbox, score everybody as of now, and so store the views anew."""
    started = time.perf_counter()
    drained = workspace.drain()
    begun = time.perf_counter()
    with workspace.warehouse.timed() as seconds:
        summary = workspace.score()
    ended = time.perf_counter()
    return Refreshed(
        as_of=summary.as_of,
        mode=summary.mode,
        reason=summary.reason,
        events_drained=drained,
        users_scored=summary.users_scored,
        users_recomputed=summary.users_recomputed,
        personas_changed=summary.personas_changed,
        steps=[
            Step(name="drain", seconds=_rounded(begun - started)),
            Step(name="score", seconds=_rounded(ended - begun)),
        ],
        views=[_view(workspace.warehouse, name, seconds) for name in VIEWS],
        seconds=_rounded(time.perf_counter() - started),
    )


def _view(warehouse: Warehouse, name: str, seconds: Mapping[str, float]) -> View:
    row = warehouse.sql(f"select count(*) from lake.{name}").fetchone()
    took = sum(seconds.get(each, 0.0) for each in VIEWS[name])
    return View(name=name, seconds=_rounded(took), rows=row[0] if row else 0)


def work_queue(workspace: Workspace) -> QueueWorked:
    """Work the queue of leads: ten at most."""
    started = time.perf_counter()
    worked = workspace.enrichment.work(PER_RUN)
    return QueueWorked(
        taken=worked.taken,
        completed=worked.completed,
        partial=worked.partial,
        failed=worked.failed,
        failed_permanent=worked.failed_permanent,
        put_off=worked.put_off,
        waiting_for_batch=worked.waiting_for_batch,
        lost=worked.lost,
        due=queue.count_due(workspace.state, now=datetime.now(UTC)),
        stopped=worked.stopped,
        alert=worked.alert,
        seconds=_rounded(time.perf_counter() - started),
    )


def _rounded(seconds: float) -> float:
    """To the millisecond."""
    return round(seconds, 3)
