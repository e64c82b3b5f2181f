"""A server as `mi serve` runs it: in processes of its own, over loopback."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx

T = TypeVar("T")
_AT = re.compile(r"at (http://\S+)")


@dataclass
class Server:
    """A running server; `log` is where its standard error goes."""

    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """Tell it to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def start_again(self, workspace: Path, **settings: str) -> None:
        """As `start`, in the place of this one."""
        other = start(workspace, **settings)
        self.process, self.url = other.process, other.url


def start(workspace: Path, **settings: str) -> Server:
    """Start a server at any free port, and wait until it answers."""
    log = workspace.with_name("serve.log")
    log.write_text("")
    named = {f"MI_{name.upper()}": value for name, value in settings.items()}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("mi"), "serve", "--port", "0"],
            env={**os.environ, "MI_WORKSPACE": str(workspace), **named},
            stderr=output,
        )
    url = eventually(lambda: _AT.search(log.read_text()), process)[1]
    server = Server(process, url, log)
    with server.client() as client:
        eventually(lambda: _answers(client), process)
    return server


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def eventually(ask: Callable[[], T], process: "subprocess.Popen[bytes]", seconds: float = 60) -> T:
    """The first true answer."""
    until = time.monotonic() + seconds
    while not (answer := ask()):
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)
    return answer
