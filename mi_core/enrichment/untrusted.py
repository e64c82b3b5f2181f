"""Texts and addresses that others wrote: plain and short, or nothing at all."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LONGEST_BODY = 4_000_000
LONGEST_URL = 500


def plain_text(value: object, longest: int) -> str | None:
    """A line of at most `longest` characters; None where it is more, or has what nobody sees.

    Control characters, marks that turn the direction of writing, and lone surrogates have no place
    in what a terminal, a page or a database is handed.
    """
    if not isinstance(value, str) or len(value) > 4 * longest:
        return None
    line = " ".join(value.split())
    hidden = any(unicodedata.category(each)[0] == "C" for each in line)
    return line if line and len(line) <= longest and not hidden else None


def web_address(value: object) -> str | None:
    """An http(s) address with a host, and without anybody's password."""
    url = plain_text(value, LONGEST_URL)
    if url is None or any(each in url for each in " \"'<>\\`{|}^"):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
        return url if usable and (parts.port or 1) > 0 else None
    except ValueError:
        return None


def json_object(content: bytes | str) -> Mapping[str, Any] | None:
    """The JSON object in `content`; None where it is no valid JSON, or something else."""
    if len(content) > LONGEST_BODY:
        return None
    try:
        value = json.loads(content, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_number(name: str) -> float:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(name)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def count(value: object) -> int | None:
    """A whole number from 0 on; True is none."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if is_count else None  # type: ignore[return-value]
