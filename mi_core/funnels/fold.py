"""Who got how far: a few passes of NumPy for each step over events in order, none over people.

The latest attempt to have reached a step before an event is that of the nearest row above which
reached it: later rows belong to later attempts. And the latest attempt is the best one, because its
window closes last. So for each event of a step only that one row is looked for, by bisection.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mi_core.funnels.events import Bools, Events, Ints, Longs


@dataclass(frozen=True, slots=True)
class Window:
    """How long an attempt lasts, in microseconds, its end included, and when observation ends."""

    length: int
    until: int

    def holds(self, events: Events, starts: Longs, rows: Longs) -> Bools:
        """Whether `rows` lie in the windows of the attempts that start at `starts`."""
        is_in: Bools = events.moment[rows] - events.moment[starts] <= self.length
        is_in &= events.person[starts] == events.person[rows]
        return is_in

    def is_open(self, events: Events, starts: Longs) -> Bools:
        """Whether an event yet to be observed could lie in the window."""
        return events.moment[starts] + self.length >= self.until


@dataclass(frozen=True, slots=True)
class Reached:
    """How far people got, one column each.

    `furthest` is the number of the last step reached, from 1, and `moments` (a row for each step,
    in microseconds) are when the counted attempt first reached each of its steps: the first attempt
    that gets furthest, of those that get there at once the latest. `is_open`: an attempt may go on.
    """

    furthest: Ints
    moments: Longs
    is_open: Bools
    is_left_out: Bools


@dataclass(frozen=True, slots=True)
class Level:
    """The events that reach a step, one entry each.

    `rows` are their rows, `starts` those of the first step of the latest attempt, and `before` the
    entries of the level before that they come from.
    """

    rows: Longs
    starts: Longs
    before: Longs

    def above(self, rows: Longs) -> tuple[Longs, Longs]:
        """The nearest entry above each of `rows`, and those of `rows` that have one."""
        entry = np.searchsorted(self.rows, rows) - 1
        return entry[entry >= 0], rows[entry >= 0]


def reached_in_order(
    events: Events,
    steps: int,
    exclusions: Sequence[tuple[int, int]],
    window: Window,
    *,
    is_strict: bool,
) -> Reached:
    """How far people get where each step must come after the one before.

    Parameters
    ----------
    exclusions
        Numbers of steps, from 1: people who do it between the two are left out.
    is_strict
        A step must be the person's very next event.
    """
    levels = _levels(events, steps, window, is_strict=is_strict)
    furthest, moments = _counted(events, levels)
    may_go_on = _may_go_on_strictly if is_strict else _may_go_on
    between = _between_strictly if is_strict else _between
    is_left_out = np.zeros(events.people, np.bool_)
    for kind, (after, before) in enumerate(exclusions, start=steps):
        rows = not_done(events, events.that(kind), levels[-1].rows)
        rows = between(events, levels[after - 1 : before], rows, window)
        is_left_out[events.person[rows]] = True
    is_open = may_go_on(events, levels[:-1], window) & (furthest < steps)
    return Reached(furthest, moments, is_open, is_left_out)


def _levels(events: Events, steps: int, window: Window, *, is_strict: bool) -> list[Level]:
    """The events that reach each of the steps, one after the other: of an attempt, the first.

    Strictly all of them, since only the very next event goes on from each.
    """
    rows = events.that(0)
    levels = [Level(rows, rows, rows)]
    for step in range(1, steps):
        level = levels[-1]
        entry, rows = level.above(events.that(step))
        goes_on = window.holds(events, level.starts[entry], rows)
        if is_strict:
            goes_on &= level.rows[entry] == rows - 1
        entry, rows = entry[goes_on], rows[goes_on]
        firsts = slice(None) if is_strict else firsts_of(level.starts[entry])
        entry, rows = entry[firsts], rows[firsts]
        levels.append(Level(rows, level.starts[entry], entry))
    return levels


def _counted(events: Events, levels: Sequence[Level]) -> tuple[Ints, Longs]:
    """The furthest step of each person, and the moments of the attempt that first reached it."""
    furthest = np.zeros(events.people, np.int8)
    entry = np.zeros(events.people, np.int64)
    for step, level in enumerate(levels, start=1):
        firsts = firsts_of(events.person[level.rows])
        people = events.person[level.rows[firsts]]
        furthest[people], entry[people] = step, firsts
    moments = np.zeros((len(levels), events.people), np.int64)
    for step, level in reversed(list(enumerate(levels))):
        people = np.flatnonzero(furthest > step)
        moments[step, people] = events.moment[level.rows[entry[people]]]
        entry[people] = level.before[entry[people]]
    return furthest, moments


def firsts_of(person: Ints) -> Longs:
    """Where each person comes first in a rising list."""
    return np.flatnonzero(np.append(True, person[1:] != person[:-1])[: len(person)])


def not_done(events: Events, rows: Longs, done: Longs) -> Longs:
    """Those of `rows` before which the person hadn't completed the funnel, by one of `done`."""
    first_done = np.full(events.people, len(events.person))
    firsts = done[firsts_of(events.person[done])]
    first_done[events.person[firsts]] = firsts
    return rows[rows < first_done[events.person[rows]]]


