"""The bodies in which events are posted: JSON, plain or packed as PostHog's SDKs pack it.

Which packings there are: PostHog's capture service and its SDKs (`posthog-js` sends gzip as plain
text, and Base64 in a form field; the others JSON, or gzip with a header).
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from mi_core.errors import BodyTooLarge, UnreadableBody

MOST_BYTES = 20 * 1024 * 1024
"""Of a body, packed or unpacked; PostHog's own limit."""

_GZIP = b"\x1f\x8b"
_GZIP_OR_ZLIB = 47
"""What zlib calls: whichever of the two the first bytes say."""


def json_body(body: bytes) -> Any:
    """The document in a body that is JSON as it stands.

    Raises
    ------
    UnreadableBody
        It isn't; what JSON has no word for, such as NaN or half a surrogate pair, included.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadableBody("The body is no JSON.") from None


def unpacked(
    body: bytes, *, encoding: str = "", content_type: str = "", compression: str = ""
) -> bytes:
    """The JSON text in a body as an SDK packed it.

    Parameters
    ----------
    encoding, content_type
        Of the headers.
    compression
        Of the query: `gzip`, `gzip-js` or `base64`; what the body's first bytes say comes first.

    Raises
    ------
    UnreadableBody
        It is packed in a way that isn't known, or is damaged.
    BodyTooLarge
        There are more than MOST_BYTES in it.
    """
    if encoding.strip().lower() not in ("", "identity", "gzip", "deflate", "x-gzip"):
        raise UnreadableBody("The body's Content-Encoding isn't known; gzip and deflate are.")
    if compression.startswith("lz64"):
        raise UnreadableBody("LZ-string isn't read; set the SDK's compression to gzip-js or none.")
    if content_type.startswith("application/x-www-form-urlencoded") and body[:5] == b"data=":
        body = _field(body)
    if _is_packed(body, encoding, compression):
        return _inflated(body)
    if body[:1] in (b"{", b"["):
        return body
    return _of_base64(body)


def _field(body: bytes) -> bytes:
    try:
        fields: Mapping[bytes, list[bytes]] = parse_qs(body, strict_parsing=True, max_num_fields=20)
        return fields[b"data"][0]
    except (ValueError, KeyError):
        raise UnreadableBody("The form has no readable field 'data'.") from None


def _is_packed(body: bytes, encoding: str, compression: str) -> bool:
    is_named = encoding.strip().lower() in ("gzip", "x-gzip", "deflate") or "gzip" in compression
    # An SDK may name a packing and not use it.
    return body[:2] == _GZIP or (is_named and body[:1] == b"\x78")


def _inflated(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        text = unpacker.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise UnreadableBody("The body is damaged: it can't be unpacked.") from None
    if len(text) > MOST_BYTES:
        raise BodyTooLarge(f"Unpacked, the body has over {MOST_BYTES:,} bytes.")
    if not unpacker.eof:
        raise UnreadableBody("The body is cut off.")
    return text


def _of_base64(body: bytes) -> bytes:
    try:
        # A form takes a plus for a space, where an SDK didn't escape it.
        text = base64.b64decode(body.strip(b"\r\n").replace(b" ", b"+"), validate=True)
    except binascii.Error:
        raise UnreadableBody(
            "The body is neither JSON nor packed in a way that is known."
        ) from None
    return _inflated(text) if text[:2] == _GZIP else text
