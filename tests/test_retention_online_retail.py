"""Monthly retention of a shop's customers, against tables that others published of that data."""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from exports import Event, write_export

from mi_core.workspace import Workspace, open_workspace

DAYS = Path(__file__).parent / "data" / "online_retail" / "customer_day.parquet"
AS_OF = datetime(2012, 1, 1, tzinfo=UTC)
FIRST_MONTH = 12 * 2010 + 11

Cells = dict[tuple[int, int], int]
"""Month of the first purchase, from 0, and months since → customers."""

# github.com/monikase/Data-Analytics-Projects, commit 90f0c81d,
# _18_Online_Retail_Analysis/data/processed/cohort_retention.csv: without lines that lack a customer
# or repeat another, and those whose quantity or price isn't above zero.
SALES = {
    "sizes": [885, 417, 380, 452, 300, 284, 242, 188, 169, 299, 358, 323, 41],
    "first_cohort": [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235],
    "one_month_later": [324, 92, 71, 68, 64, 54, 42, 34, 35, 70, 86, 36],
}

# The same repository, _16_Online_Retail_Retention: all lines with a customer, cancellations too.
ALL_LINES = {
    "sizes": [948, 421, 380, 440, 299, 279, 235, 191, 167, 298, 352, 321, 41],
    "first_cohort": [948, 362, 317, 367, 341, 376, 360, 336, 336, 374, 354, 474, 260],
    "one_month_later": [362, 101, 94, 84, 68, 66, 49, 40, 42, 89, 93, 43],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Each customer's days as events: purchases, and days with cancellations only."""
    folder = tmp_path_factory.mktemp("shop")
    rows = pl.read_parquet(DAYS).rows()
    export = write_export(folder / "export.parquet", (event(*row) for row in rows))
    with open_workspace(folder / "workspace") as opened:
        assert opened.ingest([export]).accepted == len(rows)
        yield opened


def event(customer: int, day: date, has_sale: bool) -> Event:
    at = datetime(day.year, day.month, day.day, tzinfo=UTC).isoformat()
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{customer} {day}")),
        "event": "purchase" if has_sale else "purchase_refunded",
        "distinct_id": f"customer-{customer}",
        "person_id": None,
        "properties": {},
        "timestamp": at,
        "created_at": at,
        "_inserted_at": at,
    }


def months_by_hand(*, only_sales: bool) -> Cells:
    months: dict[int, set[int]] = {}
    for customer, day, has_sale in pl.read_parquet(DAYS).iter_rows():
        if has_sale or not only_sales:
            month = 12 * day.year + day.month - 1 - FIRST_MONTH
            months.setdefault(customer, set()).add(month)
    return Counter((min(each), month - min(each)) for each in months.values() for month in each)


def retained(shop: Workspace, start: str | None) -> Cells:
    found = shop.retention(start, every="month", periods=12, as_of=AS_OF).cohorts
    return {
        (12 * day.year + day.month - 1 - FIRST_MONTH, period): people
        for day, period, people in found.select("cohort", "period", "people").rows()
    }


@pytest.mark.parametrize(
    ("start", "published"), [("purchase", SALES), (None, ALL_LINES)], ids=["sales", "all lines"]
)
def test_monthly_retention_is_what_was_published(
    shop: Workspace, start: str | None, published: Mapping[str, list[int]]
):
    found = retained(shop, start)

    assert [found[month, 0] for month in range(13)] == published["sizes"]
    assert [found[0, period] for period in range(13)] == published["first_cohort"]
    assert [found[month, 1] for month in range(12)] == published["one_month_later"]


@pytest.mark.parametrize("start", ["purchase", None])
def test_all_cells_are_those_of_a_count_by_hand(shop: Workspace, start: str | None):
    by_hand = months_by_hand(only_sales=start == "purchase")

    assert sum(by_hand.values()) > 10_000
    assert retained(shop, start) == {
        (month, period): by_hand[month, period]
        for month in range(13)
        for period in range(13 - month)
    }
