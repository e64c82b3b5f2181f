"""The rendered reports, for a token or a signed link."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, HTMLResponse

from mi_core.api.links import ALL, Links
from mi_core.api.models.reports import Link, LinkAsked
from mi_core.api.problems import Refused
from mi_core.api.routes.params import problems
from mi_core.api.tokens import may, needs
from mi_core.reports import Shelf
from mi_core.reports.index_page import index_page
from mi_core.reports.shelf import HISTORY

router = APIRouter(tags=["reports"])

# A report carries its own scripts and styles, and may reach nothing else, this API included.
_REPORT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:;"
    " style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'none';"
    " sandbox allow-scripts allow-downloads allow-modals allow-popups",
}
_INDEX = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-scripts",
}
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}


@router.post(
    "/api/v1/reports/link",
    summary="A link for somebody without a token",
    dependencies=[needs("read")],
    responses=problems(404, 422),
)
async def make_link(asked: LinkAsked, request: Request) -> Link:
    if asked.report is not None:
        _file(request, asked.report)
    path, ends = _links(request).link(asked.report, now=datetime.now(UTC), days=asked.days)
    return Link(path=path, expires_at=ends)


@router.get(
    "/reports/",
    summary="The reports that there are",
    responses=_HTML | problems(422),
)
def get_index(
    request: Request,
    expires: Annotated[str, Query(max_length=12)] = "",
    signature: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    _check(request, ALL)
    # Who came by a link to all goes on by it.
    query = f"?{request.url.query}" if "signature" in request.query_params else ""
    page = index_page(Shelf(_folder(request)), lambda path: quote(path) + query)
    return HTMLResponse(page, headers=_INDEX)


@router.get(
    "/reports/{report}",
    summary="One report",
    responses=_HTML | problems(404, 422),
)
async def get_report(
    report: str,
    request: Request,
    expires: Annotated[str, Query(max_length=12)] = "",
    signature: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    if report == "index.html":
        return await run_in_threadpool(get_index, request)
    _check(request, report)
    return FileResponse(_file(request, report), media_type="text/html", headers=_REPORT)


@router.get(
    "/reports/history/{report}/{edition}",
    summary="An earlier edition of a report",
    responses=_HTML | problems(404, 422),
)
async def get_edition(
    report: str,
    edition: str,
    request: Request,
    expires: Annotated[str, Query(max_length=12)] = "",
    signature: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    name = f"{HISTORY}/{report}/{edition}"
    _check(request, name)
    return FileResponse(_file(request, name), media_type="text/html", headers=_REPORT)


def _check(request: Request, report: str) -> None:
    by_link = _links(request).admit(request.query_params, report, now=datetime.now(UTC))
    if not by_link and not may(request, "read"):
        detail = "This needs a bearer token that may read, or a signed link that hasn't ended."
        raise Refused(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _file(request: Request, name: str) -> Path:
    """The report of that name; a name of another place is none."""
    folder = _folder(request)
    pages = [*folder.glob("*.html"), *folder.glob(f"{HISTORY}/*/*.html")]
    found = {each.relative_to(folder).as_posix(): each for each in pages if each.is_file()}
    if name not in found:
        raise Refused(404, "There is no such report; /reports/ lists those that there are.")
    return found[name]


def _folder(request: Request) -> Path:
    folder: Path = request.app.state.folder
    return folder / "reports"


def _links(request: Request) -> Links:
    links: Links = request.app.state.links
    return links
