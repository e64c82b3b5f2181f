"""A parameterised notebook in, one self-contained HTML page out.

The notebook runs on a copy, and the page replaces the last one only when all of it has succeeded:
a stakeholder's link never shows half a report. Nothing on the page is loaded from elsewhere; the
code that draws the charts is in it once, whatever the number of charts.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from mi_core.drawing import VEGA_LITE
from mi_core.errors import ReportError, UnknownName
from mi_core.reports.manifest import CLOSING, OPENING, Manifest, text_of
from mi_core.stories.foot import MANIFEST

_SUMMARY = r'<ul class="summary">.*?</ul>'

_HEADING = r"^(?:## |<h2[^>]*>)(.+?)(?:</h2>)?$"

_SAID_BY_FOOT = ("workspace", "as_of", "snapshot", "config")
"""Parameters of which the foot says what came of them."""

_SENTENCES = ("ReportError", "UnknownName", "BadValue", "SnapshotGone")
"""Errors of a cell that say themselves what is to be done."""


class FailedRun(ReportError):
    """A notebook failed: the message names the cell, `run` is as far as it came, where that is."""

    def __init__(self, message: str, run: bytes | None = None) -> None:
        super().__init__(message)
        self.run = run


def render(
    workspace_path: Path,
    notebook: Path,
    parameters: Mapping[str, object] | None = None,
    *,
    language: str = "en",
    timeout_seconds: int = 900,
) -> str:
    """Run `notebook` on the workspace at `workspace_path`; returns its page.

    Parameters
    ----------
    parameters
        Values for the notebook's parameters, `workspace` aside.
    timeout_seconds
        The most that one cell may take.

    Raises
    ------
    UnknownName
        The notebook has no parameter of that name.
    ReportError
        There is no such notebook, or what was asked for can't be answered.
    FailedRun
        It failed for any other reason.
    """
    given = {"workspace": str(Path(workspace_path).resolve())} | dict(parameters or {})
    _check_parameters(notebook, given)
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run.ipynb"
        with _told(run, notebook):
            _execute(notebook, run, given, timeout_seconds)
            return _page(run, notebook, given, language)


def _check_parameters(notebook: Path, given: Mapping[str, object]) -> None:
    import papermill

    if not notebook.is_file():
        raise ReportError(f"There is no notebook {notebook}.")
    known = papermill.inspect_notebook(str(notebook))
    for name in given:
        if name not in known:
            raise UnknownName("report parameter", name, known)


def _execute(
    notebook: Path, run: Path, parameters: Mapping[str, object], timeout_seconds: int
) -> None:
    import papermill
    from traitlets.config import Config

    papermill.execute_notebook(
        str(notebook),
        str(run),
        parameters=dict(parameters),
        execution_timeout=timeout_seconds,
        progress_bar=False,
        # Otherwise the kernel listens on TCP ports, unencrypted; and its sockets lie in the current
        # folder under one name, so that two reports at a time would talk to each other's kernels.
        config=Config({"KernelManager": {"transport": "ipc", "ip": str(run.parent / "kernel")}}),
    )


@contextmanager
def _told(run: Path, notebook: Path) -> Iterator[None]:
    """Turn whatever goes wrong into a ReportError, with the partial run for its author."""
    from papermill.exceptions import PapermillExecutionError

    try:
        yield
    except PapermillExecutionError as error:
        if error.ename in _SENTENCES:
            raise ReportError(error.evalue) from None
        why = f"cell {error.cell_index + 1}: {error.ename}: {error.evalue}"
        raise _failed(notebook, why, run) from error
    except Exception as error:
        # A kernel that doesn't answer, a cell out of time, a full disk.
        raise _failed(notebook, str(error) or type(error).__name__, run) from error


def _failed(notebook: Path, why: str, run: Path) -> FailedRun:
    kept = run.read_bytes() if run.exists() else None
    return FailedRun(f"{notebook.name} failed, {why.strip().rstrip('.')}.", kept)


def _page(run: Path, notebook: Path, parameters: Mapping[str, object], language: str) -> str:
    import nbformat
    from nbconvert import HTMLExporter

    ran = nbformat.read(run, as_version=4)  # type: ignore[no-untyped-call]
    manifest = _manifest(ran, notebook, parameters)
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="report",
        extra_template_basedirs=[str(resources.files("mi_core") / "templates")],
        language_code=language,
        exclude_anchor_links=True,
    )
    page, _ = exporter.from_notebook_node(
        ran,
        resources={
            "vega_lite": VEGA_LITE,
            "vega_js": _vega_js(),
            "manifest": f"{OPENING}{manifest.written()}{CLOSING}",
        },
    )
    return str(page)


def _manifest(ran: Any, notebook: Path, parameters: Mapping[str, object]) -> Manifest:
    """What the page is made from: what the notebook's foot says, and how it was run."""
    shown = [
        output.get("data", {})
        for cell in ran.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    said: dict[str, Any] = next((each.pop(MANIFEST) for each in shown if MANIFEST in each), {})
    markup = "".join(str(each.get("text/html", "")) for each in shown)
    first = re.search(_SUMMARY, markup, re.DOTALL)
    summary = re.findall(r"<li>(.*?)</li>", first[0], re.DOTALL) if first else []
    prose = "\n".join(cell.source for cell in ran.cells if cell.cell_type == "markdown")
    words = "".join(
        str(output.get("data", {}).get("text/html", ""))
        for cell in ran.cells
        if "glossary" in cell.metadata.get("tags", ())
        for output in cell.get("outputs", ())
    )
    name = notebook.stem.removeprefix("report-")
    asked = {key: value for key, value in parameters.items() if key not in _SAID_BY_FOOT}
    return Manifest(
        report=name,
        title=ran.metadata.get("title", name),
        parameters=asked,
        # Off its page, a link leads nowhere.
        summary=[text_of(re.sub(r"\s*<a\b.*?</a>\.?", "", each)) for each in summary],
        topics=[text_of(each) for each in re.findall(_HEADING, prose, re.MULTILINE)],
        terms=[text_of(each) for each in re.findall(r"<dt>(.*?)</dt>", words, re.DOTALL)],
        **{"as_of": parameters.get("as_of")} | said,
    )


@cache
def _vega_js() -> str:
    """Vega, Vega-Lite and vega-embed as one script that makes `vegaEmbed` known."""
    import vl_convert

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
