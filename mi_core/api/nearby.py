"""Without any secret, the server is for this machine alone, and not for web pages that it shows.

A page of any site can send requests to this machine, and by a name that it points here even read
the answers. So the name must be this machine's own, and what a browser sends for another site, or a
proxy for another machine, is refused.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

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
            is_near = is_loopback(_host(f"//{headers.get('host', '')}"))
            if not is_near or _is_of_another_site(headers) or _is_from_afar(headers):
                detail = "Without a secret this server is for this machine alone; set MI_API_TOKEN."
                await problem(403, detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_from_afar(headers: Headers) -> bool:
    """Whether a proxy says that it sends this for somebody else."""
    return any(name.startswith(("forwarded", "x-forwarded")) for name in headers)


def _is_of_another_site(headers: Headers) -> bool:
    """Whether a browser says that it sends this for a page that isn't this machine's own.

    By its origin where there is one: a page at another port of this machine is near, though a
    browser calls 127.0.0.1 and localhost different sites.
    """
    origin = headers.get("origin")
    if origin is not None:
        return not is_loopback(_host(origin))
    return headers.get("sec-fetch-site", "none") == "cross-site"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
