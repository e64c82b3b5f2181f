"""The relations of the report, on rows small enough to hold in the head."""

from datetime import date, datetime
from typing import Any

import pytest
from report_samples import AS_OF, event, intent, magnetism, memory_lake, milestone, person, put

from mi_core.warehouse import Warehouse

SINCE, UNTIL, PREVIOUS = datetime(2024, 6, 1), datetime(2024, 6, 30), datetime(2024, 5, 3)
SPAN = {"since": SINCE, "until": UNTIL}
STEPS = [
    {"position": 1, "step": "Came", "etypes": ["landing_view"], "events": []},
    {"position": 2, "step": "Looked", "etypes": [], "events": ["product_view"]},
    {"position": 3, "step": "Bought", "etypes": ["purchase"], "events": ["order"]},
]


@pytest.fixture
def lake(tmp_path):
    warehouse = memory_lake(tmp_path)
    yield warehouse
    warehouse.close()


def rows(lake: Warehouse, name: str, **params: object) -> list[dict[str, Any]]:
    return lake.relation(f"reports/{name}", **params).to_dicts()


def visits(*lines: str) -> list[dict[str, object]]:
    """`anna 06-02 09:00 landing_view`: the last word is the type where it is one of the steps'."""
    parts = (line.split() for line in lines)
    typed = ("landing_view", "purchase")
    return [event(n, f"{d} {t}", e, e if e in typed else None) for n, d, t, e in parts]


def test_funnel_counts_people_who_took_the_steps_in_order(lake):
    put(
        lake,
        "lake.user_event",
        *visits(
            "anna 06-02 09:00 landing_view",
            "anna 06-03 09:00 product_view",
            "anna 06-04 09:00 purchase",
            "bo 06-02 09:00 product_view",  # looked before coming, and not after
            "bo 06-02 10:00 landing_view",
            "bo 06-02 11:00 purchase",
            "cy 06-02 09:00 landing_view",
            "cy 06-02 09:00 product_view",  # at the same moment: counts
            "cy 06-01 09:00 order",  # too early
            "cy 06-05 09:00 order",
            "di 06-02 09:00 product_view",  # never came
        ),
    )
    steps = rows(lake, "acquisition_funnel", steps=STEPS, **SPAN)
    assert [step["step"] for step in steps] == ["Came", "Looked", "Bought"]
    assert [step["people"] for step in steps] == [3, 2, 2]
    assert [step["rate_of_previous"] for step in steps] == [None, 2 / 3, 1.0]
    assert [step["rate_of_first"] for step in steps] == [1.0, 2 / 3, 2 / 3]
    assert [step["median_days"] for step in steps] == [0, 0.5, 2.5]


def test_funnel_sees_nothing_outside_the_period(lake):
    put(
        lake,
        "lake.user_event",
        *visits(
            "anna 05-31 23:59 landing_view",
            "bo 06-01 00:00 landing_view",
            "bo 06-30 00:00 product_view",
        ),
    )
    steps = rows(lake, "acquisition_funnel", steps=STEPS, **SPAN)
    assert [step["people"] for step in steps] == [1, 0, 0]
    assert [step["rate_of_previous"] for step in steps] == [None, 0, None]


def headline(lake: Warehouse) -> dict[str, tuple[int, int | None]]:
    found = rows(lake, "headline", previous=PREVIOUS, **SPAN)
    return {row["figure"]: (row["value"], row["previous"]) for row in found}


def test_headline_compares_with_the_period_before(lake):
    put(
        lake,
        "lake.user_event",
        event("anna", "05-04", "purchase", "purchase", value=1000),
        event("anna", "06-01", "purchase", "purchase", value=500),
        event("anna", "06-02", "subscription_renewal", "subscription_renewal", value=70),
        event("bo", "06-29 23:59", "purchase", "purchase"),
        event("cy", "06-30", "purchase", "purchase", value=9999),
    )
    put(
        lake,
        "lake.user_milestone",
        milestone("anna", first_event_at="05-04"),
        milestone("bo", first_event_at="06-29 23:59"),
    )
    assert headline(lake) == {
        "people": (2, 1),
        "new_people": (1, 1),
        "emails": (0, 0),
        "trials": (0, 0),
        "buyers": (2, 1),
        "purchases": (2, 1),
        "revenue_cents": (570, 1000),
    }


def test_who_only_received_something_did_not_come(lake):
    put(
        lake,
        "lake.user_event",
        event("anna", "06-01", "email_send", "email_send"),
        event("anna", "06-02", "ad_impression", "ad_impression"),
        event("bo", "06-01", "email_send", "email_send"),
        event("bo", "06-02", "an unknown name"),
    )
    put(
        lake,
        "lake.user_milestone",
        milestone("anna", first_event_at="06-01"),
        milestone("bo", first_event_at="03-01"),
    )
    found = headline(lake)
    assert found["people"] == (1, 0)
    assert found["new_people"] == (0, 0)