def _between(events: Events, levels: Sequence[Level], rows: Longs, window: Window) -> Longs:
    """Those of `rows` in an attempt that has reached the first of the levels, but not the last.

    If the latest attempt to reach the first has reached the last, so has every earlier one that is
    still in its window: it could take the same events.
    """
    reached, passed = levels[0], levels[-1]
    entry, rows = reached.above(rows)
    starts = reached.starts[entry]
    is_in = window.holds(events, starts, rows)
    rows, starts = rows[is_in], starts[is_in]
    nearest = np.searchsorted(passed.rows, rows) - 1
    # Where nothing is above, −1 is the place of what is appended.
    has_passed: Bools = np.append(passed.starts, -1)[nearest] == starts
    return rows[~has_passed]


def _between_strictly(
    events: Events, levels: Sequence[Level], rows: Longs, window: Window
) -> Longs:
    """As `_between`, where any event but the next step ends an attempt."""
    found = [rows[:0]]
    for level in levels[:-1]:
        entry, after = level.above(rows)
        is_next = level.rows[entry] == after - 1
        is_next &= window.holds(events, level.starts[entry], after)
        found.append(after[is_next])
    return np.concatenate(found)


def _may_go_on(events: Events, levels: Sequence[Level], window: Window) -> Bools:
    """Whether each person has an attempt whose window is open."""
    return _has_open(events, levels[0].starts, window)


def _may_go_on_strictly(events: Events, levels: Sequence[Level], window: Window) -> Bools:
    """As `_may_go_on`: the attempt must have come as far as the person's last event."""
    last = events.last_rows()
    starts = [level.starts[level.rows == last[events.person[level.rows]]] for level in levels]
    return _has_open(events, np.concatenate(starts), window)


def _has_open(events: Events, starts: Longs, window: Window) -> Bools:
    has = np.zeros(events.people, np.bool_)
    has[events.person[starts[window.is_open(events, starts)]]] = True
    return has


def reached_in_any_order(
    events: Events, steps: int, exclusions: Sequence[tuple[int, int]], window: Window
) -> Reached:
    """How many of the steps people take within one window, each event being of one step at most.

    Everybody takes one. Looked at from its last event, a window holds the steps whose latest events
    lie in it. People are left out who do what is excluded while a window is open.
    """
    rows = np.flatnonzero(events.mask & events.mask.dtype.type((1 << steps) - 1))
    latest, count = _latest_steps(events, rows, steps, window)
    furthest = np.zeros(events.people, np.int8)
    np.maximum.at(furthest, events.person[rows], count)
    best = np.flatnonzero(count == furthest[events.person[rows]])
    best = best[firsts_of(events.person[rows[best]])]
    taken = np.sort(np.where(latest[:, best] < 0, len(events.person), latest[:, best]), axis=0)
    moments = np.append(events.moment, 0)[taken]

    is_left_out = np.zeros(events.people, np.bool_)
    begun = Level(rows, rows, rows)
    for kind in range(steps, steps + len(exclusions)):
        left = not_done(events, events.that(kind), rows[count == steps])
        entry, left = begun.above(left)
        is_in = window.holds(events, begun.starts[entry], left)
        is_left_out[events.person[left[is_in]]] = True
    is_open = _has_open(events, rows, window) & (furthest < steps)
    return Reached(furthest, moments, is_open, is_left_out)


def _latest_steps(events: Events, rows: Longs, steps: int, window: Window) -> tuple[Longs, Ints]:
    """Of each step the latest event in the window that ends at each of `rows`, and how many have.

    [steps, R] rows, −1 where there is none, and [R].
    """
    latest = np.empty((steps, len(rows)), np.int64)
    place = np.arange(len(rows))
    for step in range(steps):
        is_step = (events.mask[rows] & events.mask.dtype.type(1 << step)) != 0
        last = np.maximum.accumulate(np.where(is_step, place, -1))
        starts = rows[last]
        is_in = window.holds(events, starts, rows) & (last >= 0)
        latest[step] = np.where(is_in, starts, -1)
    return latest, (latest >= 0).sum(axis=0).astype(np.int8)
