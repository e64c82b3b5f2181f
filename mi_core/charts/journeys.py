"""Charts of how people come, convert and come back: paths, funnels, retention."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.drawing import bars, columns, finish, grid, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.drawing import Chart
    from mi_core.funnels import Funnel
    from mi_core.retention import Retention

_CONVERSIONS = Column("Conversions", words.number, is_figure=True)
_PEOPLE = Column("People", words.number, is_figure=True)
_STEP_COLUMNS = {
    "people": _PEOPLE,
    "rate_of_previous": Column("Of the step before", words.percent, is_figure=True),
    "rate_of_first": Column("Of the first step", words.percent, is_figure=True),
    "median_days": Column("Typical time from the step before", words.days, is_figure=True),
    "median_days_from_first": Column("From the first", words.days, is_figure=True),
    "open": Column("Still in time to go on", words.number, is_figure=True),
}


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


def funnel(found: "Funnel") -> "Chart":
    """Bars of people by step, in order, of `Workspace.funnel()`.

    With a breakdown: a row per group, a column per step, the share of the first step in it.
    """
    steps = found.steps
    if not steps["people"].sum():
        return nothing("Nobody took the first step of the funnel in this period.")
    if found.by:
        return _funnels(steps, found.by)
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
        columns={"step": Column("Step"), **_STEP_COLUMNS},
    )


def _funnels(steps: "pl.DataFrame", by: str) -> "Chart":
    import polars as pl

    sizes = pl.col("people").first().over("breakdown")
    shown = _with_groups(steps.with_columns(sizes.alias("size"))).with_columns(
        _written("rate_of_first").alias("text")
    )
    last = steps["position"].max()
    said = "; ".join(
        f"{name}: {words.percent(rate)}"
        for name, position, rate in shown.select("group", "position", "rate_of_first").iter_rows()
        if position == last
    )
    columns = shown["step"].unique(maintain_order=True).to_list()
    return finish(
        grid(shown, "name", "step", "rate_of_first", "", columns),
        f"How far people get, by {by}",
        f"per 100 people of each {by} at the first step, how many reached each step in time",
        description=f"Shares of people by funnel step and {by}. To the last step: {said}.",
        figures=shown,
        columns={"group": Column(by.capitalize()), "step": Column("Step"), **_STEP_COLUMNS},
    )


def time_to_convert(found: "Funnel") -> "Chart":
    """Bars of people by how long they took from first step to last, of `Workspace.funnel()`.

    With a breakdown: of all groups together.
    """
    import polars as pl

    times = found.times
    if not times["people"].sum():
        return nothing("Nobody took the funnel's last step in time.")
    ends = ["bucket_from_days", "bucket_to_days"]
    together = times.group_by(ends, maintain_order=True).agg(pl.col("people").sum())
    unit, size = _unit(together["bucket_to_days"].to_list()[-1])
    labels = [
        f"{_short(start * size)}–{_short(end * size)}"
        for start, end in together.select(ends).iter_rows()
    ]
    shown = together.with_columns(pl.Series("label", labels, dtype=pl.String))
    groups = f", all {words.noun(found.by, 2)} together" if found.by else ""
    return finish(
        columns(shown, "label", "people", unit.capitalize(), "People"),
        "How long from the first to the last step",
        f"people by {unit}{groups}",
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


def retention(found: "Retention") -> "Chart":
    """A triangle of the share who came back, by cohort and period, of `Workspace.retention()`.

    A period that isn't over has a dashed edge. With a breakdown: a row per group, over its cohorts.
    """
    import polars as pl

    cohorts, every = found.cohorts, found.every
    cohorts = cohorts.filter(pl.col("size") > 0)
    if not cohorts.height:
        return nothing(f"Nobody joined a cohort in these {every}s.")
    if found.by:
        return _retentions(found)
    shown = cohorts.sort("cohort", "period").with_columns(
        pl.format("{} · {}", _begun(cohorts, every), "size").alias("name"),
        pl.concat_str(
            _written("rate"), pl.when("is_complete").then(pl.lit("")).otherwise(pl.lit("*"))
        ).alias("text"),
    )
    return finish(
        grid(shown, "name", "period", "rate", f"{every.capitalize()}s after the first"),
        f"Who comes back, {every} by {every}",
        f"per 100 people of each {every}'s cohort; * and a dashed edge: that {every} isn't over",
        description=_retained(shown, every),
        figures=shown,
        columns={
            "cohort": Column("Began", words.day),
            **_kept(every),
            "is_complete": Column("Over", lambda over: "yes" if over else "not yet"),
        },
    )


def _retentions(found: "Retention") -> "Chart":
    import polars as pl

    every, by = found.every, found.by or ""
    over = found.cohorts.filter("is_complete", pl.col("size") > 0)
    if over.is_empty():
        return nothing(f"No {every} of these people is over yet.")
    people = over.group_by("breakdown", "period").agg(pl.col("size", "people").sum())
    joined = (
        found.cohorts.group_by("breakdown", "cohort")
        .agg(pl.col("size").first())
        .group_by("breakdown")
        .agg(pl.col("size").sum().alias("joined"))
    )
    kept = people.with_columns((pl.col("people") / pl.col("size")).alias("rate"))
    sized = kept.join(joined, on="breakdown").sort(
        "joined", "breakdown", "period", descending=[True, False, False]
    )
    shown = _with_groups(sized, size="joined").with_columns(_written("rate").alias("text"))
    said = "; ".join(
        f"{name}: {words.percent(rate)}"
        for name, period, rate in shown.select("group", "period", "rate").iter_rows()
        if period == 1
    )
    return finish(
        grid(shown, "name", "period", "rate", f"{every.capitalize()}s after the first"),
        f"Who comes back, by {by}",
        f"per 100 people of all cohorts of which that {every} is over",
        description=f"Shares of people who came back, by {by} and {every}. "
        f"In {every} 1: {said or 'not over yet'}.",
        figures=shown,
        columns={"group": Column(by.capitalize()), **_kept(every)},
    )


def _kept(every: str) -> dict[str, Column]:
    return {
        "size": _PEOPLE,
        "period": Column(every.capitalize(), words.number, is_figure=True),
        "people": Column("Came back", words.number, is_figure=True),
        "rate": Column("Share", words.percent, is_figure=True),
    }


def _begun(cohorts: "pl.DataFrame", every: str) -> "pl.Expr":
    """When a cohort began, so short that it stands before a row and yet is of one cohort alone."""
    import polars as pl

    years = cohorts["cohort"].dt.year().n_unique()
    shape = "%b %Y" if every == "month" else "%-d %b" if years == 1 else "%-d %b %Y"
    return pl.col("cohort").dt.strftime(shape)


def _with_groups(frame: "pl.DataFrame", size: str = "size") -> "pl.DataFrame":
    """With `group`, the breakdown as people know it, and `name`, that with the group's size."""
    import polars as pl

    known = pl.when(pl.col("breakdown") == "(none)").then(pl.lit("None known"))
    return frame.with_columns(known.otherwise("breakdown").alias("group")).with_columns(
        pl.format("{} · {}", "group", size).alias("name")
    )


def _written(share: str) -> "pl.Expr":
    import polars as pl

    return pl.col(share).map_elements(_hundredths, return_dtype=pl.String).fill_null("")


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
