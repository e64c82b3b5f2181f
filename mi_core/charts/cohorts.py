"""Charts of the cohorts report: the curve of who comes back, who is active, and how often."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.drawing import BLUE, GREEN, ORANGE, SKY, columns, finish, legend, nothing
from mi_core.stories.cohorts import curves
from mi_core.tables import Column

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from mi_core.drawing import Chart
    from mi_core.retention import Retention

KINDS = {"came again": BLUE, "back after a pause": GREEN, "new": ORANGE, "stayed away": SKY}
"""People of a week; who stayed away was active in the week before."""

_OF = {
    "came again": "returning",
    "back after a pause": "resurrecting",
    "new": "new",
    "stayed away": "dormant",
}
_PEOPLE = Column("People", words.number, is_figure=True)
_SHARE = Column("Share", words.percent, is_figure=True)


def retention_curve(found: "Retention") -> "Chart":
    """A line of the share who came back by period, all cohorts together, with its interval."""
    import altair as alt

    every = found.every
    curve = curves.curve(found.cohorts)
    if not curve.height:
        return nothing(f"No {every} after a first one is over yet, so nobody can have come back.")
    base = alt.Chart(curve, height=220).encode(
        x=alt.X("period:O", title=f"{every.capitalize()}s after the first", axis=_upright())
    )
    share = alt.Y("rate:Q", title="Share who came back", axis=alt.Axis(format="%", tickCount=5))
    range_ = base.mark_area(color=BLUE, opacity=0.2).encode(y=alt.Y("low:Q"), y2="high:Q")
    # An area of one point has no width.
    ends = base.mark_rule(color=BLUE, opacity=0.4).encode(y="low:Q", y2="high:Q")
    line = base.mark_line(color=BLUE, point={"size": 50, "filled": True}).encode(
        y=share,
        tooltip=[
            alt.Tooltip("period:O", title=every.capitalize()),
            alt.Tooltip("rate:Q", title="Share", format=".1%"),
            alt.Tooltip("low:Q", title="At least", format=".1%"),
            alt.Tooltip("high:Q", title="At most", format=".1%"),
            alt.Tooltip("size:Q", title="People", format=","),
        ],
    )
    said = [
        f"{every} {period}: {words.percent(rate)} ({words.between(low, high, words.percent)})"
        for period, rate, low, high in curve.select("period", "rate", "low", "high").iter_rows()
    ]
    return finish(
        alt.layer(range_, ends, line),
        f"How many come back, {every} after {every}",
        "all cohorts together; the band: how far chance could move it",
        description=f"Line of the share who came back, with 95 % intervals. {'; '.join(said)}.",
        figures=curve,
        columns={
            "period": Column(every.capitalize(), words.number),
            "size": _PEOPLE,
            "people": Column("Came back", words.number, is_figure=True),
            "rate": _SHARE,
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
        },
    )


def lifecycle(weeks: "pl.DataFrame") -> "Chart":
    """Bars of who was active each week, and below zero who no longer was, of `lifecycle()`."""
    import altair as alt
    import polars as pl

    if not weeks.select(_OF.values()).sum().sum_horizontal()[0]:
        return nothing("Nobody was active in the product in these weeks.")
    # Who hasn't come yet may still come.
    weeks = weeks.with_columns(pl.when("is_complete").then("dormant").alias("dormant"))
    long = weeks.unpivot(
        list(_OF.values()), index=["period", "is_complete"], variable_name="of", value_name="people"
    ).with_columns(
        pl.col("of").replace_strict({of: kind for kind, of in _OF.items()}).alias("kind"),
        pl.when(pl.col("of") == "dormant").then(-pl.col("people")).otherwise("people").alias("bar"),
        _week().alias("week"),
    )
    chart = (
        alt.Chart(long, height=240)
        .mark_bar()
        .encode(
            x=alt.X("week:N", sort=None, title="Week that began on", axis=_upright()),
            y=alt.Y("bar:Q", title="People"),
            color=legend("kind", KINDS).legend(columns=2),
            opacity=alt.condition("datum.is_complete", alt.value(1), alt.value(0.45)),
            tooltip=[
                alt.Tooltip("week:N", title="Week"),
                alt.Tooltip("kind:N", title=" "),
                alt.Tooltip("people:Q", title="People", format=","),
            ],
        )
    )
    return finish(
        chart,
        "Who is active each week",
        f"and, below the line, who stayed away{_and_pale(weeks)}",
        description=_who_was_active(weeks),
        figures=weeks.reverse(),
        columns={
            "period": Column("Week", words.day),
            **{
                of: Column(kind.capitalize(), words.number, is_figure=True)
                for kind, of in _OF.items()
            },
            "is_complete": Column("Over", lambda over: "yes" if over else "not yet"),
        },
    )


def stickiness(days: "pl.DataFrame") -> "Chart":
    """Bars of people by the number of days on which they were active, of `stickiness()`."""
    import polars as pl

    if not days["people"].sum():
        return nothing("Nobody was active in the product in these days.")
    shown = days.with_columns(pl.col("active_periods").cast(pl.String).alias("label"))
    said = "; ".join(
        f"{label}: {words.number(people)}"
        for label, people in shown.select("label", "people").iter_rows()
        if people
    )
    return finish(
        columns(shown, "label", "people", "Days active", "People"),
        "How often people are active",
        f"people by days active, of the last {days.height}",
        description=f"Bar chart of people by days active. {said}.",
        figures=shown,
        columns={"label": Column("Days active"), "people": _PEOPLE, "share": _SHARE},
    )


def _upright() -> "alt.Axis":
    import altair as alt

    return alt.Axis(labelAngle=0, labelOverlap=True)


def _week() -> "pl.Expr":
    """A week's first day, short; a star where it isn't over."""
    import polars as pl

    star = pl.when("is_complete").then(pl.lit("")).otherwise(pl.lit("*"))
    return pl.concat_str(pl.col("period").dt.strftime("%-d %b"), star)


def _and_pale(weeks: "pl.DataFrame") -> str:
    return "" if weeks["is_complete"].all() else "; * and pale: that week isn't over"


def _who_was_active(weeks: "pl.DataFrame") -> str:
    import polars as pl

    over = weeks.filter("is_complete")
    if not over.height:
        return "Bar chart of active people by week; the one week shown isn't over yet, at 0 weeks."
    active = over.select(pl.sum_horizontal("new", "returning", "resurrecting"))
    people = active.to_series().to_list()
    return (
        f"Bar chart of active people in {words.count(over.height, 'whole week')}: from "
        f"{words.number(min(people))} to {words.number(max(people))}, in the last of them "
        f"{words.number(people[-1])}; {words.number(over['dormant'][-1])} stayed away then."
    )
