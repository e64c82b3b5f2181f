"""What the scoring relations say, written again as plainly as can be, one person at a time."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from mi_core.definitions import Definitions
from mi_core.definitions import Event as Taxon
from mi_core.intent import MICRO, Intent, Signal, intent, time_on_site_micro
from mi_core.magnetism import Habits, Magnetism, magnetism
from mi_core.personas import Assignment, persona

Act = tuple[str, datetime, int | None]
"""Event name, time, milliseconds of duration."""


def signals_of(events: Iterable[Act], definitions: Definitions) -> Iterator[Signal]:
    """The signals that events give: each its own, and one for its duration."""
    site = definitions.signals["time_on_site_per_min"]
    for name, occurred_at, duration in events:
        event = definitions.events.get(name)
        if event and event.signal:
            rule = definitions.signals[event.signal]
            yield Signal(event.signal, round(rule.points * MICRO), occurred_at, rule.group)
        if duration:
            cap = round((site.cap or 0) * MICRO)
            points = time_on_site_micro(duration, round(site.points * MICRO), cap)
            yield Signal("time_on_site_per_min", points, occurred_at, site.group)


@dataclass(frozen=True)
class Event:
    """One row of user_event, as far as scores read it."""

    name: str
    occurred_at: datetime
    channel: str | None = None
    duration: int | None = None


@dataclass(frozen=True)
class Scores:
    """All that is scored of one person, per window."""

    intent: dict[str, Intent]
    persona: Assignment
    magnetism: dict[str, Magnetism]
    habits: dict[str, Habits]


def scores_of(
    events: list[Event], as_of: datetime, definitions: Definitions, company_size: int | None = None
) -> Scores:
    """The scores of one person from their events, one window at a time."""
    past = sorted((e for e in events if e.occurred_at < as_of), key=lambda e: e.occurred_at)
    intents, habits, magnets = {}, {}, {}
    signals = list(signals_of(((e.name, e.occurred_at, e.duration) for e in past), definitions))
    for days in (7, 30):
        window = f"{days}d"
        rules = definitions.intent.model_copy(update={"window_days": days})
        intents[window] = intent(signals, as_of, rules)
        habits[window] = _habits(past, as_of, days, intents[window].score, definitions)
        magnets[window] = magnetism(habits[window], definitions.magnetism, window_days=days)
    assigned = persona(intents["30d"], company_size, definitions.personas.values())
    return Scores(intents, assigned, magnets, habits)


def _habits(
    past: list[Event], as_of: datetime, days: int, score: float, definitions: Definitions
) -> Habits:
    def within(moment: datetime, start: int, end: int = 0) -> bool:
        return timedelta(days=end) < as_of - moment <= timedelta(days=start)

    acts = [e.occurred_at for e in past if _taxon(e, definitions).engagement]
    types = [_taxon(e, definitions).etype for e in past if within(e.occurred_at, days)]
    ever = [_taxon(e, definitions).etype for e in past]
    return Habits(
        intent_score=score,
        active_days=min(7, len({act.date() for act in acts if within(act, 7)})),
        active_weeks=sum(any(within(act, end + 7, end) for act in acts) for end in (0, 7, 14, 21)),
        reactivations=sum(within(moment, days) for moment in _returns(past, definitions)),
        social_returns=sum(within(moment, days) for moment in _social_returns(past, definitions)),
        email_sends=types.count("email_send"),
        email_clicks=types.count("email_click"),
        trial_started="trial_started" in ever,
        purchase_made="purchase" in ever,
    )


def _taxon(event: Event, definitions: Definitions) -> Taxon:
    return definitions.events.get(event.name, Taxon())


def _returns(past: list[Event], definitions: Definitions) -> Iterator[datetime]:
    """Acts after a day without any, and explicit reactivations; what is both is one return."""
    previous = None
    taxa = [(event.occurred_at, _taxon(event, definitions)) for event in past]
    for moment, taxon in sorted(taxa, key=lambda each: (each[0], each[1].etype != "reactivation")):
        after_pause = previous is not None and moment - previous >= timedelta(hours=24)
        if taxon.etype == "reactivation" or (taxon.engagement and after_pause):
            yield moment
        if taxon.engagement:
            previous = moment


def _social_returns(past: list[Event], definitions: Definitions) -> Iterator[datetime]:
    first_visit = None
    for event in past:
        etype = _taxon(event, definitions).etype
        if etype in ("return_to_social", "return_to_ad"):
            yield event.occurred_at
        if etype in ("landing_view", "app_open"):
            first_visit = first_visit or event.occurred_at
            channel = definitions.channels.names.get(event.channel or "")
            if channel and channel.social and event.occurred_at > first_visit:
                yield event.occurred_at


NAMES = (
    *("app_open", "feature_used", "screen_view", "reactivation", "landing_view"),
    *("pricing_view", "comparison_view", "trial_started", "purchase"),
    *(
        "email_send",
        "email_opened",
        "email_clicked",
        "return_to_social",
        "return_to_ad",
        "unheard_of",
    ),
)


def random_event(chance: random.Random, as_of: datetime) -> Event:
    """An event whose time often is at an edge of a window, a day or a pause."""
    if chance.random() < 0.5:
        edge = chance.choice([0, 1, 2, 7, 8, 14, 21, 28, 30, 31, 32, 60])
        offset = chance.choice([-1, 0, 0, 1, 3_600_000_000])
        moment = as_of - timedelta(days=edge) + timedelta(microseconds=offset)
    else:
        moment = as_of - timedelta(seconds=chance.randrange(-86_400, 50 * 86_400))
    name = chance.choice(NAMES[: chance.choice([4, len(NAMES)])])
    duration = chance.choice([None, None, 0, 30_000, 90_001, 3_600_000])
    return Event(name, moment, chance.choice(["instagram", "direct", None]), duration)


def random_people(seed: int, size: int) -> tuple[dict[UUID, list[Event]], datetime]:
    """People with random events, and the instant that the events lie around."""
    chance = random.Random(seed)
    as_of = datetime(2026, 3, 15, tzinfo=UTC) + timedelta(hours=chance.choice([0, 5, 12]))
    counts = [chance.choice([1, 3, 10, 40]) for _ in range(size)]
    return {
        UUID(int=number): [random_event(chance, as_of) for _ in range(count)]
        for number, count in enumerate(counts)
    }, as_of
