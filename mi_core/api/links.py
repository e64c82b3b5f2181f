"""Signed links to reports: for people with a browser and no token.

A link names one report, or all of them, until a time. It is signed under a key derived from the
workspace's own, so that it holds for every server of the workspace, and ends with the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from mi_core.api.tokens import is_one_of
from mi_core.ingest.keys import HashKeys

ALL = "*"


@dataclass(frozen=True)
class Links:
    """Makes links to reports and knows its own."""

    keys: HashKeys

    def link(self, report: str | None, *, now: datetime, days: int) -> tuple[str, datetime]:
        """The path of a link to a report, or to all, and when it ends."""
        ends = (now + timedelta(days=days)).replace(microsecond=0)
        expires = str(int(ends.timestamp()))
        signature = self.keys.signatures(_signed(report or ALL, expires))[0]
        query = urlencode({"expires": expires, "signature": signature})
        return f"/reports/{quote(report or '')}?{query}", ends

    def admit(self, query: Mapping[str, str], report: str, *, now: datetime) -> bool:
        """Whether a link leads to this report (`*` is the index) and hasn't ended."""
        expires, given = query.get("expires", ""), query.get("signature", "")
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        known = [
            signature
            for each in {ALL, report}
            for signature in self.keys.signatures(_signed(each, expires))
        ]
        return is_one_of(given, known) and now.timestamp() < int(expires)


def _signed(report: str, expires: str) -> str:
    return f"{expires} {report}"
