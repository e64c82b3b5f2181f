"""Every model over all paths, from the same sums, with the same bootstrap draws.

An estimate is an array whose row 0 is the data's own and whose further rows are draws of people, so
that what is computed of one is computed of all.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mi_core.attribution import markov, shapley
from mi_core.attribution.intervals import draw_weights
from mi_core.attribution.markov import CONVERSION, NULL
from mi_core.attribution.statistics import (
    RULES,
    PathTotals,
    coalitions,
    keys_of,
    markov_steps,
    path_totals,
    rule_sums,
)
from mi_core.definitions import AttributionRules
from mi_core.warehouse import Warehouse

FloatArray = npt.NDArray[np.float64]

MODELS = (*RULES, "markov", "shapley")

_DUST = 1e-12


class Abstains(Exception):
    """A model has no answer; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a model gives each key, conversions and value: [1 + D, K] both."""

    conversions: FloatArray
    value: FloatArray

    @property
    def shares(self) -> FloatArray:
        """Of the conversions on paths, [1 + D, K]; NaN where a draw has none."""
        return share_out(self.conversions, np.ones(len(self.conversions)))


@dataclass(frozen=True, slots=True)
class RemovalEffects:
    """Of Markov: the share of paths that convert, [1 + D], and removal effects, [1 + D, K]."""

    base: FloatArray
    effects: FloatArray


@dataclass(slots=True)
class Estimates:
    """All models over the staged paths; `abstained` says why those did that gave no answer."""

    keys: list[str]
    totals: PathTotals
    weights: FloatArray
    """[1 + D, G] how often each group is in the data, and in each draw."""
    by_model: dict[str, Estimate] = field(default_factory=dict)
    removal: RemovalEffects | None = None
    abstained: dict[str, str] = field(default_factory=dict)
    assumptions: dict[str, str] = field(default_factory=dict)

    def total(self, by_group: FloatArray) -> FloatArray:
        """Of the data and of each draw, [1 + D]."""
        total: FloatArray = self.weights @ by_group
        return total


def estimate(
    warehouse: Warehouse,
    rules: AttributionRules,
    models: Collection[str],
    *,
    seed: int,
    abstained: dict[str, str] | None = None,
) -> Estimates:
    """Run `models` over the staged paths; those in `abstained` are not asked.

    last_touch is computed always, since others are compared with it.
    """
    totals = path_totals(warehouse)
    weights = np.vstack(
        [np.ones(totals.groups), draw_weights(totals.groups, rules.draws, seed=seed)]
    )
    found = Estimates(keys_of(warehouse), totals, weights, abstained=dict(abstained or {}))
    _apply_rules(warehouse, rules, found, models)
    for model, run in (("markov", _markov), ("shapley", _shapley)):
        if model in models and model not in found.abstained:
            try:
                _refuse_too_few(rules, totals.conversions.sum())
                run(warehouse, rules, found, seed)
            except Abstains as reason:
                found.abstained[model] = str(reason)
    return found


def effects_of_removal(
    chain: markov.Chain, times: FloatArray, keys: Sequence[str], rules: AttributionRules
) -> dict[str, float]:
    """Of each key under markov, from how many paths took each edge; empty where it abstains.

    Less work than `estimate`: no draws, and no other model.
    """
    conversions, nulls = (times[chain.target == end].sum() for end in (CONVERSION, NULL))
    try:
        _refuse_too_few(rules, conversions)
        _refuse_too_many_states(rules, chain, conversions + nulls)
    except Abstains:
        return {}
    _, effects = chain.removal_effects(times)
    return dict(zip(keys, effects.tolist(), strict=True))


def share_out(parts: FloatArray, totals: FloatArray) -> FloatArray:
    """`totals` [N] shared out in proportion to `parts` [N, K]; NaN where these add up to 0."""
    whole = parts.sum(axis=1)
    scale = np.divide(totals, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    shared: FloatArray = parts * scale[:, np.newaxis]
    return shared


def _apply_rules(
    warehouse: Warehouse, rules: AttributionRules, found: Estimates, models: Collection[str]
) -> None:
    asked = {*models, "last_touch"} - found.abstained.keys()
    asked_rules = [rule for rule in RULES if rule in asked]
    sums = rule_sums(warehouse, rules, asked_rules, found.totals.groups, len(found.keys))
    for rule, (conversions, value) in sums.items():
        found.by_model[rule] = Estimate(found.weights @ conversions, found.weights @ value)
    found.assumptions |= {
        "position_based": f"{rules.position_based.first:.0%} to the first touchpoint, "
        f"{rules.position_based.last:.0%} to the last, the rest to those between.",
        "w_shaped": f"{rules.w_shaped.first:.0%} to the first touchpoint, "
        f"{rules.w_shaped.lead:.0%} to the last before the address was left, "
        f"{rules.w_shaped.last:.0%} to the last, the rest to the others.",
        "time_decay": f"A touchpoint {rules.half_life_days:g} days earlier has half the weight.",
    }


def _refuse_too_few(rules: AttributionRules, conversions: float) -> None:
    if conversions < max(1, rules.min_conversions):
        raise Abstains(
            f"Only {conversions:.0f} conversions have touchpoints; with fewer than "
            f"{max(1, rules.min_conversions)}, one more would turn the result over."
        )


def _refuse_too_many_states(rules: AttributionRules, chain: markov.Chain, paths: float) -> None:
    order = rules.markov_order
    if order > 1 and paths < rules.min_paths_per_state * chain.states:
        raise Abstains(
            f"{paths:,.0f} paths are too few for the {chain.states:,} states of a chain of order "
            f"{order}: it takes {rules.min_paths_per_state:g} for each. A lower order may do."
        )


def _markov(warehouse: Warehouse, rules: AttributionRules, found: Estimates, seed: int) -> None:
    order, totals = rules.markov_order, found.totals
    chain, steps = markov_steps(warehouse, order, totals.groups, len(found.keys))
    _refuse_too_many_states(rules, chain, totals.conversions.sum() + totals.nulls.sum())
    base, effects = chain.removal_effects(np.asarray(steps.sum(axis=0)).ravel())
    bases, draws = chain.bootstrap(steps, found.weights[1:])
    removal = RemovalEffects(np.concatenate([[base], bases]), np.vstack([effects, draws]))
    found.removal = removal
    found.by_model["markov"] = Estimate(
        share_out(removal.effects, found.total(totals.conversions)),
        share_out(removal.effects, found.total(totals.value)),
    )
    found.assumptions["markov"] = (
        f"Chain of order {order}; removal strategy {markov.REMOVAL_STRATEGY}: who would have gone "
        "on to the removed one doesn't convert."
    )


def _shapley(warehouse: Warehouse, rules: AttributionRules, found: Estimates, seed: int) -> None:
    sets = coalitions(warehouse, found.totals.groups, len(found.keys))
    function = rules.value_function
    found.assumptions["shapley"] = f"Value function {function}: {shapley.VALUE_FUNCTIONS[function]}"
    if function == "conversions":
        # Linear in the paths, so that people are drawn from each group's credit.
        by_group = (
            shapley.shapley(sets.members, sums, sets.nulls).credit
            for sums in (sets.conversions, sets.value)
        )
        found.by_model["shapley"] = Estimate(*(found.weights @ credit for credit in by_group))
        return
    game = shapley.shapley(
        sets.members,
        found.weights @ sets.conversions,
        found.weights @ sets.nulls,
        value_function=function,
        seed=seed,
    )
    # Up to what rounding leaves of the sums.
    dust = _DUST * found.totals.conversions.sum()
    if (game.credit[0] < -dust).any():
        worst = found.keys[int(game.credit[0].argmin())]
        raise Abstains(
            f"Under the value function {function}, {worst} would get less than nothing: paths "
            "with it convert less often than those without. Under conversions nobody does."
        )
    if game.error is not None:
        found.assumptions["shapley"] += (
            f" Sampled over orders of {len(found.keys)}, with a standard error of up to "
            f"{np.max(game.error):.2g} conversions."
        )
    credit = np.where(np.abs(game.credit) <= dust, 0.0, game.credit)
    found.by_model["shapley"] = Estimate(credit, share_out(credit, found.total(found.totals.value)))
