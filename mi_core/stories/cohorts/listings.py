"""The cohorts report's words."""

from typing import TYPE_CHECKING

from mi_core.stories import terms
from mi_core.tables import Html, definitions

if TYPE_CHECKING:
    from mi_core.stories.cohorts.figures import CohortsReport


def glossary(report: "CohortsReport") -> Html:
    """What the words of the report mean."""
    return definitions(
        [
            (
                "Cohort",
                "The people who did something in the product for the first time ever in one week, "
                "or month. Weeks begin on Monday, in UTC. What people only receive, such as an "
                "email, counts for nothing here.",
            ),
            (
                "Came back",
                "Did something in the product again in that very week; who skips one and comes "
                "later counts for the later one.",
            ),
            (
                "Not over",
                "A week or month that was still going on is marked, and neither summed up nor "
                "compared.",
            ),
            (
                "Newest cohorts",
                f"The {report.side} newest for which a week is over, against the {report.side} "
                "before them.",
            ),
            (
                "First channel",
                "Where a person's first known visit came from. Channels are compared with all "
                "others together, and the intervals are wide enough for all of them at once.",
            ),
            terms.PERSONA,
            (
                "Stayed away",
                "Was active in the week before, and not in this one. After a pause: active again, "
                "but not in the week before.",
            ),
            terms.NO_CLEAR_CHANGE,
        ]
    )
