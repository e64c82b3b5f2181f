"""One person's journey: what they did, what marketing did, and which touchpoint earns the credit.

A milestone is the first time of something, over all events before `as_of`. The intent score at a
milestone is the one that a scoring as of that moment gives, so without what happened at it.

The lake is read once, for the person's events; the rest is worked out by the formulas for one
person, as to plan a relation takes longer than they do.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from mi_core.attribution import TouchCredit, touch_credits
from mi_core.attribution.one_person import PersonEvent, events_of
from mi_core.attribution.touches import stored_removal_effects
from mi_core.definitions import Definitions
from mi_core.errors import UnknownPerson
from mi_core.intent import Signal, intent, signals_of
from mi_core.person import PersonaView, persona_view
from mi_core.personas import persona
from mi_core.scoring import naive_utc
from mi_core.state import State
from mi_core.warehouse import Warehouse

REACHED_BY = {
    "email_captured": "email_submitted",
    "enriched": "identity_enriched",
    "trial_started": "trial_started",
    "purchased": "purchase",
}
"""Milestone → the event type whose first time it is."""

MILESTONES = ("first_touch", *REACHED_BY)
LED_TO = ("email_captured", "trial_started", "purchased")
"""Those that marketing leads to."""

SPANS = {
    "first_touch_to_email": ("first_touch", "email_captured"),
    "email_to_trial": ("email_captured", "trial_started"),
    "trial_to_purchase": ("trial_started", "purchased"),
    "first_touch_to_purchase": ("first_touch", "purchased"),
}
PHASES = {
    1: "anonymous engagement",
    2: "email capture",
    3: "identity enrichment",
    4: "onboarding",
    5: "trial activation",
    6: "email engagement",
    7: "product use",
    8: "conversion",
    9: "retention and reactivation",
    10: "lifecycle campaigns",
}
TIMELINE = 200
"""Events shown, the newest; `Journey.events` counts all."""

SHOWN = (
    *("event_id", "occurred_at", "event_name", "etype", "phase"),
    *("channel", "campaign_id", "is_touch", "is_conversion"),
)
"""What a row of the timeline says."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LastTouch:
    """The last touchpoint strictly before a milestone."""

    touched_at: datetime
    event_name: str
    channel: str | None
    campaign_id: str | None


@dataclass(frozen=True)
class Milestone:
    """When it was reached, with the intent score right before; `last_touch` where one led there."""

    reached_at: datetime
    intent_score: float
    intent_level: str
    last_touch: LastTouch | None


