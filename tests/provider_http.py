"""The HTTP server under the fakes of paid services: it can hang, and cut connections."""

import json
import select
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from provider_answers import Json
from provider_faults import WITHOUT_WORK, Fault
from provider_wire import Answer, heads

SECRETS = {"authorization", "x-rapidapi-key", "cookie"}
ROUTES = {"social": "rapidapi", "perplexity": "perplexity", "openai": "openai"}


@dataclass
class Call:
    """One request, as it came; times are of `time.monotonic`, which all processes share."""

    service: str
    endpoint: str  # the service, or `openai.files`, `openai.batches`, `openai.lines`
    method: str
    path: str  # below the service's base URL
    query: dict[str, str]
    headers: dict[str, str]  # lower case, without secrets
    text: str  # the body, whatever it is
    body: Any  # its JSON; None where there is none
    call_id: str | None
    has_key: bool = True
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    fault: str = "ok"
    status: int | None = None  # None: no answer was sent
    cost_micros: int = 0

    @property
    def said(self) -> str:
        """Everything that the service got to read, but for the key."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        lines = "\n".join(f"{name}: {value}" for name, value in self.headers.items())
        return f"{self.method} {self.path}?{query}\n{lines}\n\n{self.text}"


class Server(ThreadingHTTPServer):
    """A thread for each connection; it knows them, so that it can end them."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, providers: Any) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.providers = providers
        self._open: dict[threading.Thread, socket.socket] = {}
        self._resets: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        arguments = (request, client_address)
        thread = threading.Thread(target=self.process_request_thread, args=arguments, daemon=True)
        self._open[thread] = request
        thread.start()

    def reset(self, connection: socket.socket) -> None:
        """Let the connection end by RST in place of FIN."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._resets.add(connection)

    def shutdown_request(self, request: Any) -> None:
        self._open.pop(threading.current_thread(), None)
        if request in self._resets:
            self._resets.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def let_go(self) -> int:
        """End all connections; how many didn't."""
        waiting = list(self._open.items())
        for _, connection in waiting:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has just ended
        for thread, _ in waiting:
            thread.join(5)
        return sum(thread.is_alive() for thread, _ in waiting)

    def handle_error(self, request: Any, client_address: Any) -> None:
        mistake = sys.exception()
        if mistake and not isinstance(mistake, ConnectionError):  # that a client left is none
            self.providers.errors.append(mistake)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, *arguments: Any) -> None:
        """Say nothing: the log is `Providers.calls`."""

    def do_GET(self) -> None:
        providers = self.server.providers
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        call = self._call(raw)
        answer, fault = None, Fault("cut_before")
        try:
            fault = providers.take(call)
            if fault.kind not in WITHOUT_WORK:
                answer = providers.answer(call, fault, raw)
                if providers.before_answer:
                    providers.before_answer(call.service, call)
        except Exception as mistake:
            providers.errors.append(mistake)
            answer = None
        if answer is None or fault.kind in ("hang_after", "cut_after"):
            if fault.kind.startswith("hang"):
                self._hang()
            call.ended_at = time.monotonic()
            self._cut(fault)
            return
        call.status, call.ended_at = answer.status, time.monotonic()
        try:
            self._send(call, answer, fault)
        except ConnectionError:
            self.close_connection = True  # the client didn't wait

    do_POST = do_DELETE = do_GET

    def _call(self, raw: bytes) -> Call:
        parts = urlsplit(self.path)
        first, _, rest = parts.path.removeprefix("/").partition("/")
        service = ROUTES.get(first, "openai")
        path = "/" + rest.removeprefix("v1/")
        kind = path.split("/")[1]
        endpoint = f"openai.{kind}" if kind in ("files", "batches") else service
        headers = {name.lower(): value for name, value in self.headers.items()}
        key = headers.get("authorization", "").removeprefix("Bearer").strip()
        if service == "rapidapi":
            key = headers.get("x-rapidapi-key", "")
        right = self.server.providers.keys.get(service)
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        return Call(
            service=service,
            endpoint=endpoint,
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query)),
            headers={name: value for name, value in headers.items() if name not in SECRETS},
            text=raw.decode(errors="replace"),
            body=body,
            call_id=headers.get("x-client-request-id"),
            has_key=bool(key) if right is None else key == right,
        )

    def _send(self, call: Call, answer: Answer, fault: Fault) -> None:
        self.send_response(answer.status)
        calls = len(self.server.providers.asked(call.endpoint))
        lines: Json = heads(call.service, calls) | answer.headers
        for name, value in lines.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if fault.kind == "cut_midway":
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.wfile.flush()
            self._cut(fault)
        else:
            self.wfile.write(answer.body)
            self.wfile.flush()

    def _hang(self) -> None:
        """Say nothing until the client goes, or the server stops."""
        while not self.server.providers.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable:
                try:
                    if not self.connection.recv(1, socket.MSG_PEEK):
                        return
                except ConnectionError:
                    return
                self.server.providers.stopping.wait(0.05)

    def _cut(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.reset:
            self.server.reset(self.connection)
