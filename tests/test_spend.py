"""What campaigns cost, from files to the lake: all of it or nothing, each row once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import OpenWorkspace
from scoring_lake import memory_warehouse
from sql_cases import SqlCase, fill, found, sql_cases

from mi_core.definitions import load_definitions
from mi_core.errors import IngestError
from mi_core.ingest.spend import SpendSummary, ingest_spend
from mi_core.ingest.spend_files import load_spend_files
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace

DEFINITIONS = load_definitions()
TABLES = ("lake.campaign_spend", "spend_raw", "spend_row", "spend_change")
HEAD = "date,channel,campaign,spend\n"
FIRST = "2024-06-01,google_ads,brand,12.50\n"


class MemoryLake(Warehouse):
    """A lake of DuckDB's own tables, which take no commit messages."""

    @contextmanager
    def publish(self, message: str) -> Iterator[None]:
        self.sql("begin")
        try:
            yield
            self.sql("commit")
        except BaseException:
            self.sql("rollback")
            raise


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A lake in memory with all tables of spend, empty."""
    opened = memory_warehouse(tmp_path_factory.mktemp("lake"), DEFINITIONS)
    opened.__class__ = MemoryLake
    load_spend_files(opened, [])
    opened.stage("spend_row", "staging/spend_row", personal="@", most_cents=1)
    opened.stage("spend_change", "staging/spend_change")
    yield opened
    opened.close()


@pytest.mark.parametrize("case", [*sql_cases("staging")], ids=str)
def test_case(staged: Warehouse, case: SqlCase):
    for table in TABLES:
        fill(staged, table, case.given.get(table, []))
    assert sorted(found(staged, case), key=str) == sorted(case.expect, key=str)


@pytest.fixture
def lake(staged: Warehouse) -> Warehouse:
    """The lake in memory without any spend."""
    fill(staged, "lake.campaign_spend", [])
    return staged


def write(folder: Path, *texts: str) -> list[Path]:
    """A CSV file of each text: a.csv, b.csv …"""
    paths = [folder / f"{name}.csv" for name, _ in zip("abc", texts, strict=False)]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text.encode())
    return paths


def take(lake: Warehouse, *files: Path, replace: bool = False) -> SpendSummary:
    return ingest_spend(lake, DEFINITIONS, files, replace=replace)


def complaint(lake: Warehouse, *files: Path) -> str:
    """What is said of files that must be refused, and change nothing."""
    before = stored(lake)
    with pytest.raises(IngestError) as raised:
        take(lake, *files)
    assert stored(lake) == before
    return str(raised.value)


def stored(lake: Warehouse) -> list[tuple[Any, ...]]:
    """Day of the month, channel, campaign and cents, in order."""
    return lake.sql(
        "select day(spend_date), channel, campaign_id, cents from lake.campaign_spend order by all"
    ).fetchall()


def test_a_file_is_counted_and_stored_in_cents(lake: Warehouse, tmp_path: Path):
    text = HEAD + FIRST + "2024-06-02,google_ads,brand,1.005\n2024-06-02,meta_ads,,3\n"
    summary = take(lake, *write(tmp_path, text))

    assert summary == SpendSummary(
        files=1,
        rows=3,
        days=2,
        channels=2,
        cents=1651,
        added=3,
        unchanged=0,
        replaced=0,
        since=date(2024, 6, 1),
        until=date(2024, 6, 2),
    )
    assert stored(lake) == [
        (1, "google_ads", "brand", 1250),
        (2, "google_ads", "brand", 101),
        (2, "meta_ads", None, 300),
    ]


def test_files_of_any_layout(lake: Warehouse, tmp_path: Path):
    files = write(
        tmp_path,
        "\ufeffDate;Channel;Spend\r\n2024-06-01;google_ads;1.00\r\n",
        'cents\tcampaign_id\tchannel\tdate\n\n200\t"a ""b"", c"\temail\t2024-06-01\n',
    )
    take(lake, *files)

    assert stored(lake) == [(1, "email", 'a "b", c', 200), (1, "google_ads", None, 100)]


@pytest.mark.parametrize(
    "amounts",
    [
        pl.Series([1.005, 0.1 + 0.2]),
        pl.Series([Decimal("1.005"), Decimal("0.300")]),
        pl.Series(["1.005", "0.3"]),
    ],
    ids=["double", "decimal", "text"],
)
@pytest.mark.parametrize(
    "days",
    [
        pl.Series([date(2024, 6, 1), date(2024, 6, 2)]),
        pl.Series([datetime(2024, 6, 1), datetime(2024, 6, 2)]),
        pl.Series([datetime(2024, 6, 1), datetime(2024, 6, 2)]).dt.replace_time_zone("UTC"),
    ],
    ids=["date", "timestamp", "timestamptz"],
)
def test_parquet_of_any_type(lake: Warehouse, tmp_path: Path, days: pl.Series, amounts: pl.Series):
    path = tmp_path / "spend[1].parquet"
    pl.DataFrame({"date": days, "spend": amounts}).with_columns(
        channel=pl.lit("email"), campaign=pl.lit(None)
    ).write_parquet(path)
    take(lake, path)

    assert stored(lake) == [(1, "email", None, 101), (2, "email", None, 30)]


def test_what_is_there_with_the_same_amount_is_left_alone(lake: Warehouse, tmp_path: Path):
    [before] = write(tmp_path, HEAD + FIRST)
    take(lake, before)
    [longer] = write(tmp_path, HEAD + FIRST + "2024-06-02,google_ads,brand,1\n")
    summary = take(lake, longer)

    assert (summary.added, summary.unchanged, summary.replaced) == (1, 1, 0)
    assert stored(lake) == [(1, "google_ads", "brand", 1250), (2, "google_ads", "brand", 100)]


def test_another_amount_needs_replace(lake: Warehouse, tmp_path: Path):
    take(lake, *write(tmp_path, HEAD + FIRST + "2024-06-02,google_ads,brand,1\n"))
    [other] = write(tmp_path, HEAD + FIRST + "2024-06-02,google_ads,brand,2\n")

    assert complaint(lake, other) == (
        "a.csv, line 3: google_ads, brand, on 2024-06-02 is 1.00 in the lake, and 2.00 here. "
        "With --replace what the files say takes its place."
    )
    summary = take(lake, other, replace=True)
    assert (summary.added, summary.unchanged, summary.replaced) == (0, 1, 1)
    assert stored(lake) == [(1, "google_ads", "brand", 1250), (2, "google_ads", "brand", 200)]


def test_a_total_and_its_campaigns_replace_each_other(lake: Warehouse, tmp_path: Path):
    campaigns, total = write(
        tmp_path,
        HEAD + FIRST + "2024-06-01,google_ads,launch,1\n2024-06-02,google_ads,brand,1\n",
        HEAD + "2024-06-01,google_ads,,20\n",
    )
    take(lake, campaigns)

    assert "b.csv, line 2: google_ads on 2024-06-01 is a total" in complaint(lake, total)
    assert take(lake, total, replace=True).replaced == 1
    assert stored(lake) == [(1, "google_ads", None, 2000), (2, "google_ads", "brand", 100)]
    assert "brand, on 2024-06-01 is a campaign" in complaint(lake, campaigns)
    assert take(lake, campaigns, replace=True).replaced == 2
    assert len(stored(lake)) == 3


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("2024-06-01,gogle_ads,brand,1", "'gogle_ads'; did you mean 'google_ads'? Allowed: app,"),
        ("2024-06-01,,brand,1", "there is no channel. Allowed: app,"),
        (
            "06/01/2024,email,,1",
            "'06/01/2024' is no day of 2000 to 2099; write a day as 2024-06-30",
        ),
        (",email,,1", "there is no date"),
        ("2024-06-01,email,,-3", "'-3' is no amount; write 12.50: from 0 to 10,000,000,000,"),
        ("2024-06-01,email,,NaN", "'NaN' is no amount"),
        ("2024-06-01,email,,", "there is no spend; write 12.50"),
        ("2024-06-01,email,,10000000000.01", "'10000000000.01' is no amount"),
        ('2024-06-01,email,,"1,234.50"', "without currency or thousands separators"),
    ],
)
def test_a_row_that_says_nothing_that_can_be_taken(
    lake: Warehouse, tmp_path: Path, row: str, told: str
):
    said = complaint(lake, *write(tmp_path, f"{HEAD}{FIRST}{row}\n"))

    assert said.startswith("a.csv, line 3: ")
    assert told in said


def test_no_campaign_may_name_a_person(lake: Warehouse, tmp_path: Path):
    said = complaint(lake, *write(tmp_path, HEAD + "2024-06-01,email,for jo@mail.example,1\n"))

    assert "line 2: the campaign looks like personal data" in said
    assert "jo@" not in said


def test_the_line_is_that_of_an_editor_and_others_are_counted(lake: Warehouse, tmp_path: Path):
    text = HEAD + '\n2024-06-01,email,"two\nlines",1\n\n2024-06-01,mail,,1\n2024-06-02,mail,,1\n'
    said = complaint(lake, *write(tmp_path, text))

    assert said.startswith("a.csv, line 6: ")
    assert said.endswith(" 1 more of the rows can't be taken.")


def test_a_row_of_parquet_is_counted_from_one(lake: Warehouse, tmp_path: Path):
    path = tmp_path / "a.parquet"
    days = [date(2024, 6, 1)] * 2
    pl.DataFrame({"date": days, "channel": ["email", "mail"], "cents": [1, 1]}).write_parquet(path)

    assert complaint(lake, path).startswith("a.parquet, row 2: There is no channel 'mail'")


def test_a_day_of_a_campaign_comes_once(lake: Warehouse, tmp_path: Path):
    again = HEAD + "2024-06-02,google_ads,brand,1\n" + FIRST

    twice = "google_ads, brand, on 2024-06-01 is there already, in "
    told = complaint(lake, *write(tmp_path, again + FIRST))
    assert told.startswith(f"a.csv, line 4: {twice}a.csv, line 3;")
    told = complaint(lake, *write(tmp_path, HEAD + FIRST, again))
    assert told.startswith(f"b.csv, line 3: {twice}a.csv, line 2;")


def test_a_total_beside_its_campaigns_would_count_twice(lake: Warehouse, tmp_path: Path):
    total = HEAD + "2024-06-02,google_ads,,1\n2024-06-01,google_ads,,1\n"
    said = complaint(lake, *write(tmp_path, total, HEAD + FIRST))

    assert said.startswith(
        "a.csv, line 3 has the total of google_ads on 2024-06-01, and b.csv, line 2 a campaign"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        (HEAD, "a.csv has no rows"),
        ("\n\n", "lacks date, channel, spend: a spend file has date, channel, campaign (may"),
        ("date,spend\n2024-06-01,1\n", "a.csv lacks channel: "),
        ("date,channel\n2024-06-01,email\n", "a.csv lacks spend: "),
        ("date,chanel,spend\n2024-06-01,email,1\n", "'chanel'; did you mean 'channel'? Allowed:"),
        ("date,channel,spend,cents\n2024-06-01,email,1,100\n", "has both cents and spend"),
        ("date,channel,campaign,campaign_id,spend\n", "has both campaign and campaign_id"),
        ("date,channel,spend,Spend\n2024-06-01,email,1,1\n", "has a column twice"),
        (HEAD + "2024-06-01,email,1\n", "has 3 values on line 2, for 4 columns"),
        (HEAD + FIRST + '2024-06-01,"email,,1\n', "has a quote on line 3 that isn't closed"),
    ],
)
def test_a_file_that_is_no_spend_file(lake: Warehouse, tmp_path: Path, text: str, told: str):
    fine, wrong = tmp_path / "fine.csv", tmp_path / "a.csv"
    fine.write_text(HEAD + FIRST)
    wrong.write_text(text)

    assert told in complaint(lake, fine, wrong)


@pytest.mark.parametrize("line", [0, 2])
def test_a_file_of_another_encoding(lake: Warehouse, tmp_path: Path, line: int):
    path = tmp_path / "a.csv"
    lines = [HEAD.encode(), FIRST.encode(), b"2024-06-02,google_ads,brand,1\n"]
    lines[line] = lines[line].replace(b"a", b"\xe4")
    path.write_bytes(b"".join(lines))

    assert "a.csv is not UTF-8 text" in complaint(lake, path)


def test_a_path_that_is_no_spend_file(lake: Warehouse, tmp_path: Path):
    (tmp_path / "a.txt").write_text(HEAD + FIRST)
    (tmp_path / "a.parquet").write_text(HEAD + FIRST)

    assert "isn't there" in complaint(lake, tmp_path / "none.csv")
    assert "expected files named *.csv or *.parquet" in complaint(lake, tmp_path / "a.txt")
    assert "expected files named *.csv or *.parquet" in complaint(lake, tmp_path)
    assert "a.parquet is damaged, or is not" in complaint(lake, tmp_path / "a.parquet")
    assert "There is no spend file" in complaint(lake)


def test_a_workspace_takes_spend_once(any_workspace: Workspace, tmp_path: Path):
    first, second = write(
        tmp_path,
        HEAD + FIRST + "2024-06-01,email,,1\n",
        HEAD + "2024-06-01,google_ads,brand,13\n2024-06-01,email,,1\n",
    )
    any_workspace.ingest_spend([first])
    snapshot = any_workspace.warehouse.snapshot()

    assert any_workspace.ingest_spend([str(first)]).unchanged == 2
    assert any_workspace.warehouse.snapshot() == snapshot
    with pytest.raises(IngestError, match="--replace"):
        any_workspace.ingest_spend([second])
    assert any_workspace.warehouse.snapshot() == snapshot
    any_workspace.ingest_spend([second], replace=True)
    assert stored(any_workspace.warehouse) == [
        (1, "email", None, 100),
        (1, "google_ads", "brand", 1300),
    ]


def test_two_at_once_add_each_row_once(fresh: OpenWorkspace, tmp_path: Path):
    days = "".join(f"2024-06-{day:02},email,,{day}\n" for day in range(1, 31))
    [path] = write(tmp_path, HEAD + days)
    workspaces = [fresh(tmp_path / "one") for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        summaries = list(threads.map(lambda each: each.ingest_spend([path]), workspaces))

    assert sorted(each.added for each in summaries) == [0, 0, 30]
    assert len(stored(workspaces[0].warehouse)) == 30