@dataclass(frozen=True, repr=False)
class Journey:
    """One person's journey as of an instant, times in UTC.

    Attributes
    ----------
    milestones
        Each of MILESTONES; None for one that isn't reached.
    days_between
        Each of SPANS; None where one of the two is missing, and negative where they came in the
        other order, as a trial that was started before an address was left.
    phases
        Those reached: `phase`, `name`, `first_at`, `events`.
    conversions
        In order of time: `conversion_id`, `converted_at`, `event_name`, `etype`, `value` in the
        currency's unit, and how many `touchpoints` share the credit for it.
    credits
        Those touchpoints, with their shares under each model; see `attribution.touch_credits`.
    timeline
        The newest TIMELINE of their `events`, the newest first.
    """

    user_id: str
    as_of: datetime
    config_version: str
    lake_snapshot: int
    persona: PersonaView
    milestones: Mapping[str, Milestone | None]
    days_between: Mapping[str, float | None]
    phases: tuple[Row, ...]
    conversions: tuple[Row, ...]
    credits: tuple[TouchCredit, ...]
    timeline: tuple[Row, ...]
    events: int

    def __repr__(self) -> str:
        reached = [name for name, milestone in self.milestones.items() if milestone]
        return (
            f"<Journey of {self.user_id} as of {self.as_of:%Y-%m-%d}: {self.events:,} events,"
            f" {len(self.conversions):,} conversions; reached {', '.join(reached) or 'nothing'}."
            " See .milestones, .days_between, .phases, .conversions, .credits, .timeline>"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def view_journey(
    warehouse: Warehouse,
    state: State,
    definitions: Definitions,
    user_id: UUID,
    *,
    as_of: datetime,
) -> Journey:
    """The journey of one person, from their events before `as_of` (exclusive; with a time zone).

    Raises
    ------
    UnknownPerson
        The person has no event before `as_of`.
    """
    with warehouse.reading() as snapshot:
        events = events_of(warehouse, definitions, user_id, as_of=as_of)
        if not events:
            moment = f"{naive_utc(as_of):%Y-%m-%d %H:%M} UTC"
            raise UnknownPerson(f"This person has no event before {moment}.")
        signals = _signals(events, definitions)
        credits = _credits(warehouse, definitions, events, as_of)
        milestones = _milestones(definitions, events, signals)
        return Journey(
            user_id=str(user_id),
            as_of=as_of,
            config_version=definitions.version,
            lake_snapshot=snapshot,
            persona=_persona(state, definitions, user_id, as_of, signals),
            milestones=milestones,
            days_between={name: _days(milestones, *ends) for name, ends in SPANS.items()},
            phases=tuple(_phases(events)),
            conversions=tuple(_conversions(events, credits)),
            credits=tuple(credits),
            timeline=tuple(_shown(event) for event in events[: -TIMELINE - 1 : -1]),
            events=len(events),
        )


def _signals(events: Sequence[PersonEvent], definitions: Definitions) -> list[Signal]:
    """All signals that the person has given."""
    given = ((e.event_name, e.occurred_at.replace(tzinfo=UTC), e.duration) for e in events)
    return list(signals_of(given, definitions))


def _credits(
    warehouse: Warehouse, definitions: Definitions, events: Sequence[PersonEvent], as_of: datetime
) -> Sequence[TouchCredit]:
    if not any(event.is_conversion for event in events):
        return []
    effects = stored_removal_effects(warehouse, definitions, as_of=as_of)
    return touch_credits(events, definitions.attribution, effects)


def _conversions(events: Sequence[PersonEvent], credits: Sequence[TouchCredit]) -> Iterator[Row]:
    touchpoints = Counter(each.conversion_id for each in credits)
    for event in events:
        if event.is_conversion:
            yield {
                "conversion_id": event.event_id,
                "converted_at": event.occurred_at,
                "event_name": event.event_name,
                "etype": event.etype,
                "value": None if event.value is None else event.value / 100,
                "touchpoints": touchpoints[event.event_id],
            }


def _shown(event: PersonEvent) -> Row:
    """As in the timeline."""
    return {name: getattr(event, name) for name in SHOWN}


def _persona(
    state: State,
    definitions: Definitions,
    user_id: UUID,
    as_of: datetime,
    signals: Sequence[Signal],
) -> PersonaView:
    company = state.company_of(str(user_id), as_of) or {}
    behavior = persona(
        intent(signals, as_of, definitions.intent),
        company.get("company_size"),
        definitions.personas.values(),
    )
    assigned = state.persona_of(str(user_id), as_of)
    return persona_view(definitions, behavior.slug, behavior.confidence, assigned)


def _milestones(
    definitions: Definitions, events: Sequence[PersonEvent], signals: Sequence[Signal]
) -> dict[str, Milestone | None]:
    first = {event.etype: event.occurred_at for event in reversed(events)}
    reached = {name: first.get(etype) for name, etype in REACHED_BY.items()}
    touches = [event for event in events if event.is_touch]
    reached["first_touch"] = touches[0].occurred_at if touches else None
    return {
        name: _milestone(definitions, signals, at, touches if name in LED_TO else ())
        if at
        else None
        for name in MILESTONES
        for at in (reached[name],)
    }


def _milestone(
    definitions: Definitions,
    signals: Sequence[Signal],
    reached_at: datetime,
    touches: Sequence[PersonEvent],
) -> Milestone:
    scored = intent(signals, reached_at.replace(tzinfo=UTC), definitions.intent)
    before = [touch for touch in touches if touch.occurred_at < reached_at]
    return Milestone(
        reached_at, scored.score, scored.level, _last_touch(before[-1]) if before else None
    )


def _last_touch(touch: PersonEvent) -> LastTouch:
    return LastTouch(touch.occurred_at, touch.event_name, touch.channel, touch.campaign_id)


def _days(milestones: Mapping[str, Milestone | None], start: str, end: str) -> float | None:
    first, second = milestones[start], milestones[end]
    if first is None or second is None:
        return None
    return (second.reached_at - first.reached_at) / timedelta(days=1)


def _phases(events: Sequence[PersonEvent]) -> Iterator[Row]:
    counts = Counter(event.phase for event in events)
    first = {event.phase: event.occurred_at for event in reversed(events)}
    for phase in sorted(each for each in counts if each is not None):
        about = {"first_at": first[phase], "events": counts[phase]}
        yield {"phase": phase, "name": PHASES[phase], **about}
