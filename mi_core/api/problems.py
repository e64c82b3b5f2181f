"""What goes wrong, in one shape: `{"error": code, "detail": sentence}` with the status that fits.

No answer repeats what a person sent: an id or an address must not end up in a log of errors.
"""

import traceback
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from mi_core.errors import (
    BadValue,
    BodyTooLarge,
    MiError,
    UnknownName,
    UnknownPerson,
    UnreadableBody,
    WorkspaceError,
)

_STATUS: Mapping[type[MiError], int] = {
    BodyTooLarge: 413,
    UnreadableBody: 400,
    UnknownPerson: 404,
    UnknownName: 422,
    BadValue: 422,
    WorkspaceError: 503,
}
_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}
_RETRY_SECONDS = 5


class Failed(Exception):
    """What went wrong in another process: the kind of the error, and where it was raised."""

    def __init__(self, kind: str, where: list[str]) -> None:
        super().__init__(kind, where)
        self.kind, self.where = kind, where


def places(error: BaseException) -> list[str]:
    """Files and lines of the last calls before an error; not what it says."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]


class Refused(Exception):
    """A request that is answered with a status that isn't 2xx, and why."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        error: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.error = error or _CODES[status]
        self.headers, self.more = dict(headers or {}), dict(more or {})


class Busy(Refused):
    """The server can't now; a sender that waits a little finds it can."""

    def __init__(self, detail: str, *, status: int = 503, after: int = _RETRY_SECONDS) -> None:
        super().__init__(status, detail, headers={"Retry-After": str(after)})


def problem(
    status: int,
    detail: str,
    *,
    error: str | None = None,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> JSONResponse:
    """An error as every client gets it."""
    body = {"error": error or _CODES.get(status, "error"), "detail": detail, **(more or {})}
    return JSONResponse(body, status, dict(headers or {}))


def answer_problems(app: FastAPI) -> None:
    """Let `app` answer every error in the one shape."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(MiError, _mi_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return problem(
        error.status, error.detail, error=error.error, headers=error.headers, more=error.more
    )


async def _mi_error(_request: Request, error: Exception) -> JSONResponse:
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            headers = {"Retry-After": str(_RETRY_SECONDS)} if status == 503 else {}
            return problem(
                status, _sentence(error), error=_snake(type(error).__name__), headers=headers
            )
    raise error


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(each) for each in error.errors()]
    first = faults[0]
    status = 400 if error.errors()[0]["type"] == "json_invalid" else 422
    detail = f"{first['where']}: {first['problem']}."
    return problem(status, detail, more={"faults": faults})


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    """Where, and what. The name of a field that isn't known may be an id: it isn't repeated."""
    where = [str(each) for each in error["loc"]]
    if error["type"] == "extra_forbidden":
        where[-1] = "?"
    return {"where": ".".join(where), "problem": error["msg"].removeprefix("Value error, ")}


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    sentences = {404: "There is nothing at this address.", 405: "This method isn't for here."}
    detail = sentences.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = _allowed(request)
    return problem(error.status_code, detail, headers=headers)


def _allowed(request: Request) -> str:
    """The methods of all routes at this address; the router names those of the first."""
    methods: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(methods))


def _sentence(error: MiError) -> str:
    """What the error says, without a name that was sent: it may be anything."""
    return error.without_name if isinstance(error, UnknownName) else str(error)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
