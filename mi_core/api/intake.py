"""Deliveries that arrive at once go through the door and onto the disk together.

A commit costs the same for one event as for a thousand. While one is under way, what arrives waits
for the next; so the busier it is, the larger they are. Nobody is told yes before it is on disk.
"""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mi_core.api.metrics import COMMIT_SECONDS, COMMITTED, WAITING
from mi_core.api.problems import Busy
from mi_core.ingest.inbox import Delivery, Taken
from mi_core.inlet import Inlet

log = logging.getLogger("mi_core.api")

MOST_WAITING = 20_000
"""Events that wait for a commit; a sender that comes then is asked to come again."""
_MOST_AT_ONCE = 2_000
_PATIENCE_SECONDS = 9
"""PostHog gives up after ten."""


@dataclass(frozen=True)
class _Waiting:
    delivery: Delivery
    taken: "asyncio.Future[Taken]"


class Intake:
    """The one who puts deliveries into the inbox of `inlet`, in a thread of its own."""

    def __init__(self, inlet: Inlet) -> None:
        self._inlet = inlet
        self._thread = ThreadPoolExecutor(1, "intake")
        self._waiting: deque[_Waiting] = deque()
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
        if self._events >= MOST_WAITING:
            raise Busy("Too many events wait to be stored; send this again.", status=429)
        waiting = _Waiting(delivery, asyncio.get_running_loop().create_future())
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
        while self._waiting:
            await asyncio.sleep(0.01)
        self._loop.cancel()
        self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._commit(self._next())

    def _next(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        events = 0
        while self._waiting and (not group or events < _MOST_AT_ONCE):
            group.append(self._waiting.popleft())
            events += len(group[-1].delivery.events)
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        deliveries = [each.delivery for each in group]
        loop = asyncio.get_running_loop()
        try:
            with COMMIT_SECONDS.time():
                results = await loop.run_in_executor(self._thread, self._inlet.take, deliveries)
        except Exception as error:
            # A full disk, a locked file: the sender comes again, and an operator reads this.
            log.error("not stored", extra={"exception": type(error).__name__})
            refusal = Busy("The events couldn't be stored; send this again.")
            for each in group:
                if not each.taken.done():
                    each.taken.set_exception(refusal)
                    each.taken.exception()  # whoever waited may be gone
        else:
            COMMITTED.observe(sum(len(each.events) for each in deliveries))
            for each, taken in zip(group, results, strict=True):
                each.taken.set_result(taken)
        finally:
            self._count(-sum(len(each.events) for each in deliveries))

    def _count(self, more: int) -> None:
        self._events += more
        WAITING.set(self._events)
