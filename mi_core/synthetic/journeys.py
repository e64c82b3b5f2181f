"""People, their visits and their conversions, drawn block by block from the model.

Times are seconds since the start of the plan, as float64; visits are sorted by (person, time).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mi_core.synthetic.model import (
    ARCHETYPES,
    CHANNELS,
    CHURN_SHARE,
    LOOKBACK_DAYS,
    REACTIVATION_DAYS,
    RETURN_SHARE,
    Archetype,
    Plan,
)
from mi_core.synthetic.vocabulary import WELCOME

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

DAY = 86_400.0
WEEK = 7 * DAY
CHANNEL = {name: index for index, name in enumerate(CHANNELS)}
_EFFECTS = np.array([channel.effect for channel in CHANNELS.values()])
_HOURS = (3, 2, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 11, 12, 11, 10, 9, 8, 9, 10, 9, 7, 5)
_WEEKDAYS = (1.1, 1.2, 1.2, 1.1, 1.0, 0.7, 0.7)  # Monday first


def parameter(name: str) -> Floats:
    """One number of each archetype, in the order of ARCHETYPES."""
    return np.array([getattr(archetype, name) for archetype in ARCHETYPES.values()], dtype=float)


class Rhythm:
    """When people are awake: maps clock time to activity time and back, by hour of the week.

    Uniform draws in activity time follow the daily and weekly pattern in clock time; both run to
    the same length on the mean.
    """

    def __init__(self, plan: Plan) -> None:
        weekdays = (np.arange(plan.days) + plan.start.weekday()) % 7
        weights = np.outer(np.array(_WEEKDAYS)[weekdays], _HOURS).ravel()
        self._clock = np.arange(len(weights) + 1) * 3_600.0
        self._active = np.concatenate([[0.0], np.cumsum(weights)]) * (plan.seconds / weights.sum())
        self.end = float(np.interp(plan.last, self._clock, self._active))

    def to_active(self, clock: Floats) -> Floats:
        return np.asarray(np.interp(clock, self._clock, self._active))

    def to_clock(self, active: Floats) -> Floats:
        return np.asarray(np.interp(active, self._active, self._clock))


@dataclass(frozen=True, slots=True)
class People:
    """One row per person: active from `arrived` to `left`, and again from `back` to the end."""

    number: npt.NDArray[np.int64]  # unique over all blocks
    archetype: Ints
    activity: Floats  # multiplies every rate; mean 1
    arrived: Floats
    left: Floats
    back: Floats
    employees: Ints

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, slots=True)
class Visits:
    """One row per visit; `first` marks a person's first, `gap` is the time since the one before."""

    person: Ints
    at: Floats
    channel: Ints

    @property
    def first(self) -> Flags:
        return np.asarray(np.diff(self.person, prepend=-1) != 0)

    @property
    def gap(self) -> Floats:
        return np.where(self.first, 0.0, np.diff(self.at, prepend=0.0))


@dataclass(frozen=True, slots=True)
class Emails:
    """One row per email sent; `opened` and `clicked` are NaN where that did not happen."""

    person: Ints
    variant: Ints
    sent: Floats
    opened: Floats
    clicked: Floats


@dataclass(frozen=True, slots=True)
class Conversions:
    """One row per person: times, infinite where it did not happen, and what was to be expected.

    `trial` and `purchase` are the visit's time. `expected` holds each person's probability of a
    trial and of a purchase by the end, given the visits: shape (people, 2); `without` the same
    with the visits by one channel taken away: shape (channels, people, 2).
    """

    captured: Floats
    trial: Floats
    purchase: Floats
    expected: Floats
    without: Floats


def draw_people(rng: np.random.Generator, plan: Plan, first: int, size: int) -> People:
    """`size` people, numbered from `first`."""
    cumulative = np.cumsum(parameter("share"))
    archetype = np.searchsorted(cumulative, rng.random(size) * cumulative[-1], side="right")
    spread = parameter("spread")[archetype]
    activity = np.exp(spread * rng.standard_normal(size) - spread**2 / 2)
    bounds = np.array([_arrival(a, plan.days) for a in ARCHETYPES.values()])[archetype]
    arrived = plan.seconds - DAY * rng.uniform(bounds[:, 1], bounds[:, 0])
    left, back = _absence(rng, plan, arrived)
    sizes = np.array([a.employees for a in ARCHETYPES.values()], dtype=float)[archetype]
    employees = np.exp(rng.uniform(np.log(sizes[:, 0]), np.log(sizes[:, 1] + 1)))
    return People(
        np.arange(first, first + size, dtype=np.int64),
        archetype.astype(np.int32),
        activity,
        arrived,
        left,
        back,
        employees.astype(np.int32),
    )


