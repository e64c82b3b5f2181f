"""Which points are earned: what planted signals do for the ranking, and what chance does."""

import numpy as np
import polars as pl
import pytest
from tuning_people import DEFINITIONS, cases_of, drawn_frame, drawn_outcomes

from mi_core.errors import BadValue
from mi_core.tuning import Cases, intent_weights, magnetism_weights
from mi_core.tuning.figures import auc
from mi_core.tuning.formulas import MAGNETISM_PARTS, intent_scores, magnetism_scores
from mi_core.tuning.shuffling import among_instants, among_people
from mi_core.tuning.weighing import _Judge

SIGNALS = list(DEFINITIONS.signals)
DRAWS = {"draws": 300, "shuffles": 8}


def signalling(seed: int, effect: dict[str, float], people: int = 500) -> Cases:
    """Cases of people who give each signal 0 to 2 times; `effect` is in log-odds for each time."""
    rng = np.random.default_rng(seed)
    frame = drawn_frame(rng, people)
    given = {name: rng.binomial(2, 0.2, frame.height) for name in SIGNALS}
    odds = np.full(frame.height, -2.0) + sum(each * given[name] for name, each in effect.items())
    frame = frame.with_columns(
        *(pl.Series(f"count_{name}", each) for name, each in given.items()),
        *(
            pl.Series(f"points_{name}", each * DEFINITIONS.signals[name].points)
            for name, each in given.items()
        ),
        pl.Series("signals_count", sum(given.values())),
        pl.Series("age_days", rng.random(frame.height) * 30),
        drawn_outcomes(rng, 1 / (1 + np.exp(-odds))),
    )
    return cases_of(frame)


def verdicts(found) -> dict[str, str]:
    return dict(found.verdicts.select("name", "verdict").rows())


def test_a_signal_that_tells_earns_its_points_and_one_that_misleads_does_not():
    found = intent_weights(signalling(1, {"video_watch": 1, "download": -1}), **DRAWS)
    said = verdicts(found)
    assert said["video_watch"] == "earns its points"
    assert said["download"] == "ranks better without"
    changes = {
        (name, factor): change
        for name, factor, change in found.changes.select("name", "factor", "change").rows()
    }
    assert changes["video_watch", "without"] < changes["video_watch", "half"] < 0
    assert changes["video_watch", "double"] > 0
    assert changes["download", "without"] > changes["download", "half"] > 0


def test_where_nothing_tells_little_is_said():
    """All verdicts of a world hold together in 95 % of worlds: so of 5, rarely are two wrong."""
    wrong = 0
    for seed in range(5):
        found = intent_weights(signalling(seed, {}, people=120), draws=200, shuffles=5)
        wrong += set(verdicts(found).values()) != {"can't be told from chance"}
    assert wrong <= 1


def test_a_signal_that_nobody_gives_is_not_judged():
    cases = signalling(2, {"video_watch": 0.5}, people=100)
    none = [pl.lit(0).alias(f"{each}_email_open") for each in ("count", "points")]
    found = intent_weights(cases_of(cases.frame.with_columns(none)), **DRAWS)
    assert verdicts(found)["email_open"] == "nobody has any"


def test_the_figures_are_those_of_the_scores():
    cases = signalling(3, {"video_watch": 0.4}, people=200)
    found, happened = intent_weights(cases, **DRAWS), cases.frame["outcome"].to_numpy()
    rules = DEFINITIONS.intent
    base = auc(intent_scores(cases.frame, rules), happened)
    assert found.auc.value == pytest.approx(base)
    assert found.auc.low < base < found.auc.high
    doubled = auc(intent_scores(cases.frame, rules, {"download": 2.0}), happened)
    row = found.changes.filter((pl.col("name") == "download") & (pl.col("factor") == "double"))
    assert row["change"].item() == pytest.approx(doubled - base)


