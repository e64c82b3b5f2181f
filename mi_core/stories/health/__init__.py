"""The data health report: whether what the other reports go by is fresh, whole and understood."""

from mi_core.stories.health.figures import HealthReport

__all__ = ["HealthReport"]
