"""The personas report: who people are, how the mix moves, and what each kind does."""

from mi_core.stories.personas.figures import PersonasReport

__all__ = ["PersonasReport"]