def test_headline_has_nothing_to_compare_with_where_the_lake_begins_late(lake):
    put(lake, "lake.user_event", event("anna", "06-02", "purchase", "purchase"))
    put(lake, "lake.user_milestone", milestone("anna", first_event_at="05-20"))
    assert headline(lake)["buyers"] == (1, None)


def test_headline_of_an_empty_lake_is_zero(lake):
    assert set(headline(lake).values()) == {(0, None)}


def test_band_share_takes_the_last_scoring_of_each_day(lake):
    put(
        lake,
        "lake.user_magnetism_index",
        magnetism("anna", "hot", as_of="06-01"),  # the period's start is not in it
        magnetism("anna", "cold", as_of="06-10 06:00"),
        magnetism("anna", "warm", as_of="06-10 18:00"),
        magnetism("bo", "cold", as_of="06-10 18:00"),
        magnetism("anna", "hot", as_of="06-30"),
        magnetism("bo", "hot", as_of="06-30") | {"time_window": "7d"},
        magnetism("bo", "hot", as_of="06-10 20:00"),  # one person's snapshot: no scoring
    )
    runs = ("06-01", "06-10 06:00", "06-10 18:00", "06-30")
    put(lake, "lake.score_run", *({"as_of": f"2024-{at}"} for at in runs))
    found = rows(lake, "band_share", bands=["cold", "warm", "hot"], **SPAN)
    assert [(row["as_of"].day, row["band"], row["people"], row["share"]) for row in found] == [
        (10, "cold", 1, 0.5),
        (10, "warm", 1, 0.5),
        (10, "hot", 0, 0),
        (30, "cold", 0, 0),
        (30, "warm", 0, 0),
        (30, "hot", 1, 1),
    ]


def assignment(name: str, slug: str, at: str, until: str | None = None) -> dict[str, object]:
    return {
        "user_id": person(name),
        "slug": slug,
        "assigned_at": f"2024-{at}",
        "superseded_at": f"2024-{until}" if until else None,
    }


def test_persona_mix_prefers_the_assignment_in_force_at_that_moment(lake):
    put(lake, "lake.user_intent_score", *(intent(name, 30, "medium") for name in "abcd"))
    put(
        lake,
        "state.user_persona",
        assignment("a", "corporate_executive", "06-01"),
        assignment("b", "corporate_executive", "06-01", until="06-02"),  # no longer
        assignment("c", "corporate_executive", "07-01"),  # not yet
    )
    put(
        lake,
        "lake.user_milestone",
        milestone("a", purchased_at="06-05"),
        milestone("b", purchased_at="07-05"),  # after the scoring
    )
    found = {row["persona"]: row for row in rows(lake, "persona_mix", as_of=AS_OF)}
    executive, student = found["corporate_executive"], found["student_early_career"]
    assert (executive["people"], executive["share"], executive["buyers"]) == (1, 0.25, 1)
    assert (student["people"], student["share"], student["buyers"]) == (3, 0.75, 0)
    assert found["automation_pro"]["people"] == 0
    assert len(found) == 6


def test_distributions_keep_the_full_score_in_the_last_step(lake):
    scores = {"a": 0, "b": 4.99, "c": 5, "d": 99.5, "e": 100}
    put(lake, "lake.user_intent_score", *(intent(n, s, "low") for n, s in scores.items()))
    put(lake, "lake.user_milestone", milestone("e", purchased_at="06-01"))
    put(
        lake,
        "lake.user_magnetism_index",
        *(magnetism(name, "cold", churn_risk=risk) for name, risk in (("a", 9), ("b", 10))),
        *(magnetism(name, "cold", churn_risk=risk) for name, risk in (("d", 90), ("e", 100))),
    )
    intents = rows(lake, "intent_distribution", as_of=AS_OF)
    assert [(row["score_from"], row["people"]) for row in intents] == [(0, 2), (5, 1), (95, 2)]
    risks = rows(lake, "churn_distribution", as_of=AS_OF)
    assert [(row["risk_from"], row["has_bought"], row["people"]) for row in risks] == [
        (0, False, 1),
        (10, False, 1),
        (90, False, 1),
        (90, True, 1),
    ]


def act_on(lake: Warehouse, people: int = 10) -> list[tuple[str, str]]:
    names = {person(name): name for name in "abcdefgh"}
    found = rows(lake, "act_on", as_of=AS_OF, risk=70, people=people)
    return [(row["list"], names[row["user_id"]]) for row in found]


