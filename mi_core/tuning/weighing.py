"""Which signals and parts earn their points: what ranking by a score loses without each.

A score is judged by its ROC AUC for an outcome. Of each signal (of intent) or part (of magnetism)
the points are taken times 0, a half and two, everything else as it is, and the AUC is compared with
that of the points in force, in the same bootstrap draws of people. Two placebos say what would be
seen if there were nothing: outcomes shuffled among the people of an instant (nobody's acts tell of
their own outcome), and a person's outcomes shuffled among their instants (who they are still tells,
when they act no longer).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.errors import BadValue
from mi_core.tuning.cases import Cases
from mi_core.tuning.figures import auc, auc_at, auc_of, places
from mi_core.tuning.formulas import MAGNETISM_PARTS, intent_scores, magnetism_scores
from mi_core.tuning.objectives import LEAST_OF_A_KIND
from mi_core.tuning.resampling import (
    LEVEL,
    Figure,
    draw_weights,
    figure,
    normal_figure,
    person_groups,
    sums_of,
)
from mi_core.tuning.shuffling import Shuffle, among_instants, among_people

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Scorer = Callable[[Mapping[str, float]], FloatArray]
"""Scores of all cases with the points of some names times a factor."""

FACTORS: Mapping[str, float] = {"without": 0.0, "half": 0.5, "double": 2.0}
PLACEBOS: Mapping[str, Shuffle] = {"people": among_people, "time": among_instants}
_BINS_PER_POINT = 2


@dataclass(frozen=True)
class Weights:
    """What each signal or part does for the ranking.

    Attributes
    ----------
    score
        `intent` or `magnetism`.
    auc
        ROC AUC of the score in force for `outcome`, with its 95 % interval.
    changes
        `name, points, factor, change, low, high`: the AUC with the points times `factor` less that
        of the points in force. Normal intervals over people, as wide as is needed for those of all
        names to hold together (Bonferroni).
    placebo
        `name, shuffled, low, high`: the middle 95 % of the changes without the points that
        placebos give; `shuffled` is `people` or `time`.
    verdicts
        `name, points, given_share, change, low, high, verdict`: what is lost without the points,
        and what can be said of it. `given_share` is the share of cases that have any of it.
    """

    score: str
    outcome: str
    auc: Figure
    changes: pl.DataFrame
    placebo: pl.DataFrame
    verdicts: pl.DataFrame


def intent_weights(cases: Cases, *, draws: int = 500, shuffles: int = 20, seed: int = 0) -> Weights:
    """Which signals earn their points in the intent score, by the outcome of `cases`.

    Of churn, a high score speaks against the outcome: what is ranked is then staying active.

    Raises
    ------
    BadValue
        There are too few outcomes.
    """
    definitions, frame = cases.definitions, _eligible(cases)
    points = {name: rule.points for name, rule in definitions.signals.items()}
    given = {name: frame[f"count_{name}"].to_numpy() > 0 for name in points}

    def scores(factors: Mapping[str, float]) -> FloatArray:
        return intent_scores(frame, definitions.intent, factors)

    return _weighed(_Subject("intent", cases, frame, points, given, scores), draws, shuffles, seed)


def magnetism_weights(
    cases: Cases, *, draws: int = 500, shuffles: int = 20, seed: int = 0
) -> Weights:
    """Which parts earn their points in the magnetism index, by staying active.

    Raises
    ------
    BadValue
        The cases are of another outcome than churn, or there are too few outcomes.
    """
    if cases.outcome != "churn":
        raise BadValue(
            "Magnetism is held against staying active: take cases of the outcome 'churn', not"
            f" {cases.outcome!r}."
        )
    rules, frame = cases.definitions.magnetism, _eligible(cases)
    points = rules.weights.model_dump() | rules.bonuses.model_dump()
    alone = {name: magnetism_scores(frame, rules, _only(name)) > 0 for name in points}

    def scores(factors: Mapping[str, float]) -> FloatArray:
        return magnetism_scores(frame, rules, factors)

    subject = _Subject("magnetism", cases, frame, points, alone, scores)
    return _weighed(subject, draws, shuffles, seed)


def _only(name: str) -> dict[str, float]:
    return {other: float(other == name) for other in MAGNETISM_PARTS}


def _eligible(cases: Cases) -> pl.DataFrame:
    """The cases that can have the outcome."""
    rows = cases.frame.filter(pl.col("outcome").is_not_null())
    did = int(rows["outcome"].sum())
    if min(did, rows.height - did) < LEAST_OF_A_KIND:
        raise BadValue(
            f"Of {rows.height} cases {did} have the outcome; {LEAST_OF_A_KIND} with it and as many"
            " without are needed."
        )
    return rows


@dataclass(frozen=True)
class _Subject:
    """A score over the cases that can have the outcome, and what has points in it."""

    score: str
    cases: Cases
    frame: pl.DataFrame
    points: Mapping[str, float]
    given: Mapping[str, BoolArray]
    scores: Scorer

    @cached_property
    def happened(self) -> BoolArray:
        """What a high score should go with."""
        sought: BoolArray = (
            self.frame.select(self.cases.has_sought()).to_series().to_numpy().astype(np.bool_)
        )
        return sought


def _weighed(subject: _Subject, draws: int, shuffles: int, seed: int) -> Weights:
    judge = _Judge(subject.frame, subject.happened, draws, seed)
    changes = _changes(subject, judge)
    placebo = _placebo(subject, shuffles, seed)
    return Weights(
        score=subject.score,
        outcome=subject.cases.sought,
        auc=figure(*judge.auc(subject.scores({}))),
        changes=changes,
        placebo=placebo,
        verdicts=_verdicts(changes, placebo, subject.given),
    )


def _changes(subject: _Subject, judge: "_Judge") -> pl.DataFrame:
    """A row for each name and factor."""
    base, base_draws = judge.auc(subject.scores({}))
    level = 1 - (1 - LEVEL) / len(subject.points)
    rows = []
    for name, worth in subject.points.items():
        for factor, times in FACTORS.items():
            value, drawn = judge.auc(subject.scores({name: times}))
            change = normal_figure(value - base, drawn - base_draws, level)
            rows.append((name, worth, factor, change.value, change.low, change.high))
    schema = ("name", "points", "factor", "change", "low", "high")
    return pl.DataFrame(rows, schema=schema, orient="row")


class _Judge:
    """The AUC of scores of the same cases, and its draws over the same people."""

    def __init__(self, frame: pl.DataFrame, happened: BoolArray, draws: int, seed: int) -> None:
        self._happened = happened
        self._group = person_groups(frame["user_id"], seed=seed)
        self._weights = draw_weights(int(self._group.max()) + 1, draws, seed=seed)

    def auc(self, scores: FloatArray) -> tuple[float, FloatArray]:
        """Of the cases exactly; of draws, [draws], with scores to half a point."""
        place = places(np.round(scores * _BINS_PER_POINT))
        shape = (self._weights.shape[1], int(place.max()) + 1, 2)
        at = np.ravel_multi_index((self._group, place, self._happened.astype(np.int64)), shape)
        counts = np.bincount(at, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
        value = auc(scores, self._happened)
        drawn = auc_of(sums_of(self._weights, counts))
        # Rounding shifts all draws alike.
        return value, drawn + value - float(auc_of(counts.sum(axis=0)))


def _placebo(subject: _Subject, shuffles: int, seed: int) -> pl.DataFrame:
    """The middle 95 % of the changes without each name's points, by placebo."""
    rows, in_force = [], places(subject.scores({}))
    without = {name: places(subject.scores({name: 0.0})) for name in subject.points}
    for kind, shuffle in PLACEBOS.items():
        rng = np.random.default_rng(seed)
        shuffled = [shuffle(subject.frame, subject.happened, rng) for _ in range(shuffles)]
        base = np.array([auc_at(in_force, each) for each in shuffled])
        for name, place in without.items():
            changes = np.array([auc_at(place, each) for each in shuffled]) - base
            rows.append((name, kind, *np.quantile(changes, [0.025, 0.975])))
    return pl.DataFrame(rows, schema=("name", "shuffled", "low", "high"), orient="row")


def _verdicts(
    changes: pl.DataFrame, placebo: pl.DataFrame, given: Mapping[str, BoolArray]
) -> pl.DataFrame:
    """What can be said of each name, and nothing within what chance makes."""
    people = placebo.filter(pl.col("shuffled") == "people")
    bounds = {name: (low, high) for name, low, high in people.drop("shuffled").iter_rows()}
    rows = changes.filter(pl.col("factor") == "without").drop("factor")
    share = {name: float(np.mean(each)) for name, each in given.items()}
    rows = rows.with_columns(
        pl.col("name").replace_strict(share, return_dtype=pl.Float64).alias("given_share")
    )
    verdicts = [_verdict(row, *bounds[row["name"]]) for row in rows.to_dicts()]
    return rows.select(
        "name", "points", "given_share", "change", "low", "high", pl.Series("verdict", verdicts)
    )


def _verdict(row: Mapping[str, float], placebo_low: float, placebo_high: float) -> str:
    if not row["given_share"]:
        return "nobody has any"
    if row["high"] < 0 and row["change"] < placebo_low:
        return "earns its points"
    if row["low"] > 0 and row["change"] > placebo_high:
        return "ranks better without"
    return "can't be told from chance"
