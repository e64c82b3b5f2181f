"""People are a function of all events: not of their order, nor of how they are delivered."""

from collections.abc import Callable, Iterable, Iterator
from uuid import UUID

import pytest
from exports import Event, alias, deliver, event, identify, lake_content
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_samples import memory_lake

from mi_core.definitions import load_definitions
from mi_core.ingest.door import Door
from mi_core.ingest.keys import HashKeys
from mi_core.warehouse import Warehouse

KEYS = HashKeys((b"k" * 32,))
DOOR = Door(load_definitions(), KEYS)
Lake = Callable[..., dict[str, UUID]]


def hashed(name: str) -> UUID:
    return KEYS.hashes(name)[0]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = memory_lake(tmp_path_factory.mktemp("lake"))
    yield opened
    opened.close()


def delivered(warehouse: Warehouse, *batches: Iterable[Event]) -> dict[str, list[tuple]]:
    """What a lake that was empty holds after deliveries, one after the other."""
    for table in lake_content(warehouse):
        warehouse.sql(f"delete from lake.{table}")
    deliver(warehouse, DOOR, *map(list, batches))
    return lake_content(warehouse)


def people(warehouse: Warehouse, *batches: Iterable[Event]) -> list[set[str]]:
    """The ids of each person, as the lake has them after the deliveries."""
    content = delivered(warehouse, *batches)
    names = {hashed(name): name for batch in batches for name in ids_in(batch)}
    groups: dict[UUID, set[str]] = {}
    for distinct_id, user_id, _ in content["identity_alias"]:
        groups.setdefault(user_id, set()).add(names[distinct_id])
    return sorted(groups.values(), key=sorted)


def ids_in(events: Iterable[Event]) -> Iterator[str]:
    for row in events:
        yield row["distinct_id"]
        yield from linked(row)


def linked(row: Event) -> list[str]:
    """The other id that an event names."""
    held = row["properties"]
    return [held[name] for name in ("$anon_distinct_id", "alias") if name in held]


# --- cases


def test_an_anonymous_id_joins_who_it_becomes(warehouse: Warehouse):
    before = [event(who="anon", at="05-01"), event(who="other", at="05-01")]
    after = [identify("ann", "anon", "05-02"), event(who="anon", at="05-03")]

    assert people(warehouse, before, after) == [{"ann", "anon"}, {"other"}]


def test_a_late_identify_moves_what_came_before(warehouse: Warehouse):
    content = delivered(
        warehouse,
        [event("purchase", "anon", "05-01"), event("feature_used", "ann", "05-03")],
        [identify("ann", "anon", "05-02")],
    )

    assert {row[2] for row in content["analytics_events"]} == {hashed("ann")}
    assert {row[1] for row in content["user_event"]} == {hashed("ann")}
    [milestone] = content["user_milestone"]
    assert (milestone[0], str(milestone[1]), str(milestone[6])) == (
        hashed("ann"),
        "2024-05-01 00:00:00",
        "2024-05-01 00:00:00",
    )


def test_a_shared_device_does_not_make_two_people_one(warehouse: Warehouse):
    first = identify("ann", "device", "05-01")
    second = identify("bob", "device", "05-02")

    assert people(warehouse, [first, second]) == [{"ann", "device"}, {"bob"}]
    assert people(warehouse, [second], [first]) == [{"ann", "device"}, {"bob"}]


def test_an_identified_id_is_no_anonymous_one(warehouse: Warehouse):
    known = identify("ann", "anon", "05-01")
    log_in_as_another = identify("bob", "ann", "05-02")

    assert people(warehouse, [log_in_as_another], [known]) == [{"ann", "anon"}, {"bob"}]


def test_an_alias_joins_and_a_merge_joins_even_identified_people(warehouse: Warehouse):
    rows = [
        identify("ann", "a1", "05-01"),
        identify("bob", "b1", "05-01"),
        alias("ann", "annie", "05-02"),
        alias("ann", "bob", "05-03"),
    ]
    merge = alias("ann", "bob", "05-04", kind="$merge_dangerously")

    assert people(warehouse, rows) == [{"a1", "ann", "annie"}, {"b1", "bob"}]
    assert people(warehouse, rows, [merge]) == [{"a1", "ann", "annie", "b1", "bob"}]


def test_a_person_of_posthog_joins_its_ids(warehouse: Warehouse):
    rows = [event(who=who, at="05-01", person="p1") for who in ("phone", "laptop")]

    assert people(warehouse, rows[:1], rows[1:]) == [{"laptop", "phone"}]


