"""Intent, 0-100: how much a person's recent acts look like someone about to buy.

The formula for one person, from the signals before `as_of`; `sql/scores/` has the same for a whole
population, and a test holds the two equal. Points are integers in millionths, so that a sum is the
same in any order and on any number of workers.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mi_core.definitions import Definitions, IntentRules

MICRO = 1_000_000
TIME_ON_SITE = "time_on_site_per_min"
"""The signal that an event gives for how long it lasted, besides its own."""

_US_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Signal:
    """One act that says something of intent.

    Attributes
    ----------
    points_micro
        What it is worth, in millionths of a point.
    group
        The part of the breakdown it counts for: `engagement`, `purchase_intent` or none.
    """

    name: str
    points_micro: int
    occurred_at: datetime
    group: str | None = None


@dataclass(frozen=True, slots=True)
class SignalSums:
    """What the signals of a window add up to, as `lake.user_feature` has it."""

    signals_count: int
    points_micro: int
    engagement_micro: int
    purchase_intent_micro: int
    last_signal_at: datetime | None
    top_signals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """A score with its reasons: points per part, rounded half up.

    Attributes
    ----------
    score
        0-100, not rounded; `rounded` is what people are shown.
    top_signals
        Names of the signals with most points; at equal points the earlier (by age in whole
        milliseconds) first, then by name.
    """

    score: float
    level: str
    signals_count: int
    engagement: int
    purchase_intent: int
    recency: int
    frequency: int
    top_signals: tuple[str, ...]

    @property
    def rounded(self) -> int:
        return round_half_up(self.score)


@dataclass(frozen=True, slots=True)
class Trend:
    """Change against an earlier score; `percentage_change` is 0 where that one was 0."""

    direction: str
    change: float
    percentage_change: int


def round_half_up(value: float) -> int:
    """The nearest integer, a half going up: 2.5 → 3, -2.5 → -2."""
    return math.floor(value + 0.5)


def band(value: float, cuts: Sequence[tuple[str, float]], highest: str) -> str:
    """The name of the first cut that `value` is below, else `highest`."""
    return next((name for name, below in cuts if value < below), highest)


def time_on_site_micro(duration_ms: int, per_minute_micro: int, cap_micro: int | None) -> int:
    """Points of a visit of `duration_ms` milliseconds, in millionths, rounded half up."""
    points = (2 * duration_ms * per_minute_micro + 60_000) // 120_000
    return points if cap_micro is None else min(cap_micro, points)


def signals_of(
    events: Iterable[tuple[str, datetime, int | None]], definitions: "Definitions"
) -> Iterator[Signal]:
    """The signals that events give: each its own, and one for its duration.

    An event is its name, its time with a zone, and how many milliseconds it lasted.
    """
    rules = {
        name: (event.signal, round(rule.points * MICRO), rule.group)
        for name, event in definitions.events.items()
        if event.signal and (rule := definitions.signals[event.signal])
    }
    site = definitions.signals.get(TIME_ON_SITE)
    for name, occurred_at, duration in events:
        if name in rules:
            signal, points, group = rules[name]
            yield Signal(signal, points, occurred_at, group)
        if site is not None and duration is not None and duration > 0:
            cap = None if site.cap is None else round(site.cap * MICRO)
            points = time_on_site_micro(duration, round(site.points * MICRO), cap)
            yield Signal(TIME_ON_SITE, points, occurred_at, site.group)


def intent(signals: Iterable[Signal], as_of: datetime, rules: "IntentRules") -> Intent:
    """Score the signals in the `rules.window_days` before `as_of`, which is exclusive."""
    start = as_of - timedelta(days=rules.window_days)
    recent = [signal for signal in signals if start <= signal.occurred_at < as_of]
    ranked = sorted(recent, key=lambda s: (-s.points_micro, -_age_ms(s, as_of), s.name))
    sums = SignalSums(
        signals_count=len(recent),
        points_micro=sum(signal.points_micro for signal in recent),
        engagement_micro=_group_sum(recent, "engagement"),
        purchase_intent_micro=_group_sum(recent, "purchase_intent"),
        last_signal_at=max((signal.occurred_at for signal in recent), default=None),
        top_signals=tuple(signal.name for signal in ranked[: rules.top_signals]),
    )
    return intent_of(sums, as_of, rules)


def intent_of(sums: SignalSums, as_of: datetime, rules: "IntentRules") -> Intent:
    """Score what the signals before `as_of` add up to."""
    if sums.last_signal_at is None:
        return Intent(0.0, _level(0.0, rules), 0, 0, 0, 0, 0, ())
    recency = recency_points(sums.last_signal_at, as_of, rules)
    frequency = min(rules.frequency_max, rules.frequency_factor * math.log2(sums.signals_count))
    score = min(100.0, sums.points_micro / MICRO + recency + frequency)
    return Intent(
        score=score,
        level=_level(score, rules),
        signals_count=sums.signals_count,
        engagement=round_half_up(sums.engagement_micro / MICRO),
        purchase_intent=round_half_up(sums.purchase_intent_micro / MICRO),
        recency=round_half_up(recency),
        frequency=round_half_up(frequency),
        top_signals=sums.top_signals,
    )


def recency_points(last_signal_at: datetime, as_of: datetime, rules: "IntentRules") -> float:
    """The bonus for the newest signal: one point less for every `recency_days_per_point` days."""
    age_days = (as_of - last_signal_at) // timedelta(microseconds=1) / _US_PER_DAY
    return max(0.0, rules.recency_max - age_days / rules.recency_days_per_point)


def intent_trend(current: float, previous: float, rules: "IntentRules") -> Trend:
    """`increasing`, `decreasing`, or `stable` below a change of `rules.trend_change` points."""
    return change_between(current, previous, rules.trend_change, ("increasing", "decreasing"))


def change_between(
    current: float, previous: float, stable_below: float, names: tuple[str, str]
) -> Trend:
    """The change from `previous` to `current`, with the names for up and for down."""
    change = current - previous
    percentage = round_half_up(percentage_change(current, previous))
    if abs(change) < stable_below:
        return Trend("stable", change, percentage)
    return Trend(names[0] if change > 0 else names[1], change, percentage)


def percentage_change(current: float, previous: float) -> float:
    """The change in percent of `previous`; 0 where that is 0."""
    return 100 * (current - previous) / previous if previous else 0.0


def _age_ms(signal: Signal, as_of: datetime) -> int:
    """Between whole milliseconds, so that no `as_of` puts two events in another order."""
    millisecond, epoch = timedelta(milliseconds=1), datetime(1970, 1, 1, tzinfo=UTC)
    return (as_of - epoch) // millisecond - (signal.occurred_at - epoch) // millisecond


def _level(score: float, rules: "IntentRules") -> str:
    return band(score, rules.level_cuts, "very_high")


def _group_sum(signals: Iterable[Signal], group: str) -> int:
    return sum(s.points_micro for s in signals if s.group == group)
