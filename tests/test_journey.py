"""One person's journey, by hand and against what scores say."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import log2
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from scoring_lake import publish_events
from scoring_reference import Event, random_people
from stores import new_workspace

from mi_core.attribution import MODELS
from mi_core.errors import UnknownPerson
from mi_core.journey import MILESTONES, Journey, LastTouch, view_journey
from mi_core.person import view_person
from mi_core.workspace import Workspace

AS_OF = datetime(2026, 3, 15, tzinfo=UTC)

AD = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "brand"}
WAY: list[tuple[str, str, Mapping[str, Any]]] = [
    ("01 10:00", "ad_click", AD),
    ("04 10:00", "lead_captured", {}),
    ("05 10:00", "identity_enriched", {}),
    ("06 10:00", "landing_view", {}),
    ("07 22:00", "trial_started", {}),
    ("10 10:00", "email_opened", {}),
    ("11 10:00", "purchase", {"price_cents": 4950}),
    ("16 10:00", "ad_click", AD),
]
"""Ann's events: day of March 2026 and time, name, properties. The last is after AS_OF."""


def post(workspace: Workspace, who: str, *way: tuple[str, str, Mapping[str, Any]]) -> None:
    workspace.post(
        [
            {
                "uuid": str(uuid5(NAMESPACE_OID, f"{who} {number}")),
                "event": name,
                "distinct_id": who,
                "timestamp": f"2026-03-{at.replace(' ', 'T')}:00Z",
                "properties": properties,
            }
            for number, (at, name, properties) in enumerate(way)
        ]
    )
    workspace.drain()


