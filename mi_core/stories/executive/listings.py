"""What the words of the executive report mean."""

from typing import TYPE_CHECKING

from mi_core.stories.terms import AT_RISK_TERM
from mi_core.tables import Html, definitions

if TYPE_CHECKING:
    from mi_core.stories.executive.figures import ExecutiveReport


def glossary(report: "ExecutiveReport") -> Html:
    """What the words of the report mean, with the limits in force; short, as the page is."""
    lookback = report.attribution.lookback_days or 0
    return definitions(
        [
            (
                "Credit (linear)",
                f"Purchases in equal parts to the visits, ads and emails of the {lookback:g} days "
                "before.",
            ),
            (
                "Kind, persona",
                "The customer a person most resembles, by behaviour or by what is known of them.",
            ),
            (
                "Ready to buy",
                f"Intent of {report.high_intent:g} or more of 100, and no purchase in the last 30 "
                "days.",
            ),
            AT_RISK_TERM,
            (
                "Warm or hot",
                f"Magnetism of {report.warm:g} or more of 100: how strongly people are drawn back.",
            ),
            (
                "No clear change",
                "Chance alone could explain the difference. In brackets stands the 95 % interval.",
            ),
        ]
    )