def _arrival(archetype: Archetype, days: int) -> tuple[float, float]:
    """Earliest and latest first visit in days before the end, fitted into a plan of `days`."""
    earliest = min(archetype.arrival[0], days)
    return earliest, min(archetype.arrival[1], earliest / 3)


def _absence(rng: np.random.Generator, plan: Plan, arrived: Floats) -> tuple[Floats, Floats]:
    """When people leave, and when some come back; both at the end for those who stay."""
    size, end = len(arrived), plan.last
    stays = rng.random(size) >= CHURN_SHARE
    left = np.where(stays, end, rng.uniform(arrived, end))
    back = left + REACTIVATION_DAYS * DAY + rng.random(size) * (end - left)
    returns = rng.random(size) < RETURN_SHARE
    return left, np.where(returns, np.minimum(back, end), end)


def draw_times(
    rng: np.random.Generator, people: People, rhythm: Rhythm, since: Floats, per_week: Floats
) -> tuple[Ints, Floats]:
    """Poisson moments of each person's active time after `since`: (person, time), unsorted."""
    start = rhythm.to_active(np.minimum(since, people.left))
    resume = rhythm.to_active(np.maximum(since, people.back))
    first = rhythm.to_active(people.left) - start
    total = first + np.maximum(rhythm.end - resume, 0.0)
    counts = rng.poisson(per_week * people.activity / WEEK * total)
    person = np.repeat(np.arange(len(people), dtype=np.int32), counts)
    offset = rng.random(len(person)) * total[person]
    skipped = np.where(offset < first[person], start[person], (resume - first)[person])
    return person, rhythm.to_clock(skipped + offset)


def draw_visits(
    rng: np.random.Generator, plan: Plan, people: People, rhythm: Rhythm
) -> tuple[Visits, Emails, Floats]:
    """All visits with their channels, the emails, and when each person gave an address."""
    own = _own_visits(rng, plan, people, rhythm)
    chance = parameter("capture")[people.archetype][own.person]
    captured = _first(own, rng.random(len(own.at)) < chance, len(people))
    emails = _draw_emails(rng, plan, people, captured)
    clicked = np.flatnonzero(~np.isnan(emails.clicked))
    person = np.concatenate([own.person, emails.person[clicked]])
    at = np.concatenate([own.at, emails.clicked[clicked] + 2.0])
    by_email = np.full(len(clicked), CHANNEL["email"], np.int32)
    return (
        _sorted_visits(plan, person, at, np.concatenate([own.channel, by_email])),
        emails,
        captured,
    )


def _own_visits(rng: np.random.Generator, plan: Plan, people: People, rhythm: Rhythm) -> Visits:
    per_week = parameter("visits")[people.archetype]
    person, at = draw_times(rng, people, rhythm, people.arrived, per_week)
    person = np.concatenate([np.arange(len(people), dtype=np.int32), person])
    at = np.concatenate([people.arrived, at])
    cumulative = np.cumsum([channel.share for channel in CHANNELS.values()])
    channel = np.searchsorted(cumulative, rng.random(len(at)) * cumulative[-1], side="right")
    return _sorted_visits(plan, person, at, channel.astype(np.int32))


def _sorted_visits(plan: Plan, person: Ints, at: Floats, channel: Ints) -> Visits:
    order = np.argsort(person * (plan.seconds + DAY) + at, kind="stable")
    return Visits(person[order], at[order], channel[order])


def _first(visits: Visits, happens: Flags, size: int) -> Floats:
    """The time of each person's first visit where `happens`; infinite where there is none."""
    hits = np.flatnonzero(happens)
    person, index = np.unique(visits.person[hits], return_index=True)
    at = np.full(size, np.inf)
    at[person] = visits.at[hits[index]]
    return at


