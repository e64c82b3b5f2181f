"""Charts of the executive report: what changed, and who gets the credit."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.charts.ranges import ranges
from mi_core.drawing import finish, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.drawing import Chart

CHANNELS_SHOWN = 6


def changes(found: "pl.DataFrame") -> "Chart":
    """The change of each headline figure with its interval, of `ExecutiveReport.changes`."""
    if not found.height:
        return nothing("The period before has nothing to compare with.")
    texts = [_signed(value) for value in found["value"]]
    said = "; ".join(
        f"{label}: {_signed(value)} ({_signed(low)} to {_signed(high)})"
        for label, value, low, high in found.select("label", "value", "low", "high").iter_rows()
    )
    return finish(
        ranges(found, texts, mark="none", shape="+%"),
        "What changed",
        "bar: 95 % interval · tick: no change",
        description=f"Changes against the period before, with 95 % intervals. {said}.",
        figures=found,
        columns={
            "label": Column("Figure"),
            "value": Column("Change", _signed, is_figure=True),
            "low": Column("At least", _signed, is_figure=True),
            "high": Column("At most", _signed, is_figure=True),
        },
    )


def credit_share(found: "pl.DataFrame") -> "Chart":
    """Each channel's share of credit with its interval, of `ExecutiveReport.credited`."""
    if not found.height:
        return nothing("No purchase of this period has a known touchpoint, so there is no credit.")
    shown = found.head(CHANNELS_SHOWN)
    if not shown["low"].count():
        shown = shown.with_columns(low="value", high="value")
    texts = [words.percent(value) for value in shown["value"]]
    said = "; ".join(
        f"{label}: {words.percent(value)} ({words.between(low, high, words.percent)})"
        for label, value, low, high in shown.select("label", "value", "low", "high").iter_rows()
    )
    return finish(
        ranges(shown, texts),
        "Who gets the credit",
        "share of purchases · bar: 95 % interval",
        description=f"Shares of credit by channel, with 95 % intervals. {said}.",
        figures=found,
        columns={
            "label": Column("Channel"),
            "conversions": Column("Purchases credited", words.amount, is_figure=True),
            "value": Column("Share", words.percent, is_figure=True),
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
        },
    )


def _signed(share: float) -> str:
    return (
        words.percent(0) if not share else f"{'+' if share > 0 else '−'}{words.percent(abs(share))}"
    )
