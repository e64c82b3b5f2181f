"""The rendered reports, for a token or a signed link."""

import html
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from mi_core.api.links import ALL, Links
from mi_core.api.models.reports import Link, LinkAsked
from mi_core.api.problems import Refused
from mi_core.api.routes.params import problems
from mi_core.api.tokens import may, needs

router = APIRouter(tags=["reports"])

# A report carries its own scripts and styles, and may reach nothing else, this API included.
_REPORT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob:;"
    " style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'none';"
    " sandbox allow-scripts allow-downloads allow-modals allow-popups",
}
_INDEX = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " frame-ancestors 'none'",
}
_HTML: dict[int | str, dict[str, Any]] = {200: {"content": {"text/html": {}}}}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reports</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; }}
body {{ padding: 0 1rem; }}
li {{ margin: .75rem 0; }} time {{ display: block; opacity: .7; font-size: .875rem; }}
</style>
<h1>Reports</h1>
{reports}
</html>
"""


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
async def get_index(
    request: Request,
    expires: Annotated[str, Query(max_length=12)] = "",
    signature: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    _check(request, ALL)
    files = sorted(_folder(request).glob("*.html"), key=lambda each: -each.stat().st_mtime)
    # Who came by a link to all goes on by it.
    query = f"?{request.url.query}" if signature else ""
    items = "\n".join(
        f'<li><a href="{html.escape(quote(file.name) + query)}">{html.escape(file.stem)}</a>'
        f"<time>{datetime.fromtimestamp(file.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC</time></li>"
        for file in files
    )
    reports = (
        f"<ul>\n{items}\n</ul>" if files else "<p>None yet: <code>mi report</code> makes one.</p>"
    )
    return HTMLResponse(_PAGE.format(reports=reports), headers=_INDEX)


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
    _check(request, report)
    return FileResponse(_file(request, report), media_type="text/html", headers=_REPORT)


def _check(request: Request, report: str) -> None:
    by_link = _links(request).admit(request.query_params, report, now=datetime.now(UTC))
    if not by_link and not may(request, "read"):
        detail = "This needs a bearer token that may read, or a signed link that hasn't ended."
        raise Refused(401, detail, headers={"WWW-Authenticate": "Bearer"})


def _file(request: Request, name: str) -> Path:
    """The report of that name; a name of another place is none."""
    folder = _folder(request)
    found = {each.name: each for each in folder.glob("*.html") if each.is_file()}
    if name not in found:
        raise Refused(404, "There is no such report; /reports/ lists those that there are.")
    return found[name]


def _folder(request: Request) -> Path:
    folder: Path = request.app.state.folder
    return folder / "reports"


def _links(request: Request) -> Links:
    links: Links = request.app.state.links
    return links
