"""Charts of the magnetism report: the relations `reports/drawn_…`, drawn."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.charts.ranges import ranges
from mi_core.drawing import BLUE, ORANGE, finish, legend, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    from datetime import datetime

    import altair as alt
    import polars as pl

    from mi_core.drawing import Chart

WINDOWS = {"30 days": BLUE, "7 days": ORANGE}

_PEOPLE = Column("People", words.number, is_figure=True)


def band_windows(bands: "pl.DataFrame") -> "Chart":
    """Bars of each band's share over 30 days and over 7, from `reports/drawn_window`."""
    import altair as alt
    import polars as pl

    if not bands["people_7d"].sum():
        return nothing("Nobody has been scored over 7 days, so there is nothing to compare.")
    columns = {"30 days": "people", "7 days": "people_7d"}
    named = bands.reverse().with_columns(pl.col("band").str.to_titlecase())
    long = pl.concat(
        named.select(
            "band",
            pl.lit(window).alias("window"),
            pl.col(column).alias("people"),
            (pl.col(column) / max(1, named[column].sum())).alias("share"),
        )
        for window, column in columns.items()
    )
    chart = (
        alt.Chart(long, height=150)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("band:N", sort=None, title=None),
            yOffset=alt.YOffset("window:N", sort=list(WINDOWS)),
            x=alt.X("share:Q", title="Share of people", axis=alt.Axis(format="%", tickCount=5)),
            color=legend("window", WINDOWS),
            tooltip=[
                alt.Tooltip("band:N", title="Band"),
                alt.Tooltip("window:N", title="Over"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
                alt.Tooltip("people:Q", title="People", format=","),
            ],
        )
    )
    said = [
        f"{row['band']}: {words.number(row['people'])} over 30 days, "
        f"{words.number(row['people_7d'])} over 7"
        for row in named.iter_rows(named=True)
    ]
    return finish(
        chart,
        "The last week beside the last month",
        "share of people in each band, by days that count",
        description=f"Bar chart of people by band. {'; '.join(said)}.",
        figures=named,
        columns={
            "band": Column("Band"),
            "people": Column("Over 30 days", words.number, is_figure=True),
            "people_7d": Column("Over 7 days", words.number, is_figure=True),
        },
    )


def risk_then_and_now(steps: "pl.DataFrame", then: "datetime | None") -> "Chart":
    """Bars of known people by churn risk, with ticks for `then`, from `reports/drawn_risk`."""
    import altair as alt
    import polars as pl

    if not steps["people"].sum():
        return nothing("Nobody is known, so there is no risk of losing anybody.")
    shown = _ranges(steps).with_columns(
        (pl.col("people") / steps["people"].sum()).alias("share"),
        (pl.col("people_then") / max(1, steps["people_then"].sum())).alias("share_then"),
    )
    has_then = then is not None and bool(steps["people_then"].sum())
    day = f"on {words.day(then)}"
    colours = {"now": BLUE, day: ORANGE} if has_then else {"now": BLUE}
    x = _risk_axis("Churn risk, in steps of ten")
    y = alt.Axis(format="%", tickCount=5)
    base = alt.Chart(shown, height=200).encode(
        x=x,
        tooltip=[
            alt.Tooltip("range:N", title="Churn risk"),
            alt.Tooltip("people:Q", title="People now", format=","),
            alt.Tooltip("share:Q", title="Share now", format=".1%"),
            *([alt.Tooltip("share_then:Q", title=f"Share {day}", format=".1%")] * has_then),
        ],
    )
    chart: Chart = (
        base.transform_calculate(when="'now'")
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("share:Q", title="Share of known people", axis=y),
            color=legend("when", colours),
        )
    )
    columns = {
        "range": Column("Churn risk"),
        "people": Column("People now", words.number, is_figure=True),
    }
    if has_then:
        ticks = (
            base.transform_calculate(when=f"'{day}'")
            .mark_tick(thickness=3, opacity=1)
            .encode(y="share_then:Q", color=legend("when", colours))
        )
        chart = alt.layer(chart, ticks)
        columns["people_then"] = Column(f"People {day}", words.number, is_figure=True)
    said = [f"{row[0]}: {words.number(row[1])}" for row in shown.select("range", "people").rows()]
    return finish(
        chart,
        "How likely known people are to leave",
        "share of them by churn risk; from 70 on they are at risk",
        description=f"Bar chart of known people by churn risk. {'; '.join(said)}.",
        figures=shown,
        columns=columns,
    )


