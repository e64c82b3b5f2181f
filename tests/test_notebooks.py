"""Notebooks say what they ask, run on a sample, and state only what holds."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from kernels import nursery

from mi_core import open_workspace

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
EXPLORATIONS = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
OTHERWISE = {
    "00-start-here": {"days": 7, "person": "user-000000048"},
    "02-journeys-and-attribution": {"days": 60, "by": "campaign", "conversion": "purchase"},
    "06-enrichment-costs": {"days": 7, "leads": 50},
    "07-cohorts-and-retention": {"days": 60, "every": "month"},
}
"""Notebook → other parameters than its own, beside `as_of`; of the others, `days` alone."""

BETWEEN = "2024-06-20"
"""No scoring is as of then; the newest before it is a good week older."""


def _make_sample(folder: Path) -> None:
    """A hundred people with a known past: scored three times, their leads enriched offline."""
    from mi_core.synthetic import generate, write_leads

    truth = generate(folder / "export", events=6_000, seed=1)
    write_leads(truth, folder / "leads.csv")
    with open_workspace(folder / "workspace") as workspace:
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
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("MI_THREADS", "1")
                _make_sample(folder)
            (folder / "made").touch()
    return folder / "workspace"


@pytest.fixture
def kernels(
    sample: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Kernels that begin fast, and know where the sample is; yields a folder for their sockets."""
    folder = tmp_path_factory.mktemp("k")
    with nursery(folder, {"MI_WORKSPACE": str(sample), "MI_THREADS": "1"}) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield folder


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("kernels")
def test_every_notebook_holds_under_nbval():
    """What a notebook asserts are truths of any workspace; so they are of this one."""
    options = ["-p", "nbval", "--nbval-lax", "--nbval-cell-timeout=120", "-q", "-x"]
    plain = ["-o", "addopts=", "-o", "filterwarnings=default", "-p", "no:cacheprovider"]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *plain, *sorted(NOTEBOOKS.glob("*.ipynb"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-4000:]


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
            assert "as of 2024-06-17" in run.result()
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
