"""Magnetism, 0-100: how strongly a brand draws one person back, and what to do about it.

The formula for one person; `sql/scores/magnetism.sql` holds the same for a whole population, and a
test holds the two equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mi_core.intent import Trend, band, change_between, percentage_change, round_half_up

if TYPE_CHECKING:
    from mi_core.definitions import MagnetismRules

AT_RISK = 70
"""Churn risk from which a person is listed as at risk of leaving."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What a person did in a window, as `lake.user_feature` has it.

    Attributes
    ----------
    active_days
        UTC dates with an engagement event in the last 7 days, 0-7, in every window.
    active_weeks
        Of the four 7-day blocks that end at `as_of`, 0-4, in every window.
    """

    intent_score: float
    active_days: int
    active_weeks: int
    reactivations: int
    social_returns: int
    email_sends: int
    email_clicks: int
    trial_started: bool
    purchase_made: bool


@dataclass(frozen=True, slots=True)
class Components:
    """Points of each part of the index, rounded half up."""

    intent: int
    engagement: int
    reactivation: int
    email_ctr: int
    social_returns: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Something to do for a person: a code, the channel (or `none`), and one plain sentence."""

    code: str
    channel: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Magnetism:
    """An index with its reasons; `index` is not rounded, `rounded` is what people are shown."""

    index: float
    band: str
    risk_level: str
    components: Components
    churn_risk: int
    recommendations: tuple[Recommendation, ...]

    @property
    def rounded(self) -> int:
        return round_half_up(self.index)


@dataclass(frozen=True, slots=True)
class Momentum:
    """A trend and how fast it goes: `accelerating`, `steady` or `decelerating`."""

    trend: Trend
    velocity: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """A predicted score, 0-100, with confidence in 0-1 and its direction."""

    predicted_score: int
    confidence: float
    trend: str


@dataclass(frozen=True, slots=True)
class CohortComparison:
    """Where a score stands among others: percentile 0-100, their average, the difference to it."""

    percentile: int
    cohort_average: int
    difference: int
    above_average: bool


RECOMMENDATIONS = {
    each.code: each
    for each in (
        Recommendation("win_back", "email", "Send a win-back offer: this person has gone cold."),
        Recommendation("personal_outreach", "sales", "Have someone get in touch in person."),
        Recommendation(
            "nurture_sequence", "email", "Start a nurture sequence: interest is fading."
        ),
        Recommendation("remove_friction", "in_app", "Ask what is in the way, and remove it."),
        Recommendation(
            "feature_nudge", "push", "Point out a useful feature: there was little use."
        ),
        Recommendation("test_email_copy", "email", "Try other email copy: no email was clicked."),
        Recommendation("build_habit", "email", "Give a reason to come back regularly."),
        Recommendation("offer_trial", "in_app", "Offer a trial: interest is high."),
        Recommendation(
            "convert_trial", "email", "Make an offer to turn the trial into a purchase."
        ),
        Recommendation("upsell_or_referral", "in_app", "Offer an upgrade, or ask for a referral."),
    )
}
"""Code → recommendation, in the order in which they are given."""


def magnetism(habits: Habits, rules: "MagnetismRules", *, window_days: int = 30) -> Magnetism:
    """Score the habits of a window of `window_days` days, 7 or 30.

    The saturation targets of counts are for 30 days and scale with the window, so that all windows
    share one scale.
    """
    parts = _parts(habits, rules, window_days / 30)
    bonus = (
        rules.bonuses.trial * habits.trial_started + rules.bonuses.purchase * habits.purchase_made
    )
    # Term by term, as SQL adds: sum() may round differently.
    index = min(100.0, parts[0] + parts[1] + parts[2] + parts[3] + parts[4] + bonus)
    return Magnetism(
        index=index,
        band=band(index, rules.bands, "hot"),
        risk_level=band(index, rules.risk_levels, "excellent"),
        components=Components(*(round_half_up(part) for part in parts)),
        churn_risk=churn_risk(index, habits, rules),
        recommendations=recommendations(index, habits, rules),
    )


def _parts(habits: Habits, rules: "MagnetismRules", scale: float) -> tuple[float, ...]:
    """Points of intent, engagement, reactivation, email CTR and social returns, not rounded."""
    weights, saturations = rules.weights, rules.saturations
    engagement = (
        rules.active_days_share * habits.active_days / saturations.active_days
        + rules.active_weeks_share * habits.active_weeks / saturations.active_weeks
    )
    click_rate = habits.email_clicks / habits.email_sends if habits.email_sends else 0.0
    return (
        weights.intent * (habits.intent_score / 100),
        weights.engagement * engagement,
        weights.reactivation * min(1.0, habits.reactivations / (saturations.reactivations * scale)),
        weights.email_ctr * min(1.0, click_rate),
        weights.social_returns
        * min(1.0, habits.social_returns / (saturations.social_returns * scale)),
    )


