"""The way of one person: milestones, touchpoints, credit."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from mi_core.api.models.base import Answer, Level, PersonKey, Share, Utc, example
from mi_core.api.models.marketing import AS_OF, PERSON, VERSION

EVENT = "0190f3a2-5b1e-7c44-8d10-3f2a9c0b7e61"
PURCHASE = "0190f4b7-1c2d-7e55-9a20-4e3bad1c8f72"
MilestoneName = Literal["first_touch", "email_captured", "enriched", "trial_started", "purchased"]
SpanName = Literal[
    "first_touch_to_email", "email_to_trial", "trial_to_purchase", "first_touch_to_purchase"
]

PERSONA = {
    "slug": "tech_entrepreneur",
    "label": "Tech Entrepreneur / Product Builder",
    "confidence": 0.8,
    "source": "behavior_analysis",
    "behavior": "tech_entrepreneur",
}


class JourneyPersona(Answer):
    """The persona in force; `behavior` is what behaviour alone speaks for."""

    model_config = example(**PERSONA)

    slug: str
    label: str
    confidence: Share
    source: str
    behavior: str


TOUCH = {
    "touched_at": "2024-06-03T10:00:00Z",
    "event_name": "ad_click",
    "channel": "google_ads",
    "campaign_id": "brand",
}


class Touch(Answer):
    """The last touchpoint before a milestone."""

    model_config = example(**TOUCH)

    touched_at: Utc
    event_name: str
    channel: str | None
    campaign_id: str | None


MILESTONE = {
    "reached_at": "2024-06-04T10:00:00Z",
    "intent_score": 10.5,
    "intent_level": "low",
    "last_touch": TOUCH,
}


class JourneyMilestone(Answer):
    """When it was reached, with the exact intent score right before."""

    model_config = example(**MILESTONE)

    reached_at: Utc
    intent_score: Annotated[float, Field(ge=0, le=100)]
    intent_level: Level
    last_touch: Touch | None


PHASE = {
    "phase": 2,
    "name": "email capture",
    "first_at": "2024-06-04T10:00:00Z",
    "events": 1,
}


class Phase(Answer):
    """One of the ten phases that was reached: since when, and with how many events."""

    model_config = example(**PHASE)

    phase: Annotated[int, Field(ge=1, le=10)]
    name: str
    first_at: Utc
    events: int


CONVERSION = {
    "conversion_id": PURCHASE,
    "converted_at": "2024-06-11T10:00:00Z",
    "event_name": "purchase",
    "etype": "purchase",
    "value": 49.5,
    "touchpoints": 1,
}


class Conversion(Answer):
    """A conversion, and how many touchpoints share the credit for it."""

    model_config = example(**CONVERSION)

    conversion_id: UUID
    converted_at: Utc
    event_name: str
    etype: str | None
    value: float | None = Field(description="In the currency's unit.")
    touchpoints: int


CREDIT = {
    "conversion_id": PURCHASE,
    "converted_at": "2024-06-11T10:00:00Z",
    "event_id": EVENT,
    "touched_at": "2024-06-03T10:00:00Z",
    "channel": "google_ads",
    "credit": {"first_touch": 1.0, "last_touch": 1.0, "linear": 1.0},
}


class TouchpointCredit(Answer):
    """A touchpoint's share of a conversion under each model that has an answer."""

    model_config = example(**CREDIT)

    conversion_id: UUID
    converted_at: Utc
    event_id: UUID
    touched_at: Utc
    channel: str
    credit: dict[str, float]


ACT = {
    "event_id": EVENT,
    "occurred_at": "2024-06-03T10:00:00Z",
    "event_name": "ad_click",
    "etype": "ad_click",
    "phase": 1,
    "channel": "google_ads",
    "campaign_id": "brand",
    "is_touch": True,
    "is_conversion": False,
}


class TimelineEvent(Answer):
    """One event of the timeline."""

    model_config = example(**ACT)

    event_id: UUID
    occurred_at: Utc
    event_name: str
    etype: str | None
    phase: int | None
    channel: str | None
    campaign_id: str | None
    is_touch: bool
    is_conversion: bool


class PersonJourney(Answer):
    """What somebody did, what marketing did, and which touchpoint earns the credit."""

    model_config = example(
        user_id=PERSON,
        persona=PERSONA,
        milestones={"first_touch": MILESTONE | {"last_touch": None}, "email_captured": MILESTONE},
        days_between={"first_touch_to_email": 1.0, "email_to_trial": None},
        phases=[PHASE],
        conversions=[CONVERSION],
        credits=[CREDIT],
        timeline=[ACT],
        events=41,
        as_of=AS_OF,
        config_version=VERSION,
    )

    user_id: PersonKey
    persona: JourneyPersona
    milestones: dict[MilestoneName, JourneyMilestone | None] = Field(
        description="None for one that isn't reached."
    )
    days_between: dict[SpanName, float | None] = Field(
        description="In days; negative where the two came in the other order."
    )
    phases: list[Phase]
    conversions: list[Conversion]
    credits: list[TouchpointCredit]
    timeline: list[TimelineEvent] = Field(description="The newest events, at most 200.")
    events: int = Field(description="How many there are in all.")
    as_of: Utc = Field(description="The instant that all of it is for, exclusive.")
    config_version: str
