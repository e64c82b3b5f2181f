"""Reports: a notebook in, one self-contained HTML page out, and where the pages lie."""

from mi_core.reports.catalogue import Report, catalogue, find_report
from mi_core.reports.making import Order, order, rendered
from mi_core.reports.manifest import Difference, Manifest, compare, read_manifest
from mi_core.reports.printing import print_page
from mi_core.reports.rendering import FailedRun, render
from mi_core.reports.shelf import Shelf

__all__ = [
    "Difference",
    "FailedRun",
    "Manifest",
    "Order",
    "Report",
    "Shelf",
    "catalogue",
    "compare",
    "find_report",
    "order",
    "print_page",
    "read_manifest",
    "render",
    "rendered",
]
