"""The webhook under load: 300 signed events a second for a minute, from another process, while the
scores are refreshed over and over and a notebook reads.

Each event is one request, as PostHog sends them, at its own time whether or not those before it are
answered; its latency counts from that time. Whoever isn't told 2xx sends again. In the end the lake
must hold every event that was acknowledged, once. With --kill the server dies by SIGKILL halfway,
and is started again.

    python benchmarks/serve.py [--kill] [--events 1000000] [--folder FOLDER-FOR-DATA]
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import multiprocessing
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measure import ingested

SECRET = base64.b64encode(b"a secret of the benchmark alone!").decode()
TOKEN = "a-token-of-the-benchmark-alone"
HOST = "127.0.0.1"
PATH = "/api/webhooks/posthog-events"
_ANSWER_SECONDS = 10
"""As long as PostHog waits."""


@dataclass
class Sent:
    """What a sender saw: seconds until each event was acknowledged, and what else was answered."""

    seconds: list[float] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)
    refused: int = 0
    broken: int = 0


def request(event_id: str, number: int, port: int) -> bytes:
    """One event of one of 50,000 people, signed as PostHog signs it."""
    event = {
        "event": {
            "uuid": event_id,
            "event": ("$pageview", "app_open", "feature_used", "email_open")[number % 4],
            "distinct_id": f"load-{number % 50_000}",
            "timestamp": datetime.now(UTC).isoformat(),
            "properties": {"$session_id": f"s{number}", "utm_source": "google", "plan": "pro"},
        },
        "person": {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number % 50_000)))},
    }
    body = json.dumps(event).encode()
    at = str(int(time.time()))
    signed = b".".join((event_id.encode(), at.encode(), body))
    mac = hmac.digest(base64.b64decode(SECRET), signed, hashlib.sha256)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"webhook-id: {event_id}\r\nwebhook-timestamp: {at}\r\n"
        f"webhook-signature: v1,{base64.b64encode(mac).decode()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connections:
    """Kept open between requests, as many as are needed at once."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def send(self, message: bytes) -> int:
        """The status of the answer."""
        reader, writer = (
            self._free.pop() if self._free else await asyncio.open_connection(HOST, self._port)
        )
        try:
            writer.write(message)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        self._free.append((reader, writer))
        return int(head.split(b" ", 2)[1])


async def send_until_taken(
    connections: Connections, number: int, port: int, due: float, sent: Sent
) -> None:
    event_id = str(uuid.uuid4())
    while True:
        try:
            message = request(event_id, number, port)
            async with asyncio.timeout(_ANSWER_SECONDS):
                status = await connections.send(message)
        except (OSError, EOFError, TimeoutError):
            sent.broken += 1
        else:
            if status == 200:
                sent.seconds.append(time.perf_counter() - due)
                sent.uuids.append(event_id)
                return
            sent.refused += 1
        await asyncio.sleep(0.5)


async def send_all(port: int, rate: int, seconds: int) -> Sent:
    sent, connections = Sent(), Connections(port)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(rate * seconds):
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(send_until_taken(connections, number, port, due, sent))
    return sent


def sender(port: int, rate: int, seconds: int, pipe: Any) -> None:
    """A process of its own that sends."""
    import uvloop

    pipe.send(uvloop.run(send_all(port, rate, seconds)))


def notebook(folder: Path, ended: Any, pipe: Any) -> None:
    """A process of its own that reads as a person with a notebook does."""
    from mi_core import open_workspace

    took = []
    with open_workspace(folder) as workspace:
        while not ended.wait(1.0):
            started = time.perf_counter()
            workspace.sql("select etype, count(*) from lake.user_event group by all")
            workspace.sql("select band, count(*) from lake.mv_user_magnetism_30d group by all")
            took.append(time.perf_counter() - started)
    pipe.send(took)


