"""How notebooks are written and committed, and what `mi_core.notebook` gives them."""

import ast
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from stores import new_workspace

from mi_core import open_workspace
from mi_core.errors import BadValue, RelationError, WorkspaceError
from mi_core.notebook import load_ipython_extension, told
from mi_core.tables import Html
from mi_core.warehouse import VIEWS
from mi_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
ALL = sorted(NOTEBOOKS.glob("*.ipynb"))
EXPLORATIONS = [each for each in ALL if each.stem[0].isdigit()]
COMMON = {"workspace", "as_of", "days", "snapshot", "config"}


def cells_of(notebook: Path, kind: str) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text())["cells"]
    return [each | {"text": "".join(each["source"])} for each in cells if each["cell_type"] == kind]


def parsed(cell: dict[str, Any]) -> ast.Module:
    """As Python; cells and lines of magic aside."""
    text = "" if cell["text"].startswith("%%") else cell["text"]
    return ast.parse(re.sub(r"^(.*= )?%.*$", "", text, flags=re.MULTILINE))


@pytest.mark.parametrize("notebook", ALL, ids=lambda each: each.stem)
def test_a_notebook_has_a_title_a_question_and_parameters(notebook: Path):
    titles = re.findall(
        r"^# .+", "\n".join(each["text"] for each in cells_of(notebook, "markdown")), re.MULTILINE
    )
    about = json.loads(notebook.read_text())["metadata"]
    code = cells_of(notebook, "code")
    [parameters] = [each for each in code if "parameters" in each["metadata"].get("tags", ())]
    given = {name.id for line in parsed(parameters).body for name in line.targets}

    assert about["title"]
    assert len(titles) == 1
    assert cells_of(notebook, "markdown")[0]["text"].startswith(titles[0])
    assert parameters == code[0]
    assert given >= COMMON
    assert notebook not in EXPLORATIONS or titles[0].endswith("?")


@pytest.mark.parametrize("notebook", ALL, ids=lambda each: each.stem)
def test_a_notebook_defines_nothing(notebook: Path):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    for cell in cells_of(notebook, "code"):
        assert not [each for each in ast.walk(parsed(cell)) if isinstance(each, kinds)]


@pytest.mark.parametrize("notebook", EXPLORATIONS, ids=lambda each: each.stem)
def test_an_exploration_draws_tells_and_says_what_next(notebook: Path):
    words = cells_of(notebook, "markdown")
    code = "\n".join(each["text"] for each in cells_of(notebook, "code"))

    assert "charts." in code
    assert "assert " in code
    assert "## What to try next" in words[-1]["text"]
    assert len(words) > 5


@pytest.mark.parametrize("notebook", EXPLORATIONS, ids=lambda each: each.stem)
def test_links_of_an_exploration_lead_somewhere(notebook: Path):
    text = "\n".join(each["text"] for each in cells_of(notebook, "markdown"))
    links = re.findall(r"\]\(([^)#\s]+)", text)
    missing = {each for each in links if not (NOTEBOOKS / each).exists() and "://" not in each}
    assert missing == set()


def test_the_first_notebook_names_what_there_is(workspace: Workspace):
    text = "\n".join(each["text"] for each in cells_of(EXPLORATIONS[0], "markdown"))
    rows = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    there = set(workspace.sql("select name from (show all tables)")["name"])

    assert named <= there
    assert named >= set(VIEWS)
    assert all(f"({each.name})" in text for each in EXPLORATIONS[1:])


# --- %sql, and frames


class Shell:
    """What the extension takes of IPython's shell."""

    def __init__(self, **names: object) -> None:
        self.user_ns = names
        load_ipython_extension(self)

    def register_magic_function(self, function, kind, name):
        assert (kind, name) == ("line_cell", "sql")
        self.sql = function


@pytest.fixture(autouse=True)
def _frames_as_they_were():
    with pl.Config():
        yield


def test_sql_takes_values_from_the_notebook(workspace: Workspace):
    shell = Shell(ws=workspace, at=datetime(2024, 6, 30, tzinfo=UTC), other=object())

    assert shell.sql("select year($at) as year").rows() == [(2024,)]
    found = shell.sql("rows", "select 1 as one\nunion all select 2 order by one\n")
    assert found.rows() == [(1,), (2,)]
    assert shell.user_ns["rows"] is found


