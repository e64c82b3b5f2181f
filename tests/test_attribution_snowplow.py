"""Attribution against dbt-snowplow-fractribution, on the data of that package's own tests.

Its 98 raw page views come in as a PostHog export, and its expected tables are what must come out:
channels of visits, paths, path summary, credits and return on spend (tests/data/
snowplow_fractribution, Apache-2.0). Where the two packages differ:

- Who: a visitor without a login is "f" and the visitor's id there; here it is a keyed hash.
- Touches: there every visit up to the end of the conversion's day counts, and so does the page view
  that is the conversion; here only what came strictly before. In the export a conversion is an
  event of its own, a millisecond after its page view: who buys on a page has come to it first.
- Window: there it is two dates, the last one included; here an exclusive end and a length.
- Lookback: there 30 days are 30 midnights, here 30 times 24 hours. No path here tells them apart.
- Channels: there a referral is what the medium calls so; here the referring host decides. OVERLAY
  says what differs in six of 97 visits.
- "Shapley": there it is not the Shapley value but a counterfactual per path, see `counterfactual`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from exports import Event, event, write_export
from stores import new_workspace

from mi_core.attribution import Attribution, attribute_paths
from mi_core.attribution.paths import Scope, stage_paths
from mi_core.workspace import Workspace

DATA = Path(__file__).parent / "data" / "snowplow_fractribution"
SINCE, DAYS = datetime(2022, 6, 3), 60
UNTIL = datetime(2022, 8, 2)

CHANNELS = {
    "Direct": "direct",
    "Organic_Search": "organic_search",
    "Paid_Search_Other": "google_ads",
    "Referral": "referral",
    "Unmatched_Channel": "unmatched",
    "Video": "youtube",
}
"""Snowplow's name of a channel, and ours."""

OVERLAY = """
[attribution]
min_conversions = 1     # there are six

[channels.listed_hosts] # to us any host of Google's would be search
"support.google.com" = "site"
"analytics.google.com" = "site"

[channels.platforms.social]
organic = "referral"    # a link on Quora; to us social sites are "web"

[channels.names.unmatched]
label = "Unmatched"
why = "What Snowplow's rules leave over: affiliates, for they know only the plural."

[channels.rules.affiliate]
channel = "unmatched"   # to us a referral
"""


def read(table: str) -> pl.DataFrame:
    return pl.read_csv(DATA / f"{table}.csv", try_parse_dates=True)


def steps(path: str) -> list[str]:
    """Snowplow's path as a list of our channels."""
    return [CHANNELS[name] for name in path.split(" > ")]


def exported(row: Mapping[str, Any], delay: timedelta) -> Iterator[Event]:
    """What PostHog would have of a Snowplow event: it, and the conversion in it after `delay`."""
    name = {"page_view": "$pageview"}.get(row["event_name"], row["event_name"])
    amounts = {"price_cents": round(100 * row["tr_total"])} if row["tr_total"] else {}
    for sent, at, properties in (
        (name, row["derived_tstamp"], arrival(row)),
        *([("purchase", row["derived_tstamp"] + delay, amounts)] if amounts else []),
    ):
        moment = dict.fromkeys(("timestamp", "created_at", "_inserted_at"), at.isoformat())
        of_session = event(
            sent,
            row["domain_userid"],
            properties=properties,
            session=row["domain_sessionid"],
            key=row["event_id"],
        )
        yield of_session | moment


def arrival(row: Mapping[str, Any]) -> dict[str, str]:
    """Where a visit came from, as a browser says it: tags of campaigns, else the page before."""
    source, medium = row["mkt_source"], row["mkt_medium"]
    if medium in ("cpc", "affiliate"):
        return {
            "utm_source": source,
            "utm_medium": medium,
            "utm_campaign": row["mkt_campaign"],
        }
    hosts = {"organic": f"www.{source}.com", "referral": source}
    path = row["refr_urlpath"] or "/"
    return {"$referrer": f"https://{hosts[medium]}{path}" if medium in hosts else "$direct"}


def take_in(folder: Path, *, delay: timedelta) -> Workspace:
    """A workspace with Snowplow's events, each conversion `delay` after its page view."""
    folder.mkdir(parents=True)
    (folder / "overlay.toml").write_text(OVERLAY)
    events = [each for row in read("events").to_dicts() for each in exported(row, delay)]
    workspace = new_workspace(folder)
    summary = workspace.ingest([write_export(folder / "snowplow.jsonl", events)])
    assert (summary.accepted, summary.rejected) == (98 + 6, {})
    return workspace


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("snowplow")
    spend = pl.DataFrame({"channel": list(CHANNELS.values())}).with_columns(
        pl.lit(SINCE.date()).alias("date"), pl.lit(10_000).alias("spend")
    )
    spend.write_csv(folder / "spend.csv")
    with take_in(folder / "shop", delay=timedelta(milliseconds=1)) as workspace:
        workspace.ingest_spend([folder / "spend.csv"])
        yield workspace


