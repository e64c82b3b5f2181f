"""What changed against the period before, with its interval; None where nothing can be compared."""

from typing import TYPE_CHECKING

from mi_core.stories.comparing import Change, of_counts, of_shares

if TYPE_CHECKING:
    from mi_core.stories.health.figures import HealthReport


def events(report: "HealthReport") -> Change | None:
    if not report.edition.is_compared:
        return None
    return of_counts(report.total("events"), report.total("events", is_now=False))


def missed_share(report: "HealthReport") -> Change | None:
    (missed, reference), (missed_before, before) = report.missed(), report.missed(is_now=False)
    if not report.is_live or not reference or not before:
        return None
    return of_shares(missed, reference, missed_before, before)


def unknown_share(report: "HealthReport") -> Change | None:
    before = report.total("events", is_now=False)
    if not report.edition.is_compared or not before or not report.total("events"):
        return None
    return of_shares(
        report.total("unknown"),
        report.total("events"),
        report.total("unknown", is_now=False),
        before,
    )


def rejected_share(report: "HealthReport") -> Change | None:
    rows, before = report.fetched(), report.fetched(is_now=False)
    if not rows or not before:
        return None
    return of_shares(
        report.outcome("rejected"), rows, report.outcome("rejected", is_now=False), before
    )
