"""What can go wrong, as one tree.

MiError
├── SettingsError        a setting that is missing or can't be read
├── DefinitionError      a definitions file or overlay that doesn't say what it must
├── WorkspaceError       a workspace that can't be opened, or is of another version
│   ├── Unreachable      a database that can't be reached just now
│   ├── LockTimeout      another process held the write lock for too long
│   └── SnapshotGone     the lake keeps no history of then
├── IngestError          a file that can't be taken in; nothing of it was
├── PullError            PostHog can't be pulled from; what was taken before stays
├── NotDelivered         a channel that didn't take a message; all else is done
├── UnreadableBody       what a sender posted can't be read
│   └── BodyTooLarge     it is larger than is taken
├── RelationError        SQL that failed, with the relation's name
│   └── UnreadableData   it met a value that it can't read
├── BadValue             a value that a parameter can't have
├── UnknownName          a name that isn't there, with the nearest that is
├── UnknownPerson        an id that belongs to nobody here
└── ReportError          a report that can't be rendered

Every message is a sentence for a person: the bad value, what is allowed, the nearest match.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any


class MiError(Exception):
    """Whatever this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """The sentence alone, where IPython would print a page of stack; `%debug` has that."""
        return [f"{type(self).__name__}: {self}"]


class SettingsError(MiError):
    """A setting is missing or can't be read."""


class DefinitionError(MiError):
    """A definitions file or overlay is not valid."""


class WorkspaceError(MiError):
    """A workspace can't be opened, or is of another version."""


class Unreachable(WorkspaceError):
    """A database can't be reached, or is too busy: a moment later it may be."""


class LockTimeout(WorkspaceError):
    """Another process held the write lock for too long."""


class SnapshotGone(WorkspaceError):
    """The lake keeps no history of a snapshot."""


class IngestError(MiError):
    """A file can't be taken in; nothing of it was."""


class PullError(MiError):
    """PostHog can't be pulled from, or answers something else; what was taken before stays."""


class NotDelivered(MiError):
    """A channel didn't take a message, which is sent again at the next run; all else is done.

    `checks` are what a watch found.
    """

    def __init__(self, message: str, checks: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.checks = list(checks)


class UnreadableBody(MiError):
    """What a sender posted can't be read; the message doesn't repeat it."""


class BodyTooLarge(UnreadableBody):
    """What a sender posted is larger than is taken."""


class RelationError(MiError):
    """A relation's SQL failed; `may_pass` where that was for a file or a database."""

    may_pass = False


class UnreadableData(RelationError):
    """A relation met a value that it can't read."""


class BadValue(MiError):
    """A parameter can't have this value."""


class UnknownPerson(MiError):
    """An id belongs to nobody here; the message doesn't repeat it."""


class ReportError(MiError):
    """A report can't be rendered."""


class UnknownName(MiError):
    """A name that isn't there."""

    def __init__(self, kind: str, name: str, allowed: Iterable[str]) -> None:
        self.kind, self.name, self.allowed = kind, name, sorted(allowed)
        near = get_close_matches(name, self.allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        rest = f"{hint} Allowed: {', '.join(self.allowed)}."
        self.without_name = f"There is no such {kind}{rest}"
        super().__init__(f"There is no {kind} {name!r}{rest}")

    def __reduce__(self) -> tuple[type, tuple[str, str, list[str]]]:
        return type(self), (self.kind, self.name, self.allowed)
