"""The acquisition report: who came, who bought, how strongly people are drawn back."""

from mi_core.stories.acquisition.figures import AcquisitionReport

__all__ = ["AcquisitionReport"]
