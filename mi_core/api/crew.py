"""The processes behind the web server, each with the workspace open.

DuckDB and SQLite hold a thread for as long as a query takes, and neither is shared between threads;
so the web server itself only takes events in, and asks these for everything else. `ask` is for what
takes moments, `write` for what waits for the lake's lock, `work` for what may take minutes: nobody
waits behind a refresh to see a score.
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
from multiprocessing.connection import wait
from pathlib import Path
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Request

from mi_core.api.problems import Busy
from mi_core.settings import Settings
from mi_core.workspace import Workspace, open_workspace

Params = ParamSpec("Params")
Result = TypeVar("Result")
Verb = Callable[Concatenate[Workspace, Params], Result]
"""A function of a module, so that another process finds it."""

_AT_WORK = 10
"""Niceness of what nobody waits for: the web server goes first."""

_MOST_WAITING = 64
"""Questions for each process; more would wait longer than anybody does."""


class Pool:
    """Some processes that each hold the workspace open."""

    def __init__(self, path: Path, settings: Settings, size: int, *, niceness: int = 0) -> None:
        self._path, self._settings = path, settings
        self._size, self._niceness = size, niceness
        self._waiting = 0
        self._processes = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._size,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_join,
            initargs=(self._path, self._settings, self._niceness),
        )

    async def warm_up(self) -> None:
        """Start all processes: the first question doesn't wait for an opening workspace."""
        await asyncio.gather(*(self.run(_be_there) for _ in range(self._size)))

    async def run(
        self, verb: Verb[Params, Result], *args: Params.args, **kwargs: Params.kwargs
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
        self._askers = Pool(path, settings, settings.api_processes)
        self._worker = Pool(path, settings, 1, niceness=_AT_WORK)
        self._writer = Pool(path, settings, 1, niceness=_AT_WORK)

    async def warm_up(self) -> None:
        await asyncio.gather(self._askers.warm_up(), self._writer.warm_up())

    async def ask(
        self, verb: Verb[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let a process do what takes moments."""
        return await self._askers.run(verb, *args, **kwargs)

    async def work(
        self, verb: Verb[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let a process do what may take long; one such at a time."""
        return await self._worker.run(verb, *args, **kwargs)

    async def write(
        self, verb: Verb[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        """Let a process do what writes to the lake and takes moments; one such at a time."""
        return await self._writer.run(verb, *args, **kwargs)

    def close(self) -> None:
        for pool in (self._askers, self._worker, self._writer):
            pool.close()


def crew_of(request: Request) -> Crew:
    """The crew of the app that a request came to."""
    crew: Crew = request.app.state.crew
    return crew


CrewOf = Annotated[Crew, Depends(crew_of)]

_workspace: Workspace | None = None


def _join(path: Path, settings: Settings, niceness: int) -> None:
    """Become one of the processes."""
    global _workspace
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to hear
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(niceness)
    _workspace = open_workspace(path, settings=settings)


def _end_with_parent() -> None:
    """A server that is killed must not leave processes behind that hold the workspace."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _do(verb: Verb[Params, Result], args: tuple[object, ...], kwargs: dict[str, object]) -> Result:
    assert _workspace is not None, "the pool opens it first"
    return verb(_workspace, *args, **kwargs)  # type: ignore[arg-type]


def _be_there(_workspace: Workspace) -> None:
    time.sleep(0.05)  # as long as it takes for the question to the next process to arrive
