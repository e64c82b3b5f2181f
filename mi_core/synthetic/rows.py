"""The rows of an export, still as integers: who, when, which event.

Text is made of these only when a file is written (texts.py).
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from mi_core.synthetic.journeys import Conversions, Flags, Floats, Ints, People, Visits

# Under which id an event comes
ANONYMOUS, KNOWN, SECOND_DEVICE, ALIAS = range(4)
# What a row's properties carry besides its session and its event
PLAIN, LANDING, EMAIL, IDENTIFY, IDENTIFY_SECOND, ALIASED = range(6)
SERVER = -1  # the session of an event that no device sent


@dataclass(frozen=True, slots=True)
class Rows:
    """Events as parallel arrays.

    `session` numbers the block's visits and after them its app sessions; `code` is vocabulary's;
    `at` is in seconds since the start.
    """

    person: Ints
    session: Ints
    code: Ints
    at: Floats
    identity: npt.NDArray[np.int8]
    extra: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.person)

    def take(self, index: npt.NDArray[np.intp] | Flags | slice) -> "Rows":
        return Rows(*(getattr(self, field.name)[index] for field in fields(self)))

    @staticmethod
    def concat(parts: list["Rows"]) -> "Rows":
        return Rows(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in fields(Rows)
            )
        )


@dataclass(frozen=True, slots=True)
class Sessions:
    """One row per session: visits first (with a channel), then app sessions (channel -1)."""

    person: Ints
    at: Floats
    channel: Ints


@dataclass(frozen=True, slots=True)
class Block:
    """Some thousand people with all that they do."""

    number: int
    people: People
    sessions: Sessions
    visits: Visits
    conversions: Conversions
    consent: Flags
    rows: Rows


def make_rows(
    person: Ints,
    session: Ints | int,
    code: Ints | int,
    at: Floats,
    *,
    extra: int = PLAIN,
) -> Rows:
    """Rows from columns, or from one value for all; under the person's known id."""
    size = len(person)
    return Rows(
        person,
        np.broadcast_to(np.int32(session), size),
        np.broadcast_to(np.int32(code), size),
        at,
        np.full(size, KNOWN, np.int8),
        np.full(size, extra, np.int8),
    )
