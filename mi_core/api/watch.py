"""Around every request: an id, a line in the log, metrics, headers for browsers, limits.

The log names routes, not paths: a path may hold an id.
"""

import hashlib
import logging
import re
import time
from contextvars import ContextVar
from uuid import uuid4

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from pythonjsonlogger.json import JsonFormatter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mi_core.api import metrics
from mi_core.api.paths import EVENTS, FROM_BROWSERS
from mi_core.api.problems import Failed, places, problem
from mi_core.api.tokens import Tokens, bearer_of
from mi_core.ingest.bodies import MOST_BYTES

log = logging.getLogger("mi_core.api")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
_GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LIMITED = ("/api/v1/", "/api/cron/", "/reports")
_JSON_BYTES = 64 * 1024
"""Of a body that isn't events."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Of every answer that doesn't say otherwise itself."""
_DOCS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"
}


class TooLarge(HTTPException):
    """A body is larger than is taken."""

    def __init__(self, most: int) -> None:
        super().__init__(413, f"The body is larger than {most:,} bytes.")


class Watch:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, *, tokens: Tokens, requests_per_minute: int) -> None:
        self._app = app
        self._tokens = tokens
        self._limit = RateLimitItemPerMinute(requests_per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        named = headers.get("x-request-id", "")
        known_as = named if _GIVEN_ID.fullmatch(named) else uuid4().hex
        token = request_id.set(known_as)
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                sent = MutableHeaders(scope=message)
                sent["X-Request-ID"] = known_as
                extra = _DOCS if scope["path"].startswith("/docs") else {}
                if scope["path"] in FROM_BROWSERS:
                    # An SDK sends from the product's own site; its key is public, it reads nothing.
                    sent["Access-Control-Allow-Origin"] = "*"
                for name, value in (_HEADERS | extra).items():
                    sent.setdefault(name, value)
            await send(message)

        try:
            await self._guarded(scope, headers, receive, answer)
        finally:
            _note(scope, status, time.perf_counter() - started)
            request_id.reset(token)

    async def _guarded(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        has_begun = False

        async def told(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        path: str = scope["path"]
        most = MOST_BYTES if path in EVENTS else _JSON_BYTES
        try:
            if path.startswith(_LIMITED) and not self._has_leave(scope, headers):
                response = problem(
                    429, "Too many requests; slow down.", headers={"Retry-After": "10"}
                )
            elif _announced(headers) > most:
                raise TooLarge(most)
            else:
                await self._app(scope, _bounded(receive, most), told)
                return
        except ClientDisconnect:
            return
        except TooLarge as error:
            response = problem(413, error.detail)
        except Exception as error:
            _log_failure(error)
            detail = "Something went wrong here; the log says where, under this request's id."
            response = problem(500, detail)
        if not has_begun:
            await response(scope, receive, send)

    def _has_leave(self, scope: Scope, headers: Headers) -> bool:
        host = (scope.get("client") or ("", 0))[0]
        token = bearer_of(headers)
        # A token that is none must not be a way around the limit.
        if token and self._tokens.scopes(token):
            return self._limiter.hit(self._limit, hashlib.sha256(token.encode()).hexdigest())
        return self._limiter.hit(self._limit, host)


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


def _bounded(receive: Receive, most: int) -> Receive:
    """What arrives, as long as it isn't too much: a sender may say no length, or a wrong one."""
    taken = 0

    async def receive_bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise TooLarge(most)
        return message

    return receive_bounded


def _log_failure(error: Exception) -> None:
    """Where it happened. What the error says stays out: it may quote a person."""
    kind, where = type(error).__name__, places(error)
    if isinstance(error, Failed):
        kind, where = error.kind, error.where
    log.error("failed", extra={"exception": kind, "where": where})


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.REQUESTS.labels(method, route, str(status)).inc()
    metrics.REQUEST_SECONDS.labels(method, route).observe(seconds)
    if route in EVENTS and status < 300:
        return  # hundreds a second: the metrics count them
    facts = {"method": method, "route": route, "status": status, "ms": round(1000 * seconds, 1)}
    log.info("request", extra=facts)


_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})


def log_as_json() -> None:
    """Let this process log one JSON object a line, with the request that each belongs to."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter("%(levelname)s %(name)s %(message)s", timestamp=True, json_ensure_ascii=True)
    )
    handler.addFilter(_add_request_id)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    log.setLevel(logging.INFO)


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = request_id.get()
    return True
