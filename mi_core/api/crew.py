"""The processes behind the web server, each with the workspace open.

DuckDB and SQLite hold a thread for as long as a query takes, and neither is shared between threads;
and two busy threads of one Python wait for each other. So the web server speaks HTTP alone, and
asks these for everything else. `admit` is for events that come in, `ask` for what takes moments,
`write` for what waits for the lake's lock, `work` for what may take minutes: nobody waits behind a
refresh to see a score.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Annotated, Concatenate, Generic, ParamSpec, TypeVar

from fastapi import Depends, Request

from mi_core.api.problems import Busy, Failed, places
from mi_core.errors import MiError
from mi_core.inlet import Inlet
from mi_core.settings import Settings
from mi_core.workspace import Workspace, open_workspace

Params = ParamSpec("Params")
Result = TypeVar("Result")
Opened = TypeVar("Opened", bound=Inlet)
Verb = Callable[Concatenate[Opened, Params], Result]
"""A function of a module, so that another process finds it."""

_AT_WORK = 19
"""Niceness of what nobody waits for: who sends or asks goes first."""

_MOST_WAITING = 64
"""Questions for each process; more would wait longer than anybody does."""


class Pool(Generic[Opened]):
    """Some processes that each hold the workspace open."""

    def __init__(
        self,
        opens: Callable[[Path, Settings], Opened],
        path: Path,
        settings: Settings,
        size: int = 1,
        *,
        niceness: int = 0,
    ) -> None:
        self._joining = (opens, path, settings, niceness)
        self._size = size
        self._waiting = 0
        self._processes = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._size,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_join,
            initargs=self._joining,
        )

    async def warm_up(self) -> None:
        """Start all processes: the first question doesn't wait for an opening workspace."""
        await asyncio.gather(*(self.run(_be_there) for _ in range(self._size)))

    async def run(
        self, verb: Verb[Opened, Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let one of the processes do it.

        Raises
        ------
        Busy
            Too many wait already, or the process died; the others are started again.
        """
        if self._waiting >= self._size * _MOST_WAITING:
            raise Busy("Too many questions wait for an answer; try again in a moment.")
        processes = self._processes
        self._waiting += 1
        try:
            return await asyncio.wrap_future(processes.submit(_do, verb, args, kwargs))
        except BrokenProcessPool:
            if processes is self._processes:
                self._processes = self._start()
            raise Busy("The process that worked on this ended early; try again.") from None
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let what runs come to its end, and stop."""
        self._processes.shutdown(cancel_futures=True)


class Crew:
    """All processes behind one web server."""

    def __init__(self, path: Path, settings: Settings) -> None:
        # To share out work that takes moments costs more than it saves; long work leaves a core.
        quick = settings.model_copy(update={"threads": 1})
        cores = settings.threads or os.cpu_count() or 1
        long = settings.model_copy(update={"threads": max(1, cores - 1)})
        self._door = Pool(_inlet, path, settings)
        self._askers = Pool(_workspace, path, quick, settings.api_processes)
        self._writer = Pool(_workspace, path, quick, niceness=_AT_WORK)
        self._worker = Pool(_workspace, path, long, niceness=_AT_WORK)
        self._pools = (self._door, self._askers, self._writer, self._worker)

    async def warm_up(self) -> None:
        await asyncio.gather(*(pool.warm_up() for pool in self._pools))

    async def admit(
        self, verb: Verb[Inlet, Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let the process at the door do it."""
        return await self._door.run(verb, *args, **kwargs)

    async def ask(
        self, verb: Verb[Workspace, Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let a process do what takes moments."""
        return await self._askers.run(verb, *args, **kwargs)

    async def work(
        self, verb: Verb[Workspace, Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let a process do what may take long; one such at a time."""
        return await self._worker.run(verb, *args, **kwargs)

    async def write(
        self, verb: Verb[Workspace, Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let a process do what writes to the lake and takes moments; one such at a time."""
        return await self._writer.run(verb, *args, **kwargs)

    def close(self) -> None:
        for pool in self._pools:
            pool.close()


async def crew_of(request: Request) -> Crew:
    """The crew of the app that a request came to."""
    crew: Crew = request.app.state.crew
    return crew


CrewOf = Annotated[Crew, Depends(crew_of)]

_opened: Inlet | None = None
_open_again: Callable[[], Inlet] | None = None


def _workspace(path: Path, settings: Settings) -> Workspace:
    return open_workspace(path, settings=settings)


def _inlet(path: Path, settings: Settings) -> Inlet:
    opened = Inlet(path, settings)
    opened.get_ready()
    return opened


def _join(
    opens: Callable[[Path, Settings], Inlet], path: Path, settings: Settings, niceness: int
) -> None:
    """Become one of the processes."""
    global _opened, _open_again
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to hear
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(niceness)
    _open_again = partial(opens, path, settings)
    _opened = _open_again()


def _end_with_parent() -> None:
    """A server that is killed must not leave processes behind that hold the workspace."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _do(verb: Callable[..., Result], args: tuple[object, ...], kwargs: dict[str, object]) -> Result:
    try:
        _follow_definitions()
        return verb(_opened, *args, **kwargs)
    except MiError:
        raise
    except Exception as error:
        # Some exceptions don't travel, and what one says may quote a person: its kind and place do.
        raise Failed(type(error).__name__, places(error)) from None


def _follow_definitions() -> None:
    """Open the workspace again where `mi config` has put others in force since."""
    global _opened
    if isinstance(_opened, Workspace) and _open_again and _opened.is_outdated:
        again = _open_again()
        _opened.close()
        _opened = again


def _be_there(_opened: Inlet) -> None:
    time.sleep(0.05)  # as long as it takes for the question to the next process to arrive
