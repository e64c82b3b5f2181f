"""One person's journey: what they did, what marketing did, and which touchpoint earns the credit.

A milestone is the first time of something, over all events before `as_of`. The intent score at a
milestone is the one that a scoring as of that moment gives, so without what happened at it.

The lake is read once, for the person's events; what can be is then worked out by the formulas for
one person, as to plan a relation over everybody takes longer than they do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from mi_core.attribution import TouchCredit, touch_credits
from mi_core.attribution.touches import stage_person_events, stored_removal_effects
from mi_core.definitions import Definitions
from mi_core.errors import UnknownPerson
from mi_core.intent import Signal, intent, signals_of
from mi_core.person import PersonaView, persona_view, rows_of
from mi_core.personas import persona
from mi_core.scoring import naive_utc
from mi_core.state import State
from mi_core.warehouse import Warehouse

MILESTONES = ("first_touch", "email_captured", "enriched", "trial_started", "purchased")
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


@dataclass(frozen=True)
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
        events = stage_person_events(warehouse, definitions, user_id, as_of=as_of)
        if not events:
            moment = f"{naive_utc(as_of):%Y-%m-%d %H:%M} UTC"
            raise UnknownPerson(f"This person has no event before {moment}.")
        signals = _signals(warehouse, definitions)
        conversions = rows_of(warehouse, "journeys/person_conversion")
        credits = _credits(warehouse, definitions, as_of) if conversions else []
        milestones = _milestones(warehouse, definitions, signals)
        touchpoints = Counter(each.conversion_id for each in credits)
        return Journey(
            user_id=str(user_id),
            as_of=as_of,
            config_version=definitions.version,
            lake_snapshot=snapshot,
            persona=_persona(state, definitions, user_id, as_of, signals),
            milestones=milestones,
            days_between={name: _days(milestones, *ends) for name, ends in SPANS.items()},
            phases=tuple(_phases(warehouse)),
            conversions=tuple(
                {**row, "touchpoints": touchpoints[row["conversion_id"]]} for row in conversions
            ),
            credits=tuple(credits),
            timeline=tuple(rows_of(warehouse, "journeys/person_timeline", most=TIMELINE)),
            events=events,
        )


def _signals(warehouse: Warehouse, definitions: Definitions) -> list[Signal]:
    """All signals that the person has given."""
    rows = warehouse.sql("select event_name, occurred_at, duration from person_event").fetchall()
    events = ((name, at.replace(tzinfo=UTC), duration) for name, at, duration in rows)
    return list(signals_of(events, definitions))


def _credits(
    warehouse: Warehouse, definitions: Definitions, as_of: datetime
) -> Sequence[TouchCredit]:
    effects = stored_removal_effects(warehouse, definitions, as_of=as_of)
    return touch_credits(warehouse, definitions, as_of=as_of, effects=effects)


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
    warehouse: Warehouse, definitions: Definitions, signals: Sequence[Signal]
) -> dict[str, Milestone | None]:
    reached = {row["milestone"]: row for row in rows_of(warehouse, "journeys/person_milestone")}
    return {
        name: _milestone(definitions, signals, reached[name]) if name in reached else None
        for name in MILESTONES
    }


def _milestone(definitions: Definitions, signals: Sequence[Signal], row: Row) -> Milestone:
    scored = intent(signals, row["reached_at"].replace(tzinfo=UTC), definitions.intent)
    touch = LastTouch(row["touched_at"], row["event_name"], row["channel"], row["campaign_id"])
    return Milestone(
        row["reached_at"], scored.score, scored.level, touch if row["touched_at"] else None
    )


def _days(milestones: Mapping[str, Milestone | None], start: str, end: str) -> float | None:
    first, second = milestones[start], milestones[end]
    if first is None or second is None:
        return None
    return (second.reached_at - first.reached_at) / timedelta(days=1)


def _phases(warehouse: Warehouse) -> Sequence[Row]:
    rows = rows_of(warehouse, "journeys/person_phase")
    return [{"phase": row["phase"], "name": PHASES[row["phase"]], **row} for row in rows]