def stayed_away(steps: "pl.DataFrame", then: "datetime | None") -> "Chart":
    """Points with intervals: who did nothing since, by the risk of then, from `drawn_risk`.

    With the columns `share`, `low` and `high` beside those of the relation.
    """
    import altair as alt

    if not steps["people_then"].sum():
        return nothing("Nobody who is known was scored before, so there is no rule to check.")
    shown = _ranges(steps.filter(steps["people_then"] > 0))
    base = alt.Chart(shown, height=200).encode(
        x=_risk_axis("Churn risk then, in steps of ten"),
        tooltip=[
            alt.Tooltip("range:N", title="Churn risk"),
            alt.Tooltip("people_then:Q", title="People", format=","),
            alt.Tooltip("share:Q", title="Stayed away", format=".1%"),
            alt.Tooltip("low:Q", title="At least", format=".1%"),
            alt.Tooltip("high:Q", title="At most", format=".1%"),
        ],
    )
    axis = alt.Axis(format="%", tickCount=5)
    scale = alt.Scale(domain=[0, max(shown["high"].to_list())], nice=True)
    rule = base.mark_rule(strokeWidth=2, color=BLUE, opacity=0.6).encode(
        y=alt.Y("low:Q", title="Stayed away since", axis=axis, scale=scale), y2="high:Q"
    )
    point = base.mark_point(filled=True, size=70, color=BLUE, opacity=1).encode(y="share:Q")
    said = [
        f"{row['range']}: {words.percent(row['share'])} of {words.number(row['people_then'])}"
        for row in shown.iter_rows(named=True)
    ]
    return finish(
        alt.layer(rule, point),
        "Who stayed away since",
        f"by churn risk on {words.day(then)}, with 95 % intervals",
        description=f"Points of the share who did nothing since, by risk then. {'; '.join(said)}.",
        figures=shown,
        columns={
            "range": Column("Churn risk then"),
            "people_then": _PEOPLE,
            "stayed_away": Column("Stayed away", words.number, is_figure=True),
            "share": Column("Share", words.percent, is_figure=True),
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
        },
    )


def risk_by_group(groups: "pl.DataFrame", of: str) -> "Chart":
    """The share at risk of each group with its interval, beside all others; `of` says of what.

    Columns: label, people, at_risk, value, low, high, others.
    """
    if not groups.height:
        return nothing(f"There are no known people to compare by {of}.")
    texts = [
        f"{words.percent(share)} of {words.number(people)}"
        for share, people in groups.select("value", "people").iter_rows()
    ]
    said = "; ".join(f"{label}: {text}" for label, text in zip(groups["label"], texts, strict=True))
    return finish(
        ranges(groups, texts, mark="others"),
        f"At risk, by {of}",
        "share of known people with its interval; the tick is all others",
        description=f"Shares at risk by {of}. {said}.",
        figures=groups,
        columns={
            "label": Column(of.capitalize()),
            "people": Column("Known people", words.number, is_figure=True),
            "at_risk": Column("At risk", words.number, is_figure=True),
            "value": Column("Share", words.percent, is_figure=True),
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
            "others": Column("Of all others", words.percent, is_figure=True),
        },
    )


def _risk_axis(title: str) -> "alt.X":
    import altair as alt

    axis = alt.Axis(labelAngle=0, labelOverlap=True)
    return alt.X("risk_from:O", sort=None, title=title, axis=axis)


def _ranges(steps: "pl.DataFrame") -> "pl.DataFrame":
    """With a column `range`: `0–9`, and `90–100` for the last one."""
    import polars as pl

    start = pl.col("risk_from")
    until = pl.when(start < 90).then(start + 9).otherwise(100)
    return steps.with_columns(pl.format("{}–{}", start, until).alias("range"))