def at(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A workspace with Ann in it, which tests only read."""
    with new_workspace(tmp_path_factory.mktemp("known")) as opened:
        post(opened, "ann", *WAY)
        yield opened


@pytest.fixture(scope="module")
def ann(known: Workspace) -> Journey:
    return known.journey("ann", as_of=AS_OF)


def test_milestones_have_times_and_last_touches(ann: Journey):
    reached = {name: each and each.reached_at for name, each in ann.milestones.items()}
    touches = {name: each and each.last_touch for name, each in ann.milestones.items()}

    assert tuple(reached) == MILESTONES
    assert list(reached.values()) == [at(1), at(4), at(5), at(7, 22), at(11)]
    assert touches == {
        "first_touch": None,
        "email_captured": LastTouch(at(1), "ad_click", "google_ads", "brand"),
        "enriched": None,
        "trial_started": LastTouch(at(6), "landing_view", "direct", None),
        "purchased": LastTouch(at(10), "email_opened", "email", None),
    }


def test_days_between_milestones(ann: Journey):
    assert ann.days_between == {
        "first_touch_to_email": 3.0,
        "email_to_trial": 3.5,
        "trial_to_purchase": 3.5,
        "first_touch_to_purchase": 10.0,
    }


def test_intent_at_a_milestone_is_of_what_came_before(ann: Journey):
    scores = [each.intent_score for each in ann.milestones.values() if each]
    levels = [each.intent_level for each in ann.milestones.values() if each]

    # One page view, a day and a half old; then also a trial and an email opened a day before.
    first, second = 1 + 10 - 1.5 / 3, 1 + 25 + 2 + 10 - 1 / 3 + 5 * log2(3)
    assert scores == pytest.approx([0, 0, 0, first, second])
    assert levels == ["low", "low", "low", "low", "medium"]


def test_phases_conversions_and_timeline(ann: Journey):
    assert [(row["phase"], row["name"], row["first_at"]) for row in ann.phases] == [
        (1, "anonymous engagement", at(1)),
        (2, "email capture", at(4)),
        (3, "identity enrichment", at(5)),
        (5, "trial activation", at(7, 22)),
        (6, "email engagement", at(10)),
        (8, "conversion", at(11)),
    ]
    assert [(row["etype"], row["value"], row["touchpoints"]) for row in ann.conversions] == [
        ("trial_started", None, 2),
        ("purchase", 49.5, 3),
    ]
    assert ann.events == 7
    assert [row["event_name"] for row in ann.timeline] == [name for _, name, _ in WAY[6::-1]]
    assert [row["is_touch"] for row in ann.timeline] == [0, 1, 0, 1, 0, 0, 1]


def test_credit_of_each_touchpoint(ann: Journey):
    trial, purchase = (row["conversion_id"] for row in ann.conversions)
    credits = {(each.conversion_id, each.channel): each.credit for each in ann.credits}

    assert list(credits) == [
        (trial, "google_ads"),
        (trial, "direct"),
        (purchase, "google_ads"),
        (purchase, "direct"),
        (purchase, "email"),
    ]
    assert [credits[trial, name]["last_non_direct"] for name in ("google_ads", "direct")] == [1, 0]
    shares = [credit["position_based"] for (of, _), credit in credits.items() if of == purchase]
    assert shares == pytest.approx([0.4, 0.2, 0.4])
    # Two conversions are too few for removal effects.
    assert all(set(each) == set(MODELS) - {"markov"} for each in credits.values())


def test_every_model_shares_each_conversion_out_whole(workspace: Workspace):
    (workspace.path / "overlay.toml").write_text("[attribution]\nmin_conversions = 1\n")
    with Workspace(workspace.path, workspace.settings) as changed:
        post(changed, "ann", *WAY)
        post(changed, "bob", *WAY[:1])
        found = changed.journey("ann", as_of=AS_OF)
    for conversion in found.conversions:
        credits = [
            each.credit
            for each in found.credits
            if each.conversion_id == conversion["conversion_id"]
        ]
        totals = {model: sum(credit[model] for credit in credits) for model in MODELS}
        assert totals == pytest.approx(dict.fromkeys(MODELS, 1.0))


def test_persona_is_that_of_the_person(known: Workspace, ann: Journey):
    assert ann.persona == known.user("ann", as_of=AS_OF).persona


def test_what_comes_later_is_not_known_yet(known: Workspace):
    before = known.journey("ann", as_of=at(7, 22).replace(tzinfo=UTC))

    assert [name for name, each in before.milestones.items() if each] == [
        "first_touch",
        "email_captured",
        "enriched",
    ]
    assert before.days_between["email_to_trial"] is None
    assert (before.events, before.conversions, before.credits) == (4, (), ())
    with pytest.raises(UnknownPerson):
        known.journey("ann", as_of=at(1).replace(tzinfo=UTC))


def test_milestones_in_the_other_order_are_negative_days_apart(workspace: Workspace):
    post(workspace, "ann", ("01 10:00", "trial_started", {}), ("04 22:00", "lead_captured", {}))
    found = workspace.journey("ann", as_of=AS_OF)

    assert found.days_between["email_to_trial"] == -3.5
    assert found.days_between["first_touch_to_email"] is None
    assert [row["touchpoints"] for row in found.conversions] == [0]


def test_the_timeline_has_the_newest_events(workspace: Workspace):
    post(workspace, "ann", *((f"01 {n // 60:02}:{n % 60:02}", "app_open", {}) for n in range(205)))
    found = workspace.journey("ann", as_of=AS_OF)

    assert (len(found.timeline), found.events) == (200, 205)
    assert found.timeline[0]["occurred_at"] == datetime(2026, 3, 1, 3, 24)


def test_intent_is_what_a_scoring_at_that_moment_says(workspace: Workspace):
    people, as_of = random_people(5, size=4)
    publish_events(
        workspace.warehouse,
        {
            user_id: [*events, Event("trial_started", as_of - timedelta(days=12))]
            for user_id, events in people.items()
        },
    )
    stores = (workspace.warehouse, workspace.state, workspace.definitions)
    seen = 0
    for user_id in people:
        for milestone in view_journey(*stores, user_id, as_of=as_of).milestones.values():
            if milestone is None:
                continue
            moment = milestone.reached_at.replace(tzinfo=UTC)
            try:
                scored = view_person(*stores, user_id, as_of=moment).intent
            except UnknownPerson:
                assert milestone.intent_score == 0
                continue
            assert (milestone.intent_score, milestone.intent_level) == (scored.score, scored.level)
            seen += milestone.intent_score > 0
    assert seen > 5


def test_a_last_touch_without_campaign_has_none(known: Workspace):
    rows = known.warehouse.sql(
        "select channel, campaign_id from vw_last_touch_before_conversion order by converted_at"
    ).fetchall()

    assert rows == [("direct", None), ("email", None)]