def call(port: int, path: str, method: str = "GET") -> dict[str, Any]:
    asked = urllib.request.Request(
        f"http://{HOST}:{port}{path}", method=method, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(asked, timeout=600) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def refresher(port: int, ended: Any, pipe: Any) -> None:
    """A process of its own that has the scores refreshed, over and over."""
    took = []
    while not ended.is_set():
        try:
            took.append(call(port, "/api/cron/refresh-marketing-views", "POST")["seconds"])
        except (OSError, urllib.error.URLError):
            ended.wait(1.0)
    pipe.send(took)


def serve(folder: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    """A server that answers."""
    secrets = {
        "MI_WORKSPACE": str(folder),
        "MI_WEBHOOK_SIGNING_SECRET": f"whsec_{SECRET}",
        "MI_API_READ_TOKEN": TOKEN,
        "MI_CRON_TOKEN": TOKEN,
    }
    command = [Path(sys.executable).with_name("mi"), "serve", "--port", str(port)]
    with log.open("ab") as output:
        server = subprocess.Popen(command, env={**os.environ, **secrets}, stderr=output)
    while True:
        try:
            call(port, "/healthz")
        except (OSError, urllib.error.URLError):
            if server.poll() is not None:
                raise SystemExit(f"The server ended: see {log}.") from None
            time.sleep(0.1)
        else:
            return server


@contextmanager
def beside(work: Any, *args: Any) -> Iterator[Any]:
    """`work` in a process of its own; yields what receives its answer."""
    context = multiprocessing.get_context("spawn")
    receiver, pipe = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(*args, pipe))
    process.start()
    yield receiver
    process.join()


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def memory_mb(pid: int) -> float:
    """Of a process and its children."""
    import psutil

    server = psutil.Process(pid)
    every = [server, *server.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in every) / 1e6


def told(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    cut = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    p50, p95, p99 = (f"{1000 * cut[n]:.0f}" for n in (49, 94, 98))
    return f"{len(seconds):,}: p50 {p50}, p95 {p95}, p99 {p99}, most {1000 * max(seconds):.0f} ms"


def load(folder: Path, rate: int, seconds: int, *, kill: bool) -> None:
    port, log = free_port(), folder.parent / "serve.log"
    server = serve(folder, port, log)
    ended = multiprocessing.get_context("spawn").Event()
    with (
        beside(notebook, folder, ended) as read,
        beside(refresher, port, ended) as refreshed,
        beside(sender, port, rate, seconds) as sending,
    ):
        if kill:
            time.sleep(seconds / 2)
            server.send_signal(signal.SIGKILL)
            server.wait()
            server = serve(folder, port, log)
        sent: Sent = sending.recv()
        peak = memory_mb(server.pid)
        ended.set()
        read_seconds, refresh_seconds = read.recv(), refreshed.recv()
    began = time.perf_counter()
    while call(port, PATH)["inbox"]["events"]:
        time.sleep(0.2)
    lag = time.perf_counter() - began
    server.send_signal(signal.SIGTERM)
    server.wait()
    print(f"acknowledged {told(sent.seconds)}; {sent.refused} refused, {sent.broken} broken off")
    print(f"in the lake {lag:.1f} s after the last; refreshes {told(refresh_seconds)}")
    print(f"a notebook's queries {told(read_seconds)}; server and its processes {peak:.0f} MB")
    check(folder, sent)


def check(folder: Path, sent: Sent) -> None:
    """Every acknowledged event is in the lake, once."""
    from mi_core import open_workspace

    with open_workspace(folder) as workspace:
        found = workspace.sql(
            "select event_id::varchar as event_id, count(*) as times from lake.analytics_events"
            " where source = 'webhook' group by all"
        )
    times = dict(found.iter_rows())
    lost = sum(1 for each in sent.uuids if each not in times)
    twice = sum(1 for each in times.values() if each > 1)
    print(f"{len(sent.uuids):,} acknowledged: {lost} lost, {twice} twice")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/benchmarks"))
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=300)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--workspace", type=Path, help="Copy this one instead of making one.")
    options = parser.parse_args()
    source = options.workspace or ingested(options.folder, options.events)
    copied = options.folder / "served"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(source, copied)
    load(copied, options.rate, options.seconds, kill=options.kill)