@pytest.mark.parametrize("placeholder", ["anonymous", " NULL ", "[object Object]", "0", ""])
def test_a_placeholder_joins_nobody(warehouse: Warehouse, placeholder: str):
    rows = [identify(who, placeholder, "05-01") for who in ("ann", "bob")]

    assert people(warehouse, rows) == [{"ann"}, {"bob"}]


def test_a_landing_that_is_none_takes_a_first_visit_away(warehouse: Warehouse):
    ann = event("$pageview", "ann", "05-01 10:05", session="shared")
    bob = event("$pageview", "bob", "05-01 10:00", session="shared")
    content = delivered(warehouse, [ann], [bob])

    visits = {row[0]: row[2] is not None for row in content["user_milestone"]}
    assert visits == {hashed("ann"): False, hashed("bob"): True}
    assert hashed("ann") in {user for _, user in warehouse.sql("from lake.touched_user").fetchall()}


# --- against a reference

IDS = ("ann", "bob", "cat", "d1", "d2", "d3", "id")


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of a few people and devices that meet, each at its own time."""
    rows = []
    for minute in range(draw(st.integers(1, 12))):
        who, other = draw(st.sampled_from(IDS)), draw(st.sampled_from(IDS))
        month = draw(st.integers(4, 5))
        at = f"0{month}-01 10:{minute:02}"
        person = draw(st.sampled_from([None, None, None, None, "p1", "p2"]))
        # PostHog ends a session after a day: none goes on a month later.
        session = draw(st.sampled_from([None, f"s1-{month}", f"s2-{month}"]))
        kind = draw(st.sampled_from(["visit", "visit", "identify", "identify", "alias", "merge"]))
        if kind == "visit":
            name = draw(st.sampled_from(["$pageview", "purchase", "feature_used"]))
            rows.append(event(name, who, at, person=person, session=session))
        elif kind == "identify":
            rows.append(identify(who, other, at, person=person, session=session))
        else:
            name = {"alias": "$create_alias", "merge": "$merge_dangerously"}[kind]
            rows.append(alias(who, other, at, kind=name))
    return rows


def expected_people(events: list[Event]) -> dict[UUID, UUID]:
    """Distinct id → person, by the rules as the docs tell them and one union at a time."""
    usable = [row for row in events if row["distinct_id"] != "id"]
    links = [
        (row["timestamp"], hashed(other), hashed(row["distinct_id"]), row["event"])
        for row in usable
        for other in linked(row)
        if other not in ("id", row["distinct_id"])
    ]
    identified = {to for _, _, to, kind in links if kind == "$identify"}
    parent: dict[object, object] = {}

    def root(node: object) -> object:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    taken = set()
    for _, other, to, kind in sorted(links):
        parent[root(other)] = root(other)
        guarded = kind != "$merge_dangerously"
        if guarded and (other in identified or other in taken):
            continue
        taken |= {other} if guarded else set()
        parent[root(other)] = root(to)
    for row in usable:
        own = root(hashed(row["distinct_id"]))
        if row["person_id"]:
            parent[own] = root(row["person_id"])
    nodes = [node for node in parent if isinstance(node, UUID)]
    groups: dict[object, list[UUID]] = {}
    for node in nodes:
        groups.setdefault(root(node), []).append(node)
    return {
        node: min([n for n in group if n in identified] or group)
        for group in groups.values()
        for node in group
    }


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_order_in_any_deliveries_gives_the_same_lake(warehouse: Warehouse, data: st.DataObject):
    events = data.draw(histories())
    shuffled = data.draw(st.permutations(events))
    size = data.draw(st.integers(1, len(events)))
    batches = [shuffled[start : start + size] for start in range(0, len(events), size)]

    together = delivered(warehouse, events)
    apart = delivered(warehouse, *batches)

    assert apart == together
    assert {row[0]: row[1] for row in together["identity_alias"]} == expected_people(events)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_whoever_a_delivery_changes_is_touched(warehouse: Warehouse, data: st.DataObject):
    shuffled = data.draw(st.permutations(data.draw(histories())))
    half = len(shuffled) // 2
    before = delivered(warehouse, shuffled[:half])
    warehouse.sql("delete from lake.touched_user")

    deliver(warehouse, DOOR, shuffled[half:])

    after = lake_content(warehouse)
    changed = {
        row[1] for row in set(before["user_event"]).symmetric_difference(after["user_event"])
    } | {
        row[0]
        for row in set(before["user_milestone"]).symmetric_difference(after["user_milestone"])
    }
    touched = {row[1] for row in warehouse.sql("from lake.touched_user").fetchall()}
    assert changed <= touched
