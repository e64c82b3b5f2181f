"""Workers that are killed: `enrichment_worker.py`, told by lines of JSON on its standard input.

Everything is imported once; each worker is a fork that opens the workspace for itself. `Workers` is
the other end, for tests.
"""

import asyncio
import functools
import json
import os
import signal
import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

# --- What is forked off -----------------------------------------------------------------------


certificates = functools.cache(ssl.create_default_context)
"""Reads the machine's certificates once for all clients, which takes long; the fakes need none."""


def _rehearse() -> None:
    """Import and build all that a worker needs; ask once where nobody is, and open nothing."""
    import sqlite3  # noqa: F401

    import sqlalchemy.dialects.postgresql.psycopg
    import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401
    from enrichment_desk import KEYS

    import mi_core.enrichment.batches
    import mi_core.enrichment.costs
    import mi_core.enrichment.service  # noqa: F401
    from mi_core.definitions import load_definitions
    from mi_core.enrichment.address import read_address
    from mi_core.enrichment.calls import CompanyQuestion, PersonaQuestion, SocialQuestion
    from mi_core.enrichment.desk import open_desk
    from mi_core.ingest.keys import HashKeys
    from mi_core.settings import load_settings

    ssl.create_default_context = certificates
    certificates()
    read_address("jane.roe@company.com")
    HashKeys((b"k" * 32,)).cipher().encrypt(b"")
    definitions = load_definitions()
    nowhere = {
        name: price.model_copy(update={"url": "http://127.0.0.1:1"})
        for name, price in definitions.enrichment.providers
    }
    providers = definitions.enrichment.providers.model_copy(update=nowhere)
    rules = definitions.enrichment.model_copy(update={"providers": providers})

    async def ask() -> None:
        desk = open_desk(
            load_settings(**KEYS), definitions.model_copy(update={"enrichment": rules})
        )
        for provider, question in (
            (desk.social, SocialQuestion("Jane Roe")),
            (desk.company, CompanyQuestion("company.com")),
            (desk.persona, PersonaQuestion({})),
        ):
            await provider.send(provider.request(question), "nobody")  # type: ignore[attr-defined]
        await desk.close()

    asyncio.run(ask())


def _work(order: dict[str, Any]) -> dict[str, Any]:
    """Work the queue of a workspace, and die as the order says."""
    from enrichment_desk import KEYS

    from mi_core import open_workspace
    from mi_core.enrichment import queue, working
    from mi_core.settings import load_settings
    from mi_core.state import State

    settings = load_settings(**KEYS, **order["settings"])
    # The tokens of leases and claims say whose they are, so that those of the dead can be ended.
    queue.uuid4 = working.uuid4 = lambda: f"{uuid4()}"[:-4] + order["name"]
    with open_workspace(Path(order["folder"]), settings=settings) as workspace:
        if order["dies_at_commit"] is not None:
            State.writing = _deadly(State.writing, order["dies_at_commit"], order["is_after"])
        return asdict(workspace.enrichment.work(None))


def _deadly(writing: Callable[..., Any], number: int, is_after: bool) -> Callable[..., Any]:
    """`State.writing` whose transaction of that number, from 1, is the last thing ever done."""
    begun = 0

    @contextmanager
    def written(self: Any) -> Iterator[Any]:
        nonlocal begun
        begun += 1
        is_last = begun == number
        with writing(self) as transaction:
            yield transaction
            if is_last and not is_after:
                os.kill(os.getpid(), signal.SIGKILL)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)

    return written


def _fork(order: dict[str, Any]) -> tuple[int, int]:
    """The process id of a new worker, and where it writes what it did."""
    told, tells = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tells)
        return pid, told
    code = 1
    try:
        os.write(tells, json.dumps(_work(order)).encode())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    _rehearse()
    told: dict[int, int] = {}
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            pid = order["wait"]
            _, status = os.waitpid(pid, 0)
            with os.fdopen(told.pop(pid), "rb") as pipe:
                said = pipe.read().decode()
            answer: Any = [os.waitstatus_to_exitcode(status), json.loads(said or "null")]
        else:
            answer, pipe_end = _fork(order)
            told[answer] = pipe_end
        print(json.dumps(answer), flush=True)


# --- The other end, for tests -----------------------------------------------------------------


@dataclass
class Running:
    """A worker."""

    workers: "Workers"
    name: str
    pid: int

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def wait(self) -> tuple[int, dict[str, Any] | None]:
        """How it ended (`-signal.SIGKILL` where it was killed), and what it says that it did."""
        code, worked = self.workers.ask({"wait": self.pid})
        return code, worked


class Workers:
    """Starts workers; what they say on standard error goes into a file."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        self._started = 0

    def __enter__(self) -> "Workers":
        environment = {k: v for k, v in os.environ.items() if not k.upper().startswith("MI_")}
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                text=True,
            )
        assert self._line() == "ready\n", self.errors
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    @property
    def errors(self) -> str:
        return self._errors.read_text(encoding="utf-8")

    def start(
        self,
        folder: Path,
        *,
        dies_at_commit: int | None = None,
        is_after: bool = False,
        **settings: Any,
    ) -> Running:
        """A worker of the workspace in `folder`.

        One that `dies_at_commit`, a number from 1, is killed by itself when that transaction is
        about to be committed, or `is_after`, when it just has been.
        """
        self._started += 1
        order = {
            "name": f"{self._started:04x}",
            "folder": str(folder),
            "settings": settings,
            "dies_at_commit": dies_at_commit,
            "is_after": is_after,
        }
        return Running(self, order["name"], self.ask(order))

    def ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def _line(self) -> str:
        assert self._process.stdout
        line: str = self._process.stdout.readline()
        return line


if __name__ == "__main__":
    main()
