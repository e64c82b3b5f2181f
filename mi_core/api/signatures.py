"""Who may send webhooks: three ways to prove it, each over the bytes as they came.

- Standard Webhooks 1.0 (`webhook-id`, `-timestamp`, `-signature`), as PostHog's destination signs:
  any of several secrets, 5 minutes of tolerance, and an id by which a repeat is known.
- A hex HMAC-SHA-256 of the body in `X-PostHog-Signature`, which the replaced system asked for.
- A static secret in `Authorization: Bearer …` or `X-Webhook-Token`.

Whatever the headers hold, the answer is yes, 400 or 401.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mi_core.api.problems import Refused
from mi_core.api.tokens import bearer_of, is_one_of
from mi_core.settings import Settings
from mi_core.signing import decoded, mac, secrets_of, signed

TOLERANCE_SECONDS = 300
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,200}")
"""Printable, and without the point that parts it from the time in what is signed."""
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"[0-9]{1,12}")
_WAYS = {
    "webhook_signing_secret": "Standard Webhooks headers (MI_WEBHOOK_SIGNING_SECRET)",
    "webhook_hmac_secret": "X-PostHog-Signature (MI_WEBHOOK_HMAC_SECRET)",
    "webhook_token": "Authorization: Bearer or X-Webhook-Token (MI_WEBHOOK_TOKEN)",
}


@dataclass(frozen=True, repr=False)
class Verifier:
    """The secrets of a server's webhook. `is_open` is as of `Tokens`."""

    signing: tuple[bytes, ...]
    hmacs: tuple[str, ...]
    tokens: tuple[str, ...]
    is_open: bool

    @classmethod
    def of(cls, settings: Settings, *, is_open: bool) -> "Verifier":
        """The verifier that settings ask for.

        Raises
        ------
        SettingsError
            A signing secret isn't Base64 of 16 bytes or more, after an optional `whsec_`.
        """
        return cls(
            tuple(
                decoded(each, "MI_WEBHOOK_SIGNING_SECRET", origin="as PostHog shows it")
                for each in secrets_of(settings.webhook_signing_secret)
            ),
            secrets_of(settings.webhook_hmac_secret),
            secrets_of(settings.webhook_token),
            is_open,
        )

    def check(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str | None:
        """Let a webhook in; returns the id of a signed one.

        Raises
        ------
        Refused
            400 where a header can't be read, 401 where it doesn't prove anything.
        """
        if self.signing and "webhook-signature" in headers:
            return self._check_signed(headers, body, now)
        if self.hmacs and "x-posthog-signature" in headers:
            self._check_hmac(headers["x-posthog-signature"], body)
            return None
        if self.tokens and (token := _token(headers)) is not None:
            if is_one_of(token, self.tokens):
                return None
            raise Refused(401, "The webhook's token isn't one that is known here.")
        if self.is_open:
            return None
        raise Refused(401, f"This webhook must say who sends it: {self._ways()}.")

    def _check_signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not _ID.fullmatch(webhook_id):
            raise Refused(400, "The header webhook-id is missing or can't be read.")
        if not _TIME.fullmatch(timestamp):
            raise Refused(400, "The header webhook-timestamp is missing or is no Unix time.")
        if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
            detail = "The webhook was signed over 5 minutes from now: a replay, or a wrong clock."
            raise Refused(401, detail)
        message = signed(webhook_id, timestamp, body)
        expected = [mac(secret, message) for secret in self.signing]
        given = map(_version_1, headers["webhook-signature"].split())
        if not any(is_one_of(each, expected) for each in given if each is not None):
            raise Refused(401, "The webhook's signature isn't of a secret that is known here.")
        return webhook_id

    def _check_hmac(self, header: str, body: bytes) -> None:
        given = header.strip().lower().removeprefix("sha256=")
        if not _HEX.fullmatch(given):
            raise Refused(400, "The header X-PostHog-Signature isn't 64 hex digits.")
        if not is_one_of(given, [mac(secret.encode(), body) for secret in self.hmacs]):
            raise Refused(401, "The webhook's signature isn't of a secret that is known here.")

    def _ways(self) -> str:
        has = {
            "webhook_signing_secret": self.signing,
            "webhook_hmac_secret": self.hmacs,
            "webhook_token": self.tokens,
        }
        known = [_WAYS[name] for name, secrets in has.items() if secrets]
        return " or ".join(known or _WAYS.values())


def _version_1(signature: str) -> str | None:
    """The hex digits of a signature `v1,Base64`; None of what is another version's or nobody's."""
    version, _, text = signature.partition(",")
    try:
        return base64.b64decode(text, validate=True).hex() if version == "v1" else None
    except (binascii.Error, ValueError):
        return None


def _token(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-webhook-token", bearer_of(headers))
