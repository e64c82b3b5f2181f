"""Who came and bought, by the channel of people's first touchpoint."""

from html import escape
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.stories import comparing, telling
from mi_core.stories.comparing import Change
from mi_core.tables import Column, Html, sentence, table

if TYPE_CHECKING:
    from mi_core.stories.acquisition import AcquisitionReport

UNKNOWN = "No known channel"

SHOWN = 12


def by_channel(report: "AcquisitionReport") -> Html:
    """A table: who came, who bought, and how both have changed."""
    import polars as pl

    came = report.channels.filter(report.channels["people"] > 0)
    if not came.height:
        change = telling.against(report.change("people"), "the period before had")
        return sentence(f"Nobody came in this period{change}.")
    rows = [_row(report, row) for row in came.head(SHOWN).iter_rows(named=True)]
    columns = {
        "channel": Column("First channel"),
        "people": Column("Came", words.number, is_figure=True),
        "buyers": Column("Bought", words.number, is_figure=True),
        "share": Column("Of those who came", is_figure=True),
    }
    if report.is_compared:
        columns["came"] = Column("Who came, against before")
        columns["bought"] = Column("Share who bought, against before")
    caption = "People who came, by the channel of their first touchpoint ever"
    return table(pl.DataFrame(rows), columns, caption=caption)


def what_changed(report: "AcquisitionReport") -> str:
    """The channel whose number of people changed most, of those where that is no chance."""
    if not report.is_compared or report.channels.height < 2:
        return ""
    clear = [
        (row, change)
        for row in report.channels.iter_rows(named=True)
        if (change := _came(report, row)).is_clear and row["channel"] is not None
    ]
    if not clear:
        return ""
    row, change = max(clear, key=lambda each: abs(each[0]["people"] - each[0]["people_before"]))
    others = len(clear) - 1
    more = words.count(others, "other channel")
    rest = f"; {more} changed clearly, too" if others else ""
    return (
        f"<strong>The largest change by first channel is {escape(_label(report, row))}</strong>: "
        f"{words.count(row['people'], 'person', 'people')} came, "
        f"{words.number(row['people_before'])} before: {comparing.said(change)}{rest}."
    )


def _row(report: "AcquisitionReport", row: dict[str, Any]) -> dict[str, Any]:
    low, high = comparing.share_range(row["buyers"], row["people"])
    share = words.percent(row["buyers"] / row["people"])
    return {
        "channel": _label(report, row),
        "people": row["people"],
        "buyers": row["buyers"],
        "share": f"{share} ({words.between(low, high, words.percent)})",
        "came": comparing.said(_came(report, row)),
        "bought": comparing.said(_bought(report, row)),
    }


def _came(report: "AcquisitionReport", row: dict[str, Any]) -> Change:
    return comparing.of_counts(
        row["people"], row["people_before"], among=max(1, report.channels.height)
    )


def _bought(report: "AcquisitionReport", row: dict[str, Any]) -> Change:
    return comparing.of_shares(
        row["buyers"],
        row["people"],
        row["buyers_before"],
        row["people_before"],
        among=max(1, report.channels.height),
    )


def _label(report: "AcquisitionReport", row: dict[str, Any]) -> str:
    key = row["channel"]
    return UNKNOWN if key is None else report.labels.get(key, key)
