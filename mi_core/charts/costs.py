"""Charts of the cost report: the ledger by day, prices elsewhere, and what leads did later."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.charts.ranges import ranges
from mi_core.drawing import BLUE, GREEN, ORANGE, RED, SKY, bars, finish, legend, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import polars as pl

    from mi_core.drawing import Chart

_COLOURS = (BLUE, ORANGE, GREEN, SKY, RED)


def cost_by_day(
    days: "pl.DataFrame", since: "date", until: "date", cap: int, write: "Callable[[int], str]"
) -> "Chart":
    """Stacked bars of dollars by day and provider, from `enrichment/day`; held counts as spent.

    `write` writes millionths of a dollar, in which `cap` is: what a day may take.
    """
    import altair as alt
    import polars as pl

    spent = days.with_columns((pl.col("cost_micros") + pl.col("held_micros")).alias("micros"))
    if not spent["micros"].sum():
        return nothing("Nothing was spent in this period.")
    names = sorted(spent["provider"].unique())
    shown = spent.with_columns((pl.col("micros") / 1e6).alias("usd"))
    ticks = alt.Axis(format="%-d %b", labelOverlap=True, tickCount=6)
    span = [{"year": day.year, "month": day.month, "date": day.day} for day in (since, until)]
    chart = (
        alt.Chart(shown, height=180)
        .mark_bar()
        .encode(
            x=alt.X(
                "day:T",
                timeUnit="yearmonthdate",
                title=None,
                axis=ticks,
                scale=alt.Scale(domain=span),
            ),
            y=alt.Y("usd:Q", title="Dollars", axis=alt.Axis(tickCount=5)),
            color=legend("provider", dict(zip(names, _COLOURS, strict=False))),
            tooltip=[
                alt.Tooltip("day:T", title="Day", format="%-d %B %Y"),
                alt.Tooltip("provider:N", title="Provider"),
                alt.Tooltip("calls:Q", title="Calls", format=","),
                alt.Tooltip("usd:Q", title="Dollars", format="$,.4f"),
            ],
        )
    )
    by_day = spent.group_by("day").agg(pl.col("micros").sum(), pl.col("calls").sum())
    dearest = by_day.sort("micros", descending=True).row(0, named=True)
    total = int(spent["micros"].sum())
    return finish(
        chart,
        "Spent by day",
        f"dollars, what is held counted as spent; the cap is {write(cap)} a day",
        description=f"Bar chart of dollars by day and provider: {write(total)} in all, at most "
        f"{write(dearest['micros'])} on {words.day(dearest['day'])}.",
        figures=by_day.sort("day", descending=True),
        columns={
            "day": Column("Day", words.day),
            "calls": Column("Calls", words.number, is_figure=True),
            "micros": Column("Spent or held", write, is_figure=True),
        },
    )


def cost_elsewhere(places: "pl.DataFrame") -> "Chart":
    """Bars of what a lead costs, ours in colour. Columns: label, micros, text, is_ours."""
    import polars as pl

    if not places["is_ours"].any():
        return nothing("No lead had a provider for each step, so no price elsewhere compares.")
    texts = places["text"].to_list()
    colours = [GREEN if ours else SKY for ours in places["is_ours"]]
    said = "; ".join(f"{label}: {text}" for label, text in zip(places["label"], texts, strict=True))
    # Bars are of the column `people`, whatever is counted.
    shown = places.with_columns((pl.col("micros") / 1e6).alias("people"))
    return finish(
        bars(shown, "label", texts, colours),
        "What a lead costs, here and elsewhere",
        "dollars for each lead, all three steps",
        description=f"Bar chart of dollars for each lead. {said}.",
        figures=places,
        columns={"label": Column("Where"), "text": Column("A lead", is_figure=True)},
    )


def went_on(groups: "pl.DataFrame") -> "Chart":
    """The share of leads who then began a trial, with its interval, by what was found for them.

    Columns: label, people, went_on, value, low, high.
    """
    if not groups.height:
        return nothing("There are too few leads yet to say which of them began a trial.")
    texts = [
        f"{words.percent(share)} of {words.number(people)}"
        for share, people in groups.select("value", "people").iter_rows()
    ]
    said = "; ".join(f"{label}: {text}" for label, text in zip(groups["label"], texts, strict=True))
    return finish(
        ranges(groups, texts),
        "Leads that then began a trial",
        "share with its 95 % interval, by what was found for them",
        description=f"Shares of leads that began a trial. {said}.",
        figures=groups,
        columns={
            "label": Column("What was found"),
            "people": Column("Leads", words.number, is_figure=True),
            "went_on": Column("Began a trial", words.number, is_figure=True),
            "value": Column("Share", words.percent, is_figure=True),
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
        },
    )
