"""The cost report: what a lead costs, how well leads are completed, and what they bring."""

from mi_core.stories.costs.figures import CostReport

__all__ = ["CostReport"]
