"""A page as a PDF, printed by Chromium where there is one."""

import os
import shutil
import subprocess
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from mi_core.atomic import write_whole
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


def print_page(page: Path, lock: AbstractContextManager[None] | None = None) -> Path:
    """Print a page of charts and text to `<page>.pdf`, A4, tagged for screen readers.

    Where the page has changed or gone meanwhile, there is no print. `lock` is held while that is
    looked at and the print put in its place.

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
    shown = page.read_bytes()
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
        with lock or nullcontext():
            if not page.exists() or page.read_bytes() != shown:
                raise ReportError(f"{page} has changed while it was printed; print it again.")
            return write_whole(page.with_suffix(".pdf"), printed.read_bytes())
