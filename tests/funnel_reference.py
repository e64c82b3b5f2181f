"""Funnels as slowly and plainly as they can be said: one person at a time, every attempt in turn.

Written from what `mi_core.funnels.funnel` says of itself, and from docs/attribution.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Act:
    """An event of a person: which steps it can take, and which exclusions it is, from 1."""

    at: int
    steps: frozenset[int] = frozenset()
    exclusions: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Asked:
    """A funnel of so many steps. `exclusions` are pairs of numbers of steps; the end is open."""

    steps: int
    window: int
    until: int
    order: str = "ordered"
    exclusions: tuple[tuple[int, int], ...] = ()

    def act(self, at: int, mask: int) -> Act:
        """An event with a bit for each step, then for each exclusion, then for what is neither."""
        numbers = {bit + 1 for bit in range(self.steps + len(self.exclusions)) if mask >> bit & 1}
        steps = frozenset(number for number in numbers if number <= self.steps)
        return Act(at, steps, frozenset(number - self.steps for number in numbers - steps))


@dataclass(frozen=True)
class Way:
    """How far a person got, and when the counted attempt reached its steps."""

    furthest: int
    moments: tuple[int, ...] = ()
    is_open: bool = False
    is_left_out: bool = False


Attempt = tuple[int, ...]
"""Places of the events that took the steps, one for each step that was reached."""


def in_order(acts: Sequence[Act], steps: int) -> list[Act]:
    """By time; of one moment the event with the lower step first, then exclusions, then others.

    Of two with the same lowest step, the one comes first that has the lower mask.
    """

    def rank(act: Act) -> tuple[int, int, int]:
        kinds = sorted(act.steps) + [steps + each for each in sorted(act.exclusions)]
        mask = sum(1 << kind for kind in kinds)
        return act.at, min(kinds, default=99), mask

    return sorted(acts, key=rank)


def way(acts: Sequence[Act], asked: Asked) -> Way | None:
    """How far a person got who has these events in the period; None who never entered."""
    ordered = in_order(acts, asked.steps)
    if asked.order == "any":
        return _way_in_any_order(ordered, asked)
    found = list(attempts(ordered, asked))
    if not found:
        return None
    furthest = max(map(len, found))
    best = min((each for each in found if len(each) == furthest), key=_rank)
    return Way(
        furthest,
        tuple(ordered[place].at for place in best),
        furthest < asked.steps and any(_may_go_on(each, ordered, asked) for each in found),
        any(_leaves_out(place, ordered, asked) for place in range(len(ordered))),
    )


def _rank(attempt: Attempt) -> tuple[int, ...]:
    """The first to get so far; of those, the latest to begin, and the first at each other step."""
    first, *further = attempt
    return attempt[-1], -first, *further


def attempts(acts: Sequence[Act], asked: Asked) -> Iterator[Attempt]:
    """Every way of taking the first steps, as far as the window and the order let it be."""
    for place, act in enumerate(acts):
        if 1 in act.steps:
            yield from _further((place,), acts, asked)


def _further(attempt: Attempt, acts: Sequence[Act], asked: Asked) -> Iterator[Attempt]:
    yield attempt
    if len(attempt) == asked.steps:
        return
    first, last = attempt[0], attempt[-1]
    reach = last + 2 if asked.order == "strict" else len(acts)
    for place in range(last + 1, min(reach, len(acts))):
        is_in = acts[place].at - acts[first].at <= asked.window
        if is_in and len(attempt) + 1 in acts[place].steps:
            yield from _further((*attempt, place), acts, asked)


def _may_go_on(attempt: Attempt, acts: Sequence[Act], asked: Asked) -> bool:
    is_alive = asked.order != "strict" or attempt[-1] == len(acts) - 1
    return is_alive and acts[attempt[0]].at + asked.window >= asked.until


def _leaves_out(place: int, acts: Sequence[Act], asked: Asked) -> bool:
    """Whether the event at `place` leaves its person out, who doesn't complete the funnel by it."""
    if any(len(each) == asked.steps for each in attempts(acts[: place + 1], asked)):
        return False
    before = list(attempts(acts[:place], asked))
    for number in acts[place].exclusions:
        after, until = asked.exclusions[number - 1]
        for first in {each[0] for each in before}:
            mine = [each for each in before if each[0] == first]
            if asked.order == "strict":
                # Any event but the next step ends an attempt, this one too.
                mine = [each for each in mine if each[-1] == place - 1]
            furthest = max(map(len, mine), default=0)
            is_in = acts[place].at - acts[first].at <= asked.window
            if is_in and after <= furthest < until:
                return True
    return False


def _way_in_any_order(acts: Sequence[Act], asked: Asked) -> Way | None:
    """A window holds the latest event of each step, seen from each event at its end."""
    held = [_held(acts[: place + 1], asked) for place, act in enumerate(acts) if act.steps]
    if not held:
        return None
    furthest = max(map(len, held))
    best = next(each for each in held if len(each) == furthest)
    is_open = any(act.steps and act.at + asked.window >= asked.until for act in acts)
    return Way(
        furthest,
        tuple(sorted(best.values())),
        is_open and furthest < asked.steps,
        any(_leaves_out_in_any_order(place, acts, asked) for place in range(len(acts))),
    )


def _held(acts: Sequence[Act], asked: Asked) -> dict[int, int]:
    """The steps in the window that the last of `acts` ends, each with its latest moment."""
    inside = [act for act in acts if acts[-1].at - act.at <= asked.window]
    return {step: act.at for act in inside for step in act.steps}


def _leaves_out_in_any_order(place: int, acts: Sequence[Act], asked: Asked) -> bool:
    before = acts[:place]
    ends = (acts[: end + 1] for end in range(place) if acts[end].steps)
    if any(len(_held(each, asked)) == asked.steps for each in ends):
        return False
    is_begun = any(act.steps and acts[place].at - act.at <= asked.window for act in before)
    return bool(acts[place].exclusions) and is_begun


Row = tuple[int, int, float | None, float | None, float | None, float | None]


def step_rows(ways: Sequence[Way], steps: int) -> list[Row]:
    """People, open, the median and the quartiles since the step before, the median since the first.

    In the unit of the events' times, of the people who aren't left out.
    """
    counted = [each for each in ways if not each.is_left_out]
    rows: list[Row] = []
    for step in range(1, steps + 1):
        came = [each for each in counted if each.furthest >= step]
        still = sum(each.is_open for each in came if each.furthest == step)
        last = [_gaps(each)[step - 2] for each in came] if step > 1 else []
        whole = [each.moments[step - 1] - each.moments[0] for each in came] if step > 1 else []
        middle, low, high = (quantile(last, part) for part in (0.5, 0.25, 0.75))
        rows.append((len(came), still, middle, low, high, quantile(whole, 0.5)))
    return rows


def _gaps(each: Way) -> list[int]:
    return [after - before for before, after in pairwise(each.moments)]


def quantile(values: Sequence[float], part: float) -> float | None:
    """Between the two values nearest to it, in proportion."""
    if not values:
        return None
    ranked = sorted(values)
    place = part * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def ways(people: Mapping[int, Sequence[Act]], asked: Asked) -> dict[int, Way]:
    """The way of each person who entered."""
    found = {who: way(acts, asked) for who, acts in people.items()}
    return {who: each for who, each in found.items() if each is not None}
