"""What the formulas promise beyond the golden pairs."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mi_core.definitions import load_definitions
from mi_core.intent import Signal, intent
from mi_core.magnetism import Habits, magnetism

DEFINITIONS = load_definitions()
AS_OF = datetime(2026, 3, 15, tzinfo=UTC)

signals = st.builds(
    Signal,
    name=st.sampled_from(["page_view", "pricing_view"]),
    points_micro=st.integers(0, 25_000_000),
    occurred_at=st.integers(0, 40 * 86_400).map(lambda ago: AS_OF - timedelta(seconds=ago)),
    group=st.sampled_from(["engagement", "purchase_intent", None]),
)
habits = st.builds(
    Habits,
    intent_score=st.floats(0, 100),
    active_days=st.integers(0, 7),
    active_weeks=st.integers(0, 4),
    reactivations=st.integers(0, 30),
    social_returns=st.integers(0, 30),
    email_sends=st.integers(0, 30),
    email_clicks=st.integers(0, 30),
    trial_started=st.booleans(),
    purchase_made=st.booleans(),
)


@given(st.lists(signals, max_size=8), signals)
def test_one_more_signal_never_lowers_intent(some: list[Signal], one: Signal) -> None:
    before = intent(some, AS_OF, DEFINITIONS.intent).score
    after = intent([*some, one], AS_OF, DEFINITIONS.intent).score
    assert 0 <= before <= after <= 100


@given(st.lists(signals, max_size=8))
def test_intent_only_fades_where_nothing_more_happens(some: list[Signal]) -> None:
    past = [signal for signal in some if signal.occurred_at < AS_OF]
    days = [AS_OF + timedelta(days=day) for day in range(32)]
    scores = [intent(past, day, DEFINITIONS.intent).score for day in days]
    assert sorted(scores, reverse=True) == scores
    assert scores[-1] == 0


@given(habits, st.sampled_from([7, 30]))
def test_index_and_churn_risk_stay_within_a_hundred(given_habits: Habits, days: int) -> None:
    found = magnetism(given_habits, DEFINITIONS.magnetism, window_days=days)
    assert 0 <= found.index <= 100
    assert 0 <= found.churn_risk <= 100


@given(habits)
def test_a_week_counts_more_for_the_same_habits(given_habits: Habits) -> None:
    week = magnetism(given_habits, DEFINITIONS.magnetism, window_days=7).index
    month = magnetism(given_habits, DEFINITIONS.magnetism, window_days=30).index
    assert week >= month
