"""Without any secret, the server is for this machine alone, and not for web pages that it shows.

A page of any site can send requests to this machine, and by a name that it points here even read
the answers. So the name must be this machine's own, and a request that a browser sends for another
site is refused, but for events: those an SDK sends.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mi_core.api.paths import EVENTS, WEBHOOK
from mi_core.api.problems import problem


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Nearby:
    """Refuses what doesn't come from this machine's own names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            is_event = scope["path"] in EVENTS - {WEBHOOK}
            origin = headers.get("origin")
            is_foreign = origin is not None and not is_loopback(_host(origin))
            if not is_loopback(_host(f"//{headers.get('host', '')}")) or (
                is_foreign and not is_event
            ):
                detail = "Without any token set, this server answers this machine alone; see .env."
                await problem(403, detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
