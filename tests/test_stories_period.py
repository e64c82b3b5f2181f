"""What every report says of the days that it is about."""

from datetime import datetime

import pytest
from report_samples import AS_OF, fill
from stores import new_workspace

from mi_core.ingest.classify import classification_version
from mi_core.stories.attribution import AttributionReport
from mi_core.stories.period import STALE_HOURS, Edition, Period, careful, edition, subtitle


def aged(hours: float | None) -> Edition:
    period = Period(datetime(2024, 6, 30), 30)
    return Edition(period, "0123456789ab", 3, True, "0123456789ab", hours)


@pytest.mark.parametrize("hours", [None, 0.0, float(STALE_HOURS)])
def test_fresh_data_is_not_spoken_of(hours):
    assert careful(aged(hours)) == ""
    assert subtitle(aged(hours)).endswith("(30 days), compared with the 30 before.")


def test_stale_data_ends_the_subtitle():
    assert subtitle(aged(72)).endswith(
        "compared with the 30 before. <strong>Careful: the newest event is 3.0 days older than "
        "the end of this period</strong>, so what follows tells of this gap too, not only of "
        "people."
    )
    assert careful(aged(31 * 24)).endswith("tells of the gap, not of people.")


def test_the_age_is_that_of_the_newest_event_before_the_end(tmp_path):
    with new_workspace(tmp_path) as workspace:
        with workspace.warehouse.publish("rows of the tests"):
            fill(workspace.warehouse)
            version = classification_version(workspace.definitions)
            workspace.warehouse.sql(f"insert into lake.classification values ('{version}')")
        [newest] = workspace.warehouse.sql(
            "select max(occurred_at) from lake.user_event where occurred_at < $as_of",
            {"as_of": AS_OF},
        ).fetchone()
        with edition(workspace, AS_OF) as found:
            hours = (found.period.until - newest).total_seconds() / 3600
            assert found.hours_behind == hours
        report = AttributionReport.read(workspace, as_of="2026-11-30")
        assert report.edition.hours_behind > 800 * 24
