"""What a decision tree and a logistic regression make of the figures that rules look at.

Fitted on the cases for searching, judged on those for testing, beside the rules: the tree with as
many leaves as there are personas. If they do no better, the rules lose nothing by being readable.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.tuning.counting import tabled
from mi_core.tuning.figures import auc, kappa_of, lift_at
from mi_core.tuning.objectives import Agreement, Objective, Value, reach
from mi_core.tuning.rules import Personas, assign, has_top_signal, in_order

FloatArray = npt.NDArray[np.float64]

Parts = Mapping[str, pl.DataFrame]
"""`train` and `test`."""

_COLUMNS = ("score", "engagement", "purchase_intent", "recency", "frequency", "company_size")
_MOST_TURNS = 1000
_SCHEMA = {
    "model": pl.String,
    "part": pl.String,
    "objective": pl.Float64,
    "roc_auc": pl.Float64,
    "average_precision": pl.Float64,
    "lift": pl.Float64,
    "brier": pl.Float64,
}


def baselines(
    parts: Parts,
    objective: Objective,
    in_force: Personas,
    proposed: Personas,
    *,
    seed: int,
) -> pl.DataFrame:
    """How rules and models do, a row for each model and part.

    Columns: `model, part, objective, roc_auc, average_precision, lift, brier`. Rules give a case
    the rate of the outcome that its persona has in `train`. `lift` is among as many cases as the
    proposal reaches in that part. Where labels are the objective, its figure alone is given: for
    the models, the kappa of the persona that they take to be the likeliest.
    """
    rules = {"rules in force": in_force, "proposal": proposed}
    models = {"decision tree": _tree(len(in_force), seed), "logistic regression": _logistic()}
    if isinstance(objective, Agreement):
        rows = [
            *_agreeing_rules(parts, objective, rules),
            *_agreeing_models(parts, objective, in_force, models),
        ]
    else:
        shares = {part: _reach(rows, objective, proposed) for part, rows in parts.items()}
        rows = [
            *_ranking_rules(parts, objective, rules, shares),
            *_ranking_models(parts, objective, in_force, models, shares),
        ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _reach(rows: pl.DataFrame, objective: Objective, personas: Personas) -> float:
    return float(reach(tabled(rows, objective, personas), in_order(personas)))


def _tree(leaves: int, seed: int) -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_leaf_nodes=max(2, leaves), random_state=seed)


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=_MOST_TURNS))


def seen(frame: pl.DataFrame, personas: Personas) -> FloatArray:
    """What rules look at, as numbers, [cases, columns]; an unknown company size is 0."""
    signals = sorted({each.rule.top_signal for each in personas.values() if each.rule.top_signal})
    numbers = [frame[column].fill_null(0).to_numpy() for column in _COLUMNS]
    flags = [has_top_signal(frame, signal) for signal in signals]
    return np.column_stack([*numbers, *flags]).astype(np.float64)


def _ranking_rules(
    parts: Parts, objective: Objective, rules: Mapping[str, Personas], shares: Mapping[str, float]
) -> list[tuple[object, ...]]:
    found = []
    for name, personas in rules.items():
        rate = _rates(parts["train"], personas)
        for part, rows in parts.items():
            value = objective.value(tabled(rows, objective, personas), in_order(personas))
            chances = assign(rows, personas).replace_strict(rate, return_dtype=pl.Float64)
            found.append(_row(name, part, float(value), chances.to_numpy(), rows, shares[part]))
    return found


def _rates(train: pl.DataFrame, personas: Personas) -> dict[str, float]:
    """How often the outcome is in `train`, by persona; that of all where a persona has nobody."""
    named = train.select(assign(train, personas), "outcome").group_by("persona")
    found = dict(named.agg(pl.col("outcome").mean()).iter_rows())
    base = float(train["outcome"].to_numpy().mean())
    return {slug: found.get(slug, base) for slug in personas}


def _ranking_models(
    parts: Parts,
    objective: Objective,
    personas: Personas,
    models: Mapping[str, Any],
    shares: Mapping[str, float],
) -> list[tuple[object, ...]]:
    found = []
    for name, model in models.items():
        model.fit(seen(parts["train"], personas), parts["train"]["outcome"].to_numpy())
        for part, rows in parts.items():
            chances = model.predict_proba(seen(rows, personas))[:, 1]
            value = _value_of(objective, chances, rows, shares[part])
            found.append(_row(name, part, value, chances, rows, shares[part]))
    return found


def _value_of(objective: Objective, chances: FloatArray, rows: pl.DataFrame, share: float) -> float:
    """The objective of a model: of `value`, contacting those who are worth it by their chance."""
    happened = rows["outcome"].to_numpy().astype(np.bool_)
    if not isinstance(objective, Value):
        return lift_at(chances, happened, share)
    gain = objective.per_outcome * happened - objective.per_contact
    return float(np.mean(gain * (objective.per_outcome * chances > objective.per_contact)))


def _row(
    model: str, part: str, value: float, chances: FloatArray, rows: pl.DataFrame, share: float
) -> tuple[object, ...]:
    from sklearn.metrics import average_precision_score, brier_score_loss

    happened = rows["outcome"].to_numpy().astype(np.bool_)
    return (
        model,
        part,
        value,
        auc(chances, happened),
        float(average_precision_score(happened, chances)),
        lift_at(chances, happened, share),
        float(brier_score_loss(happened, chances)),
    )


def _agreeing_rules(
    parts: Parts, objective: Objective, rules: Mapping[str, Personas]
) -> list[tuple[object, ...]]:
    return [
        (name, part, float(kappa_of(tabled(rows, objective, personas))), *(None,) * 4)
        for name, personas in rules.items()
        for part, rows in parts.items()
    ]


def _agreeing_models(
    parts: Parts, objective: Objective, personas: Personas, models: Mapping[str, Any]
) -> list[tuple[object, ...]]:
    if parts["train"]["label"].n_unique() < 2:
        return []
    found: list[tuple[object, ...]] = []
    for name, model in models.items():
        model.fit(seen(parts["train"], personas), parts["train"]["label"].to_numpy())
        for part, rows in parts.items():
            said = pl.Series(model.predict(seen(rows, personas)), dtype=pl.String)
            found.append((name, part, _kappa(said, rows["label"]), *(None,) * 4))
    return found


def _kappa(said: pl.Series, labels: pl.Series) -> float:
    names = sorted({*said, *labels})
    place = {name: number for number, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    np.add.at(table, tuple(each.replace_strict(place).to_numpy() for each in (said, labels)), 1)
    return float(kappa_of(table))
