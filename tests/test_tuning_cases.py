"""Cases: nothing of what comes after an instant is in what was known at it."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tuning_people import (
    BEGIN,
    DEFINITIONS,
    HORIZON,
    cases_in,
    cases_of,
    drawn_frame,
    fill_lake,
    filled_lake,
    random_history,
)

from mi_core.errors import BadValue, UnknownName
from mi_core.tuning import assign
from mi_core.tuning.formulas import intent_scores, magnetism_scores
from mi_core.tuning.instants import Asked, instants

DAYS = 100
HISTORY = random_history(5, people=30, days=DAYS)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    warehouse = filled_lake(tmp_path_factory.mktemp("lake"), HISTORY)
    yield warehouse
    warehouse.close()


@pytest.fixture(scope="module")
def found(lake):
    return cases_in(lake)


def test_shifting_what_comes_after_an_instant_changes_no_feature(lake, found):
    at, chance = found.instants[-1], random.Random(1)
    shifted = {
        person: [
            e
            if e.occurred_at < at
            else replace(e, occurred_at=e.occurred_at + timedelta(days=chance.randrange(1, 400)))
            for e in events
        ]
        for person, events in HISTORY.items()
    }
    fill_lake(lake, shifted)
    try:
        again = cases_in(lake, until=at.replace(tzinfo=UTC))
    finally:
        fill_lake(lake, HISTORY)
    rows = [each.frame.filter(pl.col("as_of") == at) for each in (found, again)]
    assert rows[0].height > 20
    assert_frame_equal(*(each.drop("outcome") for each in rows))
    assert not rows[0]["outcome"].equals(rows[1]["outcome"])


def test_outcomes_are_those_of_the_horizon(found):
    firsts = {
        str(person): min((e.occurred_at for e in events if e.name == "purchase"), default=None)
        for person, events in HISTORY.items()
    }

    def expected(person: str, at: datetime) -> bool | None:
        first = firsts[person]
        if first is not None and first < at:
            return None
        return first is not None and first < at + timedelta(days=HORIZON)

    rows = found.frame.select("user_id", "as_of", "outcome").rows()
    assert [outcome for *_, outcome in rows] == [expected(p, at) for p, at, _ in rows]
    assert {True, False, None} == set(found.frame["outcome"])


def test_churn_is_of_who_was_active_and_has_no_act_in_the_horizon(lake):
    acts = {name for name, event in DEFINITIONS.events.items() if event.engagement}
    rows = cases_in(lake, "churn", every_days=7).frame.select("user_id", "as_of", "outcome").rows()
    own = {
        str(p): [e.occurred_at for e in events if e.name in acts] for p, events in HISTORY.items()
    }
    window = timedelta(days=28)

    def expected(person: str, at: datetime) -> bool | None:
        if not any(at - window <= moment < at for moment in own[person]):
            return None
        return not any(at <= moment < at + timedelta(days=HORIZON) for moment in own[person])

    assert [outcome for *_, outcome in rows] == [expected(p, at) for p, at, _ in rows]


def test_scores_can_be_made_again_from_the_columns(found):
    intent = intent_scores(found.frame, DEFINITIONS.intent)
    magnetism = magnetism_scores(found.frame, DEFINITIONS.magnetism)
    assert intent == pytest.approx(found.frame["intent_score"].to_numpy(), abs=1e-9)
    assert magnetism == pytest.approx(found.frame["magnetism_index"].to_numpy(), abs=1e-9)
    assert assign(found.frame, DEFINITIONS.personas).equals(found.frame["persona"])


def test_nothing_is_written(lake, found):
    assert lake.sql("select count(*) from lake.user_intent_score").fetchone() == (0,)
    assert lake.sql("select count(*) from lake.score_run").fetchone() == (0,)


def test_present_is_the_end_of_the_events(found):
    [at] = found.present["as_of"].unique()
    assert at == BEGIN + timedelta(days=DAYS - 1)
    assert found.present["outcome"].null_count() == found.present.height == len(HISTORY)
    assert found.present.columns == found.frame.columns


def test_an_outcome_has_a_name(lake):
    with pytest.raises(UnknownName, match="did you mean 'purchase'"):
        cases_in(lake, "purchases")


def test_instants_have_their_window_and_their_horizon():
    first, last = datetime(2024, 1, 1, 9), datetime(2024, 3, 10, 23)
    found = instants(first, last, 30, Asked(28, 4))
    assert all(at - timedelta(days=30) >= first for at in found.covered)
    assert all(at + timedelta(days=28) <= last for at in found.covered)
    assert found.covered[-1] == datetime(2024, 2, 11)
    assert found.left_out == ""


def test_instants_that_arent_covered_are_left_out_with_a_sentence():
    asked = Asked(28, 7, datetime(2024, 1, 21, tzinfo=UTC), datetime(2024, 3, 3, tzinfo=UTC))
    found = instants(datetime(2024, 1, 1), datetime(2024, 3, 24, 5), 30, asked)
    assert [f"{at:%m-%d}" for at in found.covered] == ["02-04", "02-11", "02-18", "02-25"]
    assert found.left_out == (
        "Left out of 7 instants: 2 before 2024-01-31, of which the days before aren't all known;"
        " 1 after 2024-02-25, whose horizon isn't over."
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (Asked(90, 7), "leaves no instant"),
        (Asked(28, 7, until=datetime(2024, 1, 2, tzinfo=UTC)), "none of those asked for"),
        (Asked(0, 7), "horizon is 1 day or more, not 0"),
        (Asked(7, 0), "step between instants is 1 day or more, not 0"),
    ],
)
def test_without_a_covered_instant_it_says_why(asked, said):
    with pytest.raises(BadValue, match=said):
        instants(datetime(2024, 1, 1), datetime(2024, 3, 24), 30, asked)


@pytest.mark.parametrize("seed", range(8))
def test_a_split_shares_neither_people_nor_days_of_outcomes(seed):
    rng = np.random.default_rng(seed)
    frame = drawn_frame(rng, people=200, instants=int(rng.integers(4, 12)))
    frame = frame.sample(fraction=0.8, seed=seed).with_columns(pl.lit(True).alias("outcome"))
    split = cases_of(frame).split(float(rng.uniform(0.2, 0.5)), seed=seed)
    assert not set(split.train["user_id"]) & set(split.test["user_id"])
    ended = split.train["as_of"].max() + timedelta(days=HORIZON)
    assert ended <= split.test_from <= split.test["as_of"].min()


def test_the_same_people_are_for_testing_whoever_else_comes():
    frame = drawn_frame(np.random.default_rng(0), people=400).with_columns(outcome=True)
    some = frame.filter(pl.col("user_id").is_in(frame["user_id"].unique().sort()[:200].implode()))
    whole, part = (set(cases_of(each).split(seed=3).test["user_id"]) for each in (frame, some))
    assert part == whole & set(some["user_id"])
    assert whole != set(cases_of(frame).split(seed=4).test["user_id"])


def test_too_little_for_a_split_is_said():
    frame = drawn_frame(np.random.default_rng(0), people=200, instants=2).with_columns(outcome=True)
    with pytest.raises(BadValue, match="2 instants, and testing begins a horizon of 28 days"):
        cases_of(frame).split()
    few = drawn_frame(np.random.default_rng(0), people=30).with_columns(outcome=True)
    with pytest.raises(BadValue, match="For testing there would be"):
        cases_of(few).split(0.1)
    with pytest.raises(BadValue, match="between 0 and 1, not at 1"):
        cases_of(few).split(1.0)
