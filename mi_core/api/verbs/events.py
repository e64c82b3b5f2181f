"""Events that come in, at the door."""

from collections.abc import Sequence
from datetime import UTC, datetime

from mi_core.ingest.inbox import Delivery, Taken
from mi_core.inlet import Inlet


def take(inlet: Inlet, deliveries: Sequence[Delivery]) -> list[Taken]:
    """Put deliveries through the door and into the inbox, in one transaction."""
    return inlet.take(deliveries)


def waiting(inlet: Inlet, last_seq: int) -> tuple[int, float]:
    """How many events of the inbox lie behind number `last_seq`; the oldest's age in seconds."""
    events, since = inlet.state.inbox_after(last_seq)
    return events, max(0.0, (datetime.now(UTC) - since).total_seconds()) if since else 0.0


def whitelist_size(inlet: Inlet) -> int:
    """How many names of properties pass the door."""
    return len(inlet.definitions.whitelist_rows())
