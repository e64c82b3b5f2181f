"""People's events for funnels, as a line of names and minutes each."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from retention_lake import put_events

from mi_core.warehouse import Warehouse

BEGIN = datetime(2026, 1, 1)
STRANGER = 99
NAMES = "abcdeoxy"


def at(minute: int) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def put_minutes(warehouse: Warehouse, people: Mapping[int, str], **more: Any) -> None:
    """Replace the lake's events by people's, each a name and a minute, such as `a 0 b 10`.

    A stranger has sent each of NAMES long before, so that all are known.
    """
    rows: list[dict[str, Any]] = []
    for who, text in people.items():
        words = text.split()
        for name, minute in zip(words[::2], words[1::2], strict=True):
            rows.append({"who": who, "at": at(int(minute)), "event": name} | more)
    strange = [{"who": STRANGER, "at": "2020-01-01", "event": name} for name in NAMES]
    put_events(warehouse, [*rows, *strange])
