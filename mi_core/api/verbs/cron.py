"""Scheduled work, done now."""

import time
from datetime import UTC, datetime

from mi_core.api.models.cron import QueueWorked, Refreshed
from mi_core.enrichment import queue
from mi_core.enrichment.service import PER_RUN
from mi_core.workspace import Workspace


def refresh_views(workspace: Workspace) -> Refreshed:
    """Drain the inbox, score everybody as of now, and so store the views anew."""
    return Refreshed.model_validate(workspace.refresh())


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
        seconds=round(time.perf_counter() - started, 3),
    )