@pytest.mark.parametrize(
    ("line", "cell", "complaint"),
    [
        ("select $nothing", None, r"\$nothing, and nothing gives it a value"),
        ("select 1; select 2", None, "one statement; this has 2"),
        ("selct 1", None, "syntax error"),
        ("delete from lake.user_event", None, "read-only"),
        ("create table mine as select 1", None, "read-only"),
    ],
)
def test_sql_that_cannot_be_answered(workspace: Workspace, line, cell, complaint):
    with pytest.raises(RelationError, match=complaint):
        Shell(ws=workspace).sql(line, cell)


def test_sql_says_what_it_wants(workspace: Workspace):
    with pytest.raises(BadValue, match=r"the workspace `ws`.* ws = open_workspace"):
        Shell().sql("select 1")
    with pytest.raises(BadValue, match="a name for the rows, or nothing, not 'select 1'"):
        Shell(ws=workspace).sql("select 1", "")


def test_links_to_a_place_on_a_page_are_left_out():
    assert told(Html('It rose. <a href="#who">See who</a>.')) == "It rose."


# --- DuckDB's and pandas' own


def test_relations_read_and_never_write(workspace: Workspace):
    import duckdb

    touches = workspace.duckdb.sql("from touchpoint").aggregate("count(*) as touches")

    assert touches.df().to_dict("list") == {"touches": [0]}
    for table in ("lake.user_event", "user_event", "state.inbox"):
        with pytest.raises(duckdb.Error, match="read-only"):
            workspace.duckdb.sql(f"delete from {table}")


# --- opening


def test_a_workspace_that_is_to_be_filled_is_not_made(tmp_path: Path):
    new_workspace(tmp_path / "new").close()
    with pytest.raises(WorkspaceError, match=r"no workspace in .*`mi ingest`.*`make demo`"):
        open_workspace(tmp_path / "nowhere", filled=True)
    with pytest.raises(WorkspaceError, match="Nothing is scored in"):
        open_workspace(tmp_path / "new", filled=True)
    assert not (tmp_path / "nowhere").exists()


def test_the_newest_scoring_up_to_a_day(workspace: Workspace):
    with pytest.raises(BadValue, match="as of any time or before; run `mi score`"):
        workspace.scoring()
    workspace.score(datetime(2024, 6, 1, tzinfo=UTC))
    workspace.score(datetime(2024, 6, 8, tzinfo=UTC))

    assert workspace.scoring() == datetime(2024, 6, 8, tzinfo=UTC)
    assert workspace.scoring("2024-06-08T01:00+02:00") == datetime(2024, 6, 1, tzinfo=UTC)
    with pytest.raises(BadValue, match="2024-05-01 or before; the first scoring is as of 2024-06"):
        workspace.scoring("2024-05-01")
    with pytest.raises(BadValue, match="as_of is an ISO 8601 time"):
        workspace.scoring("yesterday")


def test_an_error_is_shown_as_its_sentence():
    assert BadValue("Say another.")._render_traceback_() == ["BadValue: Say another."]


# --- committing


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the hook, and what it strips with."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    strip = tmp_path / ".venv" / "bin" / "nbstripout"
    strip.parent.mkdir(parents=True)
    strip.symlink_to(Path(sys.executable).with_name("nbstripout"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.hooksPath", str(ROOT / ".githooks"))
    return tmp_path


def git(folder: Path, *command: str) -> str:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    found = subprocess.run(
        ["git", *who, *command], cwd=folder, capture_output=True, text=True, check=True
    )
    return found.stdout


def test_a_commit_strips_the_outputs_of_notebooks(clone: Path):
    notebook = json.loads(EXPLORATIONS[0].read_text())
    cell = next(each for each in notebook["cells"] if each["cell_type"] == "code")
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ann@example.org"]}]
    (clone / "a b.ipynb").write_text(json.dumps(notebook))
    (clone / "other.txt").write_text("ann@example.org")
    git(clone, "add", "a b.ipynb", "other.txt")
    git(clone, "commit", "-q", "-m", "A notebook")

    assert git(clone, "show", "HEAD:a b.ipynb") == EXPLORATIONS[0].read_text()
    assert git(clone, "show", "HEAD:other.txt") == "ann@example.org"
    assert git(clone, "status", "--short", "--untracked-files=no") == ""
