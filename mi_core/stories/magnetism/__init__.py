"""The magnetism report: how strongly the brand draws people back, and who is about to leave."""

from mi_core.stories.magnetism.figures import MagnetismReport

__all__ = ["MagnetismReport"]
