"""Checks of scores: whether they are fresh, and whether the population has shifted in a week.

A shift is of people, or of what is sent of them: a campaign that worked, or a client that has
stopped to send an event. The check can't tell which; it says where to look.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from mi_core import words
from mi_core.definitions import Limit
from mi_core.monitoring import drift
from mi_core.monitoring.check import Check, can_not_tell, found
from mi_core.monitoring.looking import Looking

Named: TypeAlias = tuple[str, str]

BIN = 10
"""Points of a bin of a score."""


@dataclass(frozen=True)
class Pair:
    """Two scorings to compare, about a week apart."""

    as_of: datetime
    earlier: datetime


def newest_scoring(at: Looking) -> Check:
    """How old the newest scoring is."""
    limit, named = at.rules.scores, ("scores", "Newest scoring")
    row = at.row("scoring", as_of=at.at)
    if not row["has_people"]:
        return can_not_tell(*named, limit, "There is nobody to score yet.")
    if row["scored_as_of"] is None:
        return can_not_tell(*named, limit, "Nobody has been scored yet: mi score does.")
    hours = row["hours_behind"]
    said = f"The newest scoring is {words.days(hours / 24)} old"
    if row["config_version"] != at.definitions.version:
        said += ", and of other definitions than those in force"
    return found(*named, limit, hours, f"{said}.", "Run mi score, and see why nobody else did.")


def score_drift(at: Looking) -> list[Check]:
    """How far the distributions of intent and of magnetism over 30 days have shifted."""
    titles = {"intent": "Intent scores", "magnetism": "Magnetism scores"}
    pair = scoring_pair(at)
    if isinstance(pair, str):
        return [_unknown(at, (f"{each}_drift", title), pair) for each, title in titles.items()]
    points = at.warehouse.relation(
        "monitoring/score_point", as_of=pair.as_of, earlier=pair.earlier
    ).rows_by_key("score")
    return [
        _score_drift(at, (f"{name}_drift", title), points.get(name, []), pair)
        for name, title in titles.items()
    ]


def _score_drift(at: Looking, named: Named, rows: list[tuple[int, int, int]], pair: Pair) -> Check:
    now, before = ({row[0]: row[side] for row in rows if row[side]} for side in (1, 2))
    bins, bins_before = (drift.in_bins(each, BIN) for each in (now, before))
    few = _too_few(at.rules.score_drift, sum(bins), sum(bins_before))
    if few:
        return _unknown(at, named, few)
    apart = (
        f"KS {drift.kolmogorov_smirnov(*_by_point(now, before)):.3f},"
        f" JS {drift.jensen_shannon(bins, bins_before):.3f}"
    )
    middle, middle_before = drift.middle(now), drift.middle(before)
    moved = (
        f"stayed at {middle}"
        if middle == middle_before
        else f"went from {middle_before} to {middle}"
    )

    def said(index: float, by_chance: float) -> str:
        return (
            f"Since {words.day(pair.earlier)} the middle score {moved}"
            f"{_most_grown(bins, bins_before)}. PSI {index:.3f}, of which chance makes up to"
            f" {by_chance:.3f}; {apart}; {_people(bins, bins_before)}."
        )

    advice = (
        "See whether events or definitions have changed (mi ingest lists unknown names), whether a"
        " campaign brought other people, and take rankings across this week with care."
    )
    return _judged(at, named, at.rules.score_drift, (bins, bins_before), said, advice)


def persona_mix(at: Looking) -> Check:
    """How far the shares of personas have shifted, and which grew and shrank most."""
    limit, named = at.rules.persona_mix, ("persona_mix", "Persona mix")
    pair = scoring_pair(at)
    if isinstance(pair, str):
        return _unknown(at, named, pair)
    mixes = [
        at.warehouse.relation("reports/persona_mix", as_of=instant)
        for instant in (pair.as_of, pair.earlier)
    ]
    now, before = (mix["people"].to_list() for mix in mixes)
    if few := _too_few(limit, sum(now), sum(before)):
        return _unknown(at, named, few)
    labels = mixes[0]["label"].to_list()
    by_growth = sorted(range(len(labels)), key=lambda i: _grown(now, before, i))
    went = [_went(labels, now, before, each) for each in (by_growth[-1], by_growth[0])]
    told = ", and ".join(went)
    if not _grown(now, before, by_growth[-1]):
        told = "no persona's share has changed"
    squares, chance = drift.chi_square(now, before)

    def said(index: float, by_chance: float) -> str:
        return (
            f"Since {words.day(pair.earlier)} {told}. PSI {index:.3f}, of which"
            f" chance makes up to {by_chance:.3f}; χ² {squares:.1f}, p {_chance(chance)};"
            f" {_people(now, before)}."
        )

    advice = (
        "See which channels brought people this week (mi attribution), whether enrichment assigns"
        " other personas, and whether the rules in personas.toml still fit."
    )
    return _judged(at, named, limit, (now, before), said, advice)


def _judged(
    at: Looking,
    named: Named,
    limit: Limit,
    sides: tuple[list[int], list[int]],
    said: Callable[[float, float], str],
    advice: str,
) -> Check:
    """By its limits, but not by less than chance makes."""
    index = drift.stability_index(*sides)
    by_chance = drift.index_by_chance(*sides, at.rules.comparison.sure)
    raised = limit.model_copy(
        update={
            "warning": max(limit.warning, by_chance),
            "alert": max(limit.alert, by_chance),
        }
    )
    return found(*named, raised, index, said(index, by_chance), advice)


def scoring_pair(at: Looking) -> Pair | str:
    """The scorings to compare; or why there are none."""
    comparison = at.rules.comparison
    found = at.warehouse.relation(
        "monitoring/scoring_pair",
        as_of=at.at,
        days=comparison.days,
        tolerance=comparison.tolerance_days,
    )
    if not found.height:
        return "Nobody has been scored yet."
    row = found.row(0, named=True)
    if row["earlier"] is None:
        return (
            f"There is no scoring about {comparison.days} days before that of"
            f" {words.day(row['as_of'])} to compare with."
        )
    if row["earlier_version"] != row["config_version"]:
        return f"Since {words.day(row['earlier'])} the definitions have changed, and scores by it."
    return Pair(row["as_of"], row["earlier"])


def _unknown(at: Looking, named: Named, why: str) -> Check:
    limit = at.rules.persona_mix if named[0] == "persona_mix" else at.rules.score_drift
    return can_not_tell(*named, limit, why)


def _too_few(limit: Limit, now: int, before: int) -> str | None:
    if min(now, before) >= limit.least:
        return None
    return (
        f"{words.count(now, 'person', 'people')} now and {words.number(before)} before are too few"
        f" to tell; it takes {limit.least} each time."
    )


def _by_point(now: dict[int, int], before: dict[int, int]) -> tuple[list[int], list[int]]:
    points = sorted(now.keys() | before.keys())
    return [now.get(each, 0) for each in points], [before.get(each, 0) for each in points]


def _grown(now: list[int], before: list[int], position: int) -> float:
    """By how much a bin's share of people has grown."""
    return now[position] / sum(now) - before[position] / sum(before)


def _most_grown(now: list[int], before: list[int]) -> str:
    """The bin of a score that gained most, as the end of a sentence."""
    most = max(range(len(now)), key=lambda i: _grown(now, before, i))
    if not _grown(now, before, most):
        return ""
    was, share = before[most] / sum(before), now[most] / sum(now)
    return (
        f"; the scores {most * BIN}–{_last_of(most)} went from {words.percent(was)} to"
        f" {words.percent(share)} of people"
    )


def _went(labels: list[str], now: list[int], before: list[int], position: int) -> str:
    was, share = before[position] / sum(before), now[position] / sum(now)
    verb = "grew" if share > was else "shrank"
    return f"{labels[position]} {verb} from {words.percent(was)} to {words.percent(share)}"


def _last_of(position: int) -> int:
    """The last whole point of a bin; a full score belongs to the last."""
    return 100 if (position + 1) * BIN >= 100 else (position + 1) * BIN - 1


def _people(now: list[int], before: list[int]) -> str:
    return f"{words.number(sum(now))} people now, {words.number(sum(before))} then"


def _chance(probability: float) -> str:
    return "under 0.001" if probability < 0.001 else f"{probability:.3f}"
