"""One person's events, and the credit of their touchpoints under each model.

The rules of `sql/journeys/` and `sql/attribution/touch_credit.sql` once more, as formulas for one
path: to plan those relations takes longer than to run these. A test holds both equal.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from mi_core.definitions import AttributionRules, Definitions
from mi_core.scoring import naive_utc
from mi_core.warehouse import Warehouse

NO_CHANNEL = "(none)"

Shares = dict[str, list[float | None]]
"""Of each touchpoint of a path, by model; None where a model says nothing."""


class PersonEvent(NamedTuple):
    """An event in naive UTC, with what the taxonomy says of it; `value` is in cents.

    The phase is that of the event, or of the type that it has as the first of its session.
    """

    occurred_at: datetime
    event_id: UUID
    event_name: str
    etype: str | None
    channel: str | None
    campaign_id: str | None
    duration: int | None
    value: int | None
    phase: int | None
    is_touch: bool
    is_conversion: bool


@dataclass(frozen=True, slots=True)
class TouchCredit:
    """A touchpoint before a conversion, in naive UTC, and its share of it under each model.

    `credit` has no `markov` where no removal effects are known of the path's channels.
    """

    conversion_id: UUID
    converted_at: datetime
    event_id: UUID
    touched_at: datetime
    channel: str
    credit: Mapping[str, float]


class _Touch(NamedTuple):
    """A step of a path; its key is the channel, or with the transform `frequency` how often too."""

    touched_at: datetime
    event_id: UUID
    key: str
    is_direct: bool


def events_of(
    warehouse: Warehouse, definitions: Definitions, user_id: UUID, *, as_of: datetime
) -> list[PersonEvent]:
    """All of a person's events before `as_of`, in order of time."""
    rows = warehouse.query("journeys/person_event", user_id=user_id, as_of=naive_utc(as_of))
    found = ([*row, *_flags(definitions, row[2], row[3])] for row in rows.fetchall())
    return [PersonEvent._make(each) for each in found]


def _flags(definitions: Definitions, name: str, etype: str | None) -> tuple[int | None, bool, bool]:
    """Phase, whether it is a touchpoint, whether it is a conversion."""
    event = definitions.events.get(name)
    own = event.phase if event and event.etype == etype else None
    typed = definitions.etypes.get(etype) if etype else None
    phase = own or (typed.phase if typed else None)
    if event is None:
        return phase, False, False
    first = event.session_first_etype
    return phase, event.touch and first in (None, etype), event.conversion


def touch_credits(
    events: Sequence[PersonEvent], rules: AttributionRules, effects: Mapping[str, float]
) -> list[TouchCredit]:
    """The touchpoints with credit for the conversions among a person's events, in order of time.

    A rule's shares follow from the path alone. So do shapley's under the value function
    `conversions`: each channel of the path has as much, in equal parts for its touchpoints. Under
    markov, touchpoints have credit in proportion to their channels' removal `effects`; summed up
    over people, that is near but not the channels' credit under markov.

    Touchpoints that the path's transform leaves out, such as all but the last of a run, have none.
    """
    touches = [_touch(event, rules) for event in events if event.is_touch]
    leads = [event.occurred_at for event in events if event.etype == "email_submitted"]
    found = []
    for end in (event for event in events if event.is_conversion):
        path = _path(touches, end.occurred_at, rules)
        lead = _place_of_lead(path, leads, end.occurred_at, rules)
        shares = _shares(path, lead, rules) | _shares_by_channel(path, effects)
        for place, (touched_at, event_id, key, _) in enumerate(path):
            given = ((model, each[place]) for model, each in shares.items())
            credit = {model: share for model, share in given if share is not None}
            about = (end.event_id, end.occurred_at, event_id, touched_at, key)
            found.append(TouchCredit(*about, credit))
    return found


def _touch(event: PersonEvent, rules: AttributionRules) -> _Touch:
    key = NO_CHANNEL if event.channel is None else event.channel
    return _Touch(event.occurred_at, event.event_id, key, event.channel == rules.direct_channel)


