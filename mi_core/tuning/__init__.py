"""Tuning that is safe: thresholds and weights held against what became of people.

    cases = workspace.cases("purchase", horizon_days=28)
    split = cases.split()
    found = tuning.search(split, tuning.Lift(least_share=0.1))
    found.said  # what may be said of it
    found.figures, found.thresholds, found.baselines, found.curves
    tuning.moves(cases.present, found.in_force, found.personas).people
    tuning.calibration(cases)
    tuning.intent_weights(cases).verdicts
    tuning.magnetism_weights(workspace.cases("churn")).verdicts

Nothing is written; `found.overlay()` and `found.evidence()` are what a person takes on from there.
"""

from mi_core.tuning.calibrating import calibration
from mi_core.tuning.cases import OUTCOMES, Cases
from mi_core.tuning.exploring import effects
from mi_core.tuning.moving import Moves, moves
from mi_core.tuning.objectives import Agreement, Lift, Objective, Value
from mi_core.tuning.proposal import Proposal
from mi_core.tuning.resampling import Figure
from mi_core.tuning.rules import assign, thresholds, with_values
from mi_core.tuning.searching import Effort, search
from mi_core.tuning.splitting import Split
from mi_core.tuning.weighing import Weights, intent_weights, magnetism_weights

__all__ = [
    "OUTCOMES",
    "Agreement",
    "Cases",
    "Effort",
    "Figure",
    "Lift",
    "Moves",
    "Objective",
    "Proposal",
    "Split",
    "Value",
    "Weights",
    "assign",
    "calibration",
    "effects",
    "intent_weights",
    "magnetism_weights",
    "moves",
    "search",
    "thresholds",
    "with_values",
]
