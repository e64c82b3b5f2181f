"""What a funnel asks for: its steps, what leaves people out, and which events are which."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations
from typing import TypeVar

from mi_core.definitions import Definitions, FunnelStep
from mi_core.errors import BadValue, UnknownName
from mi_core.warehouse import Warehouse

T = TypeVar("T")

ORDERS = ("ordered", "strict", "any")

MOST_KINDS = 31
"""Steps and exclusions together: an event has a bit for each, and one for being neither."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Who takes `step` between the steps numbered `after` and `before`, from 1, is left out."""

    step: FunnelStep
    after: int
    before: int

    def __str__(self) -> str:
        return f"{self.step.name}:{self.after}-{self.before}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A funnel's steps in `order`. In masks of events, steps come first, then exclusions."""

    steps: tuple[FunnelStep, ...]
    exclusions: tuple[Exclusion, ...]
    order: str

    @property
    def entry(self) -> int:
        """The mask of what makes an attempt begin."""
        return (1 << len(self.steps)) - 1 if self.order == "any" else 1

    @property
    def other(self) -> int:
        """The mask of an event that is neither step nor exclusion."""
        return 1 << len(self.steps) + len(self.exclusions)

    def masks(self) -> dict[str, list[str] | list[int]]:
        """Which event types and names have which mask, as the relations ask for it."""
        etypes: dict[str, int] = {}
        events: dict[str, int] = {}
        kinds = (*self.steps, *(each.step for each in self.exclusions))
        for bit, kind in enumerate(kinds):
            for masks, names in ((etypes, kind.etypes), (events, kind.events)):
                for name in names:
                    masks[name] = masks.get(name, 0) | 1 << bit
        return {
            "etypes": list(etypes),
            "etype_masks": list(etypes.values()),
            "events": list(events),
            "event_masks": list(events.values()),
        }


def make_plan(
    warehouse: Warehouse,
    definitions: Definitions,
    steps: Sequence[str | FunnelStep] | None,
    order: str,
    exclude: Sequence[str],
) -> Plan:
    """The plan of a funnel; its parameters are those of `funnel`. Reads the view `funnel_event`.

    Raises
    ------
    UnknownName
        An order, event type or event that isn't there.
    BadValue
        Fewer than 2 steps or too many, a step that nothing can take, or one that comes twice where
        it can't; an exclusion between no two steps, or for a step itself.
    """
    if order not in ORDERS:
        raise UnknownName("order", order, ORDERS)
    named = definitions.funnel.steps if steps is None else _listed(steps)
    found = tuple(_step(warehouse, definitions, each) for each in named)
    if len(found) < 2:
        raise BadValue(f"A funnel has 2 steps or more, not {len(found)}.")
    if len(found) + len(exclude) > MOST_KINDS:
        raise BadValue(
            f"A funnel has at most {MOST_KINDS} steps and exclusions,"
            f" not {len(found) + len(exclude)}."
        )
    if order == "any":
        _check_apart(definitions, found)
    exclusions = tuple(
        _exclusion(warehouse, definitions, found, order, text) for text in _listed(exclude)
    )
    return Plan(found, exclusions, order)


def _listed(names: Sequence[T]) -> Sequence[T]:
    """A name that came by itself is a list of one, not of its letters."""
    return [names] if isinstance(names, str) else names  # type: ignore[list-item]


def _step(warehouse: Warehouse, definitions: Definitions, step: str | FunnelStep) -> FunnelStep:
    if isinstance(step, FunnelStep):
        if not step.etypes and not step.events:
            raise BadValue(f"The step {step.name!r} has neither etypes nor events to take it.")
        for etype in step.etypes:
            if etype not in definitions.etypes:
                raise UnknownName("event type", etype, definitions.etypes)
        return step
    if step in definitions.etypes:
        return FunnelStep(name=step, etypes=(step,))
    if step not in definitions.events:
        _check_stored(warehouse, definitions, step)
    return FunnelStep(name=step, events=(step,))


def _check_stored(warehouse: Warehouse, definitions: Definitions, name: str) -> None:
    """Refuse the name of an event that was never sent."""
    rows = warehouse.sql("select distinct event_name from funnel_event").fetchall()
    stored = {event_name for (event_name,) in rows if event_name is not None}
    if name not in stored:
        # All names of events would be no sentence.
        near = get_close_matches(name, {*definitions.events, *stored}, n=3)
        raise UnknownName("event or event type", name, {*definitions.etypes, *near})


def _exclusion(
    warehouse: Warehouse,
    definitions: Definitions,
    steps: tuple[FunnelStep, ...],
    order: str,
    text: str,
) -> Exclusion:
    """`NAME`, between the first step and the last, or `NAME:A-B`, between steps A and B."""
    last = len(steps)
    bounded = re.fullmatch(r"(.+):(\d+)-(\d+)", text)
    name, after, before = bounded.groups() if bounded else (text, 1, last)
    made = Exclusion(_step(warehouse, definitions, name), int(after), int(before))
    if not 1 <= made.after < made.before <= last:
        raise BadValue(
            f"{text!r} leaves people out between steps {after} and {before}; of {last} steps, the"
            f" first must come before the second, as in {name}:1-{last}."
        )
    if order == "any" and (made.after, made.before) != (1, last):
        raise BadValue(f"In any order no step comes before another: write {name!r}, not {text!r}.")
    for number in range(1 if order == "any" else made.after + 1, made.before + 1):
        if _overlap(definitions, made.step, steps[number - 1]):
            raise BadValue(
                f"{name!r} takes step {number} of the funnel, so nobody can be left out for it"
                f" between steps {after} and {before}."
            )
    return made


def _check_apart(definitions: Definitions, steps: tuple[FunnelStep, ...]) -> None:
    """In any order, an event must say which step it takes."""
    for one, other in combinations(steps, 2):
        if _overlap(definitions, one, other):
            raise BadValue(
                f"One event can take both steps {one.name!r} and {other.name!r}; in any order each"
                " step is another event."
            )


def _overlap(definitions: Definitions, one: FunnelStep, other: FunnelStep) -> bool:
    """Whether there can be an event that takes both."""
    return (
        not {*one.etypes}.isdisjoint(other.etypes)
        or not {*one.events}.isdisjoint(other.events)
        or not {*_types(definitions, one)}.isdisjoint(other.etypes)
        or not {*_types(definitions, other)}.isdisjoint(one.etypes)
    )


def _types(definitions: Definitions, step: FunnelStep) -> Iterator[str | None]:
    """The types that the taxonomy gives to the events which a step names."""
    for name in step.events:
        if event := definitions.events.get(name):
            yield event.etype
            yield event.session_first_etype
