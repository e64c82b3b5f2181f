"""The attribution report: who gets the credit for conversions, and how sure that is."""

from mi_core.stories.attribution.figures import AttributionReport

__all__ = ["AttributionReport"]
