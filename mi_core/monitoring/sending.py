"""One sender at a time: a claim in the state database, which ends by itself if its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from mi_core.state import State

LASTS = timedelta(minutes=5)
"""Longer than any one delivery takes; a claim is renewed before each."""

_CLAIM = """
insert into sending (name, token, expires_at)
values (:name, :token, :until)
on conflict (name) do update
set token = excluded.token, expires_at = excluded.expires_at
where sending.expires_at <= :now
"""
_RENEW = """
update sending
set expires_at = :until
where name = :name and token = :token
"""
_LET_GO = "delete from sending where name = :name and token = :token"


@dataclass(frozen=True)
class Claim:
    """The right to send what is called `name`."""

    state: State
    name: str
    token: str

    def renew(self) -> bool:
        """Hold it for longer; false where somebody else has it by now."""
        until = datetime.now(UTC) + LASTS
        with self.state.writing() as transaction:
            renewed = transaction.change(_RENEW, name=self.name, token=self.token, until=until)
        return renewed == 1


@contextmanager
def claimed(state: State, name: str) -> Iterator[Claim | None]:
    """The claim while the block runs; None where somebody else has it."""
    claim, now = Claim(state, name, str(uuid4())), datetime.now(UTC)
    with state.writing() as transaction:
        got = transaction.change(_CLAIM, name=name, token=claim.token, until=now + LASTS, now=now)
    if got != 1:
        yield None
        return
    try:
        yield claim
    finally:
        with state.writing() as transaction:
            transaction.change(_LET_GO, name=name, token=claim.token)
