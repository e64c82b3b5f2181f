"""Some people for the API's tests: what they did in the last weeks, scored."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import pytest

from mi_core.settings import load_settings
from mi_core.workspace import Workspace, open_workspace

NOW = datetime.now(UTC)
AS_OF = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
"""Of the newest scoring: the last midnight."""
BEFORE = AS_OF - timedelta(days=9)
"""Of the scoring before it."""

AD = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "brand"}
ODD = "odd/id with @ and ünïcode?&#%"

ANN = (
    (14.0, "ad_click", AD),
    (11.0, "lead_captured", {}),
    (9.5, "app_open", {}),
    (8.0, "trial_started", {}),
    (5.0, "email_opened", {}),
    (4.0, "purchase", {"price_cents": 4950}),
    (0.5, "app_open", {}),
)
"""Days before AS_OF, name, properties."""


def act(who: str, days: float, name: str, properties: dict[str, object] | None = None):
    """An event as PostHog's webhooks send it, so many days before AS_OF."""
    return {
        "uuid": str(uuid5(NAMESPACE_OID, f"{who} {days} {name}")),
        "event": name,
        "distinct_id": who,
        "timestamp": (AS_OF - timedelta(days=days)).isoformat(),
        "properties": properties or {},
    }


def _fill(workspace: Workspace) -> None:
    """Ann, who bought; Bob and Cy, who come and look; somebody with an odd id. Scored twice."""
    workspace.post(
        [
            *(act("ann", *each) for each in ANN),
            act("bob", 10.0, "landing_view", AD),
            *(act("cy", days, "app_open") for days in (10.0, 3.0, 2.0)),
            act(ODD, 2.0, "app_open"),
        ]
    )
    workspace.drain()
    workspace.score(BEFORE)
    workspace.score(AS_OF)


@pytest.fixture(scope="session")
def filled_folder(empty_stores: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace with them, to be copied."""
    folder = tmp_path_factory.mktemp("people") / "workspace"
    shutil.copytree(empty_stores, folder)
    with open_workspace(folder, settings=load_settings(threads=1)) as opened:
        _fill(opened)
    return folder


@pytest.fixture(scope="session")
def known(filled_folder: Path) -> Iterator[Workspace]:
    """A workspace with them, in which no test changes what another one reads."""
    with open_workspace(filled_folder, settings=load_settings(threads=1)) as opened:
        yield opened


@pytest.fixture
def filled(filled_folder: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with them, of one test alone."""
    shutil.copytree(filled_folder, tmp_path / "filled")
    with open_workspace(tmp_path / "filled") as opened:
        yield opened
