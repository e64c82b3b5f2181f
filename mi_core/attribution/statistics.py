"""What the models need to know of all paths: sums by group of people, from SQL, as arrays.

Their size grows with the number of groups and of different keys, steps or sets of keys, not with
that of events; a bootstrap draw is a weighted sum of their rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from mi_core.attribution.markov import Chain
from mi_core.definitions import AttributionRules
from mi_core.warehouse import Warehouse

FloatArray = npt.NDArray[np.float64]

RULES = (
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "position_based",
    "w_shaped",
    "time_decay",
)
"""The models that share a conversion out by a rule, without a look at other paths."""


@dataclass(frozen=True, slots=True)
class PathTotals:
    """Sums of each group, [G]; `unattributed` are those of paths without touchpoints."""

    conversions: FloatArray
    value: FloatArray
    nulls: FloatArray
    unattributed: FloatArray
    unattributed_value: FloatArray

    @property
    def groups(self) -> int:
        return len(self.conversions)


@dataclass(frozen=True, slots=True)
class Coalitions:
    """Sums by group and set of keys, [G, C] and sparse; `members` [C, K] says who is in a set."""

    members: npt.NDArray[np.bool_]
    conversions: sparse.csr_array
    nulls: sparse.csr_array
    value: sparse.csr_array


def path_totals(warehouse: Warehouse) -> PathTotals:
    found = warehouse.arrays("attribution/path_total")
    group, touched = found["person_group"], found["has_touch"].astype(bool)
    groups = int(group.max()) + 1 if len(group) else 0

    def total(name: str, chosen: npt.NDArray[np.bool_]) -> FloatArray:
        return np.bincount(group[chosen], found[name][chosen], groups).astype(np.float64)

    return PathTotals(
        total("conversions", touched),
        total("value", touched),
        total("nulls", touched),
        total("conversions", ~touched),
        total("value", ~touched),
    )


def rule_sums(
    warehouse: Warehouse, rules: AttributionRules, models: Iterable[str], groups: int, keys: int
) -> dict[str, tuple[sparse.csr_array, sparse.csr_array]]:
    """By model the conversions and the value that each key has from each group, [G, K] both."""
    found = warehouse.arrays(
        "attribution/credit_sum",
        over={"touch_credit": "attribution/touch_credit"},
        **touch_parameters(rules),
    )
    at = (found["person_group"], found["code"] - 1)

    def placed(name: str) -> sparse.csr_array:
        return sparse.csr_array((found[name], at), shape=(groups, keys))

    return {model: (placed(model), placed(f"{model}_value")) for model in models}


def touch_parameters(rules: AttributionRules) -> dict[str, object]:
    """Of `attribution/touch_credit`."""
    return {
        "position": rules.position_based.model_dump(),
        "w": rules.w_shaped.model_dump(),
        "half_life_us": rules.half_life_days * 86_400e6,
    }


def markov_steps(
    warehouse: Warehouse, order: int, groups: int, keys: int
) -> tuple[Chain, sparse.csr_array]:
    """The chain, and how often the paths of each group take each of its edges, [G, E]."""
    found = warehouse.arrays("attribution/transition", order=order)
    edges = np.stack([found["from_state"], found["to_state"]])
    # Rows come sorted by edge, so an edge begins where it differs from the row before.
    begins = np.ones(edges.shape[1], dtype=bool)
    begins[1:] = (np.diff(edges) != 0).any(axis=0)
    number = np.cumsum(begins) - 1
    shape = (groups, int(begins.sum()))
    times = sparse.csr_array((found["times"].astype(float), (found["person_group"], number)), shape)
    source, target = edges[:, begins]
    return Chain.from_edges(source, target, keys), times


def coalitions(warehouse: Warehouse, groups: int, keys: int) -> Coalitions:
    found = warehouse.arrays("attribution/coalition", keys=keys)
    sets, number = np.unique(found["coalition"].astype(f"<U{keys}"), return_inverse=True)
    members = np.array([list(each) for each in sets]).reshape(len(sets), keys) == "1"
    at = (found["person_group"], number)

    def summed(name: str) -> sparse.csr_array:
        return sparse.csr_array((found[name].astype(float), at), shape=(groups, len(sets)))

    return Coalitions(members, summed("conversions"), summed("nulls"), summed("value"))


def keys_of(warehouse: Warehouse) -> list[str]:
    """The keys in the order of their numbers."""
    rows: list[Any] = warehouse.sql("select key from path_key order by code").fetchall()
    return [key for (key,) in rows]