@pytest.fixture(scope="module")
def found(shop: Workspace) -> Attribution:
    return attribution(shop)


def attribution(shop: Workspace) -> Attribution:
    return shop.attribution(
        as_of=UNTIL.replace(tzinfo=UTC), days=DAYS, transform="exposure", draws=0
    )


def users(shop: Workspace, customers: pl.Series) -> list[str]:
    """Who Snowplow's customers are here: the id after the f, hashed."""
    hashed = [str(shop.keys.hashes(name.removeprefix("f"))[0]) for name in customers]
    aliases = shop.sql("select distinct_id_hash, user_id from identity_alias")
    known = dict(aliases.iter_rows())
    return [known[each] for each in hashed]


def paths(shop: Workspace, transform: str) -> pl.DataFrame:
    """One row per path: user_id, ended_at, conversions, value in cents, path."""
    rules = shop.definitions.attribution.model_copy(update={"transform": transform})
    stage_paths(shop.warehouse, Scope(SINCE, UNTIL), rules)
    return shop.warehouse.frame(
        "select journey.user_id, journey.ended_at, journey.conversions, journey.value,"
        " list(path_key.key order by path_step.position) as path"
        " from journey join path_step using (journey_id) join path_key using (code)"
        " group by all"
    )


def by_user(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(frame.rows(), key=str)


def test_every_visit_has_its_channel(shop: Workspace) -> None:
    expected = read("sessions_by_customer_id")
    touches = shop.sql("select user_id, occurred_at, channel from touchpoint")
    assert len(expected) == 97
    assert by_user(touches) == by_user(
        expected.select(
            pl.Series("user_id", users(shop, expected["customer_id"])),
            "visit_start_tstamp",
            pl.col("channel").replace_strict(CHANNELS),
        )
    )


@pytest.mark.parametrize(
    ("column", "transform"), [("path", "unique"), ("transformed_path", "exposure")]
)
def test_paths_to_conversion(shop: Workspace, column: str, transform: str) -> None:
    expected = read("paths_to_conversion")
    ours = paths(shop, transform).filter(conversions=1)
    assert len(expected) == 6
    assert by_user(ours.select("user_id", "ended_at", "value", "path")) == by_user(
        pl.DataFrame(
            {
                "user_id": users(shop, expected["customer_id"]),
                "ended_at": expected["conversion_tstamp"] + timedelta(milliseconds=1),
                "value": (100 * expected["revenue"]).round(),
                "path": [steps(path) for path in expected[column]],
            }
        )
    )


@pytest.mark.parametrize(
    ("column", "transform"), [("path", "unique"), ("transformed_path", "exposure")]
)
def test_paths_without_conversion(shop: Workspace, column: str, transform: str) -> None:
    expected = read("paths_to_non_conversion")
    ours = paths(shop, transform).filter(conversions=0)
    assert len(expected) == 61
    assert by_user(ours.select("user_id", "path")) == by_user(
        pl.DataFrame(
            {
                "user_id": users(shop, expected["customer_id"]),
                "path": [steps(path) for path in expected[column]],
            }
        )
    )


def test_path_summary(found: Attribution) -> None:
    expected = read("path_summary").with_columns(pl.col("revenue").fill_null(0))
    ours = found.paths.select("path", "conversions", "nulls", pl.col("value").round(2))
    assert by_user(ours) == sorted(
        ((steps(path), *rest) for path, *rest in expected.iter_rows()), key=str
    )
    assert (found.conversions, found.unattributed_conversions, found.null_paths) == (6, 0, 61)
    assert found.paths_in_all == 9


def credits(found: Attribution, model: str) -> dict[str, dict[str, float]]:
    rows = found.credits.filter(pl.col("model") == model, pl.col("channel") != "unattributed")
    return {row["channel"]: row for row in rows.to_dicts()}


def test_last_touch_and_return_on_spend(found: Attribution) -> None:
    expected = read("report_table").filter(ATTRIBUTION_TYPE="last_touch").to_dicts()
    ours = credits(found, "last_touch")
    assert ours.keys() == {CHANNELS[row["CHANNEL"]] for row in expected}
    for row in expected:
        figures = ours[CHANNELS[row["CHANNEL"]]]
        for name, theirs in (
            ("conversions", "CONVERSIONS"),
            ("value", "REVENUE"),
            ("spend", "SPEND"),
            ("roas", "ROAS"),
        ):
            assert figures[name] == pytest.approx(row[theirs]), (row["CHANNEL"], name)


def counterfactual(summary: pl.DataFrame) -> dict[tuple[str, ...], list[float]]:
    """What Snowplow calls shapley, by path: the weight of each step.

    The rate at which the very same path converts, less that of the path without the step, if that
    is above 0; shared out in proportion, and all to the last step where nothing is. A path that
    nobody walked has the rate 0. Other orders, and sets of more than one step fewer, aren't asked.
    """
    rates = {
        tuple(row["path"]): row["conversions"] / (row["conversions"] + row["nulls"])
        for row in summary.to_dicts()
    }
    weights = {}
    for path, rate in rates.items():
        without = [path[:at] + path[at + 1 :] for at in range(len(path))]
        added = [max(0.0, rate - rates.get(less, 0.0)) for less in without]
        if not sum(added):
            added[-1] = 1.0
        weights[path] = [each / sum(added) for each in added]
    return weights


def test_their_shapley_comes_of_our_path_summary(found: Attribution) -> None:
    weights = counterfactual(found.paths)
    for row in read("path_summary_with_channels").filter(ATTRIBUTION_TYPE="shapley").to_dicts():
        path = row["TRANSFORMED_PATH"].split(" > ")
        shares = [float(row[name.upper()]) for name in path]
        assert weights[tuple(steps(row["TRANSFORMED_PATH"]))] == pytest.approx(shares, abs=5e-4)
    for row in read("report_table").filter(ATTRIBUTION_TYPE="shapley").to_dicts():
        for total, theirs in (("conversions", "CONVERSIONS"), ("value", "REVENUE")):
            credit = sum(
                weight * each[total]
                for each in found.paths.to_dicts()
                for key, weight in zip(each["path"], weights[tuple(each["path"])], strict=True)
                if key == CHANNELS[row["CHANNEL"]]
            )
            assert credit == pytest.approx(row[theirs]), (row["CHANNEL"], total)


def test_the_shapley_value_shares_a_path_equally(found: Attribution) -> None:
    """Of v(S), the conversions of paths whose channels all lie in S: a sum of unanimity games.

    So the one conversion by organic search and direct is worth a half to each, 3.5 and 1.5 in all,
    where Snowplow has 3.5410 and 1.4590.
    """
    ours = credits(found, "shapley")
    shares = {channel: row["conversions"] for channel, row in ours.items() if row["conversions"]}
    assert shares == pytest.approx({"direct": 3.5, "organic_search": 1.5, "youtube": 1})
    value = {channel: row["value"] for channel, row in ours.items() if row["value"]}
    assert value == pytest.approx(
        {"direct": 94.42 + 140 / 2, "organic_search": 66.5 + 140 / 2, "youtube": 200}
    )


def test_a_visit_at_the_moment_of_the_conversion_is_too_late(tmp_path: Path) -> None:
    """Sent at the same instant, the last visit leaves every path, and two are left without any."""
    with take_in(tmp_path / "shop", delay=timedelta(0)) as workspace:
        found = attribution(workspace)
    assert (found.conversions, found.unattributed_conversions) == (6, 2)
    ours = credits(found, "last_touch")
    counts = {channel: row["conversions"] for channel, row in ours.items() if row["conversions"]}
    assert counts == {"direct": 2, "organic_search": 2}


TRANSFORMS: Mapping[str, dict[str, Any]] = {
    "unique_path": {},
    "exposure_path": {"transform": "exposure"},
    "first_path": {"transform": "first"},
    "frequency_path": {"transform": "frequency"},
    "remove_if_not_all": {"direct": "remove"},
    "remove_if_last_and_not_all": {"direct": "remove_last"},
    "steps_1": {"max_touches": 1},
    "steps_2": {"max_touches": 2},
}
"""Snowplow's name of a transform, and how it is asked for here."""


def transformed(path: list[str], name: str) -> list[str]:
    table = pl.DataFrame({"path": [path], "conversions": [1]})
    found = attribute_paths(table, ["last_touch"], draws=0, **TRANSFORMS[name])
    answer: list[str] = found.paths["path"].to_list()[0]
    return answer


@pytest.mark.parametrize("name", TRANSFORMS)
def test_path_transforms(name: str) -> None:
    """Snowplow's own cases; of those with an empty step there, a path table here is refused."""
    cases = read("path_transformations")
    assert len(cases) == 5
    for path, expected in cases.select("path", name).iter_rows():
        assert transformed(path.split(" > "), name) == expected.split(" > ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("unique_path", "DABBCDCC"),
        ("exposure_path", "DABCDC"),
        ("first_path", "DABC"),
        ("frequency_path", ["D(2)", "A(1)", "B(2)", "C(3)"]),
    ],
)
def test_the_example_beside_the_transforms(name: str, expected: str | list[str]) -> None:
    """What its macros (path_transformations/create_udfs.sql) say that each makes of one path."""
    assert transformed(list("DABBCDCC"), name) == list(expected)
