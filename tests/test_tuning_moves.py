"""Who would change persona and why; how often confidence holds; what a threshold does."""

import numpy as np
import polars as pl
import pytest
from tuning_people import DEFINITIONS, cases_of, drawn_frame, drawn_outcomes, two_personas

from mi_core.errors import BadValue, UnknownName
from mi_core.tuning import assign, calibration, effects, moves, thresholds, with_values

PERSONAS = DEFINITIONS.personas


def person(**known):
    row = {
        **{"user_id": "a", "as_of": "2024-01-01", "score": 50, "engagement": 0, "frequency": 0},
        **{"purchase_intent": 0, "company_size": None, "top_signals": [], "outcome": None},
    }
    return row | known


def frame_of(*rows):
    schema = {"company_size": pl.Int64, "top_signals": pl.List(pl.String), "outcome": pl.Boolean}
    return pl.DataFrame(list(rows), schema_overrides=schema)


def moved(**limits):
    named = {each.name.replace(".", "__"): each for each in thresholds(PERSONAS)}
    return with_values(PERSONAS, {named[name]: value for name, value in limits.items()})


def test_who_moves_is_told_the_threshold_that_they_cross():
    frame = frame_of(
        person(user_id="a", purchase_intent=28, engagement=30),
        person(user_id="b", purchase_intent=40, engagement=30),
        person(user_id="c", purchase_intent=28, engagement=18),
        person(user_id="d", purchase_intent=28, engagement=18, top_signals=["trial_start"]),
        person(user_id="e", company_size=700),
        person(user_id="f", purchase_intent=10, engagement=10),
    )
    after = moved(
        automation_pro__purchase_intent_above=24.0,
        automation_pro__engagement_above=15.0,
        corporate_executive__company_size_above=1000.0,
    )
    found = moves(frame, PERSONAS, after)
    assert found.people.drop("as_of").rows() == [
        ("a", "student_early_career", "automation_pro", "purchase_intent 28: above 24, not 30"),
        (
            *("c", "student_early_career", "automation_pro"),
            "purchase_intent 28: above 24, not 30; engagement 18: above 15, not 20",
        ),
        (
            *("d", "tech_entrepreneur", "automation_pro"),
            "purchase_intent 28: above 24, not 30; engagement 18: above 15, not 20",
        ),
        (
            "e",
            "corporate_executive",
            "student_early_career",
            "company_size 700: above 1000, not 500",
        ),
    ]
    assert found.counts.rows() == [
        ("automation_pro", "automation_pro", 1),
        ("tech_entrepreneur", "automation_pro", 1),
        ("corporate_executive", "student_early_career", 1),
        ("student_early_career", "automation_pro", 2),
        ("student_early_career", "student_early_career", 1),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_everybody_who_moves_and_nobody_else_has_a_reason(seed):
    rng = np.random.default_rng(seed)
    frame = drawn_frame(rng, 200, 2)
    after = with_values(
        PERSONAS, {each: float(rng.integers(0, 60)) for each in thresholds(PERSONAS)}
    )
    found = moves(frame, PERSONAS, after)
    was, now = assign(frame, PERSONAS), assign(frame, after)
    assert found.people.height == (was != now).sum() > 0
    assert (found.people["why"].str.len_chars() > 5).all()
    assert found.counts["cases"].sum() == frame.height


def test_nobody_moves_between_the_same_rules():
    found = moves(drawn_frame(np.random.default_rng(0), 20, 1), PERSONAS, PERSONAS)
    assert found.people.is_empty()


def test_confidence_is_held_against_labels_and_else_against_staying():
    personas = two_personas(purchase_intent_above=30)
    labelled = [
        person(user_id=f"l{n}", purchase_intent=40, label="buyer" if n < 9 else "other")
        for n in range(40)
    ]
    at = ["2024-01-01", "2024-01-15", "2024-01-29"]
    stayed = [
        person(user_id=f"s{n}", as_of=day, purchase_intent=40 if day != at[2] or n < 10 else 0)
        for n in range(20)
        for day in at
    ]
    frame = frame_of(*labelled, *({**row, "label": None} for row in stayed))
    frame = frame.with_columns(pl.col("as_of").str.to_datetime(time_unit="us"))
    found = calibration(cases_of(frame), personas)
    rows = {(r["persona"], r["basis"]): r for r in found.to_dicts()}
    by_label, by_staying = rows["buyer", "label"], rows["buyer", "stayed"]
    assert (by_label["people"], by_label["held"], by_label["verdict"]) == (40, 9, "too high")
    # Of the three instants only the first has another one a horizon later.
    assert (by_staying["people"], by_staying["held"], by_staying["verdict"]) == (20, 10, "fits")
    assert by_staying["low"] == pytest.approx(0.2993, abs=1e-3)
    assert rows["other", "label"]["verdict"] is None
    assert rows["other", "label"]["share"] is None


def test_effects_are_those_of_assigning_again():
    rng = np.random.default_rng(1)
    frame = drawn_frame(rng, 80, 2).with_columns(drawn_outcomes(rng, np.full(160, 0.3)))
    names = ["automation_pro.purchase_intent_above", "networking_enthusiast.score_below"]
    found = effects(frame, PERSONAS, names, steps=5)
    assert found.height <= 5 * 5 * len(PERSONAS)
    for name in names:
        assert DEFINITIONS_VALUE[name] in found[name].to_list()
    for values in found.select(names).unique().rows():
        chosen = dict(zip(names, values, strict=True))
        limits = {name.replace(".", "__"): value for name, value in chosen.items()}
        named = frame.select("outcome", assign(frame, moved(**limits)))
        for row in found.to_dicts():
            if all(row[name] == value for name, value in chosen.items()):
                own = named.filter(pl.col("persona") == row["persona"])["outcome"]
                assert (row["cases"], row["happened"]) == (len(own), own.sum())


DEFINITIONS_VALUE = {each.name: each.value(PERSONAS) for each in thresholds(PERSONAS)}


def test_effects_say_what_may_be_asked():
    frame = drawn_frame(np.random.default_rng(1), 5, 1).with_columns(outcome=None)
    with pytest.raises(BadValue, match="one or two thresholds, not 0"):
        effects(frame, PERSONAS, [])
    with pytest.raises(BadValue, match="Between 2 and 100 values are looked at, not 1"):
        effects(frame, PERSONAS, ["automation_pro.engagement_above"], steps=1)
    with pytest.raises(UnknownName, match="did you mean"):
        effects(frame, PERSONAS, ["automation_pro.engagement_abov"])
