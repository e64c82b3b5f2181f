"""The data health report's tables and words."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.ingest.coverage import unverified
from mi_core.monitoring.check import IN_WORDS, written
from mi_core.stories import terms
from mi_core.stories.health.findings import NAMES
from mi_core.tables import Column, Html, definitions, sentence, table

if TYPE_CHECKING:
    from mi_core.stories.health.figures import HealthReport

ROWS = 20


def checks(report: "HealthReport") -> Html:
    """Each check at the end of the period: its status, value and limit."""
    import polars as pl

    rows = [
        {
            "title": each.title,
            "status": IN_WORDS[each.status],
            "value": written(each.value, each.unit),
            "limit": written(each.limit, each.unit),
            "sentence": each.sentence,
        }
        for each in report.checks
    ]
    columns = {
        "title": Column("Check"),
        "status": Column("Status"),
        "value": Column("Found", is_figure=True),
        "limit": Column("Limit", is_figure=True),
        "sentence": Column("What was found"),
    }
    until = words.moment(report.edition.period.until)
    return table(pl.DataFrame(rows), columns, caption=f"As of {until}", kind="cards plain")


def sources(report: "HealthReport") -> Html:
    """What each source delivered, and what nobody else did."""
    import polars as pl

    rows = [
        {"source": _source(name), "all": count, "alone": alone}
        for name, count, alone in report.sources()
    ]
    columns = {
        "source": Column("Source"),
        "all": Column("Events delivered", words.number, is_figure=True),
        "alone": Column("By no other source", words.number, is_figure=True),
    }
    caption = "Events of the period by source; one that came by several counts for each"
    return table(pl.DataFrame(rows), columns, caption=caption)


def gaps(report: "HealthReport") -> Html:
    """Stretches without events, and those that no export or pull covers."""
    import polars as pl

    stretches = [
        *((since, until, "no event, though it always has some") for since, until in silent(report)),
        *(
            (since, until, "no export or pull covers it")
            for since, until in unverified(report.hours_of(is_now=True))
        ),
    ]
    rows = [
        (words.moment(since), words.days((until - since).total_seconds() / 86400), why)
        for since, until, why in sorted(stretches)
    ]
    if not rows:
        return sentence("No hour lacks events, and exports and pulls cover all of them.")
    frame = pl.DataFrame(rows, schema=["since", "length", "why"], orient="row")
    columns = {
        "since": Column("From"),
        "length": Column("For", is_figure=True),
        "why": Column("What is wrong"),
    }
    caption = f"Gaps ({words.number(min(ROWS, frame.height))} of {words.number(frame.height)})"
    return table(frame.head(ROWS), columns, caption=caption)


def silent(report: "HealthReport") -> list[tuple[datetime, datetime]]:
    """Hours without events that always have some, those in a row together, as (since, until)."""
    found: list[tuple[datetime, datetime]] = []
    for at in report.silent_hours:
        is_next = bool(found) and found[-1][1] == at
        since = found.pop()[0] if is_next else at
        found.append((since, at + timedelta(hours=1)))
    return found


def outcomes(report: "HealthReport") -> Html:
    """What became of the rows of files and pulls, against the period before."""
    import polars as pl

    if not report.fetched() + report.fetched(is_now=False):
        return sentence("No export file or pull reached up to a time of these periods.")
    said = {
        "accepted": "Stored",
        "duplicates": "Had come already, stored once",
        "withheld": "Withheld for want of consent",
        "rejected": "Couldn't be read",
    }
    rows = [
        {
            "outcome": words_of,
            "now": report.outcome(name),
            "before": report.outcome(name, is_now=False),
        }
        for name, words_of in said.items()
    ]
    columns = {
        "outcome": Column("Rows of files and pulls"),
        "now": Column("This period", words.number, is_figure=True),
        "before": Column("Period before", words.number, is_figure=True),
    }
    return table(pl.DataFrame(rows), columns, caption="By when the file or pull ends")


def unknown_events(report: "HealthReport") -> Html:
    """Event names that the settings don't know, the most frequent first."""
    if not report.unknown_events.height:
        return sentence("Every event of this period has a name that the settings know.")
    columns = {
        "event_name": Column("Event"),
        "events": Column("Events", words.number, is_figure=True),
        "people": Column("People", words.number, is_figure=True),
        "last_seen_at": Column("Last seen", words.day, is_figure=True),
    }
    caption = "Event names that the settings don't know: stored, but they count for no score"
    return table(report.unknown_events.head(ROWS), columns, caption=caption)


def bad_times(report: "HealthReport") -> Html:
    """When watches found something bad, the newest first."""
    import polars as pl

    bad = report.statuses.filter(pl.col("status").is_in(["warning", "alert"]))
    if not bad.height:
        return sentence("No watch of this period found anything bad.")
    titles = {each.name: each.title for each in report.checks}
    shown = bad.sort("since", descending=True).with_columns(
        pl.col("name").replace(titles),
        ((pl.col("until") - pl.col("since")).dt.total_seconds() / 86400).alias("days"),
    )
    columns = {
        "name": Column("Check"),
        "status": Column("Status"),
        "since": Column("From", words.moment),
        "days": Column("For", words.days, is_figure=True),
    }
    caption = f"Bad times ({words.number(min(ROWS, shown.height))} of {words.number(shown.height)})"
    return table(shown.head(ROWS), columns, caption=caption)


def glossary() -> Html:
    """What the words of the report mean."""
    return definitions(
        [
            (
                "Check",
                "Something that the watch looks at, against a limit of monitoring.toml or of the "
                "workspace's overlay. With too little to go by it can't tell, and raises no alarm.",
            ),
            (
                "Verified",
                "An hour that an export or a pull has whole. Of any other nobody knows what the "
                "webhook missed.",
            ),
            (
                "Missed",
                "Events that an export or a pull has, and that neither the webhook nor an SDK "
                "delivered. They are here all the same, but came late.",
            ),
            (
                "Always has events",
                "An hour is missed if the same hour of each of the 4 weeks before had enough.",
            ),
            (
                "Unknown name",
                "An event name of which neither the taxonomy nor overlay.toml says what it means.",
            ),
            (
                "PSI",
                "Population stability index: how far the distribution of a score has shifted. "
                "Below 0.1 it counts as stable, from 0.25 on as another one; with few people the "
                "limit is what chance alone makes.",
            ),
            terms.PERSONA,
            terms.NO_CLEAR_CHANGE,
        ]
    )


def _source(name: str) -> str:
    """`Webhook`, `SDKs`."""
    said = NAMES[name].removeprefix("the ")
    return said[0].upper() + said[1:]
