"""Notebooks say what they ask, run on a sample, and state only what holds."""

import gc
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from filelock import FileLock
from kernels import nursery

from mi_core import open_workspace
from mi_core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
EXPLORATIONS = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
TUNING = "05-personas-tune"
OTHERWISE = {
    "00-start-here": {"days": 7, "person": "user-000000048"},
    "02-journeys-and-attribution": {"days": 60, "by": "campaign", "conversion": "purchase"},
    TUNING: {"outcome": "churn", "objective": "value", "test_share": 0.5},
    "06-enrichment-costs": {"days": 7, "leads": 50},
    "07-cohorts-and-retention": {"days": 60, "every": "month"},
}
"""Notebook → other parameters than its own, beside `as_of`; of the others, `days` alone."""

BETWEEN, SCORED = "2024-06-20", "2024-06-17"
"""An instant without a scoring, and the newest scoring before it."""


def _make_sample(folder: Path) -> None:
    """A hundred people with a known past: scored three times, their leads enriched offline."""
    from mi_core.synthetic import generate, write_leads

    truth = generate(folder / "export", events=6_000, seed=1)
    write_leads(truth, folder / "leads.csv")
    settings = Settings.model_construct(threads=1)
    with open_workspace(folder / "workspace", settings=settings) as workspace:
        workspace.ingest([truth.events_folder])
        workspace.ingest_spend([truth.spend_file])
        since, every = truth.end - timedelta(days=28), timedelta(days=14)
        workspace.score(truth.end, since=since, every=every)
        workspace.enrichment.clock = lambda: truth.end - timedelta(hours=1)
        workspace.enrichment.put_file(folder / "leads.csv")
        workspace.enrichment.work(None)
        workspace.drain()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace to look at, made once for all processes of the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "notebooks"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "made").exists():
            _make_sample(folder)
            (folder / "made").touch()
    return folder / "workspace"


@pytest.fixture(scope="module")
def kernels(sample: Path) -> Iterator[Path]:
    """Kernels that begin fast, and know where the sample is; yields a folder for their sockets."""
    settings = {"MI_WORKSPACE": str(sample), "MI_THREADS": "1"}
    # Not in a folder of pytest's: the path of a socket has a hundred letters at most.
    with (
        tempfile.TemporaryDirectory() as folder,
        nursery(Path(folder), settings) as environment,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in environment.items():
            patch.setenv(name, value)
        yield Path(folder)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("kernels")
def test_every_notebook_holds_under_nbval(tmp_path: Path):
    """What a notebook asserts are truths of any workspace; so they are of this one."""
    notebooks = [_for_few(each, tmp_path) for each in sorted(NOTEBOOKS.glob("*.ipynb"))]
    options = ["-p", "nbval", "--nbval-lax", "--nbval-cell-timeout=120", "-q", "-x"]
    plain = ["-o", "addopts=", "-o", "filterwarnings=default", "-p", "no:cacheprovider"]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *plain, *notebooks],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-4000:]


def _for_few(notebook: Path, folder: Path) -> Path:
    """The notebook; a hundred people buy too little to tune by, so it asks who leaves."""
    if notebook.stem != TUNING:
        return notebook
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    asked = parameterize_notebook(load_notebook_node(str(notebook)), {"outcome": "churn"})
    nbformat.write(asked, folder / notebook.name)
    return folder / notebook.name


def _run(notebook: Path, kernels: Path, parameters: dict[str, Any]) -> str:
    """Run it as flows do; returns what its cells print."""
    import papermill
    from traitlets.config import Config

    ran = papermill.execute_notebook(
        str(notebook),
        None,
        parameters=parameters,
        progress_bar=False,
        cwd=str(NOTEBOOKS),
        config=Config({"KernelManager": {"transport": "ipc", "ip": f"{kernels}/{notebook.stem}"}}),
    )
    outputs = [output for cell in ran.cells for output in cell.get("outputs", ())]
    return "".join(output.get("text", "") for output in outputs)


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_explorations_run_with_other_parameters(kernels: Path, subtests: pytest.Subtests):
    asked = {
        notebook: {"days": 14, "as_of": BETWEEN} | OTHERWISE.get(notebook.stem, {})
        for notebook in EXPLORATIONS
    }
    with ThreadPoolExecutor(2) as pool:
        runs = {
            notebook: pool.submit(_run, notebook, kernels, parameters)
            for notebook, parameters in asked.items()
        }
    for notebook, run in runs.items():
        with subtests.test(notebook.stem):
            said = run.result()
            assert f"as of {SCORED}" in said
    del run, runs
    gc.collect()  # Of each thread, Jupyter leaves an event loop that nobody closed.


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_without_a_workspace_a_notebook_says_what_to_do(kernels: Path, tmp_path: Path):
    from papermill.exceptions import PapermillExecutionError

    nowhere = tmp_path / "nowhere"
    with pytest.raises(PapermillExecutionError, match="make demo") as caught:
        _run(EXPLORATIONS[0], kernels, {"workspace": str(nowhere)})
    assert caught.value.ename == "WorkspaceError"
    assert caught.value.traceback == [f"WorkspaceError: {caught.value.evalue}"]
    assert not nowhere.exists()


