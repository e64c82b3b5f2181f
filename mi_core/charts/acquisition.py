"""Charts of the acquisition report: the relations of `sql/reports/`, drawn."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.drawing import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    SKY,
    bars,
    finish,
    histogram,
    legend,
    nothing,
)
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.drawing import Chart

BANDS = {"cold": BLUE, "cooling": SKY, "warm": ORANGE, "hot": RED}
LEVELS = {"low": BLUE, "medium": SKY, "high": ORANGE, "very high": RED}
BOUGHT = {"have bought": GREEN, "not yet": SKY}
KNOWN = {"known": BLUE, "unknown": ORANGE}

WEEKLY_DAYS = 70
"""Of more days, months are marked on an axis."""

_PEOPLE = Column("People", words.number, is_figure=True)
_SHARE = Column("Share", words.percent, is_figure=True)


def acquisition_funnel(steps: "pl.DataFrame") -> "Chart":
    """Bars of people by step, in order, from the relation `reports/acquisition_funnel`."""
    if not steps["people"].sum():
        return nothing("Nobody took the first step of the funnel in this period.")
    texts = [
        words.number(people) if rate is None else f"{words.number(people)} · {words.percent(rate)}"
        for people, rate in steps.select("people", "rate_of_previous").iter_rows()
    ]
    return finish(
        bars(steps, "step", texts),
        "People at each step",
        "and the share of the step before who went on",
        description=f"Bar chart of people by funnel step. {_said(steps['step'], texts)}.",
        figures=steps,
        columns={
            "step": Column("Step"),
            "people": _PEOPLE,
            "rate_of_previous": Column("Of the step before", words.percent, is_figure=True),
            "rate_of_first": Column("Of the first step", words.percent, is_figure=True),
            "median_days": Column("Typical time from the first step", words.days, is_figure=True),
        },
    )


def people_by_persona(mix: "pl.DataFrame") -> "Chart":
    """Bars of people by persona, from the relation `reports/persona_mix`."""
    if not mix["people"].sum():
        return nothing("Nobody has been scored, so there are no personas to show.")
    texts = _people_and_share(mix)
    return finish(
        bars(mix, "label", texts),
        "People by persona",
        "the kind of customer whom each person most resembles",
        description=f"Bar chart of people by persona. {_said(mix['label'], texts)}.",
        figures=mix,
        columns={
            "label": Column("Persona"),
            "people": _PEOPLE,
            "share": _SHARE,
            "median_intent": Column("Typical intent", words.number, is_figure=True),
            "buyers": Column("Have bought", words.number, is_figure=True),
        },
    )


def band_shares(shares: "pl.DataFrame") -> "Chart":
    """Bars of people by magnetism band at the newest scoring of `reports/band_share`."""
    import polars as pl

    newest = shares.filter(pl.col("as_of") == pl.col("as_of").max()).sort("position").reverse()
    if not newest["people"].sum():
        return nothing("Nobody has been scored in this period.")
    named = newest.with_columns(pl.col("band").str.to_titlecase().alias("label"))
    texts = _people_and_share(named)
    return finish(
        bars(named, "label", texts, [BANDS[band] for band in named["band"]]),
        "People by band",
        f"as of {words.moment(named['as_of'][0])}",
        description=f"Bar chart of people by magnetism band. {_said(named['label'], texts)}.",
        figures=named,
        columns={"label": Column("Band"), "people": _PEOPLE, "share": _SHARE},
    )


def band_trend(shares: "pl.DataFrame") -> "Chart":
    """Lines of each band's share over the scorings of `reports/band_share`."""
    import altair as alt
    import polars as pl

    scorings = shares["as_of"].unique().sort()
    if len(scorings) < 2:
        return nothing("A trend needs two scorings or more in the period; there has been one.")
    first, last = (shares.filter(pl.col("as_of") == at) for at in (scorings[0], scorings[-1]))
    said = [
        f"{band} from {words.percent(was)} to {words.percent(now)}"
        for band, was, now in zip(first["band"], first["share"], last["share"], strict=True)
    ]
    # Ticks at scorings: the axis' own choice would put hours between two close ones.
    days = [{"year": at.year, "month": at.month, "date": at.day} for at in scorings]
    ticks = alt.Axis(format="%-d %b", values=days, labelOverlap=True, labelFlush=True)
    chart = (
        alt.Chart(shares, height=220)
        .mark_line(point={"size": 40, "filled": True})
        .encode(
            x=alt.X("as_of:T", title=None, axis=ticks),
            y=alt.Y("share:Q", title="Share of people", axis=alt.Axis(format="%", tickCount=5)),
            color=legend("band", BANDS),
            shape=alt.Shape("band:N", title=None, scale=alt.Scale(domain=list(BANDS))),
            tooltip=[
                alt.Tooltip("as_of:T", title="Scored", format="%-d %B %Y"),
                alt.Tooltip("band:N", title="Band"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
                alt.Tooltip("people:Q", title="People", format=","),
            ],
        )
    )
    return finish(
        chart,
        "How the bands have changed",
        "share of people in each, by day of scoring",
        description=f"Line chart over {len(scorings)} scorings: {words.listed(said)}.",
        figures=shares.pivot("band", index="as_of", values="share").sort("as_of", descending=True),
        columns={
            "as_of": Column("Scored", words.day),
            **{name: Column(name.title(), words.percent, is_figure=True) for name in first["band"]},
        },
    )


def intent_distribution(steps: "pl.DataFrame") -> "Chart":
    """Histogram of intent, coloured by level, from `reports/intent_distribution`."""
    import polars as pl

    if not steps["people"].sum():
        return nothing("Nobody has been scored, so there is no intent to show.")
    shown = steps.with_columns(
        pl.col("level").str.replace_all("_", " "), pl.col("score_from").alias("start"), _range(5)
    )
    people = dict(shown.group_by("level").agg(pl.col("people").sum()).iter_rows())
    said = [f"{level} {words.number(people.get(level, 0))}" for level in LEVELS]
    return finish(
        histogram(shown, 5, "level", LEVELS, "Intent score"),
        "How close people are to buying",
        "people by intent score, over the last 30 days",
        description=f"Histogram of intent scores. People by level: {words.listed(said)}.",
        figures=shown,
        columns={"range": Column("Intent"), "level": Column("Level"), "people": _PEOPLE},
    )


def churn_risk(steps: "pl.DataFrame") -> "Chart":
    """Histogram of churn risk, buyers apart, from `reports/churn_distribution`."""
    import polars as pl

    if not steps["people"].sum():
        return nothing("Nobody has been scored, so there is no churn risk to show.")
    bought, not_yet = BOUGHT
    shown = steps.with_columns(
        pl.when("has_bought").then(pl.lit(bought)).otherwise(pl.lit(not_yet)).alias("bought"),
        pl.col("risk_from").alias("start"),
        _range(10),
    )
    said = [
        f"{row['range']}: {words.number(row['people'])} who {row['bought']}"
        for row in shown.iter_rows(named=True)
    ]
    return finish(
        histogram(shown, 10, "bought", BOUGHT, "Churn risk"),
        "How likely people are to leave",
        "people by churn risk",
        description=f"Histogram of churn risk. {'; '.join(said)}.",
        figures=shown,
        columns={"range": Column("Churn risk"), "bought": Column("Purchase"), "people": _PEOPLE},
    )


def coverage(days: "pl.DataFrame") -> "Chart":
    """Bars of events by day, unknown names apart, from `reports/coverage`."""
    import altair as alt

    if not days["events"].sum():
        return nothing("No events arrived in this period.")
    events = days["events"].to_list()
    step = {"interval": "month" if days.height > WEEKLY_DAYS else "week", "step": 1}
    ticks = alt.Axis(format="%-d %b", tickCount=step, labelOverlap=True)
    chart = (
        alt.Chart(days, height=180)
        .transform_fold(list(KNOWN), as_=["name", "count"])
        .mark_bar()
        .encode(
            x=alt.X("day:T", timeUnit="yearmonthdate", title=None, axis=ticks),
            y=alt.Y("count:Q", title="Events"),
            color=legend("name", KNOWN),
            tooltip=[
                alt.Tooltip("day:T", title="Day", format="%-d %B %Y"),
                alt.Tooltip("events:Q", title="Events", format=","),
                alt.Tooltip("unknown:Q", title="Of unknown name", format=","),
            ],
        )
    )
    return finish(
        chart,
        "Events by day",
        "with a name that the settings know, or don't",
        description=f"Bar chart of events on {words.count(days.height, 'day')}: "
        f"{words.number(sum(events))} in all, at most {words.number(max(events))} on a day, and "
        f"{words.count(events.count(0), 'day')} without any.",
        figures=days.reverse(),
        columns={
            "day": Column("Day", words.day),
            "events": Column("Events", words.number, is_figure=True),
            "people": _PEOPLE,
            "visits": Column("Visits", words.number, is_figure=True),
            "visits_with_origin": Column("Of known origin", words.number, is_figure=True),
            "unknown": Column("Unknown names", words.number, is_figure=True),
        },
    )


def _people_and_share(frame: "pl.DataFrame") -> list[str]:
    return [
        f"{words.number(people)} · {words.percent(share)}"
        for people, share in frame.select("people", "share").iter_rows()
    ]


def _said(labels: "pl.Series", texts: list[str]) -> str:
    return "; ".join(f"{label}: {text}" for label, text in zip(labels, texts, strict=True))


def _range(step: int) -> "pl.Expr":
    """The step in words: `0–4`, and `95–100` for the last one."""
    import polars as pl

    start = pl.col("^(score|risk)_from$")
    until = pl.when(start + step < 100).then(start + step - 1).otherwise(100)
    return pl.format("{}–{}", start, until).alias("range")
