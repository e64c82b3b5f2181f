"""What the generated data hold, and how much; without imports, which would count as memory."""

from dataclasses import dataclass

CHANNELS = (
    "paid_search",
    "organic_search",
    "email",
    "paid_social",
    "organic_social",
    "display",
    "affiliate",
    "referral",
    "direct",
    "video",
)
STEPS = ("landing_view", "email_submit", "trial_start", "feature_activate", "purchase")
EVENTS = {
    **dict(zip(STEPS, (0.11, 0.07, 0.045, 0.05, 0.025), strict=True)),
    "page_view": 0.34,
    "email_open": 0.14,
    "email_click": 0.06,
    "pricing_view": 0.05,
    "feature_use": 0.08,
    "social_return": 0.025,
    "unsubscribe": 0.005,
}
"""Event → its share of all events."""

MONDAY = 1_736_121_600_000_000
"""2025-01-06 in microseconds: where the events begin."""
DAY = 86_400_000_000
WEEK = 7 * DAY
DAYS = 91
HALF_LIFE = WEEK


@dataclass(frozen=True)
class Size:
    """How much to generate."""

    journeys: int
    events: int
    users: int

    @property
    def name(self) -> str:
        """Of the folder with data of this size."""
        return f"{self.journeys}-journeys-{self.events}-events"


FULL = Size(journeys=200_000, events=10_000_000, users=500_000)
SMALL = Size(journeys=2_000, events=100_000, users=5_000)
