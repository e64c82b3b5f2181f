"""On request: scores as of past days, so that there is a history to compare with."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact

from flows.running import ALERTED, ON_IO, discreet
from mi_core import open_workspace
from mi_core.errors import BadValue

if TYPE_CHECKING:
    from uuid import UUID


@task(**ON_IO)
@discreet
def unscored(since: datetime, until: datetime, every: timedelta) -> list[datetime]:
    with open_workspace() as workspace:
        return workspace.unscored(since, until, every)


@task(task_run_name="as of {as_of:%Y-%m-%d}", **ON_IO)
@discreet
def score(as_of: datetime) -> None:
    with open_workspace() as workspace:
        workspace.score(as_of)


@flow(name="backfill", **ALERTED)
def backfill(since: date, until: date | None = None, every_days: int = 1) -> int:
    """Score everybody as of midnight (UTC) of each day from `since` to `until` (default: today).

    Days that are scored by the definitions in force are left out: a run that was broken off is
    gone on with by running it again. Returns how many days it scored.
    """
    today = datetime.now(UTC).date()
    if until and until > today:
        raise BadValue(f"{until} is still to come; until is today or earlier.")
    missing = unscored(_midnight(since), _midnight(until or today), timedelta(days=every_days))
    about = f"{len(missing)} days from {since} on had no scores"
    progress = cast("UUID", create_progress_artifact(0.0, key="backfill", description=about))
    for number, each in enumerate(missing, start=1):
        score(each)
        update_progress_artifact(progress, 100 * number / len(missing))
    return len(missing)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
