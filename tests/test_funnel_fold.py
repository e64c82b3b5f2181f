"""The fold of a funnel: events in order, and how far people get, as a plain reference has it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from funnel_reference import Asked, Way, way
from hypothesis import given, settings
from hypothesis import strategies as st

from mi_core.funnels.events import Events, in_order
from mi_core.funnels.fold import Reached, Window, reached_in_any_order, reached_in_order
from mi_core.funnels.plan import ORDERS

UNTIL = 8
Crowd = tuple[tuple[tuple[int, int], ...], ...]
"""Of each person the events, as pairs of a moment and a mask."""


@dataclass(frozen=True)
class Case:
    asked: Asked
    crowd: Crowd


@st.composite
def cases(
    draw: st.DrawFn,
    orders: Sequence[str] = ORDERS,
    most_exclusions: int = 2,
    is_distinct: bool = False,
) -> Case:
    """Few people, few moments, so that many events come at one. Everybody enters."""
    steps, order = draw(st.integers(2, 4)), draw(st.sampled_from(orders))
    bounds = [(a, b) for a in range(1, steps) for b in range(a + 1, steps + 1)]
    bounds = [(1, steps)] if order == "any" else bounds
    exclusions = draw(st.lists(st.sampled_from(bounds), max_size=most_exclusions).map(tuple))
    asked = Asked(steps, draw(st.integers(0, UNTIL)), UNTIL, order, exclusions)
    masks = possible_masks(asked, is_distinct=is_distinct or order == "any")
    entries = [mask for mask in masks if mask & entry_mask(asked)]
    moments = st.integers(0, UNTIL - 1)
    event, entry = (st.tuples(moments, st.sampled_from(each)) for each in (masks, entries))
    person = st.tuples(entry, st.lists(event, max_size=6)).map(lambda own: (own[0], *own[1]))
    return Case(asked, draw(st.lists(person, min_size=1, max_size=8).map(tuple)))


def entry_mask(asked: Asked) -> int:
    return (1 << asked.steps) - 1 if asked.order == "any" else 1


def possible_masks(asked: Asked, *, is_distinct: bool) -> list[int]:
    """Masks that a plan can give: nothing is an exclusion where it takes a step between."""
    other = 1 << asked.steps + len(asked.exclusions)
    found = [other] if asked.order == "strict" else []
    for mask in range(1, other):
        act = asked.act(0, mask)
        bounds = [asked.exclusions[number - 1] for number in act.exclusions]
        first = 1 if asked.order == "any" else 0
        is_refused = any(
            after - first < step <= before for after, before in bounds for step in act.steps
        )
        if not is_refused and not (is_distinct and len(act.steps) > 1):
            found.append(mask)
    return found


def events_of(crowd: Crowd) -> Events:
    rows = [(who, *event) for who, events in enumerate(crowd) for event in events]
    person, moment, mask = (np.array(column) for column in zip(*rows, strict=True))
    shuffled = np.random.default_rng(len(rows)).permutation(len(rows))
    return in_order(
        person.astype(np.int32)[shuffled],
        moment.astype(np.int64)[shuffled],
        mask.astype(np.uint8)[shuffled],
    )


def fold(case: Case) -> Reached:
    asked, events = case.asked, events_of(case.crowd)
    window = Window(asked.window, asked.until)
    if asked.order == "any":
        return reached_in_any_order(events, asked.steps, asked.exclusions, window)
    is_strict = asked.order == "strict"
    return reached_in_order(events, asked.steps, asked.exclusions, window, is_strict=is_strict)


def folded(case: Case) -> list[Way]:
    found = fold(case)
    return [
        Way(
            int(furthest),
            tuple(int(row[who]) for row in found.moments[:furthest]),
            bool(found.is_open[who]),
            bool(found.is_left_out[who]),
        )
        for who, furthest in enumerate(found.furthest)
    ]


def referred(case: Case) -> list[Way | None]:
    asked = case.asked
    return [way([asked.act(*event) for event in events], asked) for events in case.crowd]


# --- the reference


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_how_far_people_get_is_that_of_the_reference(order: str, data: st.DataObject):
    case = data.draw(cases(orders=[order]))

    assert folded(case) == referred(case)


# --- what always holds


def furthest(case: Case) -> list[int]:
    return fold(case).furthest.tolist()


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_another_event_never_sets_anybody_back_where_others_may_lie_between(data: st.DataObject):
    case = data.draw(cases(orders=["ordered", "any"], most_exclusions=0, is_distinct=True))
    at, mask = data.draw(st.tuples(st.integers(0, UNTIL - 1), st.integers(0, case.asked.steps - 1)))
    more = tuple((*events, (at, 1 << mask)) for events in case.crowd)

    before, after = furthest(case), furthest(replace(case, crowd=more))
    assert all(one <= other for one, other in zip(before, after, strict=True))


@settings(max_examples=30, deadline=None)
@given(case=cases(most_exclusions=0), wider=st.integers(1, UNTIL))
def test_a_wider_window_never_sets_anybody_back(case: Case, wider: int):
    asked = replace(case.asked, window=case.asked.window + wider)

    pairs = zip(furthest(case), furthest(replace(case, asked=asked)), strict=True)
    assert all(one <= other for one, other in pairs)


@settings(max_examples=30, deadline=None)
@given(case=cases(orders=["strict"], most_exclusions=0, is_distinct=True))
def test_strict_gets_no_further_than_ordered_nor_that_than_any(case: Case):
    strict, ordered, anyhow = (
        furthest(replace(case, asked=replace(case.asked, order=order)))
        for order in ("strict", "ordered", "any")
    )

    assert all(a <= b <= c for a, b, c in zip(strict, ordered, anyhow, strict=True))


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_moments_rise_within_one_window(case: Case):
    for each in folded(case):
        assert list(each.moments) == sorted(each.moments)
        assert each.moments[-1] - each.moments[0] <= case.asked.window


@settings(max_examples=25, deadline=None)
@given(case=cases(), later=st.integers(-(10**15), 10**15))
def test_only_distances_in_time_count(case: Case, later: int):
    shifted = replace(
        case,
        asked=replace(case.asked, until=case.asked.until + later),
        crowd=tuple(tuple((at + later, mask) for at, mask in events) for events in case.crowd),
    )

    assert fold(shifted).furthest.tolist() == fold(case).furthest.tolist()
    assert fold(shifted).is_open.tolist() == fold(case).is_open.tolist()
    assert fold(shifted).is_left_out.tolist() == fold(case).is_left_out.tolist()


@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_one_person_is_nothing_to_another(case: Case):
    alone = [folded(replace(case, crowd=(events,)))[0] for events in case.crowd]

    assert folded(case) == alone


@pytest.mark.parametrize("order", ORDERS)
def test_of_no_events_nobody_gets_anywhere(order: str):
    empty = in_order(np.array([], np.int32), np.array([], np.int64), np.array([], np.uint8))
    window = Window(1, UNTIL)
    found = (
        reached_in_any_order(empty, 2, [(1, 2)], window)
        if order == "any"
        else reached_in_order(empty, 2, [(1, 2)], window, is_strict=order == "strict")
    )

    assert empty.people == 0
    assert found.moments.shape == (2, 0)
    assert (len(found.furthest), len(found.is_open), len(found.is_left_out)) == (0, 0, 0)


# --- events in order


def plainly_in_order(person: Any, moment: Any, mask: Any) -> tuple[list[int], ...]:
    """What one sort by all keys gives; the lowest bit first, then the lower mask."""
    wide = mask.astype(np.int64)
    order = np.lexsort((wide, wide & -wide, moment, person))
    return tuple(column[order].tolist() for column in (person, moment, mask))


def assert_in_order(person: Any, moment: Any, mask: Any) -> None:
    expected = plainly_in_order(person, moment, mask)
    found = in_order(person.copy(), moment.copy(), mask.copy())

    assert (found.person.tolist(), found.moment.tolist(), found.mask.tolist()) == expected


def crowd_of(rng: np.random.Generator, people: int, rows: int) -> Any:
    """Numbers of people in no order, each at least once."""
    return rng.permutation(np.append(np.arange(people), rng.integers(0, people, rows - people)))


@pytest.mark.parametrize(
    ("people", "rows", "span"),
    [
        (1, 50, 5),
        (40, 400, 3),
        (40, 400, 1),
        # More than 16 bits of people, so that there are two passes.
        (70_000, 150_000, 1_000),
        (65_536, 65_600, 10),
        (65_537, 65_600, 10),
        # Person and time don't go into 63 bits together.
        (70_000, 150_000, 2**50),
        (300, 2_000, 2**60),
        (5, 200, 2**61),
        (5, 200, 2**62),
        (5, 200, 2**63 - 1),
    ],
)
def test_events_are_in_the_order_of_one_plain_sort(people: int, rows: int, span: int):
    rng = np.random.default_rng(people + rows)
    person = crowd_of(rng, people, rows).astype(np.int32)
    moment = rng.integers(0, span, rows)
    # Some at one moment, whatever the span.
    moment[rng.random(rows) < 0.3] = span - 1
    moment[0] = 0
    mask = rng.integers(1, 8, rows).astype(np.uint8)

    assert_in_order(person, moment, mask)


@pytest.mark.parametrize("runs", [1, 2, 30, 5_000])
def test_people_who_come_in_runs_are_put_in_order(runs: int):
    rng = np.random.default_rng(runs)
    parts = np.array_split(crowd_of(rng, 3_000, 20_000), runs)

    assert_in_order(
        np.concatenate([np.sort(part) for part in parts]).astype(np.int32),
        rng.integers(0, 50, 20_000),
        rng.integers(1, 8, 20_000).astype(np.uint8),
    )


def test_events_that_can_only_be_read_are_put_in_order():
    person, moment, mask = np.array([1, 0]), np.array([5, 7]), np.array([1, 2], np.uint8)
    for column in (person, moment, mask):
        column.flags.writeable = False

    assert in_order(person, moment, mask).moment.tolist() == [7, 5]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32])
def test_masks_of_every_width_are_in_order(kind: type):
    rng = np.random.default_rng(1)
    most = np.iinfo(kind).max

    assert_in_order(
        crowd_of(rng, 20, 500).astype(np.int32),
        rng.integers(-3, 3, 500),
        rng.integers(1, most, 500, kind, endpoint=True),
    )


def test_events_in_order_stay_so():
    events = events_of((((1, 1), (1, 2), (2, 1)), ((1, 4),)))
    again = in_order(events.person, events.moment, events.mask)

    assert again.person.tolist() == [0, 0, 0, 1]
    assert again.moment.tolist() == [1, 1, 2, 1]
    assert again.mask.tolist() == [1, 2, 1, 4]


@pytest.mark.parametrize("order", ORDERS)
def test_many_people_get_as_far_as_few(order: str):
    rng = np.random.default_rng(7)
    few = tuple(
        tuple((int(at), 1 << int(kind)) for at, kind in rng.integers(0, (UNTIL, 3), (5, 2)))
        for _ in range(100)
    )
    case = Case(Asked(3, 4, UNTIL, order), few)
    events = events_of(few)
    times = 700
    many = in_order(
        np.concatenate([events.person + 100 * each for each in range(times)]).astype(np.int32),
        np.tile(events.moment, times),
        np.tile(events.mask, times),
    )
    window = Window(4, UNTIL)
    found = (
        reached_in_any_order(many, 3, (), window)
        if order == "any"
        else reached_in_order(many, 3, (), window, is_strict=order == "strict")
    )

    assert many.people == 70_000
    assert found.furthest.tolist() == furthest(case) * times
