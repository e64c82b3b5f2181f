"""What changed against the period before, with its interval; None where nothing can be compared.

Nothing here is a count of people: events come in bunches by person, what the webhook misses by day,
what can't be read by file.
"""

from typing import TYPE_CHECKING

from mi_core.stories.bunches import Bunches, of_bunched_shares
from mi_core.stories.comparing import Change, of_sums

if TYPE_CHECKING:
    from mi_core.stories.health.figures import HealthReport


def events(report: "HealthReport") -> Change | None:
    if not report.edition.is_compared:
        return None
    by_person = report.spread
    return of_sums(
        by_person["events"],
        by_person["events_squares"],
        by_person["events_before"],
        by_person["events_squares_before"],
        products=by_person["events_across"],
    )


def unknown_share(report: "HealthReport") -> Change | None:
    if not report.edition.is_compared:
        return None
    now, before = (
        Bunches.of_row(report.spread, "unknown", "events", when=when) for when in ("", "_before")
    )
    return of_bunched_shares(now, before)


def missed_share(report: "HealthReport") -> Change | None:
    if not report.is_live:
        return None
    return of_bunched_shares(_missed(report, is_now=True), _missed(report, is_now=False))


def rejected_share(report: "HealthReport") -> Change | None:
    return of_bunched_shares(_rejected(report, is_now=True), _rejected(report, is_now=False))


def _missed(report: "HealthReport", *, is_now: bool) -> Bunches:
    """By day: whatever keeps a webhook from delivering lasts for hours."""
    import polars as pl

    known = report.hours_of(is_now=is_now).filter("is_verified")
    by_day = known.group_by(pl.col("hour").dt.date().alias("day"), maintain_order=True)
    return Bunches.of(by_day.agg(pl.col("missed", "reference").sum()).drop("day").iter_rows())


def _rejected(report: "HealthReport", *, is_now: bool) -> Bunches:
    """By file and pull."""
    import polars as pl

    delivered = report.delivered if is_now else report.delivered_before
    summed = delivered.select(pl.col("^(rows|rejected)(_squares|_products)?$").sum())
    return Bunches.of_row(summed.row(0, named=True), "rejected", "rows")
