"""What a check says, and how its figures are written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mi_core import words
from mi_core.definitions import Limit

Status: TypeAlias = Literal["ok", "warning", "alert", "unknown"]

RANK: Mapping[str, int] = {"ok": 0, "unknown": 0, "warning": 1, "alert": 2}
"""How bad a status is; what isn't known is no harm that anybody knows of."""

IN_WORDS: Mapping[str, str] = {
    "ok": "well",
    "unknown": "can't tell",
    "warning": "warning",
    "alert": "alert",
}


@dataclass(frozen=True)
class Check:
    """One thing that the watch looked at.

    Attributes
    ----------
    name, title
        As programs and people call it.
    value, limit, unit
        What was found, and what it must not pass: the limit that it broke, or would break first.
        None where nothing can be told.
    sentence, what_to_do
        What was found, in words, and what helps; nothing where all is well.
    """

    name: str
    title: str
    status: Status
    value: float | None
    limit: float | None
    unit: str
    sentence: str
    what_to_do: str = ""

    @property
    def is_bad(self) -> bool:
        return RANK[self.status] > 0


def judged(value: float, warning: float, alert: float, *, low_is_bad: bool = False) -> Status:
    """The status of a value by its limits; a value at its limit has broken it.

    Where low is bad, only one below its limit has.
    """
    if low_is_bad:
        return "alert" if value < alert else "warning" if value < warning else "ok"
    return "alert" if value >= alert else "warning" if value >= warning else "ok"


def can_not_tell(name: str, title: str, limit: Limit, why: str) -> Check:
    """A check that has too little to go by."""
    return Check(name, title, "unknown", None, limit.warning, limit.unit, why)


def found(
    name: str,
    title: str,
    limit: Limit,
    value: float,
    sentence: str,
    what_to_do: str,
    *,
    low_is_bad: bool = False,
) -> Check:
    """A check of a value by its limit; what to do is said only where something is wrong."""
    status = judged(value, limit.warning, limit.alert, low_is_bad=low_is_bad)
    broken = limit.alert if status == "alert" else limit.warning
    told = "" if status == "ok" else what_to_do
    return Check(name, title, status, value, broken, limit.unit, sentence, told)


def written(value: float | None, unit: str) -> str:
    """A value or limit in its unit, as people write it."""
    return "–" if value is None else _WRITE.get(unit, words.amount)(value)


def _hours(value: float) -> str:
    return words.days(value / 24) if value else "none"


def _dollars(value: float) -> str:
    return f"${value:,.4f}" if value < 1 else f"${value:,.2f}"


def _index(value: float) -> str:
    return f"{value:.3f}"


_WRITE: Mapping[str, Callable[[float], str]] = {
    "hours": _hours,
    "share": words.percent,
    "dollars": _dollars,
    "population stability index": _index,
}
