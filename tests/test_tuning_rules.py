"""Rules over frames are those of one person and of the relation; figures are scikit-learn's."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuning_people import DEFINITIONS, drawn_frame, two_personas

from mi_core.definitions import Persona, PersonaRule
from mi_core.errors import UnknownName
from mi_core.intent import Intent
from mi_core.personas import persona
from mi_core.tuning import assign, thresholds, with_values
from mi_core.tuning.figures import auc, kappa_of, lift_at
from mi_core.tuning.resampling import GROUPS, person_groups
from mi_core.tuning.rules import FIELDS, find_threshold

LIMITS = st.none() | st.sampled_from([0, 1, 2, 2.5, 3])
RULES = st.builds(
    PersonaRule,
    **dict.fromkeys(FIELDS, LIMITS),
    top_signal=st.sampled_from([None, None, "trial_start", "page_view"]),
)
SMALL = st.integers(0, 4)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(("score", "engagement", "purchase_intent", "frequency"), SMALL),
            "company_size": st.none() | SMALL,
            "top_signals": st.lists(st.sampled_from(["trial_start", "page_view"]), max_size=2),
        }
    ),
    min_size=1,
    max_size=12,
)


def personas_of(rules: list[PersonaRule], positions: list[int]) -> dict[str, Persona]:
    like = DEFINITIONS.personas["student_early_career"]
    stated = [*rules, PersonaRule()]
    return {
        f"p{n}": like.model_copy(
            update={
                "slug": f"p{n}",
                "position": 99 if n == len(rules) else positions[n],
                "rule": rule,
            }
        )
        for n, rule in enumerate(stated)
    }


def alone(row: dict, personas: dict[str, Persona]) -> str:
    intent = Intent(
        score=row["score"],
        level="",
        signals_count=0,
        recency=0,
        top_signals=tuple(row["top_signals"]),
        **{name: row[name] for name in ("engagement", "purchase_intent", "frequency")},
    )
    return persona(intent, row["company_size"], personas.values()).slug


@settings(max_examples=150, deadline=None)
@given(st.lists(RULES, min_size=1, max_size=4), st.permutations([1, 2, 3, 4]), ROWS)
def test_a_frame_has_the_personas_of_each_person_alone(rules, positions, rows):
    personas = personas_of(rules, positions)
    schema = {"company_size": pl.Int64, "top_signals": pl.List(pl.String)}
    frame = pl.DataFrame(rows, schema_overrides=schema)
    assert assign(frame, personas).to_list() == [alone(row, personas) for row in rows]


@pytest.mark.parametrize("seed", range(3))
def test_a_frame_has_the_personas_of_the_relation(tmp_path_factory, seed):
    from scoring_lake import memory_warehouse

    rng = np.random.default_rng(seed)
    frame = drawn_frame(rng, people=100, instants=1)
    moved = {each: float(rng.integers(0, 60)) for each in thresholds(DEFINITIONS.personas)}
    personas = with_values(DEFINITIONS.personas, moved)
    definitions = DEFINITIONS.model_copy(update={"personas": personas})
    lake = memory_warehouse(tmp_path_factory.mktemp("lake"), definitions)
    rows = frame.drop("as_of").with_columns(pl.lit("30d").alias("time_window")).to_dicts()
    lake.load_rows("drawn", rows, {**dict.fromkeys(frame.columns, "bigint"), **TYPES})
    lake.sql("create or replace temp table intent as select * exclude (company_size) from drawn")
    lake.sql("create or replace temp table company as from drawn")
    found = lake.relation(
        "scores/persona", intent_window="30d", personas=definitions.persona_rule_rows()
    )
    lake.close()
    expected = frame.select("user_id", assign(frame, personas))
    assert dict(found.select("user_id", "persona").rows()) == dict(expected.rows())
    assert expected["persona"].n_unique() > 3


TYPES = {
    "user_id": "uuid",
    "top_signals": "varchar[]",
    "time_window": "varchar",
    "label": "varchar",
    "label_source": "varchar",
}


def test_thresholds_have_names_and_move():
    personas = two_personas(purchase_intent_above=30, score_below=80)
    assert [each.name for each in thresholds(personas)] == [
        "buyer.purchase_intent_above",
        "buyer.score_below",
    ]
    moved = with_values(personas, {find_threshold(personas, "buyer.score_below"): 70.0})
    assert moved["buyer"].rule == PersonaRule(purchase_intent_above=30, score_below=70)
    assert personas["buyer"].rule.score_below == 80
    with pytest.raises(UnknownName, match=r"did you mean 'buyer\.score_below'"):
        find_threshold(personas, "buyer.score_blow")


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_scikit_learn(seed):
    from sklearn.metrics import cohen_kappa_score, roc_auc_score

    rng = np.random.default_rng(seed)
    scores, happened = rng.integers(0, 20, 300).astype(float), rng.random(300) < 0.3
    assert auc(scores, happened) == pytest.approx(roc_auc_score(happened, scores))
    one, other = rng.integers(0, 4, (2, 300))
    table = np.zeros((4, 4))
    np.add.at(table, (one, other), 1)
    assert float(kappa_of(table)) == pytest.approx(cohen_kappa_score(one, other))


def test_figures_of_too_little_are_undefined():
    assert np.isnan(auc(np.array([1.0, 2.0]), np.array([True, True])))
    assert np.isnan(kappa_of(np.array([[5.0, 0.0], [0.0, 0.0]])))
    assert np.isnan(lift_at(np.array([1.0]), np.array([False]), 0.5))


def test_lift_takes_ties_at_the_edge_in_part():
    scores, happened = np.array([3.0, 2, 2, 1]), np.array([True, True, False, False])
    assert lift_at(scores, happened, 0.25) == pytest.approx(2)
    assert lift_at(scores, happened, 0.5) == pytest.approx((1 + 0.5) / 2 / 0.5)
    assert lift_at(scores, happened, 1) == pytest.approx(1)


def test_groups_hold_whole_people_in_any_order():
    ids = pl.Series([f"{n % 3000:05}" for n in range(7000)])
    group = person_groups(ids, seed=1)
    by_person = pl.DataFrame({"id": ids, "group": group}).unique()
    assert by_person.height == 3000
    assert set(np.bincount(by_person["group"])) == {3}
    assert group.max() == GROUPS - 1
    backwards = person_groups(ids.reverse(), seed=1)
    assert (backwards[::-1] == group).all()


def test_dates_of_drawn_cases_are_as_the_lake_has_them():
    frame = drawn_frame(np.random.default_rng(0), 1, 2)
    assert frame["as_of"].to_list() == [datetime(2024, 1, 1), datetime(2024, 1, 15)]
