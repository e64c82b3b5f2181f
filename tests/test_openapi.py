"""The server does what its OpenAPI document says, whatever is sent."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from api_people import filled_folder as filled_folder
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from serving import start

# A value that the document allows may still name nobody; and here every request has its token.
NOT_HERE = (positive_data_acceptance, ignored_auth)
TOKEN = "one-for-everything"


@pytest.fixture(scope="module")
def openapi(filled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("openapi") / "workspace"
    shutil.copytree(filled_folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MI_THREADS", "1")
        server = start(
            folder,
            **dict.fromkeys(("api_token", "cron_token", "privacy_token", "webhook_token"), TOKEN),
            capture_key="phc_tests",
            api_requests_per_minute="100000",
            api_processes="1",
        )
    yield schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    server.kill()


def test_every_endpoint_keeps_to_its_description(openapi: Any, subtests: pytest.Subtests):
    for found in openapi.get_all_operations():
        operation = found.ok()
        if operation.method == "delete":
            continue  # an erasure takes seconds

        @settings(
            max_examples=2,
            phases=[Phase.explicit, Phase.generate],
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate(
                headers={"authorization": f"Bearer {TOKEN}"},
                excluded_checks=[*NOT_HERE],
                timeout=60,
            )

        with subtests.test(operation.label):
            check()
