"""Models, channels and other keys as a stakeholder reads them."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from mi_core import words

if TYPE_CHECKING:
    from mi_core.definitions import Definitions

MODELS: Mapping[str, tuple[str, str]] = {
    "first_touch": ("First touch", "first touch"),
    "last_touch": ("Last touch", "last touch"),
    "last_non_direct": ("Last non-direct", "last non-direct touch"),
    "linear": ("Linear", "the linear model"),
    "position_based": ("Position-based", "the position-based model"),
    "w_shaped": ("W-shaped", "the W-shaped model"),
    "time_decay": ("Time decay", "time decay"),
    "markov": ("Markov ◆", "Markov"),
    "shapley": ("Shapley ◆", "Shapley"),
}
"""Name → as a heading, and within a sentence; ◆ marks those of DATA_DRIVEN."""

DATA_DRIVEN = ("markov", "shapley")
"""Computed from all paths together; the others share out each path by itself."""

UNATTRIBUTED = "unattributed"

NONE = "(none)"
"""The key of touchpoints without a campaign (creative, …)."""

Namer = Callable[[str], str]

_COUNTED = re.compile(r"^(.*)\((\d+)\)$")


def heading(model: str) -> str:
    return MODELS[model][0] if model in MODELS else words.plain(model).capitalize()


def phrase(model: str) -> str:
    return MODELS[model][1] if model in MODELS else words.plain(model)


def in_order(models: Iterable[str]) -> list[str]:
    """Models in the order in which all tables and charts show them."""
    known = list(MODELS)
    return sorted(models, key=lambda name: known.index(name) if name in known else len(known))


def key_labels(definitions: "Definitions", by: str) -> dict[str, str]:
    """Key → label, where the definitions know one."""
    if by == "channel":
        return {name: each.label for name, each in definitions.channels.names.items()}
    if by == "persona":
        return {name: each.label for name, each in definitions.personas.items()}
    if by == "etype":
        return {name: each.label for name, each in definitions.etypes.items()}
    return {}


def label(key: str, labels: Mapping[str, str]) -> str:
    """The label of a key; of `email(2)`, which the transform `frequency` makes, `Email (2)`."""
    counted = _COUNTED.match(key)
    if counted and counted[1] in labels:
        return f"{labels[counted[1]]} ({counted[2]})"
    return labels.get(key, key)


def sentence(text: str) -> str:
    """`text` with a capital letter and a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
