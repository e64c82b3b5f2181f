"""What the charts of tuning show, and that sliders have a value for each step."""

import json

import numpy as np
import polars as pl
import pytest
from tuning_people import DEFINITIONS, cases_of, drawn_frame, drawn_outcomes, two_personas

from mi_core import charts
from mi_core.errors import UnknownName
from mi_core.tuning import Effort, Value, Weights, calibration, effects, moves, search
from mi_core.tuning.resampling import Figure

PERSONAS = DEFINITIONS.personas
LABELS = {slug: each.label for slug, each in PERSONAS.items()}
TWO = ["automation_pro.purchase_intent_above", "automation_pro.engagement_above"]


@pytest.fixture(scope="module")
def cases():
    rng = np.random.default_rng(0)
    frame = drawn_frame(rng, 200)
    chance = np.where(frame["purchase_intent"].to_numpy() > 40, 0.4, 0.05)
    return cases_of(frame.with_columns(drawn_outcomes(rng, chance)))


@pytest.fixture(scope="module")
def found(cases):
    effort = Effort(values=10, starts=1, draws=50, searches=2)
    personas = two_personas(purchase_intent_above=20)
    return search(cases.split(), Value(10, 2), personas=personas, effort=effort)


def drawn(chart) -> dict:
    """The specification, which Altair checks as it makes it; no address is in it."""
    spec = chart.to_dict()
    assert "http" not in json.dumps({k: v for k, v in spec.items() if k != "$schema"})
    assert spec["description"]
    assert spec["usermeta"]["table"]
    return spec


def rows_of(spec: dict) -> list[dict]:
    return max(spec["datasets"].values(), key=len)


def test_a_curve_has_both_parts_and_both_values(found):
    spec = drawn(charts.threshold_curve(found, "buyer.purchase_intent_above"))
    assert {row["part"] for row in rows_of(spec)} == {"searched in", "judged on"}
    assert "in force is 20" in spec["description"]
    with pytest.raises(UnknownName, match="did you mean"):
        charts.threshold_curve(found, "buyer.purchase_intent_abov")


def test_moves_are_cells(cases, found):
    spec = drawn(charts.persona_moves(moves(cases.frame, found.in_force, found.personas)))
    assert "buyer to other: " in spec["description"]
    nobody = charts.persona_moves(moves(cases.frame.head(0), found.in_force, found.personas))
    assert nobody.to_dict()["usermeta"]["nothing"].startswith("There is nobody")


def test_confidence_is_drawn_with_what_was_stated(cases):
    spec = drawn(charts.persona_calibration(calibration(cases), names=LABELS))
    assert "stated 85%" in spec["description"]
    said = charts.persona_calibration(calibration(cases), "label").to_dict()["usermeta"]["nothing"]
    assert said == "Of nobody is it known whether a label agreed."


def test_points_are_drawn_with_their_verdict():
    verdicts = pl.DataFrame(
        {
            **{"name": ["page_view", "download"], "points": [1.0, 8.0], "given_share": [0.9, 0.1]},
            **{"change": [0.01, -0.02], "low": [-0.01, -0.03], "high": [0.03, -0.01]},
            "verdict": ["can't be told from chance", "earns its points"],
        }
    )
    empty = pl.DataFrame()
    found = Weights("intent", "purchase", Figure(0.7, 0.6, 0.8), empty, empty, verdicts)
    spec = drawn(charts.points_earned(found))
    assert "download: -0.020, earns its points; page_view: +0.010" in spec["description"]


@pytest.mark.parametrize("names", [TWO[:1], TWO])
def test_an_explorer_has_a_row_for_each_place_of_its_sliders(cases, names):
    counted = effects(cases.frame, PERSONAS, names, steps=12)
    spec = drawn(charts.threshold_explorer(counted, PERSONAS, "purchase"))
    sliders = [each for each in spec["params"] if "bind" in each]
    rows = rows_of(spec)
    assert len(rows) <= 5000
    assert [each["bind"]["name"].strip() for each in sliders] == names
    for slider, name in zip(sliders, names, strict=True):
        bind = slider["bind"]
        at = np.arange(bind["min"], bind["max"] + bind["step"] / 2, bind["step"])
        assert sorted({row[slider["name"]] for row in rows}) == at.tolist()
        threshold = name.split(".")[1]
        assert slider["value"] == getattr(PERSONAS["automation_pro"].rule, threshold)
    places = {tuple(row[each["name"]] for each in sliders) for row in rows}
    assert len(rows) == len(places) * len(PERSONAS)
    assert "As in force: Automation Pro" in spec["description"]