def test_placebo_among_people_leaves_nothing_and_among_instants_what_people_are():
    """Outcomes of whole people: shuffling their instants takes nothing away."""
    cases = signalling(4, {"video_watch": 0.8}, people=300)
    by_person = cases.frame.with_columns(
        pl.col("outcome").first().over("user_id"),
        pl.col(r"^(count|points)_video_watch$").first().over("user_id"),
    )
    found = intent_weights(cases_of(by_person), **DRAWS)
    rows = {
        shuffled: (low, high)
        for name, shuffled, low, high in found.placebo.rows()
        if name == "video_watch"
    }
    change = found.verdicts.filter(pl.col("name") == "video_watch")["change"].item()
    low, high = rows["people"]
    assert low < 0 < high
    assert rows["time"] == pytest.approx((change, change))


def test_shuffles_keep_what_they_promise():
    rng = np.random.default_rng(0)
    frame = drawn_frame(rng, 50).sample(fraction=1, shuffle=True, seed=1)
    happened = rng.random(frame.height) < 0.3
    for shuffle, block in ((among_people, "as_of"), (among_instants, "user_id")):
        shuffled = shuffle(frame, happened, rng)
        each = frame.select(block, old=pl.Series(happened), new=pl.Series(shuffled))
        sums = each.group_by(block).agg(pl.col("old", "new").sum())
        assert (sums["old"] == sums["new"]).all()
        assert (shuffled != happened).any()


def test_intervals_are_as_wide_as_those_of_drawing_people_one_by_one():
    cases = signalling(5, {"video_watch": 0.5}, people=120)
    frame, happened = cases.frame, cases.frame["outcome"].to_numpy()
    scores = intent_scores(frame, DEFINITIONS.intent)
    _, drawn = _Judge(frame, happened, 400, seed=0).auc(scores)
    person = frame["user_id"].rank("dense").to_numpy() - 1
    rng, rows = np.random.default_rng(1), [np.flatnonzero(person == n) for n in range(120)]
    slow = []
    for _ in range(400):
        taken = np.concatenate([rows[n] for n in rng.integers(120, size=120)])
        slow.append(auc(scores[taken], happened[taken]))
    assert np.std(drawn) == pytest.approx(np.std(slow), rel=0.15)
    assert np.mean(drawn) == pytest.approx(np.mean(slow), abs=0.01)


def stays_active(seed: int, part: str, people: int = 400) -> Cases:
    """Cases of who stays active the likelier, the fuller one part of the index is."""
    rng = np.random.default_rng(seed)
    frame, habits = drawn_frame(rng, people), rng.integers
    size = frame.height
    frame = frame.with_columns(
        month_intent_score=pl.Series(rng.random(size) * 100),
        active_days=pl.Series(habits(0, 8, size)),
        active_weeks=pl.Series(habits(0, 5, size)),
        reactivations=pl.Series(habits(0, 11, size)),
        social_returns=pl.Series(habits(0, 6, size)),
        email_sends=pl.Series(np.full(size, 10)),
        email_clicks=pl.Series(habits(0, 11, size)),
        had_trial=pl.Series(habits(0, 2, size).astype(bool)),
        had_purchase=pl.Series(habits(0, 2, size).astype(bool)),
    )
    share = magnetism_scores(
        frame, DEFINITIONS.magnetism, {name: float(name == part) for name in MAGNETISM_PARTS}
    )
    stays = 1 / (1 + np.exp(1 - 3 * share / share.max()))
    return cases_of(frame.with_columns(drawn_outcomes(rng, 1 - stays)), "churn")


def test_a_part_that_tells_who_stays_earns_its_points():
    found = magnetism_weights(stays_active(1, "reactivation"), **DRAWS)
    said = verdicts(found)
    assert found.outcome == "staying active"
    assert found.auc.value > 0.55
    assert said["reactivation"] == "earns its points"
    assert said["intent"] == "ranks better without"


def test_magnetism_is_held_against_staying_active_alone():
    with pytest.raises(BadValue, match="cases of the outcome 'churn', not 'purchase'"):
        magnetism_weights(signalling(1, {}))


def test_too_few_outcomes_are_said():
    cases = signalling(1, {}, people=50)
    with pytest.raises(BadValue, match="400 cases 0 have the outcome"):
        intent_weights(cases_of(cases.frame.with_columns(outcome=False)))