def churn_risk(index: float, habits: Habits, rules: "MagnetismRules") -> int:
    """How likely the person is to leave, 0-100, by rule of thumb: not a probability."""
    churn = rules.churn
    risk = (
        100
        - index
        + churn.no_active_day * (habits.active_days == 0)
        + churn.no_reactivation * (habits.reactivations == 0)
        - churn.email_click * (habits.email_clicks > 0)
        - churn.trial * habits.trial_started
        - churn.purchase * habits.purchase_made
    )
    return round_half_up(min(100.0, max(0.0, risk)))


def recommendations(
    index: float, habits: Habits, rules: "MagnetismRules"
) -> tuple[Recommendation, ...]:
    """What to do for this person, the most pressing first."""
    where = band(index, rules.bands, "hot")
    advice = rules.advice
    holds = {
        "win_back": where == "cold",
        "personal_outreach": where == "cold",
        "nurture_sequence": where == "cooling",
        "remove_friction": where == "cooling",
        "feature_nudge": habits.active_days < advice.active_days_below,
        "test_email_copy": habits.email_sends > 0 and habits.email_clicks == 0,
        "build_habit": habits.reactivations < advice.reactivations_below,
        "offer_trial": not habits.trial_started and index > advice.offer_trial_above,
        "convert_trial": habits.trial_started
        and not habits.purchase_made
        and index > advice.convert_trial_above,
        "upsell_or_referral": where == "hot",
    }
    return tuple(each for code, each in RECOMMENDATIONS.items() if holds[code])


def magnetism_trend(current: float, previous: float, rules: "MagnetismRules") -> Momentum:
    """`up`, `down` or `stable`, and the velocity by the size of the percentage change."""
    trend = change_between(current, previous, rules.trend_change, ("up", "down"))
    size = abs(percentage_change(current, previous))
    if size > rules.accelerating_above:
        return Momentum(trend, "accelerating")
    return Momentum(trend, "decelerating" if size < rules.decelerating_below else "steady")


def forecast(history: Sequence[float], rules: "MagnetismRules", *, days_ahead: float) -> Forecast:
    """Extend the straight line through daily scores, the oldest first, by `days_ahead` days.

    Notes
    -----
    Ordinary least squares of the scores on their positions 0..n-1; the confidence is R² within
    bounds, and says how straight the past was, not how likely the prediction is.
    """
    n, bounds = len(history), rules.forecast
    if n < bounds.min_points:
        last = history[-1] if history else 0.0
        return Forecast(round_half_up(last), bounds.short_confidence, "stable")
    middle, average = (n - 1) / 2, sum(history) / n
    slope = sum((x - middle) * (y - average) for x, y in enumerate(history)) / sum(
        (x - middle) ** 2 for x in range(n)
    )
    intercept = average - slope * middle
    spread = sum((y - average) ** 2 for y in history)
    missed = sum((y - (intercept + slope * x)) ** 2 for x, y in enumerate(history))
    straightness = 1 - missed / spread if spread else 1.0
    confidence = min(bounds.max_confidence, max(bounds.min_confidence, straightness))
    predicted = min(100.0, max(0.0, intercept + slope * (n - 1 + days_ahead)))
    trend = "improving" if slope > 0 else "declining"
    return Forecast(
        predicted_score=round_half_up(predicted),
        confidence=round_half_up(100 * confidence) / 100,
        trend="stable" if abs(slope) < bounds.stable_slope else trend,
    )


def compare_with_cohort(score: float, cohort: Sequence[float]) -> CohortComparison:
    """Where `score` stands: the percentile is the share of cohort scores at or below it."""
    at_or_below = sum(other <= score for other in cohort)
    average = sum(cohort) / len(cohort) if cohort else 0.0
    return standing(score, people=len(cohort), at_or_below=at_or_below, average=average)


def standing(score: float, *, people: int, at_or_below: int, average: float) -> CohortComparison:
    """Where `score` stands in a cohort of which only these figures are known."""
    if not people:
        return CohortComparison(50, 0, 0, False)
    return CohortComparison(
        percentile=round_half_up(100 * at_or_below / people),
        cohort_average=round_half_up(average),
        difference=round_half_up(score - average),
        above_average=score > average,
    )
