"""The secret keys behind every hashed id.

HMAC-SHA-256 (RFC 2104) under a secret key, cut to 128 bits: a plain hash of an e-mail address is
reversed by a dictionary, a keyed one isn't. The key comes from `MI_HASH_KEYS`, else from a file
that the workspace makes for itself and that only its owner can read. To rotate, put a new key in
front of the old one: ids seen again are recognised under both, and keep their person.
"""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING
from uuid import UUID

from mi_core.errors import SettingsError
from mi_core.settings import Settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_BLOCK = 64
_SHORTEST = 32


@dataclass(frozen=True)
class HashKeys:
    """Keys, newest first."""

    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"HashKeys({len(self.keys)} keys, newest {self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """What tells the newest key from others, and tells nothing of it: 8 hex digits."""
        return self.fingerprints()[0]

    def fingerprints(self) -> list[str]:
        """The fingerprint of each key."""
        return [_hmac(key, b"fingerprint").hex()[:8] for key in self.keys]

    def hashes(self, identifier: str) -> list[UUID]:
        """The hash of an id under each key, newest first."""
        text = identifier.strip().encode()
        return [UUID(bytes=_hmac(key, text)[:16]) for key in self.keys]

    def cipher(self) -> "MultiFernet":
        """Encrypts what may only wait a while, such as a lead's address; reads old keys' too."""
        from cryptography.fernet import Fernet, MultiFernet

        derived = [_derived(key, b"waiting address") for key in self.keys]
        # As they were derived before, to read what waits since then.
        derived += [_hmac(key, b"waiting address") for key in self.keys]
        return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derived])

    def signatures(self, message: str) -> list[str]:
        """What proves that who holds a key wrote the message, under each key: 64 hex digits."""
        derived = (_derived(key, b"report link") for key in self.keys)
        return [_hmac(key, message.encode()).hex() for key in derived]

    def event_id(self, event: str) -> UUID:
        """An id for an event that came without one: the same for the same text."""
        key = _derived(self.keys[0], b"event id")
        return UUID(bytes=_hmac(key, event.encode())[:16], version=4)

    def pads(self) -> dict[str, bytes | None]:
        """HMAC's inner and outer pads of the newest key and of the one before, for door.sql."""
        newest, *older = self.keys
        old = older[0] if older else None
        return {
            "inner_pad": _pad(newest, 0x36),
            "outer_pad": _pad(newest, 0x5C),
            "old_inner_pad": _pad(old, 0x36) if old else None,
            "old_outer_pad": _pad(old, 0x5C) if old else None,
        }


def load_keys(path: Path, settings: Settings) -> HashKeys:
    """The keys of the workspace at `path`; a first file of its own where none are set.

    Raises
    ------
    SettingsError
        A key is too short, or the file is empty.
    """
    if settings.hash_keys:
        where, text = "MI_HASH_KEYS", settings.hash_keys.get_secret_value().replace(",", "\n")
    else:
        file = path / "hash.keys"
        where, text = str(file), _read_or_make(file)
    keys = [line.strip().encode() for line in text.splitlines() if line.strip()]
    if not keys or min(len(key) for key in keys) < _SHORTEST:
        raise SettingsError(f"{where} must hold keys of at least {_SHORTEST} characters each.")
    return HashKeys(tuple(keys))


def _read_or_make(file: Path) -> str:
    """The file's text. It appears whole, or not at all: two processes may make it at once."""
    if not file.exists():
        # A temporary file is its owner's alone, and so is a further name for it.
        with NamedTemporaryFile("w", dir=file.parent) as new:
            new.write(secrets.token_hex(_SHORTEST) + "\n")
            new.flush()
            os.fsync(new.fileno())
            with suppress(FileExistsError):
                os.link(new.name, file)
    return file.read_text(encoding="utf-8")


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _derived(key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose, of which no id that is hashed under `key` gives a part."""
    return _hmac(_hmac(key, b"derived keys")[::-1], purpose)


def _pad(key: bytes, byte: int) -> bytes:
    block = key if len(key) <= _BLOCK else hashlib.sha256(key).digest()
    return bytes(b ^ byte for b in block.ljust(_BLOCK, b"\0"))
