"""The relations about people of two scorings, on rows small enough to hold in the head."""

from datetime import datetime
from typing import Any

import pytest
from report_samples import AS_OF, event, intent, magnetism, memory_lake, milestone, person, put

from mi_core.magnetism import AT_RISK
from mi_core.warehouse import Warehouse

THEN = datetime(2024, 6, 1)
SPAN = {"since": THEN, "until": AS_OF}
EXECUTIVE, STUDENT, PRO = "corporate_executive", "student_early_career", "automation_pro"


@pytest.fixture
def lake(tmp_path):
    warehouse = memory_lake(tmp_path)
    warehouse.sql("alter table state.user_persona add column source varchar")
    warehouse.sql("alter table state.user_persona add column confidence double")
    yield warehouse
    warehouse.close()


def rows(lake: Warehouse, name: str, **params: object) -> list[dict[str, Any]]:
    return lake.relation(f"reports/{name}", **params).to_dicts()


def scored(lake: Warehouse, *names: str, at: datetime = AS_OF, persona: str = STUDENT, **more):
    """People of a scoring: `score, level, band, churn_risk`."""
    kept = {"score": 30.0, "level": "medium", "band": "cold", "churn_risk": 50} | more
    risk = {"churn_risk": kept["churn_risk"], "as_of": f"{at:%m-%d}"}
    put(
        lake,
        "lake.user_intent_score",
        *(
            intent(name, kept["score"], kept["level"], persona=persona) | {"as_of": at.isoformat()}
            for name in names
        ),
    )
    put(lake, "lake.user_magnetism_index", *(magnetism(n, kept["band"], **risk) for n in names))


def assigned(lake: Warehouse, name: str, slug: str, source: str, confidence: float, at: str):
    put(
        lake,
        "state.user_persona",
        {"user_id": person(name), "slug": slug, "assigned_at": f"2024-{at}"}
        | {"superseded_at": None, "source": source, "confidence": confidence},
    )


def stage(lake: Warehouse, then: datetime | None = THEN) -> None:
    for table, at in (("person_now", AS_OF), ("person_then", then)):
        lake.stage(table, "reports/person_scored", as_of=at, risk=AT_RISK)


def test_the_nearest_scoring_is_the_last_of_its_day_and_not_too_late(lake):
    runs = ("05-20", "05-30 06:00", "05-30 18:00", "06-20", "06-30")
    put(
        lake,
        "lake.score_run",
        *({"as_of": f"2024-{at}", "config_version": f"of {at}"} for at in runs),
    )
    near = {"since": THEN, "latest": datetime(2024, 6, 15)}
    assert rows(lake, "scoring_near", **near) == [
        {"as_of": datetime(2024, 5, 30, 18), "config_version": "of 05-30 18:00"}
    ]
    assert rows(lake, "scoring_near", since=THEN, latest=datetime(2024, 5, 1)) == []


def test_who_is_ready_or_at_risk_is_as_in_act_on_which_lists_nobody_twice(lake):
    scored(lake, "a", "b", level="very_high", churn_risk=95)
    scored(lake, "c", level="very_high", churn_risk=40)
    scored(lake, "d", "e", "f", level="low", churn_risk=70)
    scored(lake, "g", level="low", churn_risk=69)
    put(
        lake,
        "lake.user_event",
        event("b", "05-30 23:59", "purchase", "purchase"),  # long ago: ready
        event("c", "06-01", "purchase", "purchase"),  # lately: neither
        event("d", "02-01", "purchase", "purchase"),
        event("g", "02-01", "purchase", "purchase"),
    )
    put(
        lake,
        "lake.user_milestone",
        milestone("b", purchased_at="05-30 23:59"),
        milestone("c", purchased_at="06-01"),
        milestone("d", purchased_at="02-01"),
        milestone("e", email_captured_at="03-01"),
        milestone("g", purchased_at="02-01"),
    )
    stage(lake)
    found = lake.sql("select user_id, is_ready, is_at_risk from person_now").fetchall()
    names = {person(name): name for name in "abcdefg"}
    ready = {names[str(each)] for each, is_ready, _ in found if is_ready}
    at_risk = {names[str(each)] for each, _, is_at_risk in found if is_at_risk}
    assert (ready, at_risk) == ({"a", "b"}, {"b", "d", "e"})
    listed = rows(lake, "act_on", as_of=AS_OF, risk=AT_RISK, people=10)
    assert {names[row["user_id"]] for row in listed if row["list"] == "ready_to_buy"} == ready
    assert {names[row["user_id"]] for row in listed if row["list"] == "at_risk"} == at_risk - ready
    [counts] = rows(lake, "people_to_act_on", people="person_now")
    assert counts == {"people": 7, "ready": 2, "at_risk": 3, "in_both": 1}


