"""Leads, personas and scores of one person."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from mi_core.api.models.base import (
    Answer,
    Band,
    Given,
    Level,
    PersonKey,
    Points,
    ProductId,
    Share,
    Utc,
    Window,
    example,
)

PERSON = "6f1c2f0e-8f5b-4c1d-9a61-2f8f3a0f7c55"
AS_OF = "2024-06-30T00:00:00Z"
VERSION = "5c1f0a9e77b2"

Source = Literal["manual", "ai_enrichment", "behavior_analysis"]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=64)]


# --- leads


class LeadGiven(Given):
    """A person to enrich."""

    model_config = example(email="jane.doe@acme.example", user_id="jane", trigger="signup")

    email: Annotated[str, StringConstraints(min_length=1, max_length=320)]
    user_id: ProductId | None = Field(
        None, description="Whose address it is; left out, the address is the id."
    )
    trigger: Annotated[str, StringConstraints(max_length=64)] = Field(
        "api", description="What led to it, for the record."
    )


class LeadQueued(Answer):
    """What became of a lead that was handed in."""

    model_config = example(status="queued", user_id=PERSON, lead_status="pending", reason=None)

    status: Literal["queued", "skipped"] = Field(
        description="skipped: the lead is left as it is; see lead_status and reason."
    )
    user_id: PersonKey
    lead_status: str = Field(description="The lead's status now, such as pending or completed.")
    reason: str | None = Field(description="Why it was skipped, such as `completed lately`.")


class LeadStatus(Answer):
    """How far a lead is, and what it cost."""

    model_config = example(
        user_id=PERSON,
        status="completed",
        trigger="signup",
        tries=1,
        cost_cents=1.4213,
        error=None,
        is_partial=False,
        queued_at=AS_OF,
        next_try_at=None,
        enriched_at="2024-06-30T00:04:11Z",
    )

    user_id: PersonKey
    status: str = Field(
        description="pending, processing, waiting, failed, completed, failed_permanent, cancelled."
    )
    trigger: str | None
    tries: Annotated[int, Field(ge=0)]
    cost_cents: Annotated[float, Field(ge=0)] = Field(
        description="What its calls cost, in US cents; a call may cost less than one."
    )
    error: str | None
    is_partial: bool = Field(description="Completed without a step that another try might give.")
    queued_at: Utc | None
    next_try_at: Utc | None
    enriched_at: Utc | None


# --- personas


class PersonaGiven(Given):
    """Which persona somebody has. Its slug is its bucket's id, too: give one of the two."""

    model_config = example(
        user_id="jane", persona_slug="tech_entrepreneur", confidence=0.9, source="manual"
    )

    user_id: ProductId
    persona_slug: Slug | None = None
    persona_bucket_id: Slug | None = None
    confidence: Share = Field(1.0, allow_inf_nan=False)
    source: Source = Field("manual", description="A weaker one never overwrites a stronger one.")

    @model_validator(mode="after")
    def _one_persona(self) -> Self:
        if (self.persona_slug is None) == (self.persona_bucket_id is None):
            raise ValueError("Give persona_slug or persona_bucket_id, one of the two")
        return self

    @property
    def slug(self) -> str:
        return self.persona_slug or self.persona_bucket_id or ""


BUCKET = {
    "slug": "tech_entrepreneur",
    "label": "Tech Entrepreneur / Product Builder",
    "description": "Builds something of their own and decides alone and fast.",
    "intent_level": "high",
    "traits": ["hands-on", "decides fast"],
}


class PersonaBucket(Answer):
    """One of the personas, as the definitions describe it."""

    model_config = example(**BUCKET)

    slug: str
    label: str
    description: str
    intent_level: str
    traits: list[str]


ASSIGNED = {
    "user_id": PERSON,
    "bucket": BUCKET,
    "confidence": 0.9,
    "source": "manual",
    "assigned_at": AS_OF,
}


class PersonaAssigned(Answer):
    """The assignment in force."""

    model_config = example(**ASSIGNED)

    user_id: PersonKey
    bucket: PersonaBucket
    confidence: Share
    source: Source
    assigned_at: Utc


class PersonaSet(Answer):
    """What became of an assignment that was handed in, and the one in force now."""

    model_config = example(changed=True, detail="The persona is assigned.", assignment=ASSIGNED)

    changed: bool
    detail: str = Field(description="Why nothing changed, where nothing did.")
    assignment: PersonaAssigned


# --- magnetism

COMPONENTS = {"intent": 12, "engagement": 9, "reactivation": 8, "email_ctr": 3, "social_returns": 0}


class Components(Answer):
    """The parts of a magnetism index, in points, each rounded."""

    model_config = example(**COMPONENTS)

    intent: Points
    engagement: Points
    reactivation: Points
    email_ctr: Points
    social_returns: Points


