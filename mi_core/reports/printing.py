"""A page as a PDF, printed by Chromium where there is one."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from mi_core.errors import ReportError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
    # Time for the charts, which draw themselves.
    "--virtual-time-budget=10000",
)
_SECONDS = 120


def print_page(page: Path) -> Path:
    """Print a page of charts and text to `<page>.pdf`, A4, tagged for screen readers.

    Raises
    ------
    ReportError
        There is no Chromium, or it printed nothing.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise ReportError(
            f"The page is {page}, but to print it needs Chromium or Chrome, and there is none "
            f"among {', '.join(BROWSERS)}. Any browser prints it by hand."
        )
    pdf = page.with_suffix(".pdf")
    with tempfile.TemporaryDirectory() as scratch:
        printed = Path(scratch) / "page.pdf"
        # As root, as in a container, Chromium's own sandbox can't be set up.
        alone = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [
            browser,
            *_QUIET,
            *alone,
            f"--user-data-dir={scratch}/profile",
            f"--print-to-pdf={printed}",
            page.absolute().as_uri(),
        ]
        try:
            subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise ReportError(f"{browser} took over {_SECONDS} s to print {page}.") from None
        if not printed.exists():
            raise ReportError(f"{browser} didn't print {page}.")
        unfinished = pdf.with_name(f".{pdf.name}.{os.getpid()}")
        shutil.copyfile(printed, unfinished)
    unfinished.replace(pdf)
    return pdf
