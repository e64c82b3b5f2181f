"""What one set of definitions says otherwise than another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mi_core.definitions.tables import Definitions


@dataclass(frozen=True)
class Change:
    """A value that differs, by its place, such as `personas.automation_pro.rule.engagement_above`.

    None stands for what is not there.
    """

    definition: str
    now: object
    before: object


def changes(before: Definitions, now: Definitions) -> list[Change]:
    """Every value that differs, in the order of the definitions; tables are gone through."""
    return list(_within("", before.config(), now.config()))


def _within(path: str, before: object, now: object) -> Iterator[Change]:
    if before == now:
        return
    if isinstance(now, Mapping) and isinstance(before, Mapping | None):
        was = before or {}
        for key in dict.fromkeys((*was, *now)):
            yield from _within(f"{path}.{key}" if path else key, was.get(key), now.get(key))
    else:
        yield Change(path, now, before)
