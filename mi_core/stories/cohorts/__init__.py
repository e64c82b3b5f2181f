"""The cohorts report: who comes back to the product, and how often."""

from mi_core.stories.cohorts.figures import CohortsReport

__all__ = ["CohortsReport"]
