"""Charts of the data health report: what came when and how, what shifted, what was bad when."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.drawing import BLUE, GREEN, ORANGE, RED, SKY, finish, legend, nothing
from mi_core.monitoring import drift
from mi_core.tables import Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    import altair as alt
    import polars as pl

    from mi_core.drawing import Chart
    from mi_core.stories.health import HealthReport

WAYS = {"by webhook or SDK": BLUE, "by export or pull alone": ORANGE}
THEN_AND_NOW = {"a week before": ORANGE, "now": BLUE}
STATUSES = {"well": GREEN, "can't tell": SKY, "warning": ORANGE, "alert": RED}
_STATUS = {"ok": "well", "unknown": "can't tell", "warning": "warning", "alert": "alert"}

_EVENTS = Column("Events", words.number, is_figure=True)


def arrivals(report: "HealthReport") -> "Chart":
    """Bars of events by day, by whether they came by the webhook or an SDK."""
    import altair as alt
    import polars as pl

    hours = report.hours_of(is_now=True)
    if not hours["events"].sum():
        return nothing("No event came in this period.")
    days = (
        hours.group_by(pl.col("hour").dt.date().alias("day"))
        .agg(
            pl.col("events").sum(),
            pl.col("missed").sum().alias("fetched"),
            pl.col("is_verified").sum().alias("verified"),
        )
        .with_columns((pl.col("events") - pl.col("fetched")).alias("live"))
        .sort("day")
    )
    long = days.unpivot(
        ["live", "fetched"], index=["day", "events", "verified"], value_name="count"
    ).with_columns(
        pl.col("variable")
        .replace_strict(dict(zip(("live", "fetched"), WAYS, strict=True)))
        .alias("way")
    )
    chart = (
        alt.Chart(long, height=200)
        .mark_bar()
        .encode(
            x=alt.X("day:T", timeUnit="yearmonthdate", title=None, axis=_days()),
            y=alt.Y("count:Q", title="Events"),
            color=legend("way", WAYS),
            tooltip=[
                alt.Tooltip("day:T", title="Day", format="%-d %B %Y"),
                alt.Tooltip("way:N", title=" "),
                alt.Tooltip("count:Q", title="Events", format=","),
                alt.Tooltip("verified:Q", title="Verified hours"),
            ],
        )
    )
    live, fetched = int(days["live"].sum()), int(days["fetched"].sum())
    return finish(
        chart,
        "Events by day",
        "and which of them the webhook or an SDK brought",
        description=f"Bar chart of events on {words.count(days.height, 'day')}: "
        f"{words.number(live)} by webhook or SDK, {words.number(fetched)} by exports or pulls "
        "alone.",
        figures=days.reverse(),
        columns={
            "day": Column("Day", words.day),
            "events": _EVENTS,
            "live": Column("By webhook or SDK", words.number, is_figure=True),
            "fetched": Column("By export or pull alone", words.number, is_figure=True),
            "verified": Column("Verified hours", words.number, is_figure=True),
        },
    )


def event_hours(report: "HealthReport", days: int) -> "Chart":
    """A cell for each hour of the last `days` days; red: no event, though it always has some."""
    import altair as alt
    import polars as pl

    now = report.hours_of(is_now=True).tail(24 * days)
    if not now["events"].sum():
        return nothing("No event came in these days.")
    silent = report.silent_hours
    cells = now.select("hour", "events", "is_verified").with_columns(
        pl.col("hour").dt.strftime("%-d %b").alias("day"),
        pl.col("hour").dt.hour().alias("at"),
        pl.col("hour").is_in(silent).alias("is_gap"),
    )
    # Of the busiest hours one would leave all others pale.
    most = max(1, round(cells["events"].quantile(0.97) or 1))
    base = alt.Chart(cells, height=19 * cells["day"].n_unique()).encode(
        x=alt.X(
            "at:O", title="Hour, UTC", axis=alt.Axis(labelAngle=0, values=list(range(0, 24, 3)))
        ),
        y=alt.Y("day:N", sort=None, title=None),
        tooltip=[
            alt.Tooltip("hour:T", title="Hour", format="%-d %B, %H:%M"),
            alt.Tooltip("events:Q", title="Events", format=","),
            alt.Tooltip("is_verified:N", title="Verified"),
        ],
    )
    scale = alt.Scale(domain=[0, most], range=[0.03, 0.9], clamp=True)
    filled = base.mark_rect(color=BLUE).encode(
        fillOpacity=alt.FillOpacity("events:Q", scale=scale, legend=None)
    )
    empty = base.transform_filter("datum.is_gap")
    gap = empty.mark_rect(color=RED) + empty.mark_text(text="✕", fontSize=10, color="white")
    gaps = int(cells["is_gap"].sum())
    return finish(
        alt.layer(filled, gap),
        "Events by hour",
        f"the darker the more, up to {words.number(most)}; red: none, though it always has some",
        description=f"Grid of events by hour on {words.count(cells['day'].n_unique(), 'day')}, "
        f"{words.number(int(cells['events'].sum()))} in all; {words.count(gaps, 'hour')} without "
        "any that always have some.",
        figures=_by_day(cells),
        columns={
            "day": Column("Day"),
            "events": _EVENTS,
            "hours": Column("Hours with events", words.number, is_figure=True),
            "gaps": Column("Hours missed", words.number, is_figure=True),
            "verified": Column("Verified hours", words.number, is_figure=True),
        },
    )


def score_then_and_now(report: "HealthReport", score: str) -> "Chart":
    """Bars of the shares of people by ten points of `intent` or `magnetism`, now and before."""
    import altair as alt
    import polars as pl

    rows = report.points.filter(pl.col("score") == score)
    name = score.capitalize()
    if report.pair is None or not rows["people"].sum() or not rows["people_before"].sum():
        return nothing(f"There are no two scorings a week apart to compare {score} by.")
    sides = {
        when: drift.in_bins(dict(rows.select("point", column).iter_rows()))
        for when, column in zip(THEN_AND_NOW, ("people_before", "people"), strict=True)
    }
    frame = pl.DataFrame(
        [
            {
                "range": _range(position),
                "when": when,
                "people": people,
                "share": people / sum(bins),
            }
            for when, bins in sides.items()
            for position, people in enumerate(bins)
        ]
    )
    chart = (
        alt.Chart(frame, height=200)
        .mark_bar()
        .encode(
            x=alt.X(
                "range:N", sort=None, title=name, axis=alt.Axis(labelAngle=0, labelOverlap=True)
            ),
            xOffset=alt.XOffset("when:N", sort=list(THEN_AND_NOW)),
            y=alt.Y("share:Q", title="Share of people", axis=alt.Axis(format="%", tickCount=5)),
            color=legend("when", THEN_AND_NOW),
            tooltip=[
                alt.Tooltip("when:N", title="When"),
                alt.Tooltip("range:N", title=name),
                alt.Tooltip("people:Q", title="People", format=","),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    return finish(
        chart,
        f"{name} scores",
        f"now, and on {words.day(report.pair.earlier)}",
        description=_said_of_bins(name, sides),
        figures=frame.pivot("when", index="range", values="share"),
        columns={"range": Column(name)}
        | {each: Column(each.capitalize(), words.percent, is_figure=True) for each in THEN_AND_NOW},
    )


def check_statuses(report: "HealthReport") -> "Chart":
    """A bar for each check over the period, coloured by what watches found."""
    import altair as alt
    import polars as pl

    if not report.statuses.height:
        return nothing("Nobody watched in this period: mi watch remembers what it finds.")
    titles = {each.name: each.title for each in report.checks}
    spans = report.statuses.with_columns(
        pl.col("name").replace(titles).alias("title"),
        pl.col("status").replace_strict(_STATUS).alias("found"),
        ((pl.col("until") - pl.col("since")).dt.total_seconds() / 86400).alias("days"),
    )
    chart = (
        alt.Chart(spans, height=24 * spans["title"].n_unique())
        .mark_bar(height=12)
        .encode(
            x=alt.X("since:T", title=None, axis=_days()),
            x2="until:T",
            y=alt.Y(
                "title:N", sort=list(titles.values()), title=None, axis=alt.Axis(labelLimit=160)
            ),
            color=legend("found", STATUSES),
            tooltip=[
                alt.Tooltip("title:N", title="Check"),
                alt.Tooltip("found:N", title="Status"),
                alt.Tooltip("since:T", title="From", format="%-d %B, %H:%M"),
                alt.Tooltip("until:T", title="To", format="%-d %B, %H:%M"),
            ],
        )
    )
    bad = spans.filter(pl.col("status").is_in(["warning", "alert"]))
    return finish(
        chart,
        "What watches found",
        "each check over the period",
        description=f"Bars of the status of {words.count(spans['title'].n_unique(), 'check')} over "
        f"time, with {words.count(bad.height, 'stretch', 'stretches')} of warning or alert.",
        figures=spans.sort("title", "since"),
        columns={
            "title": Column("Check"),
            "found": Column("Status"),
            "since": Column("From", words.moment),
            "until": Column("To", words.moment),
            "days": Column("For", words.days, is_figure=True),
        },
    )


def _days() -> "alt.Axis":
    import altair as alt

    return alt.Axis(format="%-d %b", labelOverlap=True, tickCount={"interval": "day", "step": 7})


def _by_day(cells: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    return cells.group_by("day", maintain_order=True).agg(
        pl.col("events").sum(),
        (pl.col("events") > 0).sum().alias("hours"),
        pl.col("is_gap").sum().alias("gaps"),
        pl.col("is_verified").sum().alias("verified"),
    )


def _range(position: int) -> str:
    return "90–100" if position == 9 else f"{10 * position}–{10 * position + 9}"


def _said_of_bins(name: str, sides: "Mapping[str, list[int]]") -> str:
    before, now = (sides[when] for when in THEN_AND_NOW)
    shares = [
        (then / sum(before), people / sum(now)) for then, people in zip(before, now, strict=True)
    ]
    each = [
        f"{_range(position)}: {words.percent(then)}, now {words.percent(share)}"
        for position, (then, share) in enumerate(shares)
    ]
    return f"Bars of the share of people by {name.lower()} score. {'; '.join(each)}."