ADVICE = {
    "code": "build_habit",
    "channel": "email",
    "sentence": "Give a reason to come back regularly.",
}


class Advice(Answer):
    """Something to do for the person."""

    model_config = example(**ADVICE)

    code: str
    channel: Literal["email", "push", "in_app", "sales", "none"]
    sentence: str


MOMENTUM = {"direction": "up", "change": 6.4, "percentage_change": 25, "velocity": "accelerating"}


class MagnetismTrend(Answer):
    """The change against the newest snapshot that is a week older or more."""

    model_config = example(**MOMENTUM)

    direction: Literal["up", "down", "stable"]
    change: float = Field(description="In points.")
    percentage_change: int = Field(description="Of the earlier index; 0 where that was 0.")
    velocity: Literal["accelerating", "steady", "decelerating"]


FORECAST = {"predicted_score": 38, "confidence": 0.76, "trend": "improving"}


class ForecastIn7Days(Answer):
    """The index in 7 days, if the past goes on in a straight line."""

    model_config = example(**FORECAST)

    predicted_score: Points
    confidence: Share = Field(description="How straight the past was; no probability.")
    trend: Literal["improving", "declining", "stable"]


STANDING = {"percentile": 71, "above_average": True, "cohort_average": 27, "difference": 5}


class Standing(Answer):
    """Where the index stands among those of the same persona, as last scored."""

    model_config = example(**STANDING)

    percentile: Points = Field(description="Share of theirs that are at most this one.")
    above_average: bool
    cohort_average: Points
    difference: int


SNAPSHOT = {"as_of": "2024-06-23T00:00:00Z", "index": 26}


class Snapshot(Answer):
    """An index of before."""

    model_config = example(**SNAPSHOT)

    as_of: Utc
    index: Points


class Magnetism(Answer):
    """How strongly the brand draws somebody back; bands and advice go by the exact index."""

    model_config = example(
        user_id=PERSON,
        window="30d",
        index=32,
        index_exact=32.4,
        band="cooling",
        risk_level="moderate",
        components=COMPONENTS,
        churn_risk=58,
        recommendations=[ADVICE],
        trend=MOMENTUM,
        forecast=FORECAST,
        history=[SNAPSHOT],
        cohort_comparison=STANDING,
        as_of=AS_OF,
        config_version=VERSION,
    )

    user_id: PersonKey
    window: Window
    index: Points = Field(description="Rounded half up.")
    index_exact: Annotated[float, Field(ge=0, le=100)]
    band: Band
    risk_level: Literal["high_risk", "moderate", "good", "excellent"]
    components: Components
    churn_risk: Points
    recommendations: list[Advice] = Field(description="The most pressing first.")
    trend: MagnetismTrend | None = Field(description="None without a snapshot to compare with.")
    forecast: ForecastIn7Days
    history: list[Snapshot] = Field(description="Of the 90 days up to as_of, the oldest first.")
    cohort_comparison: Standing
    as_of: Utc = Field(description="The instant that all of it is for, exclusive.")
    config_version: str


# --- intent

BREAKDOWN = {"engagement": 6, "purchase_intent": 24, "recency": 9, "frequency": 12}


class Breakdown(Answer):
    """The parts of an intent score, in points, each rounded; the first two have no upper end."""

    model_config = example(**BREAKDOWN)

    engagement: Annotated[int, Field(ge=0)]
    purchase_intent: Annotated[int, Field(ge=0)]
    recency: Annotated[int, Field(ge=0)]
    frequency: Annotated[int, Field(ge=0)]


CHANGE = {"trend": "increasing", "change": 11.2, "percentage_change": 27}


class IntentTrend(Answer):
    """The change against the newest snapshot that is a week older or more."""

    model_config = example(**CHANGE)

    trend: Literal["increasing", "decreasing", "stable"]
    change: float = Field(description="In points.")
    percentage_change: int = Field(description="Of the earlier score; 0 where that was 0.")


class Intent(Answer):
    """How close somebody seems to a purchase; the level goes by the exact score."""

    model_config = example(
        user_id=PERSON,
        score=52,
        score_exact=52.3,
        level="high",
        signals_count=6,
        breakdown=BREAKDOWN,
        top_signals=["pricing_view", "pricing_view", "feature_click"],
        trend=CHANGE,
        as_of=AS_OF,
        config_version=VERSION,
    )

    user_id: PersonKey
    score: Points = Field(description="Rounded half up.")
    score_exact: Annotated[float, Field(ge=0, le=100)]
    level: Level
    signals_count: Annotated[int, Field(ge=0)]
    breakdown: Breakdown
    top_signals: list[str] = Field(description="Those with most points, the most first.")
    trend: IntentTrend | None = Field(description="None without a snapshot to compare with.")
    as_of: Utc = Field(description="The instant that all of it is for, exclusive.")
    config_version: str
