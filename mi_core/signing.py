"""Standard Webhooks 1.0: what is signed, and how; who receives and who sends go by it.

https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md: HMAC-SHA-256
over `id.timestamp.body`, with a secret that is written as `whsec_` and Base64.
"""

import base64
import binascii
import hashlib
import hmac

from pydantic import SecretStr

from mi_core.errors import SettingsError

SHORTEST = 16
"""Bytes of a secret; shorter ones are guessed."""


def secrets_of(setting: SecretStr | None) -> tuple[str, ...]:
    """The secrets in a setting, separated by commas; several are for rotation."""
    text = setting.get_secret_value() if setting else ""
    return tuple(each.strip() for each in text.split(",") if each.strip())


def decoded(secret: str, variable: str, *, origin: str) -> bytes:
    """The bytes of a signing secret; `origin` says in an error how one comes by it.

    Raises
    ------
    SettingsError
        It isn't Base64 of 16 bytes or more, after an optional `whsec_`; names the `variable`.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST:
        raise SettingsError(f"{variable} must be whsec_ and Base64 of 16 bytes or more, {origin}.")
    return key


def mac(secret: bytes, message: bytes) -> str:
    """64 hex digits."""
    return hmac.digest(secret, message, hashlib.sha256).hex()


def signed(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    """What a signature is of."""
    return b".".join((webhook_id.encode(), timestamp.encode(), body))


def signature(secret: bytes, webhook_id: str, timestamp: str, body: bytes) -> str:
    """As the header webhook-signature has one: `v1,Base64`."""
    digest = hmac.digest(secret, signed(webhook_id, timestamp, body), hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"
