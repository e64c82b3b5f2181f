"""Deliveries that arrive at once go through the door and onto the disk together.

A commit costs the same for one event as for a thousand. While one is under way, what arrives waits
for the next; so the busier it is, the larger they are. Nobody is told yes before it is on disk.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from mi_core.api.crew import Crew
from mi_core.api.metrics import COMMIT_SECONDS, COMMITTED, WAITING
from mi_core.api.problems import Busy
from mi_core.api.verbs import events
from mi_core.ingest.inbox import Delivery, Taken

log = logging.getLogger("mi_core.api")

MOST_WAITING = 20_000
"""Events that wait for a commit; a sender that comes then is asked to come again."""
_LONGEST_WAIT_SECONDS = 3
"""As does one that comes when others wait for so long: its turn would come after it has given up,
and each that is sent again in vain makes it worse."""
_MOST_AT_ONCE = 2_000
_PATIENCE_SECONDS = 9
"""PostHog gives up after ten."""


@dataclass(frozen=True)
class _Waiting:
    delivery: Delivery
    taken: "asyncio.Future[Taken]"
    since: float


class Intake:
    """The one who hands deliveries to the process at the door."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._waiting: deque[_Waiting] = deque()
        self._alone: deque[_Waiting] = deque()
        self._events = 0
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def take(self, delivery: Delivery) -> Taken:
        """What became of a delivery, once it is on disk.

        Raises
        ------
        Busy
            Too many wait (429), or the inbox can't be written in time (503); to send the delivery
            again does no harm.
        """
        loop = asyncio.get_running_loop()
        is_slow = self._waiting and loop.time() - self._waiting[0].since > _LONGEST_WAIT_SECONDS
        if is_slow or self._events >= MOST_WAITING:
            raise Busy("Too many events wait to be stored; send this again.", status=429)
        waiting = _Waiting(delivery, loop.create_future(), loop.time())
        self._waiting.append(waiting)
        self._count(len(delivery.events))
        self._news.set()
        try:
            return await asyncio.wait_for(asyncio.shield(waiting.taken), _PATIENCE_SECONDS)
        except TimeoutError:
            # It may be stored yet: its events are then known when it comes again.
            raise Busy("The events couldn't be stored in time; send this again.") from None

    async def close(self) -> None:
        """Store what waits, and stop."""
        while self._events:
            await asyncio.sleep(0.01)
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting or self._alone:
                await self._commit(self._next())

    def _next(self) -> list[_Waiting]:
        if self._alone:
            return [self._alone.popleft()]
        group: list[_Waiting] = []
        events = 0
        while self._waiting and (not group or events < _MOST_AT_ONCE):
            group.append(self._waiting.popleft())
            events += len(group[-1].delivery.events)
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        deliveries = [each.delivery for each in group]
        size = sum(len(each.events) for each in deliveries)
        try:
            with COMMIT_SECONDS.time():
                results = await self._crew.admit(events.take, deliveries)
        except Exception as error:
            if len(group) > 1 and not isinstance(error, Busy):
                # One of them may be to blame: the others must not wait for it.
                self._alone.extend(group)
                return
            _refuse(group, error)
        else:
            COMMITTED.observe(size)
            for each, taken in zip(group, results, strict=True):
                each.taken.set_result(taken)
        self._count(-size)

    def _count(self, more: int) -> None:
        self._events += more
        WAITING.set(self._events)


def _refuse(group: list[_Waiting], error: Exception) -> None:
    """A full disk, a locked file: the sender comes again, and an operator reads this."""
    log.error("not stored", extra={"exception": type(error).__name__})
    for each in group:
        each.taken.set_exception(Busy("The events couldn't be stored; send this again."))
        each.taken.exception()  # whoever waited may be gone
