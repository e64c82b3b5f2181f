"""PostHog's query API over loopback HTTP, as far as a pull uses it.

It reads the HogQL that it is asked, strictly: what it doesn't know is an error, as with PostHog. It
sorts and cuts off as PostHog does, and can fail in the ways of which the docs and networks know.
"""

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from exports import Event

KEY = "phx_only-for-tests"
PROJECT = 42
MOST_ROWS, UNASKED_ROWS = 50_000, 100

VALUES: dict[str, Callable[[Event], Any]] = {
    "toString(uuid)": lambda e: e["uuid"],
    "event": lambda e: e["event"],
    "distinct_id": lambda e: e["distinct_id"],
    "toString(person_id)": lambda e: e["person_id"],
    "properties": lambda e: json.dumps(e["properties"]),
    "toString(toTimeZone(timestamp, 'UTC'))": lambda e: text(moment(e["timestamp"])),
    "toString(toTimeZone(created_at, 'UTC'))": lambda e: text(moment(e["created_at"])),
}
_TIME = r"toDateTime64\('([^']*)', 6, 'UTC'\)"
_QUERY = re.compile(
    r"select (?P<columns>.+) from events"
    rf" where timestamp >= {_TIME} and timestamp < {_TIME}"
    rf"(?: and \(timestamp > {_TIME} or toString\(uuid\) > '(?P<uuid>[^']*)'\))?"
    r" order by timestamp, toString\(uuid\)(?: limit (?P<limit>\d+))?"
)


@dataclass(frozen=True)
class Fault:
    """What happens in place of an answer, or to it (`change`)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cut: str = ""
    """`half`: the connection ends within the answer; `reset`: before it."""
    change: Callable[[dict[str, Any]], None] | None = None
    slow_seconds: float = 0


@dataclass
class FakePostHog:
    """What the tests see of it."""

    url: str = ""
    events: list[Event] = field(default_factory=list)
    faults: list[Fault | None] = field(default_factory=list)
    """Of the coming queries, in order; None: an answer."""
    asked: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    most_rows: int = MOST_ROWS

    def settings(self) -> dict[str, Any]:
        return {"posthog_host": self.url, "posthog_project_id": PROJECT, "posthog_api_key": KEY}

    def variables(self) -> dict[str, str]:
        """The same, for another process."""
        return {f"MI_{name.upper()}": str(value) for name, value in self.settings().items()}

    def answer(self, hogql: str, refresh: str | None) -> tuple[int, dict[str, Any]]:
        found = _QUERY.fullmatch(hogql)
        names = _columns(found["columns"]) if found else None
        if found is None or names is None:
            self.mistakes.append(hogql)
            return 400, {"type": "validation_error", "code": "invalid", "detail": "Syntax error."}
        since, until, tied = (found[number] for number in (2, 3, 4))
        rows = sorted(
            (text(moment(e["timestamp"])), e["uuid"], n) for n, e in enumerate(self.events)
        )
        rows = [row for row in rows if since <= row[0] < until]
        if tied:
            rows = [row for row in rows if row[0] > tied or row[1] > found["uuid"]]
        limit = min(int(found["limit"] or UNASKED_ROWS), self.most_rows)
        return 200, {
            "columns": list(names),
            "types": [],
            "results": [
                [VALUES[v](self.events[n]) for v in names.values()] for *_, n in rows[:limit]
            ],
            "hasMore": len(rows) > limit,
            "limit": limit,
            "offset": 0,
            "is_cached": refresh != "force_blocking",
            "error": None,
        }


def moment(iso: str) -> datetime:
    return datetime.fromisoformat(iso).replace(tzinfo=None)


def text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def _columns(selected: str) -> dict[str, str] | None:
    """Names of the answer → what they stand for; None where one isn't known."""
    found = re.findall(r"(.+?) as (\w+)(?:, |$)", selected)
    if "".join(f"{v} as {n}, " for v, n in found)[:-2] != selected:
        return None
    return {n: v for v, n in found} if all(v in VALUES for v, _ in found) else None


@contextmanager
def fake_posthog() -> Iterator[FakePostHog]:
    fake = FakePostHog()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"fake": fake}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert fake.mistakes == []


class _Handler(BaseHTTPRequestHandler):
    fake: FakePostHog
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        try:
            self._reply(raw)
        except ConnectionError:
            self.close_connection = True

    def _reply(self, raw: bytes) -> None:
        fake, request = self.fake, json.loads(raw)
        fault = fake.faults.pop(0) if fake.faults else None
        hogql = request["query"]["query"]
        fake.asked.append(hogql)
        if self.headers["authorization"] != f"Bearer {KEY}":
            self._send(401, {}, b'{"code": "authentication_failed"}')
            return
        if self.path != f"/api/projects/{PROJECT}/query/":
            self._send(404, {}, b'{"code": "not_found"}')
            return
        if fault and fault.cut == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        if fault and fault.status != 200:
            self._send(fault.status, fault.headers, fault.body)
            return
        status, answer = fake.answer(hogql, request.get("refresh"))
        if fault and fault.change:
            fault.change(answer)
        if fault:
            time.sleep(fault.slow_seconds)
        self._send(status, {}, json.dumps(answer).encode(), half=bool(fault and fault.cut))

    def _send(
        self, status: int, headers: Mapping[str, str], body: bytes, *, half: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        self.wfile.flush()
        self.close_connection = half
