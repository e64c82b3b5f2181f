"""What stands out of each persona, and what to do about it: computed from its figures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.comparing import Change
from mi_core.stories.personas import mixing

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.personas.figures import PersonasReport

MOST = 3
"""Things told of a persona."""


@dataclass(frozen=True)
class Kind:
    """One persona's figures, each a change against all others together."""

    slug: str
    people: int
    ready: int
    at_risk: int
    trials: Change
    buyers: Change
    drawn: Change
    risk: Change
    high: Change
    channel: tuple[str, float] | None


def of_all(report: "PersonasReport") -> list[Kind]:
    """The personas with anybody, most people first."""
    trials, buyers = (mixing.compared(report.ahead, name) for name in ("trials", "buyers"))
    drawn, risk, high = (
        mixing.compared(report.standing, name) for name in ("drawn", "at_risk", "high_intent")
    )
    found = [
        Kind(
            slug,
            row["people"],
            row["ready"],
            row["at_risk"],
            trials=trials[slug][2],
            buyers=buyers[slug][2],
            drawn=drawn[slug][2],
            risk=risk[slug][2],
            high=high[slug][2],
            channel=_channel(report.channels, slug),
        )
        for row in report.standing.iter_rows(named=True)
        if row["people"] and (slug := row["persona"])
    ]
    return sorted(found, key=lambda kind: -kind.people)


def stands_out(kind: Kind) -> str:
    """What is clearly different from all others: what they did before what they look like."""
    facts = {
        "bought": kind.buyers,
        "started a trial": kind.trials,
        "are at risk": kind.risk,
        "are warm or hot": kind.drawn,
        "have high intent": kind.high,
    }
    told = [
        f"{words.percent(change.value)} {what}, others {words.percent(change.before)}"
        for what, change in facts.items()
        if change.is_clear
    ]
    return f"{'; '.join(told[:MOST])}." if told else "Nothing clear."


def to_do(kind: Kind, channels: dict[str, str]) -> str:
    """One or two things to do, by what stands out."""
    steps = []
    if kind.ready:
        steps.append(f"Make an offer to the {_people(kind.ready)} who look ready to buy.")
    if kind.risk.is_clear and kind.risk.low > 0:
        steps.append(f"Win back first: {_people(kind.at_risk)} are at risk.")
    if kind.buyers.is_clear and kind.buyers.low > 0:
        steps.append(_bring_more(kind, channels))
    elif kind.trials.is_clear and kind.trials.low > 0:
        steps.append("Help those who try to come to a purchase: they try, but buy no more often.")
    elif kind.high.is_clear and kind.high.low > 0:
        steps.append("Ask what is in the way: intent is high, but they don't clearly buy more.")
    if kind.drawn.is_clear and kind.drawn.high < 0 and len(steps) < 2:
        steps.append("Give a reason to come back: few do so by themselves.")
    return " ".join(steps[:2]) or "Keep in touch: nothing asks for more."


def _bring_more(kind: Kind, channels: dict[str, str]) -> str:
    if not kind.channel:
        return "Bring more of them: they buy most often."
    name, share = kind.channel
    return (
        "Bring more of them, as a test: they buy more often, and "
        f"{words.percent(share)} of those who came did so by {channels.get(name, name)}."
    )


def _channel(channels: "pl.DataFrame", slug: str) -> tuple[str, float] | None:
    """The channel by which most came, and the share of those who came at all."""
    rows = channels.filter(channels["persona"] == slug, channels["channel"] != "(none)")
    if not rows.height:
        return None
    first = rows.row(0, named=True)
    return first["channel"], first["people"] / first["people_of_any"]


def _people(number: int) -> str:
    return words.count(number, "person", "people")
