"""Reports: a notebook in, one self-contained HTML page out, and where the pages lie."""

from mi_core.reports.rendering import notebook, render

__all__ = ["notebook", "render"]