def test_moves_count_people_by_persona_and_band_then_and_now(lake):
    scored(lake, "a", "b", "gone", at=THEN)
    scored(lake, "a", "new", persona=PRO, band="hot")
    scored(lake, "b")
    assigned(lake, "new", EXECUTIVE, "manual", 1.0, "06-10")
    stage(lake)
    assert [tuple(row.values()) for row in rows(lake, "persona_move")] == [
        (STUDENT, PRO, 1),
        (STUDENT, STUDENT, 1),
        (STUDENT, None, 1),
        (None, EXECUTIVE, 1),
    ]
    assert [tuple(row.values()) for row in rows(lake, "band_move")] == [
        ("cold", "cold", 1),
        ("cold", "hot", 1),
        ("cold", None, 1),
        (None, "hot", 1),
    ]
    stage(lake, then=None)
    assert {row["persona_then"] for row in rows(lake, "persona_move")} == {None}


def test_risk_moves_are_of_those_who_can_be_lost(lake):
    scored(lake, "stayed", "won", "gone", "stranger", at=THEN, churn_risk=80)
    scored(lake, "fell", "later", at=THEN, churn_risk=10)
    scored(lake, "stayed", "fell", "later", "stranger", "new", churn_risk=75)
    scored(lake, "won", churn_risk=20)
    known = ("stayed", "won", "gone", "fell", "new")
    put(lake, "lake.user_milestone", *(milestone(n, purchased_at="02-01") for n in known))
    put(lake, "lake.user_milestone", milestone("later", purchased_at="06-10"))
    stage(lake)
    found = {tuple(row.values()) for row in rows(lake, "risk_move")}
    assert found == {
        (True, True, 1),  # stayed
        (True, False, 1),  # won
        (True, None, 1),  # gone
        (False, True, 1),  # fell
        (None, True, 2),  # later, who couldn't be lost before; new
    }
    stage(lake, then=None)
    assert {row["was_at_risk"] for row in rows(lake, "risk_move")} == {None}


def test_standing_has_a_row_for_each_persona(lake):
    scored(lake, "a", "b", score=10.0)
    scored(lake, "c", score=80.0, level="very_high", band="warm", persona=PRO, churn_risk=20)
    stage(lake)
    found = {row["persona"]: row for row in rows(lake, "persona_standing")}
    assert len(found) == 6
    assert found[STUDENT] | {"position": 0, "label": ""} == {
        "position": 0,
        "persona": STUDENT,
        "label": "",
        "people": 2,
        "share": 2 / 3,
        "median_intent": 10,
        "high_intent": 0,
        "drawn": 0,
        "ready": 0,
        "at_risk": 0,
        "median_risk": 50,
        "median_confidence": 0.5,
    }
    assert (found[PRO]["high_intent"], found[PRO]["drawn"], found[PRO]["ready"]) == (1, 1, 1)
    assert (found[EXECUTIVE]["people"], found[EXECUTIVE]["median_intent"]) == (0, None)
    bands = rows(lake, "persona_band", bands=["cold", "warm"])
    assert len(bands) == 12
    assert [row["people"] for row in bands if row["persona"] == STUDENT] == [2, 0]