# --- in a browser

CHROMIUM = Path("/usr/bin/chromium")
IS_READY = """
() => {
    const notebook = window.jupyterapp?.shell?.currentWidget;
    const kernel = notebook?.context?.sessionContext?.session?.kernel;
    return kernel?.status === "idle" && kernel.connectionStatus === "connected" && kernel.info;
}
"""
RUN_ALL = """
() => {
    window.hasRun = null;
    jupyterapp.commands.execute("notebook:run-all-cells").then(done => { window.hasRun = done; });
}
"""
ASK_KERNEL = """
async () => {
    const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
    const completed = await kernel.requestComplete({code: "ws.attri", cursor_pos: 8});
    const told = await kernel.requestInspect(
        {code: "ws.attribution", cursor_pos: 14, detail_level: 0}
    );
    return [completed.content.matches, told.content.data["text/plain"]];
}
"""
CELLS = """
() => jupyterapp.shell.currentWidget.content.model.sharedModel.cells
    .filter(cell => cell.cell_type === "code")
    .map(cell => [cell.execution_count, cell.toJSON().outputs.map(each => each.output_type)])
"""


@contextmanager
def _lab(folder: Path, notebooks: Path) -> Iterator[str]:
    """JupyterLab as `make lab` begins it, on a copy of the notebooks; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("jupyter"), "lab", "--no-browser", "--allow-root"),
            f"--config={ROOT / 'scripts' / 'jupyter_lab_config.py'}",
            f"--ServerApp.root_dir={notebooks}",
            *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
            *("--IdentityProvider.token=t", "--expose-app-in-browser"),
        ],
        env={**os.environ, **{name: str(folder / name.lower()) for name in own}},
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            with suppress(OSError), urlopen(f"{address}/api"):
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _run_all(tab: Any) -> list[Any]:
    """Run all cells; returns how often each has run, and the kinds of its outputs."""
    # What runs right after a kernel says that it is idle may never end.
    tab.wait_for_timeout(2_000)
    tab.evaluate(RUN_ALL)
    tab.wait_for_function("window.hasRun !== null")
    return tab.evaluate(CELLS)


def _moved(tab: Any) -> tuple[str, str]:
    """What the explorer of thresholds says before its first slider is moved, and after."""
    explorer = tab.locator(".jp-OutputArea-output", has=tab.locator("input[type=range]")).first
    explorer.scroll_into_view_if_needed()
    slider = explorer.locator("input[type=range]").first
    before = explorer.locator("svg.marks").text_content()
    slider.evaluate("each => { each.value = each.max; each.dispatchEvent(new Event('input')); }")
    tab.wait_for_timeout(500)
    return before, explorer.locator("svg.marks").text_content()


@pytest.mark.timeout(300)
def test_jupyterlab_runs_the_first_notebook_and_moves_thresholds(kernels: Path, tmp_path: Path):
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium at /usr/bin/chromium")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    shutil.copy(EXPLORATIONS[0], notebooks)
    [tuning] = [each for each in EXPLORATIONS if each.stem == TUNING]
    _for_few(tuning, notebooks)
    elsewhere: list[str] = []
    with _lab(tmp_path, notebooks) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        tab = browser.new_page()
        tab.set_default_timeout(120_000)
        tab.on("request", lambda each: elsewhere.append(each.url))
        tab.goto(f"{address}/?token=t")
        tab.wait_for_function(IS_READY)
        cells = _run_all(tab)
        matches, told = tab.evaluate(ASK_KERNEL)
        tab.locator(".jp-OutputArea-output svg.marks").first.scroll_into_view_if_needed()
        drawn = tab.locator(".jp-OutputArea-output svg.marks").count()
        toasts = tab.locator(".Toastify__toast").count()
        tab.goto(f"{address}/lab/tree/{tuning.name}?token=t&reset")
        tab.wait_for_function(IS_READY)
        cells += _run_all(tab)
        before, after = _moved(tab)
        browser.close()

    assert all(count for count, _ in cells)
    assert not [kinds for _, kinds in cells if "error" in kinds]
    assert drawn == 1
    assert before != after
    assert matches == ["attribution"]
    assert "Which marketing earned the conversions" in told
    assert toasts == 0
    assert [url for url in elsewhere if not url.startswith((address, "data:", "blob:"))] == []
