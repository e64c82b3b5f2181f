"""One person: scores, journey, everything held, and being forgotten."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mi_core.errors import BadValue, UnknownPerson
from mi_core.person import Person, Scores, find_person, view_person
from mi_core.snapshot import newest_snapshot, take_snapshot
from mi_core.stored import stored_scores
from mi_core.workspace.reporting import Reporting
from mi_core.workspace.taking import Taking

if TYPE_CHECKING:
    from mi_core.erasure import Receipt
    from mi_core.journey import Journey


STRANGER = "No event of this workspace came with that id."


class People(Taking, Reporting):
    """What there is to ask and to do about one person."""

    def user(self, distinct_id: str, *, as_of: datetime | None = None) -> Person:
        """One person; see `view_person`.

        Parameters
        ----------
        distinct_id
            An id of the product, or a `user_id` as tables and reports show it.
        as_of
            Exclusive; default: the newest scoring, or the person's own since then, or now where
            there is none.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here, or to nobody with events before `as_of`.
        """
        self._keep_classified()
        user_id = self.user_id_of(distinct_id)
        moment = self._moment_of(user_id, as_of)
        return view_person(self.warehouse, self.state, self.definitions, user_id, as_of=moment)

    def scores(self, distinct_id: str) -> Scores:
        """One person as the newest scoring stored them, several times faster than `user`.

        What came after it doesn't count, until the next one. Whom it doesn't have is scored as by
        `user`, and so is everybody before the first scoring by the definitions in force.

        Raises
        ------
        UnknownPerson
            As `user`.
        """
        with self.warehouse.reading():
            user_id = self.user_id_of(distinct_id)
            found = stored_scores(self.warehouse, self.state, self.definitions, user_id)
        return found.scores or self.user(str(user_id), as_of=found.as_of)

    def rescore(self, distinct_id: str) -> Person:
        """Score one person as of now, the inbox included, and keep that; see `take_snapshot`.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here, or to nobody with events before now.
        """
        self.drain()
        self._keep_classified()
        user_id, now = self.user_id_of(distinct_id), datetime.now(UTC)
        take_snapshot(self.warehouse, self.state, self.definitions, user_id, as_of=now)
        return view_person(self.warehouse, self.state, self.definitions, user_id, as_of=now)

    def user_id_of(self, distinct_id: str) -> UUID:
        """Whose an id of the product is, or a `user_id` as tables and reports show it.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here.
        """
        user_id = find_person(self.warehouse, self.keys.hashes(distinct_id), distinct_id)
        if user_id is None:
            raise UnknownPerson(STRANGER)
        return user_id

    def journey(self, distinct_id: str, *, as_of: datetime | None = None) -> "Journey":
        """One person's way: milestones, touchpoints, credit; see `journey.view_journey`.

        As of the newest scoring, or now where there is none, markov goes by what was stored with
        it; any other `as_of` takes a look at everybody's paths.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here, or to nobody with events before `as_of`.
        """
        from mi_core.journey import view_journey

        self._keep_classified()
        with self.warehouse.reading():
            user_id, moment = self.user_id_of(distinct_id), self._moment(as_of)
            return view_journey(self.warehouse, self.state, self.definitions, user_id, as_of=moment)

    def forget(self, distinct_id: str) -> "Receipt":
        """Erase a person physically and keep them out from now on; see `erasure.forget`.

        By an id of the product, an address in any spelling, or a `user_id`. Of one of whom nothing
        is held, what comes later stays out all the same.
        """
        from mi_core.erasure import forget

        if not distinct_id.strip():
            raise BadValue("An empty id is nobody's; nothing was erased.")
        # What waits in the inbox may tell of further ids of theirs.
        self.drain()
        receipt = forget(self.warehouse, self.state, self.keys, distinct_id)
        if receipt.reports:
            self.shelf.write_index()
        return receipt

    def let_in(self, distinct_id: str) -> int:
        """Let a person in again who was forgotten; see `erasure.lift`."""
        from mi_core.erasure import lift

        return lift(self.warehouse, self.state, self.keys, distinct_id)

    def export_person(self, distinct_id: str) -> dict[str, Any]:
        """All that is held on a person, as plain values for JSON; see `disclosure`."""
        from mi_core.disclosure import export_person

        return export_person(self.warehouse, self.keys, distinct_id)

    def _moment_of(self, user_id: UUID, as_of: datetime | None) -> datetime:
        """As `_moment`, or the person's own snapshot where that is newer."""
        own = newest_snapshot(self.warehouse, user_id) if as_of is None else None
        return own or self._moment(as_of)
