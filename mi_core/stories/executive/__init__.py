"""The executive report: how marketing did, on one page, for who reads nothing else."""

from mi_core.stories.executive.figures import ExecutiveReport

__all__ = ["ExecutiveReport"]