def test_act_on_lists_the_ready_and_those_who_can_be_lost(lake):
    put(
        lake,
        "lake.user_intent_score",
        intent("a", 80, "very_high"),  # ready: never bought
        intent("b", 90, "very_high"),  # ready: bought long ago; more intent than a
        intent("c", 95, "very_high"),  # bought 29 days ago: neither
        intent("d", 10, "low"),  # at risk: bought
        intent("e", 10, "low"),  # at risk: left an address; less risk than d
        intent("f", 10, "low"),  # a passer-by can't be lost
        intent("g", 10, "low"),  # low risk
    )
    put(
        lake,
        "lake.user_magnetism_index",
        *(magnetism(name, "cold", churn_risk=95) for name in "abdf"),
        magnetism("c", "warm", churn_risk=40),
        magnetism("e", "cold", churn_risk=70),
        magnetism("g", "cold", churn_risk=69),
    )
    put(
        lake,
        "lake.user_event",
        event("b", "05-30 23:59", "purchase", "purchase", value=100),
        event("c", "06-01", "purchase", "purchase"),
        event("d", "02-01", "purchase", "purchase"),
        event("g", "02-01", "purchase", "purchase"),
        event("f", "06-02", "landing_view", "landing_view"),
    )
    put(lake, "lake.user_milestone", milestone("e", email_captured_at="03-01"))
    assert act_on(lake) == [
        ("at_risk", "d"),
        ("at_risk", "e"),
        ("ready_to_buy", "b"),
        ("ready_to_buy", "a"),
    ]
    first = rows(lake, "act_on", as_of=AS_OF, risk=70, people=1)
    assert [(row["list"], row["listed"]) for row in first] == [("at_risk", 2), ("ready_to_buy", 2)]


def test_people_come_by_the_channel_of_their_first_touchpoint_ever(lake):
    put(
        lake,
        "lake.user_event",
        event("anna", "04-01", "ad_clicked", "ad_click", channel="email"),
        event("anna", "06-02", "ad_clicked", "ad_click", channel="direct"),
        event("anna", "06-03", "purchase", "purchase"),
        event("bo", "05-04", "ad_clicked", "ad_click", channel="email"),
        event("bo", "05-05", "purchase", "purchase"),
        event("bo", "06-29", "app_open", "app_open"),
        event("cy", "06-02", "app_open", "app_open"),  # no touchpoint
        event("cy", "06-30", "purchase", "purchase"),  # after the period
        event("di", "05-01", "ad_clicked", "ad_click", channel="direct"),  # before both periods
    )
    found = rows(lake, "acquisition_channel", previous=PREVIOUS, **SPAN)
    assert [tuple(row.values()) for row in found] == [("email", 2, 1, 1, 1), (None, 1, 0, 0, 0)]


def test_last_here_is_no_email_that_was_only_received(lake):
    put(lake, "lake.user_intent_score", intent("a", 80, "very_high"))
    put(lake, "lake.user_magnetism_index", magnetism("a", "cold"))
    put(
        lake,
        "lake.user_event",
        event("a", "06-02", "landing_view", "landing_view"),
        event("a", "06-20", "email_sent", "email_send"),
    )
    [row] = rows(lake, "act_on", as_of=AS_OF, risk=70, people=1)
    assert row["last_here_at"] == datetime(2024, 6, 2)


def test_coverage_has_a_row_for_a_day_without_events(lake):
    put(
        lake,
        "lake.user_event",
        event("anna", "06-28 10:00", "landing_view", "landing_view", channel="email")
        | {"session_id": "first"},
        event("anna", "06-28 11:00", "spin_the_wheel") | {"session_id": "first"},
        event("bo", "06-28 12:00", "purchase", "purchase") | {"session_id": "second"},
        event("bo", "06-30 00:00", "purchase", "purchase"),  # the end is not in the period
    )
    full, empty = rows(lake, "coverage", since=datetime(2024, 6, 28), until=UNTIL)
    assert full == {
        "day": date(2024, 6, 28),
        "events": 3,
        "people": 2,
        "visits": 2,
        "visits_with_origin": 1,
        "unknown": 1,
        "known": 2,
    }
    assert empty["day"] == date(2024, 6, 29)
    assert {value for name, value in empty.items() if name != "day"} == {0}


def test_unknown_events_come_by_count(lake):
    put(
        lake,
        "lake.user_event",
        *visits(
            "anna 06-02 09:00 spin",
            "anna 06-03 09:00 wobble",
            "bo 06-04 09:00 wobble",
            "bo 06-04 10:00 purchase",
        ),
    )
    found = rows(lake, "unknown_events", **SPAN)
    assert [(row["event_name"], row["events"], row["people"]) for row in found] == [
        ("wobble", 2, 2),
        ("spin", 1, 1),
    ]


def test_freshness_looks_at_what_was_there_before(lake):
    put(
        lake,
        "lake.user_event",
        *visits("anna 06-01 00:00 purchase", "bo 06-29 21:00 purchase", "cy 06-30 00:00 purchase"),
    )
    put(
        lake,
        "lake.ingest_batch",
        *(
            {"batch_id": b, "accepted": 2, "duplicates": 1, "withheld": 0, "rejected": 3}
            for b in "ab"
        ),
    )
    [held] = rows(lake, "freshness", until=UNTIL)
    assert (held["events"], held["people"], held["hours_behind"]) == (2, 2, 3.0)
    assert (held["accepted"], held["duplicates"], held["rejected"]) == (4, 2, 6)


def test_freshness_of_an_empty_lake_is_one_row(lake):
    [held] = rows(lake, "freshness", until=UNTIL)
    assert (held["events"], held["last_event_at"], held["hours_behind"]) == (0, None, None)
