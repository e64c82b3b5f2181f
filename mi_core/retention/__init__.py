"""Who comes back: retention by cohorts, lifecycle, stickiness.

All three are about periods of the calendar in UTC: days, weeks from Monday, months. A person's
periods are a set, held as one number with a bit for each: one scan of the events and one sum per
person make the sets, there are far fewer of them than people, and every option is read off them.
The options are those of PostHog's insights of the same names.
"""

from mi_core.retention.activity import lifecycle, stickiness
from mi_core.retention.cohorts import Retention, retention

__all__ = ["Retention", "lifecycle", "retention", "stickiness"]
