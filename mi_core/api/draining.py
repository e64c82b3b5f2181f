"""The background drain: what the inbox holds is in the lake within seconds."""

import asyncio
import logging
from dataclasses import dataclass

from mi_core.api import metrics
from mi_core.api.crew import Crew
from mi_core.api.verbs import events
from mi_core.workspace import Workspace

log = logging.getLogger("mi_core.api")

PAUSE_SECONDS = 5.0
"""Between two drains: each makes files in the lake, and few large ones are read faster."""
_LOOK_SECONDS = 0.5
"""So old may be what is said of the inbox."""
_IDLE_SECONDS = 60.0
"""Another process may post or drain, too; so often one looks."""


@dataclass(frozen=True)
class Lag:
    """What waits in the inbox for the drain; `seconds` is the age of the oldest."""

    events: int
    seconds: float


@dataclass(frozen=True)
class Drained:
    """How many events the lake gained, and the number of the newest inbox row that it holds."""

    gained: int
    last_seq: int


def drain(workspace: Workspace) -> Drained:
    """Move the inbox to the lake."""
    gained = workspace.drain()
    row = workspace.warehouse.sql(
        "select coalesce(max(last_seq), 0) from lake.ingest_watermark"
    ).fetchone()
    return Drained(gained, row[0] if row else 0)


class Draining:
    """Drains after each `call`, at most every `pause` seconds, and once at the start."""

    def __init__(self, crew: Crew, *, pause: float = PAUSE_SECONDS) -> None:
        self._crew, self._pause = crew, pause
        self._last_seq = 0
        self._lag, self._looked_at = Lag(0, 0.0), -_LOOK_SECONDS - 1
        self._called = asyncio.Event()
        self._loop = asyncio.get_running_loop().create_task(self._run())

    def call(self) -> None:
        """Say that the inbox has something new."""
        self._called.set()

    async def lag(self) -> Lag:
        """What the lake lacks as of now."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at > _LOOK_SECONDS:
            # Anybody may ask: however often, the door is asked once.
            self._looked_at = now
            self._lag = Lag(*await self._crew.admit(events.waiting, self._last_seq))
            metrics.INBOX_EVENTS.set(self._lag.events)
            metrics.INBOX_LAG_SECONDS.set(self._lag.seconds)
        return self._lag

    async def close(self) -> None:
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._called.clear()
            try:
                drained = await self._crew.write(drain)
            except Exception as error:
                # What is in the inbox stays there; an operator sees the lag grow.
                metrics.DRAIN_FAILURES.inc()
                log.error("drain failed", extra={"exception": type(error).__name__})
            else:
                self._last_seq = drained.last_seq
                metrics.DRAINED.inc(drained.gained)
            await asyncio.sleep(self._pause)
            try:
                await asyncio.wait_for(self._called.wait(), _IDLE_SECONDS)
            except TimeoutError:
                continue