def test_conversion_is_of_people_by_what_they_did_in_the_span(lake):
    scored(lake, "a", "b", "c", at=THEN)
    scored(lake, "a", "b", "c", "d")
    put(
        lake,
        "lake.user_event",
        event("a", "06-02", "trial_started", "trial_started"),
        event("a", "06-03", "purchase", "purchase", value=500),
        event("a", "06-04", "purchase", "purchase", value=300),
        event("b", "05-31", "purchase", "purchase", value=900),  # too early
        event("b", "06-05", "app_open"),
        event("d", "06-05", "purchase", "purchase", value=700),  # not there then
    )
    stage(lake)
    [then] = [
        row
        for row in rows(lake, "persona_conversion", people="person_then", **SPAN)
        if row["people"]
    ]
    assert (then["people"], then["active"], then["trials"], then["buyers"]) == (3, 2, 1, 1)
    assert then["revenue_cents"] == 800
    now = rows(lake, "persona_conversion", people="person_now", **SPAN)
    assert sum(row["revenue_cents"] for row in now) == 1_500


def test_channels_count_each_person_once_for_each(lake):
    scored(lake, "a", "b")
    put(
        lake,
        "lake.user_event",
        event("a", "06-02", "ad_click", "ad_click", channel="email"),
        event("a", "06-03", "ad_click", "ad_click", channel="email"),
        event("a", "06-03", "ad_click", "ad_click", channel="direct") | {"event_id": person("x")},
        event("b", "06-04", "ad_click", "ad_click"),
        event("b", "05-04", "ad_click", "ad_click", channel="email"),
    )
    stage(lake)
    found = rows(lake, "persona_channel", **SPAN)
    assert [(row["channel"], row["people"], row["people_of_any"]) for row in found] == [
        ("(none)", 1, 2),
        ("direct", 1, 2),
        ("email", 1, 2),
    ]


def test_sources_say_whether_behaviour_says_the_same(lake):
    scored(lake, "a", "b", "c")
    assigned(lake, "a", STUDENT, "ai_enrichment", 0.7, "06-10")
    assigned(lake, "b", PRO, "ai_enrichment", 1.0, "06-10")
    stage(lake)
    found = [tuple(row.values()) for row in rows(lake, "persona_source")]
    assert found == [
        (PRO, "ai_enrichment", 1, 0),
        (STUDENT, "ai_enrichment", 1, 1),
        (STUDENT, "behavior_analysis", 1, 1),
    ]
    tenths = [tuple(row.values()) for row in rows(lake, "persona_confidence")]
    assert tenths == [
        (5, "behavior_analysis", 1),
        (7, "ai_enrichment", 1),
        (9, "ai_enrichment", 1),
    ]


def test_squares_are_of_what_each_person_paid(lake):
    put(
        lake,
        "lake.user_event",
        event("a", "06-02", "purchase", "purchase", value=300),
        event("a", "06-03", "subscription_renewal", "subscription_renewal", value=100),
        event("b", "06-03", "purchase", "purchase", value=200),
        event("b", "05-03", "purchase", "purchase", value=700),
    )
    [found] = rows(lake, "paid_spread", previous=datetime(2024, 5, 3), **SPAN)
    assert found == {
        "squares": 400.0**2 + 200**2,
        "squares_before": 700.0**2,
        "purchase_squares": 1.0 + 1,
        "purchase_squares_before": 1.0,
    }


def test_spend_is_of_days(lake):
    put(
        lake,
        "lake.campaign_spend",
        *(
            {"spend_date": f"2024-{day}", "channel": channel, "cents": 100}
            for day in ("05-31", "06-01", "06-29", "06-30")
            for channel in ("email", "meta_ads")
        ),
    )
    [found] = rows(lake, "spend_known", previous=datetime(2024, 5, 3), **SPAN)
    assert found == {"cents": 400, "days": 2, "cents_before": 200, "days_before": 1}
    [none] = rows(lake, "spend_known", previous=THEN, since=AS_OF, until=AS_OF)
    assert none["cents"] == 0