def _path(touches: Sequence[_Touch], end: datetime, rules: AttributionRules) -> list[_Touch]:
    """The touchpoints before `end` that the transforms leave."""
    lookback = timedelta(days=rules.lookback_days)
    path = [each for each in touches if each.touched_at < end and end - each.touched_at <= lookback]
    path = path[-rules.max_touches :]
    known = [place for place, each in enumerate(path) if not each.is_direct]
    if known and rules.direct == "remove":
        path = [path[place] for place in known]
    elif known and rules.direct == "remove_last":
        path = path[: known[-1] + 1]
    return path if rules.transform == "unique" else list(_transformed(path, rules.transform))


def _transformed(path: Sequence[_Touch], transform: str) -> Iterator[_Touch]:
    if transform == "exposure":
        yield from (list(run)[-1] for _, run in groupby(path, key=lambda each: each.key))
        return
    times = Counter(each.key for each in path)
    first = {each.key: each for each in reversed(path)}
    for each in path:
        if first[each.key] is each:
            is_counted = transform == "frequency"
            yield each._replace(key=f"{each.key}({times[each.key]})") if is_counted else each


def _place_of_lead(
    path: Sequence[_Touch], leads: Sequence[datetime], end: datetime, rules: AttributionRules
) -> int | None:
    """Of the last touchpoint up to when the address was left first, if that is of this path."""
    lead_at = leads[0] if leads else end
    if lead_at >= end or end - lead_at > timedelta(days=rules.lookback_days):
        return None
    before = [place for place, each in enumerate(path) if each.touched_at <= lead_at]
    return before[-1] if before else None


def _shares(path: Sequence[_Touch], lead: int | None, rules: AttributionRules) -> Shares:
    """Under each rule; they add up to 1."""
    if not path:
        return {}
    count, last = len(path), len(path) - 1
    last_known = max((n for n, each in enumerate(path) if not each.is_direct), default=last)
    position, w = rules.position_based, rules.w_shaped
    ends = [(0, position.first), (last, position.last)]
    w_ends = [(0, w.first), (last, w.last), *([] if lead is None else [(lead, w.lead)])]
    return {
        "first_touch": [int(n == 0) for n in range(count)],
        "last_touch": [int(n == last) for n in range(count)],
        "last_non_direct": [int(n == last_known) for n in range(count)],
        "linear": [1 / count] * count,
        "position_based": _placed(count, ends, 1 - position.first - position.last),
        "w_shaped": _placed(count, w_ends, 1 - w.first - w.lead - w.last),
        "time_decay": _decayed(path, rules),
    }


def _placed(count: int, places: Sequence[tuple[int, float]], rest: float) -> list[float | None]:
    """What some places have by name, the `rest` in equal parts to the others, made 1 together."""
    weights = dict.fromkeys(range(count), 0.0)
    for place, share in places:
        weights[place] += share
    others = weights.keys() - {place for place, _ in places}
    weights |= {place: rest / len(others) for place in others}
    total = sum(share for _, share in places) + (rest if others else 0)
    return [weight / total if total else None for weight in weights.values()]


def _decayed(path: Sequence[_Touch], rules: AttributionRules) -> list[float | None]:
    """Half as much for each half-life; of the newest 1, so that an old path's don't vanish."""
    newest, half_life = path[-1].touched_at, timedelta(days=rules.half_life_days)
    weights = [2 ** ((each.touched_at - newest) / half_life) for each in path]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def _shares_by_channel(path: Sequence[_Touch], effects: Mapping[str, float]) -> Shares:
    """Under markov and shapley."""
    keys = [each.key for each in path]
    times = Counter(keys)
    of_path = [effects.get(key, math.nan) for key in keys]
    total = math.fsum(effect for effect in of_path if not math.isnan(effect))
    markov = [None if math.isnan(each) or not total else each / total for each in of_path]
    return {"markov": markov, "shapley": [1 / len(times) / times[key] for key in keys]}
