"""`mi journey`: one person's way to a purchase, and who gets the credit."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal, words
from mi_core.cli.app import AsOfScoring, Json, WorkspacePath, open_workspace

if TYPE_CHECKING:
    from mi_core.attribution import TouchCredit
    from mi_core.journey import Journey, Milestone

CONVERSIONS_SHOWN = 3
"""Conversions of which the credit is shown, the newest; JSON has it of all."""

EVIDENT = ("first_touch", "last_touch")
"""Models without a column of their own: the order of the rows says what they give."""


def journey(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="An id as PostHog has it, or as reports show it.")
    ],
    as_of: AsOfScoring = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show one person's way: milestones, phases, and which touchpoints earned the credit."""
    with open_workspace(workspace) as opened:
        found = opened.journey(identifier, as_of=as_of)
    terminal.write(found if as_json else _in_short(found), as_json=as_json)
    if not as_json:
        for remark in _remarks(found):
            terminal.note(f"\n{remark}")


def _in_short(journey: "Journey") -> dict[str, object]:
    """What tells the way at a glance; JSON has the timeline too."""
    persona = journey.persona
    return {
        "user_id": journey.user_id,
        "as_of": journey.as_of,
        "persona": f"{persona.label}, {persona.confidence:.0%} sure, by {persona.source}",
        "events": journey.events,
        "milestones": [_milestone(name, each) for name, each in journey.milestones.items()],
        "time_between": {words.plain(k): _span(days) for k, days in journey.days_between.items()},
        "phases": list(journey.phases),
        **dict(_credits(journey)),
    }


def _milestone(name: str, milestone: "Milestone | None") -> dict[str, object]:
    row: dict[str, object] = {"milestone": words.plain(name)}
    if milestone is None:
        return row | dict.fromkeys(("reached at", "intent before", "last touch before"))
    return row | {
        "reached at": _minute(milestone.reached_at),
        "intent before": f"{milestone.intent_score:.0f}, {milestone.intent_level}",
        "last touch before": _touch(milestone),
    }


def _touch(milestone: "Milestone") -> str | None:
    touch = milestone.last_touch
    if touch is None:
        return None
    campaign = f" ({touch.campaign_id})" if touch.campaign_id else ""
    days = (milestone.reached_at - touch.touched_at) / timedelta(days=1)
    return f"{touch.channel or touch.event_name}{campaign}, {words.days(days)} before"


def _span(days: float | None) -> str:
    if days is not None and days < 0:
        return f"{words.days(-days)}, in the other order"
    return words.days(days)


def _credits(journey: "Journey") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """For each of the newest conversions a title, and its touchpoints × models."""
    for conversion in journey.conversions[-CONVERSIONS_SHOWN:]:
        credits = [
            each for each in journey.credits if each.conversion_id == conversion["conversion_id"]
        ]
        models = dict.fromkeys(model for each in credits for model in each.credit)
        rows = [
            {"days\nbefore": _days(each), "channel": each.channel}
            | {
                words.stacked(m): words.percent(each.credit.get(m))
                for m in models
                if m not in EVIDENT
            }
            for each in credits
        ]
        if rows:
            yield f"credit for {_named(conversion)}", rows


def _days(credit: "TouchCredit") -> float:
    """From the touchpoint to the conversion."""
    return (credit.converted_at - credit.touched_at) / timedelta(days=1)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _named(conversion: Any) -> str:
    name = conversion["etype"] or conversion["event_name"]
    return f"{words.plain(name)} at {_minute(conversion['converted_at'])}"


def _remarks(journey: "Journey") -> Iterator[str]:
    """What the tables don't say."""
    if journey.milestones["first_touch"] is None:
        yield "No marketing has touched this person, as far as is known."
    if not journey.conversions:
        yield "There is no conversion yet, so there is no credit to share out."
    for conversion in journey.conversions[-CONVERSIONS_SHOWN:]:
        if not conversion["touchpoints"]:
            yield f"No touchpoint led to the {_named(conversion)}: nothing gets the credit."
    if journey.credits:
        yield "First touch gives all of it to the first row, last touch to the last."
    earlier = len(journey.conversions) - CONVERSIONS_SHOWN
    if earlier > 0:
        yield f"… and {words.count(earlier, 'earlier conversion')}; --json has all of them."
