"""Charts of how people come, convert and come back: paths, funnels, retention."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.drawing import BLUE, bars, columns, finish, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.drawing import Chart

_CONVERSIONS = Column("Conversions", words.number, is_figure=True)
_PEOPLE = Column("People", words.number, is_figure=True)


def path_lengths(lengths: "pl.DataFrame") -> "Chart":
    """Bars of conversions by the touchpoints of their path, from `reports/path_length`."""
    if not lengths["conversions"].sum():
        return nothing("No conversion of this period has touchpoints.")
    return finish(
        columns(lengths, "label", "conversions", "Touchpoints", "Conversions"),
        "How many touchpoints before a conversion",
        "conversions by the length of their path",
        description="Bar chart of conversions by touchpoints on their path. "
        f"{_said(lengths, 'conversions')}.",
        figures=lengths,
        columns={
            "label": Column("Touchpoints"),
            "conversions": _CONVERSIONS,
            "nulls": Column("People who didn't convert", words.number, is_figure=True),
        },
    )


def days_to_conversion(days: "pl.DataFrame") -> "Chart":
    """Bars of conversions by the days since the first touch, from `reports/path_days`."""
    if not days["conversions"].sum():
        return nothing("No conversion of this period has touchpoints.")
    return finish(
        columns(days, "label", "conversions", "Whole days", "Conversions"),
        "How long from first touch to conversion",
        "conversions by days",
        description="Bar chart of conversions by days from the first touchpoint. "
        f"{_said(days, 'conversions')}.",
        figures=days,
        columns={"label": Column("Days from the first touch"), "conversions": _CONVERSIONS},
    )


def funnel(steps: "pl.DataFrame") -> "Chart":
    """Bars of people by step, in order, from `Funnel.steps`."""
    if not steps["people"].sum():
        return nothing("Nobody took the first step of the funnel in this period.")
    texts = [
        words.number(people) if rate is None else f"{words.number(people)} · {words.percent(rate)}"
        for people, rate in steps.select("people", "rate_of_previous").iter_rows()
    ]
    said = "; ".join(f"{step}: {text}" for step, text in zip(steps["step"], texts, strict=True))
    return finish(
        bars(steps, "step", texts),
        "People at each step",
        "and the share of the step before who went on in time",
        description=f"Bar chart of people by funnel step. {said}.",
        figures=steps,
        columns={
            "step": Column("Step"),
            "people": _PEOPLE,
            "rate_of_previous": Column("Of the step before", words.percent, is_figure=True),
            "rate_of_first": Column("Of the first step", words.percent, is_figure=True),
            "median_days": Column("Typical time from the step before", words.days, is_figure=True),
            "median_days_from_first": Column("From the first", words.days, is_figure=True),
            "open": Column("Still in time to go on", words.number, is_figure=True),
        },
    )


def time_to_convert(times: "pl.DataFrame") -> "Chart":
    """Bars of people by the days that they took from first to last step, from `Funnel.times`."""
    import polars as pl

    if not times["people"].sum():
        return nothing("Nobody took the funnel's last step in time.")
    unit, size = _unit(times["bucket_to_days"].to_list()[-1])
    ends = times.select("bucket_from_days", "bucket_to_days").iter_rows()
    labels = [f"{_short(start * size)}–{_short(end * size)}" for start, end in ends]
    shown = times.with_columns(pl.Series("label", labels, dtype=pl.String))
    return finish(
        columns(shown, "label", "people", unit.capitalize(), "People"),
        "How long from the first to the last step",
        f"people by {unit}",
        description=f"Bar chart of people by the {unit} they took. {_said(shown, 'people')}.",
        figures=shown,
        columns={"label": Column(unit.capitalize()), "people": _PEOPLE},
    )


def _unit(longest_days: float) -> tuple[str, int]:
    """The unit in which the longest time is two or more, and how many of it are a day."""
    units = {"days": 1, "hours": 24}
    fits = (each for each in units.items() if longest_days * each[1] >= 2)
    return next(fits, ("minutes", 24 * 60))


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def retention(cohorts: "pl.DataFrame", every: str) -> "Chart":
    """A triangle of the share who came back, by cohort and period, from `Retention.cohorts`.

    `every` is what a period lasts, such as `week`. A period that isn't over has a dashed edge.
    """
    import altair as alt
    import polars as pl

    cohorts = cohorts.filter(pl.col("size") > 0).sort("cohort", "period")
    if not cohorts.height:
        return nothing(f"Nobody joined a cohort in these {every}s.")
    sizes = pl.format("{} · {}", pl.col("cohort").dt.strftime("%-d %b"), "size")
    written = pl.col("rate").map_elements(_hundredths, return_dtype=pl.String)
    shown = cohorts.with_columns(
        sizes.alias("name"),
        pl.when("is_complete").then(written).otherwise(written + "*").fill_null("").alias("text"),
    )
    base = alt.Chart(shown, height=26 * shown["cohort"].n_unique()).encode(
        x=alt.X(
            "period:O",
            title=f"{every.capitalize()}s after the first",
            axis=alt.Axis(orient="top", labelAngle=0),
        ),
        y=alt.Y("name:N", sort=None, title=None),
        tooltip=[
            alt.Tooltip("name:N", title="Began · people"),
            alt.Tooltip("period:O", title=every.capitalize()),
            alt.Tooltip("people:Q", title="Came back", format=","),
            alt.Tooltip("rate:Q", title="Share", format=".1%"),
        ],
    )
    # No darker than letters of either page stand out on.
    strength = alt.Scale(domain=[0, 1], range=[0.04, 0.6])
    fill = alt.FillOpacity("rate:Q", scale=strength, legend=None)
    over, running = (
        base.transform_filter(f"{no}datum.is_complete").mark_rect(color=BLUE, **edge).encode(fill)
        for no, edge in (
            ("", {"strokeWidth": 0}),
            ("!", {"stroke": "currentColor", "strokeOpacity": 0.6, "strokeDash": [3, 2]}),
        )
    )
    numbers = base.mark_text(fontSize=11).encode(text="text:N")
    return finish(
        alt.layer(over, running, numbers),
        f"Who comes back, {every} by {every}",
        f"per 100 people of each {every}'s cohort; * and a dashed edge: that {every} isn't over",
        description=_retained(shown, every),
        figures=shown,
        columns={
            "cohort": Column("Began", words.day),
            "size": _PEOPLE,
            "period": Column(every.capitalize(), words.number, is_figure=True),
            "people": Column("Came back", words.number, is_figure=True),
            "rate": Column("Share", words.percent, is_figure=True),
            "is_complete": Column("Over", lambda over: "yes" if over else "not yet"),
        },
    )


def _retained(cohorts: "pl.DataFrame", every: str) -> str:
    import polars as pl

    over = cohorts.filter(pl.col("is_complete") & (pl.col("period") > 0))
    shares = over.group_by("period").agg(pl.col("people").sum() / pl.col("size").sum())
    said = "; ".join(
        f"{every} {period}: {words.percent(share)}"
        for period, share in shares.sort("period").iter_rows()
    )
    count = words.count(cohorts["cohort"].n_unique(), "cohort")
    return f"Triangle of {count} by {every}: the share who came back. {said or 'None is over yet'}."


def _hundredths(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}"


def _said(frame: "pl.DataFrame", amount: str) -> str:
    """Each label with its amount, those without any left out."""
    pairs = frame.select("label", amount).iter_rows()
    return "; ".join(f"{label}: {words.number(value)}" for label, value in pairs if value)
