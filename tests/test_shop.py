"""A shop's export from end to end: the sample in tests/data, with the example overlay."""

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from stores import new_workspace

from mi_core.ingest.summary import IngestSummary
from mi_core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
EXPORT = ROOT / "tests" / "data" / "shop_export"
SECRETS = (b"mail.example", b"203.0.113.")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Tests only read it."""
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(ROOT / "examples" / "shop-overlay.toml", folder / "overlay.toml")
    with new_workspace(folder) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def summary(shop: Workspace) -> IngestSummary:
    return shop.ingest([EXPORT])


def decoded(file: Path) -> bytes:
    """The bytes of a file, and the values of a Parquet one."""
    values = str(pl.read_parquet(file).rows()) if file.suffix == ".parquet" else ""
    return file.read_bytes() + values.encode()


def test_the_shop_is_found_in_its_export(shop: Workspace, summary: IngestSummary):
    assert (summary.files, summary.ignored_files) == (2, ("README.md",))
    assert (summary.delivered, summary.accepted, summary.rejected) == (465, 465, {})
    assert summary.unknown_events == {}
    assert shop.sql("select count(distinct user_id) from lake.user_event").item() == 10
    assert shop.sql("select count(*) from lake.identity_alias").item() == 20
    purchases = "select count(*) from lake.user_event where etype = 'purchase'"
    assert shop.sql(purchases).item() == 8


def test_every_session_has_one_landing_with_a_channel(shop: Workspace, summary: IngestSummary):
    landings = shop.sql(
        "select session_id, count(*) as n, count(channel) as channels from lake.user_event"
        " where etype = 'landing_view' group by session_id"
    )

    assert landings.height > 10
    assert set(landings["n"]) == set(landings["channels"]) == {1}


def test_nothing_of_the_visitors_is_in_the_workspace(shop: Workspace, summary: IngestSummary):
    files = [file for file in shop.path.rglob("*") if file.is_file()]

    planted = gzip.decompress((EXPORT / "2024-05-to-06.jsonl.gz").read_bytes())
    assert all(secret in planted for secret in SECRETS)
    assert [file for file in files for secret in SECRETS if secret in decoded(file)] == []
