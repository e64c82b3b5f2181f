"""How a figure is told beside an earlier one: with its interval, or that it may be chance."""

from collections.abc import Callable

from mi_core import words
from mi_core.stories import comparing
from mi_core.stories.comparing import Change

Writer = Callable[[float | None], str]

CLEAR = (
    "Beside each change are, in brackets, the ends of its 95 % interval: the true change is likely "
    "to lie between them. Where that leaves open whether anything has changed, the page says “no "
    "clear change”: the difference may be chance."
)
"""For the meaning of the words."""


def against(
    change: Change | None,
    when: str,
    *,
    write: Writer = words.number,
    more: str = "more",
    fewer: str = "fewer",
    many: str = "many",
) -> str:
    """The end of a sentence: `; on 3 June it was 36%: 5 points fewer (2 to 8)`; or nothing.

    `when` says what the figure of before was: `on 3 June it was`.
    """
    if change is None or not (change.before or change.is_known):
        return ""
    if not change.before:
        return f"; {when} none" if change.value else ""
    said = comparing.said(change, more=more, fewer=fewer, many=many)
    return f"; {when} {write(change.before)}: {said}"


def note(
    change: Change | None,
    *,
    write: Writer = words.number,
) -> str | None:
    """A tile's note: `▲ from 1,000`, or that nothing is clear; None where there is none to tell."""
    if change is None:
        return None
    if not change.before and not change.is_share:
        return "none before" if change.value else None
    before = write(change.before)
    if not change.is_clear:
        return f"{before} before: no clear change"
    arrow = "▲" if change.low > 0 else "▼"
    if change.is_share:
        return f"{arrow} {words.points(change.value - change.before)} from {before}"
    if change.value >= 2 * change.before:
        return f"{arrow} {change.value / change.before:.1f} times {before}"
    return f"{arrow} {words.percent(abs(change.value / change.before - 1))} from {before}"
