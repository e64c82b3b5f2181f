"""Paths and rules written again as plainly as can be, one person at a time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from mi_core.definitions import AttributionRules

Touch = tuple[datetime, int, str]
"""When, the event's number, which channel."""


@dataclass(frozen=True)
class Path:
    """The touchpoints before `ended_at`; the address was left at `lead_at`."""

    touches: tuple[Touch, ...]
    ended_at: datetime
    is_conversion: bool
    lead_at: datetime | None = None


def paths_of(
    touches: Sequence[Touch],
    conversions: Sequence[datetime],
    since: datetime,
    until: datetime,
    rules: AttributionRules,
    lead_at: datetime | None = None,
) -> Iterator[Path]:
    """One person's paths, transformed; a conversion without touchpoints has an empty one."""
    lookback = timedelta(days=rules.lookback_days)
    ends = [(at, True) for at in conversions if since <= at < until]
    seen = [at for at, _, _ in touches if since <= at < until]
    if not ends and seen:
        ends = [(max(seen) + timedelta(microseconds=1), False)]
    for end, is_conversion in ends:
        inside = sorted(touch for touch in touches if end - lookback <= touch[0] < end)
        lead = lead_at if lead_at and end - lookback <= lead_at < end else None
        yield Path(tuple(transformed(inside, rules)), end, is_conversion, lead)


def transformed(touches: list[Touch], rules: AttributionRules) -> list[Touch]:
    touches = touches[-rules.max_touches :]
    known = [touch for touch in touches if touch[2] != "direct"]
    if known and rules.direct == "remove":
        touches = known
    elif known and rules.direct == "remove_last":
        touches = touches[: touches.index(known[-1]) + 1]
    if rules.transform == "unique":
        return touches
    if rules.transform == "exposure":
        return [list(run)[-1] for _, run in groupby(touches, key=lambda touch: touch[2])]
    first: dict[str, Touch] = {}
    for touch in touches:
        first.setdefault(touch[2], touch)
    if rules.transform == "first":
        return list(first.values())
    times = Counter(key for _, _, key in touches)
    return [(at, number, f"{key}({times[key]})") for at, number, key in first.values()]


def shares(path: Path, rules: AttributionRules) -> dict[str, list[float]]:
    """Of each touchpoint of a path, by rule."""
    n = len(path.touches)
    known = [i for i, touch in enumerate(path.touches) if not touch[2].startswith("direct")]
    lead = [i for i, touch in enumerate(path.touches) if path.lead_at and touch[0] <= path.lead_at]
    decay = [
        2 ** -((path.ended_at - at) / timedelta(days=rules.half_life_days))
        for at, _, _ in path.touches
    ]
    position, w = rules.position_based, rules.w_shaped
    return {
        "first_touch": only(0, n),
        "last_touch": only(n - 1, n),
        "last_non_direct": only(known[-1] if known else n - 1, n),
        "linear": [1 / n] * n,
        "position_based": placed([(0, position.first), (n - 1, position.last)], n),
        "w_shaped": placed([(0, w.first), (n - 1, w.last), (max(lead, default=-1), w.lead)], n),
        "time_decay": [each / sum(decay) for each in decay],
    }


def only(place: int, n: int) -> list[float]:
    return [float(i == place) for i in range(n)]


def placed(named: list[tuple[int, float]], n: int) -> list[float]:
    """What named places have, the rest of 1 to the others; made to add up to 1."""
    weights = [sum(share for place, share in named if place == i) for i in range(n)]
    others = [i for i in range(n) if i not in dict(named)]
    for i in others:
        weights[i] = (1 - sum(share for _, share in named)) / len(others)
    return [weight / sum(weights) for weight in weights]