def _draw_emails(rng: np.random.Generator, plan: Plan, people: People, captured: Floats) -> Emails:
    """A welcome email when the address is given, then one newsletter every Tuesday at 09:00."""
    tuesday = (1 - plan.start.weekday()) % 7 * DAY + 9 * 3_600
    weekly = np.arange(tuesday, plan.last, WEEK)
    known = np.flatnonzero(np.isfinite(captured)).astype(np.int32)
    reader, week = np.nonzero(weekly > captured[known][:, None])
    person = np.concatenate([known, known[reader]])
    variant = np.concatenate([np.full(len(known), WELCOME), week % WELCOME]).astype(np.int32)
    sent = np.concatenate([captured[known] + 90.0, weekly[week]])
    archetype = people.archetype[person]
    opened = sent + 30 + rng.exponential(6 * 3_600, len(sent))
    active = (opened < people.left[person]) | (opened > people.back[person])
    opens = (rng.random(len(sent)) < parameter("opens")[archetype]) & active
    opened[~opens | (opened > plan.last)] = np.nan
    clicks = rng.random(len(sent)) < parameter("clicks")[archetype]
    return Emails(person, variant, sent, opened, np.where(clicks, opened + 20.0, np.nan))


def draw_conversions(
    rng: np.random.Generator, people: People, visits: Visits, captured: Floats
) -> Conversions:
    """First trial and first purchase of each person, by the hazards of the model."""
    seen = _channels_seen(visits)
    at_risk = visits.at >= captured[visits.person]
    archetype = people.archetype[visits.person]
    odds = seen @ _EFFECTS
    trial_odds = parameter("trial")[archetype] + odds
    purchase_odds = parameter("purchase")[archetype] + odds
    trial_p = at_risk * sigmoid(trial_odds)
    purchase_p = sigmoid(purchase_odds)
    trial = _first(visits, rng.random(len(odds)) < trial_p, len(people))
    bought = (rng.random(len(odds)) < purchase_p) & (visits.at > trial[visits.person])
    without = np.empty((len(CHANNELS), len(people), 2))
    for channel, effect in enumerate(_EFFECTS):
        kept = visits.channel != channel
        loss = effect * seen[:, channel]
        without[channel] = expected(
            visits,
            kept * at_risk * sigmoid(trial_odds - loss),
            kept * sigmoid(purchase_odds - loss),
        )
    return Conversions(
        captured,
        trial,
        _first(visits, bought, len(people)),
        expected(visits, trial_p, purchase_p),
        without,
    )


def sigmoid(odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-odds))


def _channels_seen(visits: Visits) -> Flags:
    """C(v): whether a channel brought the person in the lookback, shape (visits, channels)."""
    lookback = LOOKBACK_DAYS * DAY
    stride = visits.at.max() + 2 * lookback  # keeps people further apart than the lookback
    line = visits.person * stride + visits.at
    seen = np.empty((len(line), len(CHANNELS)), dtype=bool)
    for channel in range(len(CHANNELS)):
        latest = np.maximum.accumulate(np.where(visits.channel == channel, line, -np.inf))
        seen[:, channel] = line - latest <= lookback
    return seen


def expected(visits: Visits, trial_p: Floats, purchase_p: Floats) -> Floats:
    """Probability of a trial and of a purchase by the end, per person: shape (people, 2).

    With hazards p and q at visits 1..n: P(trial) = 1 - prod(1 - p), and
    P(purchase) = sum over k of prod(1 - p_j, j < k) * p_k * (1 - prod(1 - q_j, j > k)).
    """
    starts = np.flatnonzero(visits.first)
    none_yet = np.log1p(-trial_p)
    none_bought = np.log1p(-purchase_p)
    before = np.cumsum(none_yet) - none_yet
    before -= before[starts][visits.person]
    bought_by = np.cumsum(none_bought)
    ends = np.append(starts[1:], len(visits.at)) - 1
    after = bought_by[ends][visits.person] - bought_by
    purchase = np.exp(before) * trial_p * -np.expm1(after)
    trial = -np.expm1(np.add.reduceat(none_yet, starts))
    return np.column_stack([trial, np.add.reduceat(purchase, starts)])
