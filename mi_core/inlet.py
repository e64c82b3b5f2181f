"""Where single events enter: the privacy door, the inbox behind it, and the queue of leads.

It is what a web server needs of a workspace to acknowledge events. Behind it stands the workspace
with everything else.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mi_core.configs import Configs
from mi_core.definitions import Definitions
from mi_core.errors import WorkspaceError
from mi_core.ingest.door import Door
from mi_core.ingest.inbox import Delivery, Taken, note, take
from mi_core.ingest.keys import HashKeys, load_keys
from mi_core.ingest.standing import StandingDoor
from mi_core.settings import Settings
from mi_core.state import State
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from mi_core.enrichment.service import Enrichment


class Inlet:
    """The way in to the workspace in the folder `path`.

    `is_alone` is as of `State.open`: DuckDB then reads no state, and no `Workspace` may be opened
    in the same process.
    """

    def __init__(self, path: Path, settings: Settings, *, is_alone: bool = True) -> None:
        self.path = path
        self.settings = settings
        self.keys: HashKeys = load_keys(path, settings)
        self._beside = ExitStack()
        with ExitStack() as on_failure:
            self.state = State.open(path, settings, is_alone=is_alone)
            on_failure.callback(self.state.close)
            self.configs = Configs(path, self.state)
            self.definitions: Definitions = self.configs.in_force()
            self.door = Door(self.definitions, self.keys)
            # To share out the work on a few events costs more than it saves.
            own = settings.model_copy(update={"threads": 1}) if is_alone else settings
            self.warehouse = Warehouse.open(path, own, has_state=not is_alone)
            on_failure.callback(self.warehouse.close)
            self._check_keys()
            on_failure.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._beside.close()
        self.warehouse.close()
        self.state.close()

    def post(
        self,
        events: Iterable[Mapping[str, Any]],
        *,
        received_at: datetime | None = None,
        source: str = "webhook",
    ) -> Taken:
        """Put events into the inbox; see `take`, of which this is one delivery."""
        return self.take([Delivery(list(events), source)], received_at=received_at)[0]

    def take(
        self, deliveries: Sequence[Delivery], *, received_at: datetime | None = None
    ) -> list[Taken]:
        """Put several deliveries into the inbox at once; see `inbox.take`.

        `received_at` defaults to now. An address that somebody gives in an event queues a lead, and
        consent withheld in one cancels it; see `enrichment.capture`.
        """
        at = received_at or datetime.now(UTC)
        has_leads = self._has_leads(deliveries)
        taken = take(
            self._standing_door, self.state, deliveries, received_at=at, notes=not has_leads
        )
        if has_leads:
            self._queue_leads(deliveries, taken)
            # Only now: what breaks off before comes again, and is no repeat then.
            note(self.state, deliveries, taken, received_at=at)
        return taken

    def get_ready(self) -> None:
        """Do what the first event would wait for."""
        _ = self._standing_door, self.enrichment

    @cached_property
    def enrichment(self) -> "Enrichment":
        """Leads: `enrichment.put([...])` queues them, `.work()` works the queue, `.lead(id)` tells.

        `.costs()` says what they cost; see `enrichment.service`.
        """
        from mi_core.enrichment.service import Enrichment

        return Enrichment(self.warehouse, self.state, self.definitions, self.keys, self.settings)

    @cached_property
    def _standing_door(self) -> StandingDoor:
        return StandingDoor(self._beside.enter_context(self.warehouse.beside()), self.door)

    def _has_leads(self, deliveries: Sequence[Delivery]) -> bool:
        """Whether an event brings a lead, or withholds the consent to be one."""
        from mi_core.enrichment.capture import captured, withdrawn

        events = [event for each in deliveries for event in each.events if event]
        return bool(captured(events, (), self.definitions) or withdrawn(events))

    def _queue_leads(self, deliveries: Sequence[Delivery], taken: Sequence[Taken]) -> None:
        from mi_core.enrichment.capture import captured, withdrawn

        came = [(d, t) for d, t in zip(deliveries, taken, strict=True) if not t.is_repeat]
        known = self.definitions
        if leads := [lead for d, t in came for lead in captured(d.events, t.refused, known)]:
            self.enrichment.put(leads, reopens=False)
        if ids := [each for d, _ in came for each in withdrawn(d.events)]:
            self.enrichment.withdraw(ids)

    def _check_keys(self) -> None:
        """Refuse keys that the stored hashes weren't made with: all would become strangers."""
        known = self.state.meta("hash_key")
        current = self.keys.fingerprint
        if known is None:
            self.state.set_meta("hash_key", current)
        elif known != current:
            if known not in self.keys.fingerprints():
                raise WorkspaceError(
                    f"The ids in {self.path} were hashed with another key than the one at hand: "
                    "set MI_HASH_KEYS to it, or to NEW,OLD to rotate."
                )
            self.state.set_meta("hash_key", current)
