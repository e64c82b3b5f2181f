"""What the API's verbs answer is what the workspace says, and what the tables hold."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from api_people import AS_OF, BEFORE, ODD, act

from mi_core.api.verbs import analytics, cron, marketing
from mi_core.errors import BadValue, UnknownName, UnknownPerson
from mi_core.intent import round_half_up
from mi_core.person import Person
from mi_core.workspace import Workspace


@pytest.fixture(scope="module")
def ann(known: Workspace) -> Person:
    return known.user("ann")


def plain(answer: Any) -> dict[str, Any]:
    """As a client gets it."""
    return json.loads(answer.model_dump_json())


# --- one person


@pytest.mark.parametrize("window", ["7d", "30d"])
def test_magnetism_is_that_of_the_person(known: Workspace, ann: Person, window: Any):
    person, found = ann, marketing.magnetism(known, "ann", window)
    view = person.magnetism[window]

    assert (found.index, found.index_exact) == (round_half_up(view.index), view.index)
    assert (found.band, found.risk_level, found.churn_risk) == (
        view.band,
        view.risk_level,
        view.churn_risk,
    )
    assert found.components.model_dump() == view.components
    assert [each.code for each in found.recommendations] == [
        each.code for each in view.recommendations
    ]
    assert view.trend is not None
    assert plain(found)["trend"] == {
        "direction": view.trend.trend.direction,
        "change": round(view.trend.trend.change, 2),
        "percentage_change": view.trend.trend.percentage_change,
        "velocity": view.trend.velocity,
    }
    assert found.forecast.predicted_score == view.forecast.predicted_score
    assert found.cohort_comparison.percentile == view.cohort.percentile
    assert [each.as_of for each in found.history] == [BEFORE, AS_OF]
    assert found.history[-1].index == found.index
    assert (found.as_of, found.user_id) == (AS_OF, person.user_id)
    assert found.config_version == known.definitions.version


def test_intent_is_that_of_the_person(known: Workspace, ann: Person):
    view, found = ann.intent, marketing.intent(known, "ann")

    assert (found.score, found.score_exact) == (round_half_up(view.score), view.score)
    assert (found.level, found.signals_count) == (view.level, view.signals_count)
    assert found.top_signals == list(view.top_signals)
    assert plain(found)["breakdown"] == {
        part: getattr(view, part)
        for part in ("engagement", "purchase_intent", "recency", "frequency")
    }
    assert view.trend is not None
    assert found.trend is not None
    assert (found.trend.trend, found.trend.percentage_change) == (
        view.trend.direction,
        view.trend.percentage_change,
    )
    assert found.as_of == AS_OF


def test_a_person_without_an_older_snapshot_has_no_trend(known: Workspace):
    assert marketing.magnetism(known, ODD, "30d").trend is None


def test_the_journey_is_that_of_the_person(known: Workspace):
    view, found = known.journey("ann"), plain(marketing.journey(known, "ann"))

    assert set(found["milestones"]) == set(view.milestones)
    assert found["milestones"]["enriched"] is None
    assert found["milestones"]["trial_started"]["last_touch"]["channel"] == "google_ads"
    assert found["days_between"] == view.days_between
    assert [each["phase"] for each in found["phases"]] == [each["phase"] for each in view.phases]
    assert [each["value"] for each in found["conversions"]] == [None, 49.5]
    assert [each["credit"] for each in found["credits"]] == [
        dict(each.credit) for each in view.credits
    ]
    assert len(found["timeline"]) == found["events"] == 7
    newest = datetime.fromisoformat(found["timeline"][0]["occurred_at"])
    assert newest == AS_OF - timedelta(days=0.5)
    assert found["persona"]["slug"] == view.persona.slug
    assert datetime.fromisoformat(found["as_of"]) == AS_OF


@pytest.mark.parametrize(
    "ask",
    [
        lambda w, who: marketing.magnetism(w, who, "30d"),
        marketing.intent,
        marketing.journey,
        marketing.persona_of,
        marketing.lead_status,
        lambda w, who: marketing.rescore(w, who, "30d"),
        lambda w, who: marketing.assign_persona(w, who, "automation_pro", 1.0, "manual"),
    ],
    ids=["magnetism", "intent", "journey", "persona", "lead", "rescore", "assign"],
)
@pytest.mark.parametrize(
    "who",
    ["mallory@acme.example", "mal\0lory", " ", "x" * 400],
    ids=["address", "nul", "blank", "long"],
)
def test_a_stranger_is_unknown_and_not_named(known: Workspace, ask: Any, who: str):
    with pytest.raises(UnknownPerson) as caught:
        ask(known, who)
    assert who.strip() not in str(caught.value) or not who.strip()


# --- personas


def test_a_persona_is_assigned_and_a_weaker_source_leaves_it(known: Workspace):
    # Whoever has a lead alone can have a persona, too.
    lead = marketing.enrich(known, "dan@acme.example", "dan", "signup")
    with pytest.raises(UnknownPerson, match="No persona"):
        marketing.persona_of(known, "dan")

    def assign(slug: str, source: Any, confidence: float = 0.9) -> tuple[bool, str, str]:
        told = marketing.assign_persona(known, "dan", slug, confidence, source)
        assert told.assignment == marketing.persona_of(known, "dan")
        assert told.assignment.user_id == lead.user_id
        return told.changed, told.detail, told.assignment.bucket.slug

    assert assign("automation_pro", "ai_enrichment") == (
        True,
        "The persona is assigned.",
        "automation_pro",
    )
    assert assign("automation_pro", "ai_enrichment") == (
        False,
        "It was assigned already.",
        "automation_pro",
    )
    assert assign("corporate_executive", "manual")[::2] == (True, "corporate_executive")
    assert assign("automation_pro", "behavior_analysis") == (
        False,
        "What manual said stands: behavior_analysis is a weaker source.",
        "corporate_executive",
    )
    with pytest.raises(UnknownName, match="did you mean 'automation_pro'"):
        assign("automation_pros", "manual")


def test_the_bucket_is_as_the_definitions_have_it(known: Workspace):
    found = marketing.persona_of(known, "ann")
    persona = known.definitions.personas[found.bucket.slug]

    assert found.bucket.model_dump() == {
        "slug": found.bucket.slug,
        "label": persona.label,
        "description": persona.description,
        "intent_level": persona.intent_level,
        "traits": list(persona.traits),
    }
    assert (found.source, found.confidence) == ("behavior_analysis", persona.confidence)
    assert found.assigned_at == AS_OF


def test_a_later_assignment_stands(known: Workspace):
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    bob = str(known.user_id_of("bob"))
    known.state.assign_personas(
        [(bob, "automation_pro", 0.5)], source="manual", assigned_at=tomorrow
    )

    told = marketing.assign_persona(known, "bob", "corporate_executive", 0.5, "manual")

    assert (told.changed, told.detail) == (False, "A later assignment stands.")


# --- leads


def test_a_lead_is_queued_worked_and_then_skipped(workspace: Workspace):
    first = marketing.enrich(workspace, "jane.doe@acme.example", "jane", "signup")
    again = marketing.enrich(workspace, "jane.doe@acme.example", "jane", "signup")
    waiting = marketing.lead_status(workspace, "jane")

    assert (first.status, first.lead_status, first.reason) == ("queued", "pending", None)
    assert (again.status, again.lead_status, again.reason) == (
        "skipped",
        "pending",
        "already waiting",
    )
    assert (waiting.status, waiting.tries, waiting.trigger) == ("pending", 0, "signup")
    assert waiting.user_id == first.user_id

    worked = cron.work_queue(workspace)

    assert (worked.taken, worked.completed, worked.due, worked.stopped) == (1, 1, 0, None)
    done = marketing.lead_status(workspace, "jane")
    assert (done.status, done.tries, done.cost_cents, done.error) == ("completed", 1, 0.0, None)
    assert done.enriched_at is not None
    last = marketing.enrich(workspace, "jane.doe@acme.example", "jane", "signup")
    assert (last.status, last.lead_status, last.reason) == (
        "skipped",
        "completed",
        "completed lately",
    )
    stats = analytics.enrichment_stats(workspace, 7)
    assert stats.by_status["completed"] == stats.completed == stats.ended == 1
    assert (stats.success_rate, stats.cost_cents, stats.projected_month_cents) == (1.0, 0.0, 0.0)
    assert stats.until - stats.since == timedelta(days=7)

    with workspace.state.writing() as transaction:
        transaction.change("update user_identity set cost_micros = 41000")
    assert marketing.lead_status(workspace, "jane").cost_cents == 4.1


@pytest.mark.parametrize(
    ("email", "sentence"),
    [("jane", "no @"), ("jane@mailinator.com", "disposable"), ("j" * 300 + "@a.example", "longer")],
)
def test_a_refused_address_is_told_why_and_not_repeated(
    known: Workspace, email: str, sentence: str
):
    with pytest.raises(BadValue, match=sentence) as caught:
        marketing.enrich(known, email, "refused", "signup")
    assert email not in str(caught.value)
    assert marketing.lead_status(known, "refused").status == "failed_permanent"


# --- everybody


def test_the_funnel_is_that_of_the_last_days(known: Workspace):
    found = analytics.funnel(known, 12)
    last = (AS_OF - timedelta(days=1)).date()
    stored = known.sql(
        f"from mv_daily_funnel where day > date '{last}' - 12 order by day"
    ).to_dicts()

    assert (found.since, found.until) == (last - timedelta(days=11), last)
    assert [each.model_dump() for each in found.daily] == [
        {name: row[name] for name in each.model_dump()}
        for each, row in zip(found.daily, stored, strict=True)
    ]
    totals = found.totals
    assert (totals.ad_clicks, totals.landing_views, totals.trials, totals.purchases) == (0, 1, 1, 1)
    assert (totals.click_to_landing_rate, totals.landing_to_email_rate) == (None, 1.0)
    assert analytics.funnel(known, 1).daily == []


def test_personas_have_all_their_people(known: Workspace):
    found = analytics.personas(known)

    assert [each.slug for each in found.personas] == list(known.definitions.personas)
    assert found.users == 4
    assert sum(each.share or 0 for each in found.personas) == pytest.approx(1)
    [builder] = [each for each in found.personas if each.slug == "tech_entrepreneur"]
    assert (builder.users, builder.trial_rate, builder.purchase_rate) == (1, 1.0, 1.0)
    assert found.as_of == AS_OF


@pytest.mark.parametrize("window", ["7d", "30d"])
def test_the_summary_is_of_everybody(known: Workspace, window: Any):
    found = analytics.magnetism_summary(known, window)
    scores = known.sql(f"from mv_user_magnetism_{window}")

    assert found.people == len(scores) == 4
    assert [each.band for each in found.bands] == ["cold", "cooling", "warm", "hot"]
    assert sum(each.people for each in found.bands) == 4
    assert sum(each.people for each in found.churn_risk) == 4
    assert [each.risk_from for each in found.churn_risk] == list(range(0, 100, 10))
    assert found.average_index == pytest.approx(scores["magnetism_index"].mean(), abs=0.01)
    assert found.average_churn_risk == pytest.approx(scores["churn_risk"].mean(), abs=0.01)
    assert found.at_risk == (scores["churn_risk"] >= 70).sum()


def test_credits_are_those_of_the_model(known: Workspace):
    found = analytics.attribution(known, "linear", "campaign", 30, False)
    frame = known.attribution(["linear"], by="campaign", days=30, draws=0).credits

    assert [(each.key, each.conversions, each.share) for each in found.credits] == (
        frame.select("campaign", "conversions", "share").rows()
    )
    assert (found.conversions, found.value, found.abstained) == (2, 49.5, None)
    assert (found.as_of, found.as_of - found.since) == (AS_OF, timedelta(days=30))
    assert found.credits[0].conversions_low is None
    drawn = analytics.attribution(known, "linear", "campaign", 30, True)
    assert drawn.credits[0].conversions_low is not None
    abstains = analytics.attribution(known, "markov", "channel", 30, False)
    assert abstains.abstained
    assert abstains.credits == []


@pytest.mark.parametrize(("model", "by"), [("lineal", "channel"), ("linear", "chanel")])
def test_credits_of_what_is_not_there(known: Workspace, model: str, by: str):
    with pytest.raises(UnknownName, match="did you mean"):
        analytics.attribution(known, model, by, 30, False)


def test_nothing_is_scored_yet(workspace: Workspace):
    funnel = analytics.funnel(workspace, 30)
    summary = analytics.magnetism_summary(workspace, "30d")

    assert (funnel.as_of, funnel.since, funnel.daily, funnel.totals.trials) == (None, None, [], 0)
    assert (summary.people, summary.average_index, summary.bands[0].share) == (0, None, None)
    assert analytics.personas(workspace).users == 0
    assert analytics.attribution(workspace, "linear", "channel", 30, False).credits[:-1] == []
    assert analytics.enrichment_stats(workspace, 30).ended == 0
    assert cron.work_queue(workspace).taken == 0


# --- cron


def test_a_refresh_drains_scores_and_stores_the_views(workspace: Workspace):
    workspace.post([act("ann", 1.0, "trial_started")])

    first = cron.refresh_views(workspace)

    assert (first.events_drained, first.users_scored) == (1, 1)
    assert (first.mode, first.reason) == ("full", "first run")
    assert {each.name: each.rows for each in first.views} == {
        "mv_daily_funnel": 1,
        "mv_persona_performance": 6,
        "mv_user_magnetism_7d": 1,
        "mv_user_magnetism_30d": 1,
    }
    assert all(each.seconds > 0 for each in first.views)
    assert sum(each.seconds for each in first.steps) <= first.seconds + 0.002
    assert workspace.scored_as_of() == first.as_of
