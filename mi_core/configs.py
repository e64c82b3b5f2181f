"""Versions of the definitions: proposed with what speaks for them, put in force, taken back.

In force are the package's definitions, with the workspace's `overlay.toml` on top, and on top of
that what the newest activation says. A proposal is an overlay of its own, kept in the state
database; putting it in force changes no file, and can be taken back.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mi_core.definitions import Change, Definitions, changes, load_definitions, merged
from mi_core.errors import BadValue, DefinitionError, UnknownName
from mi_core.state import CONFIG_KEY, State, Transaction, moment

OVERLAY = "overlay.toml"

FILES = "files"
"""In place of a version: the files alone."""

_ACTIVE = "select version from config_activation order by number desc limit 1"
_PROPOSALS = """
select version, based_on, changes, evidence, author, reason, proposed_at
from config_proposal
order by proposed_at, version
"""
_ACTIVATIONS = """
select number, version, is_rollback, activated_by, reason, activated_at
from config_activation
order by number
"""
_PROPOSE = """
insert into config_proposal (version, based_on, changes, evidence, author, reason, proposed_at)
values (:version, :based_on, :changes, :evidence, :author, :reason, :at)
"""
_ACTIVATE = """
insert into config_activation (version, is_rollback, activated_by, reason, activated_at)
values (:version, :is_rollback, :by, :reason, :at)
"""


@dataclass(frozen=True)
class Proposal:
    """Definitions that somebody proposed.

    Attributes
    ----------
    version
        Of the definitions that it made of those in force when it was proposed.
    changes
        What it says, as an overlay: in place of the files' values.
    evidence
        What speaks for it, such as figures, seed and notebook; None where nobody said.
    """

    version: str
    based_on: str
    changes: Mapping[str, Any]
    evidence: Mapping[str, Any] | None
    author: str
    reason: str
    proposed_at: datetime


@dataclass(frozen=True)
class Activation:
    """What was put in force; `version` is None for the files alone."""

    number: int
    version: str | None
    is_rollback: bool
    activated_by: str
    reason: str
    activated_at: datetime


class Configs:
    """The versions of the workspace in the folder `path`."""

    def __init__(self, path: Path, state: State) -> None:
        self.path, self.state = path, state

    def in_force(self) -> Definitions:
        """The definitions to go by.

        Raises
        ------
        DefinitionError
            A file, or what was put in force on top of it, says something that isn't allowed.
        """
        with self.state.reading() as transaction:
            active = _active_in(transaction)
        return self._with(active)

    def newest(self) -> int:
        """The number of the newest activation; 0 before the first."""
        with self.state.reading() as transaction:
            rows = transaction.rows("select max(number) as number from config_activation")
        return rows[0]["number"] or 0

    def proposals(self) -> list[Proposal]:
        """All that was proposed, the oldest first."""
        with self.state.reading() as transaction:
            return _proposals_in(transaction)

    def activations(self) -> list[Activation]:
        """All that was put in force by hand, the oldest first."""
        with self.state.reading() as transaction:
            return _activations_in(transaction)

    def proposal(self, version: str) -> Proposal:
        """The proposal of that version, or of the only one that begins so.

        Raises
        ------
        UnknownName
            There is none.
        BadValue
            Several begin so.
        """
        with self.state.reading() as transaction:
            return _proposal_in(transaction, version)

    def definitions(self, version: str) -> Definitions:
        """The definitions that a proposal makes of the files; of `files`, the files alone."""
        return self._with(None if version == FILES else self.proposal(version))

    def diff(self, version: str, against: str | None = None) -> list[Change]:
        """What a version says otherwise than another; by default than those in force."""
        before = self.in_force() if against is None else self.definitions(against)
        return changes(before, self.definitions(version))

    def propose(
        self,
        overlay: Mapping[str, Any],
        *,
        author: str,
        reason: str,
        evidence: Mapping[str, Any] | None = None,
        at: datetime | None = None,
    ) -> Proposal:
        """Keep values to put in place of those in force; they aren't, until activated.

        Parameters
        ----------
        overlay
            As a workspace's overlay, such as
            `{"personas": {"automation_pro": {"rule": {"engagement_above": 24}}}}`.
        at
            Default: now.

        Raises
        ------
        DefinitionError
            The overlay says something that isn't allowed.
        BadValue
            It changes no score, was proposed already, or nobody says who or why.
        """
        _said("author", author)
        _said("reason", reason)
        with self._changing() as transaction:
            active = _active_in(transaction)
            now, before = merged(active.changes if active else {}, overlay), self._with(active)
            proposed = self._load(now, "proposal")
            if proposed.version == before.version:
                raise BadValue("It changes nothing that scores depend on.")
            when = at or datetime.now(UTC)
            made = Proposal(proposed.version, before.version, now, evidence, author, reason, when)
            if transaction.known("config_proposal", "version", [made.version]):
                raise BadValue(f"{made.version} was proposed already: mi config activate it.")
            transaction.change(
                _PROPOSE,
                version=made.version,
                based_on=made.based_on,
                changes=json.dumps(made.changes),
                evidence=None if evidence is None else json.dumps(evidence),
                author=author,
                reason=reason,
                at=made.proposed_at,
            )
        return made

    def activate(
        self, version: str, *, by: str, reason: str, at: datetime | None = None
    ) -> Definitions:
        """Put a proposal in force, or with `files` the files alone; returns what is now.

        A workspace that is open goes on by what it has; the next that is opened goes by this.

        Raises
        ------
        UnknownName
            There is no such proposal.
        BadValue
            It is in force already, several begin so, or nobody says who or why.
        DefinitionError
            The files have changed since, and it doesn't go with them.
        """
        with self._changing() as transaction:
            chosen = None if version == FILES else _proposal_in(transaction, version)
            return self._activate(transaction, chosen, is_rollback=0, by=by, reason=reason, at=at)

    def roll_back(self, *, by: str, reason: str, at: datetime | None = None) -> Definitions:
        """Take the newest activation back that wasn't yet; returns what is in force now.

        Raises
        ------
        BadValue
            Nothing was ever activated, or nobody says who or why.
        """
        with self._changing() as transaction:
            standing: list[str | None] = []
            for each in _activations_in(transaction):
                if each.is_rollback:
                    standing.pop()
                else:
                    standing.append(each.version)
            if not standing:
                raise BadValue("There is nothing to take back: the files are in force.")
            before = standing[-2] if len(standing) > 1 else None
            chosen = _proposal_in(transaction, before) if before else None
            return self._activate(transaction, chosen, is_rollback=1, by=by, reason=reason, at=at)

    @contextmanager
    def _changing(self) -> Iterator[Transaction]:
        """A transaction that writes, from whose first look on nobody else puts in force."""
        with self.state.writing() as transaction:
            transaction.one_at_a_time(CONFIG_KEY)
            yield transaction

    def _activate(
        self,
        transaction: Transaction,
        chosen: Proposal | None,
        *,
        is_rollback: int,
        by: str,
        reason: str,
        at: datetime | None,
    ) -> Definitions:
        _said("by", by)
        _said("reason", reason)
        name = chosen.version if chosen else None
        definitions = self._with(chosen)
        if name == _active_version(transaction):
            is_so = f"{name} is" if name else "The files alone are"
            raise BadValue(f"{is_so} in force already.")
        bound = {"version": name, "is_rollback": is_rollback, "by": by, "reason": reason}
        transaction.change(_ACTIVATE, **bound, at=at or datetime.now(UTC))
        return definitions

    def _with(self, proposal: Proposal | None) -> Definitions:
        if proposal is None:
            return self._load({}, FILES)
        try:
            return self._load(proposal.changes, f"proposal {proposal.version}")
        except DefinitionError as error:
            self._load({}, FILES)
            hint = "Where the files have changed since, mi config rollback takes it back."
            raise DefinitionError(f"{error}\n{hint}") from None

    def _load(self, above: Mapping[str, Any], name: str) -> Definitions:
        file = self.path / OVERLAY
        return load_definitions(file if file.exists() else None, above=above, above_name=name)


def _active_version(transaction: Transaction) -> str | None:
    rows = transaction.rows(_ACTIVE)
    return rows[0]["version"] if rows else None


def _active_in(transaction: Transaction) -> Proposal | None:
    version = _active_version(transaction)
    return _proposal_in(transaction, version) if version else None


def _proposals_in(transaction: Transaction) -> list[Proposal]:
    return [_proposal(row) for row in transaction.rows(_PROPOSALS)]


def _activations_in(transaction: Transaction) -> list[Activation]:
    return [_activation(row) for row in transaction.rows(_ACTIVATIONS)]


def _proposal_in(transaction: Transaction, version: str) -> Proposal:
    known = {each.version: each for each in _proposals_in(transaction)}
    found = [name for name in known if name.startswith(version)] if version else []
    if len(found) > 1:
        raise BadValue(f"No one proposal is {version!r}; several begin so: {', '.join(found)}.")
    if not found:
        raise UnknownName("proposal", version, known)
    return known[found[0]]


def _activation(row: Mapping[str, Any]) -> Activation:
    kept = {"activated_at": moment(row["activated_at"]), "is_rollback": bool(row["is_rollback"])}
    return Activation(**{**row, **kept})


def _proposal(row: Mapping[str, Any]) -> Proposal:
    kept = {name: json.loads(row[name]) if row[name] else None for name in ("changes", "evidence")}
    return Proposal(**{**row, **kept, "proposed_at": moment(row["proposed_at"])})


def _said(what: str, text: str) -> None:
    if not text.strip():
        raise BadValue(f"`{what}` must say something: versions are read years later.")
