"""Attribution end to end: the exact small case, everybody against a plain reference, properties."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import attribution_reference as reference
import polars as pl
import pytest
from attribution_reference import Touch
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring_lake import publish_events
from scoring_reference import Event
from stores import new_workspace

from mi_core.attribution import (
    MODELS,
    Attribution,
    attribute,
    attribute_paths,
    touch_credits,
)
from mi_core.attribution.one_person import PersonEvent, TouchCredit, events_of
from mi_core.attribution.statistics import RULES
from mi_core.attribution.touches import removal_effects
from mi_core.errors import BadValue, IngestError, UnknownName
from mi_core.workspace import Workspace

SMALL = pl.DataFrame(
    {
        "path": ["A>B>C", "A>B", "B>C", "C", "A", "B>A>C>A", "D>C", "A>A>B"],
        "conversions": [3, 2, 4, 5, 1, 1, 2, 1],
        "nulls": [5, 8, 6, 15, 20, 2, 3, 1],
        "value": [300, 100, 200, 250, 50, 80, 60, 40],
    }
)
"""19 conversions, 60 nulls, value 1,080."""

TIMELESS = [model for model in MODELS if model not in ("w_shaped", "time_decay")]
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = AS_OF.replace(tzinfo=None)
SINCE = UNTIL - timedelta(days=60)
CHANNELS = ["direct", "email", "google_ads", "referral"]


def from_lake(workspace: Workspace, models: Any = None, **rules: Any) -> Attribution:
    """As `workspace.attribution`, but events that came by no door stay typed as they are."""
    rules = {"as_of": AS_OF, "days": 60, **rules}
    return attribute(workspace.warehouse, workspace.definitions, models, **rules)


def credit(found: Attribution, model: str, figure: str = "conversions") -> list[float]:
    """In the order of the channels, what no channel has last."""
    rows = found.credits.filter(pl.col("model") == model)
    order = pl.col(found.by) == "unattributed"
    return list(rows.sort(order, found.by)[figure])


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", [7, 5, 5, 2]),
        ("last_touch", [2, 3, 14, 0]),
        ("last_non_direct", [2, 3, 14, 0]),
        ("linear", [25 / 6, 55 / 12, 9.25, 1]),
        ("position_based", [4.3, 4.4, 9.3, 1]),
        ("markov", [4.689074, 5.088979, 8.301160, 0.920787]),
        ("shapley", [23 / 6, 29 / 6, 28 / 3, 1]),
    ],
)
def test_exact_small_case(model: str, expected: list[float]) -> None:
    found = attribute_paths(SMALL, [model], draws=0)
    assert credit(found, model) == pytest.approx([*expected, 0], abs=5e-7)
    assert sum(credit(found, model, "value")) == pytest.approx(1080)


def test_small_case_in_a_chain_of_order_two() -> None:
    found = attribute_paths(SMALL, ["markov"], markov_order=2, draws=0)
    assert credit(found, "markov") == pytest.approx([4.268, 5.788, 7.892, 1.052, 0], abs=6e-4)
    assert "order 2" in found.assumptions["markov"]
    assert "redirect_to_null" in found.assumptions["markov"]


def test_small_case_says_what_it_is() -> None:
    found = attribute_paths(SMALL)
    assert found.base_rate == pytest.approx(19 / 79)
    effects = dict(found.removal_effects.select("channel", "removal_effect").iter_rows())
    expected = {"A": 0.423757, "B": 0.459897, "C": 0.750185, "D": 0.083213}
    assert effects == pytest.approx(expected, abs=5e-7)
    assert (found.conversions, found.null_paths, found.value) == (19, 60, 1080)
    assert set(found.abstained) == {"w_shaped", "time_decay"}
    assert "v(S) is the number of conversions" in found.assumptions["shapley"]
    assert found.paths_in_all == 8
    assert found.paths["path"][0].to_list() == ["C"]
    band = found.disagreement.row(0, named=True)
    assert (band["channel"], band["lowest_model"], band["highest_model"]) == (
        *("C", "first_touch"),
        "last_touch",
    )
    clear = found.moves.filter("is_clear").select("model", "channel").rows()
    assert ("markov", "C") in clear
    assert ("markov", "B") not in clear


def test_an_interval_is_of_the_same_seed_only() -> None:
    one, again, other = (attribute_paths(SMALL, seed=seed).credits for seed in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)
    assert list(one["conversions"]) == pytest.approx(list(other["conversions"]))


# ---- properties

keys = st.sampled_from(["a", "b", "c", "direct", "x > y"])
counts = st.integers(0, 40)
rows = st.lists(
    st.tuples(st.lists(keys, min_size=1, max_size=5), counts, counts, st.integers(0, 9999)),
    min_size=1,
    max_size=8,
)


def table(paths: list[tuple[list[str], int, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"path": path, "conversions": c, "nulls": n, "value": float(v if c else 0)}
            for path, c, n, v in paths
        ],
        schema={
            "path": pl.List(pl.String),
            **{"conversions": pl.Int64, "nulls": pl.Int64, "value": pl.Float64},
        },
    )


@given(rows, st.sampled_from(["unique", "exposure", "first", "frequency"]), st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_credit_is_conserved(paths: Any, transform: str, order: int) -> None:
    source = table(paths)
    found = attribute_paths(
        source,
        transform=transform,
        markov_order=order,
        draws=20,
        min_conversions=0,
        min_paths_per_state=0,
    )
    conversions, value = source["conversions"].sum(), source["value"].sum()
    assert (found.conversions, found.value) == (conversions, pytest.approx(value))
    for model in set(TIMELESS) - set(found.abstained):
        assert sum(credit(found, model)) == pytest.approx(conversions)
        assert sum(credit(found, model, "value")) == pytest.approx(value)
    effects = found.removal_effects["removal_effect"].drop_nulls()
    assert effects.is_between(0, 1).all()
    assert set(found.abstained) - {"w_shaped", "time_decay"} <= (
        {"markov", "shapley"} if conversions == 0 else set()
    )


@given(rows)
@settings(max_examples=10, deadline=None)
def test_renaming_channels_renames_the_credit(paths: Any) -> None:
    # Not of direct, which is told by its name.
    new = {"a": "zz", "b": "a", "c": "b", "x > y": "x", "direct": "direct"}
    rules: dict[str, Any] = {"draws": 0, "min_conversions": 1}
    before = attribute_paths(table(paths), **rules)
    after = attribute_paths(
        table([([new[key] for key in path], *rest) for path, *rest in paths]), **rules
    )
    renamed = before.credits.with_columns(pl.col("channel").replace(new)).sort("model", "channel")
    figures = ["conversions", "value"]
    after_sorted = after.credits.sort("model", "channel")
    for name in figures:
        assert list(after_sorted[name]) == pytest.approx(list(renamed[name]), nan_ok=True)


@given(rows)
@settings(max_examples=10, deadline=None)
def test_repeats_change_nothing_in_a_chain_of_order_one(paths: Any) -> None:
    stuttered = [([key for key in path for _ in range(3)], *rest) for path, *rest in paths]
    rules: dict[str, Any] = {"draws": 0, "min_conversions": 1}
    [once, thrice] = [
        attribute_paths(table(each), ["markov"], **rules).removal_effects["removal_effect"]
        for each in (paths, stuttered)
    ]
    assert list(thrice) == pytest.approx(list(once))


# ---- from the lake


@pytest.fixture(scope="module")
def crowd() -> dict[UUID, list[Event]]:
    """60 people with touchpoints, addresses and conversions at random, many at the same time."""
    dice = random.Random(7)

    def some(name: str, most: int) -> list[Event]:
        return [
            Event(
                name,
                AS_OF - timedelta(hours=12 * dice.randrange(1, 2 * 80)),
                dice.choice(CHANNELS) if name == "ad_click" else None,
            )
            for _ in range(dice.randint(0, most))
        ]

    return {
        UUID(int=who): [
            Event("app_open", AS_OF - timedelta(days=99)),
            *some("ad_click", 9),
            *some("email_submitted", 1),
            *some("purchase", 2),
            *some("trial_started", 1),
        ]
        for who in range(1, 61)
    }


@pytest.fixture(scope="module")
def lake(
    tmp_path_factory: pytest.TempPathFactory, crowd: dict[UUID, list[Event]]
) -> Iterator[Workspace]:
    with new_workspace(tmp_path_factory.mktemp("workspace")) as workspace:
        publish_events(workspace.warehouse, crowd)
        yield workspace


def numbered(workspace: Workspace) -> dict[UUID, list[tuple[str, Touch]]]:
    """Each person's events as the lake has them: (name, (when, id, channel))."""
    people = defaultdict(list)
    for user_id, name, at, event_id, channel in workspace.warehouse.sql(
        "select user_id, event_name, occurred_at, event_id, channel from lake.user_event"
    ).fetchall():
        people[user_id].append((name, (at, event_id, channel)))
    return people


CHANGES: list[dict[str, Any]] = [
    {"transform": "exposure"},
    {"transform": "unique", "lookback_days": 7},
    {"transform": "first", "direct": "remove"},
    {"transform": "frequency", "direct": "remove_last", "max_touches": 4},
    {"transform": "exposure", "max_touches": 2, "half_life_days": 1},
]


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_everybody_against_the_reference(lake: Workspace, changes: dict[str, Any]) -> None:
    rules = lake.definitions.attribution.model_copy(update=changes)
    expected: dict[tuple[str, str], float] = Counter()
    walked: Counter[tuple[bool, tuple[str, ...]]] = Counter()
    for events in numbered(lake).values():
        touches = [touch for name, touch in events if name == "ad_click"]
        ends = [at for name, (at, *_) in events if name in ("purchase", "trial_started")]
        leads = [at for name, (at, *_) in events if name == "email_submitted"]
        lead_at = min(leads, default=None)
        for path in reference.paths_of(touches, ends, SINCE, UNTIL, rules, lead_at):
            walked[path.is_conversion, tuple(key for _, _, key in path.touches)] += 1
            if path.is_conversion and path.touches:
                for model, shares in reference.shares(path, rules).items():
                    for (_, _, key), share in zip(path.touches, shares, strict=True):
                        expected[model, key] += share

    found = from_lake(lake, draws=0, **changes)
    given_credit = {
        (model, key): credited
        for model, key, credited in found.credits.select("model", "channel", "conversions").rows()
        if model in RULES and key != "unattributed" and credited
    }
    assert given_credit == pytest.approx({k: v for k, v in expected.items() if v})
    assert found.unattributed_conversions == walked[True, ()] > 0
    shown = {
        tuple(row["path"]): (row["conversions"], row["nulls"]) for row in found.paths.to_dicts()
    }
    for path, (conversions, nulls) in shown.items():
        assert (walked[True, path], walked[False, path]) == (conversions, nulls)
    assert found.null_paths == sum(
        n for (is_conversion, _), n in walked.items() if not is_conversion
    )


def test_intervals_hold_what_they_are_of(lake: Workspace) -> None:
    found = from_lake(lake)
    rows = found.credits.filter(pl.col("channel") != "unattributed")
    assert (rows["conversions_low"] <= rows["conversions"]).all()
    assert (rows["conversions"] <= rows["conversions_high"]).all()
    assert (rows["conversions_low"] < rows["conversions_high"]).any()
    assert found.groups == found.persons > 50


def test_spend_is_set_beside_credit(lake: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "spend.csv"
    file.write_text(
        "date,channel,spend\n2026-02-27,google_ads,120.50\n2026-02-28,tiktok_ads,30\n"
        "2026-03-01,google_ads,999\n"
    )
    lake.ingest_spend([file])
    rows = {row["channel"]: row for row in from_lake(lake, ["linear"]).credits.to_dicts()}
    google, tiktok = rows["google_ads"], rows["tiktok_ads"]
    assert google["spend"] == 120.5
    assert google["cpa"] == pytest.approx(120.5 / google["conversions"])
    assert google["cpa_low"] <= google["cpa"] <= google["cpa_high"]
    assert google["roas"] == pytest.approx(google["value"] / 120.5)
    assert (tiktok["conversions"], tiktok["spend"], tiktok["cpa"]) == (0, 30, None)
    assert tiktok["roas"] == 0
    assert rows["email"]["spend"] is None


def test_what_of_the_spend_is_not_known(workspace: Workspace, tmp_path: Path) -> None:
    publish_events(
        workspace.warehouse, {UUID(int=1): [Event("ad_click", AS_OF - timedelta(2), "email")]}
    )
    file = tmp_path / "spend.csv"
    file.write_text("date,channel,spend\n2026-02-27,google_ads,120\n2026-02-28,google_ads,30\n")
    workspace.ingest_spend([file])
    by_channel, by_campaign = (
        from_lake(workspace, "linear", by=by) for by in ("channel", "campaign")
    )
    days = "Spend is known for 2 of 60 days only"
    assert [said[: len(days)] for said in by_channel.spend_gaps] == [days]
    assert by_campaign.spend_gaps[1].startswith("Of the spend, 150 is known by channel only")
    assert by_campaign.credits["spend"].null_count() == by_campaign.credits.height
    counted = from_lake(workspace, "linear", transform="frequency")
    assert counted.credits["spend"].null_count() == counted.credits.height


def credits_of(
    workspace: Workspace, user_id: UUID, effects: dict[str, float], **changes: Any
) -> list[TouchCredit]:
    stores = (workspace.warehouse, workspace.definitions)
    rules = workspace.definitions.attribution.model_copy(update=changes)
    return touch_credits(events_of(*stores, user_id, as_of=AS_OF), rules, effects)


def test_one_persons_touchpoints(lake: Workspace) -> None:
    effects = removal_effects(lake.warehouse, lake.definitions, as_of=AS_OF)
    for who in range(1, 12):
        by_conversion = defaultdict(list)
        for each in credits_of(lake, UUID(int=who), effects):
            assert each.touched_at < each.converted_at
            by_conversion[each.conversion_id].append(each)
        for path in by_conversion.values():
            for model in MODELS:
                assert math.fsum(each.credit[model] for each in path) == pytest.approx(1)


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_everybodys_touchpoints_have_the_credit_of_their_channels(
    lake: Workspace, changes: dict[str, Any]
) -> None:
    models = [*RULES, "shapley"]
    summed: Counter[tuple[str, str]] = Counter()
    for user_id in numbered(lake):
        for each in credits_of(lake, user_id, {}, **changes):
            if each.converted_at >= SINCE:
                for model in models:
                    summed[model, each.channel] += each.credit[model]  # type: ignore[assignment]
    found = from_lake(lake, models, draws=0, value_function="conversions", **changes)
    rows = found.credits.select("model", "channel", "conversions").rows()
    credited = {(model, key): n for model, key, n in rows if key != "unattributed"}
    assert {k: v for k, v in credited.items() if v} == pytest.approx(
        {k: v for k, v in summed.items() if v}
    )


def step(number: int, channel: str) -> PersonEvent:
    """A touchpoint of that day."""
    at = datetime(2026, 1, number)
    blank = (None, None, None, None)
    return PersonEvent(at, UUID(int=number), "ad_click", None, channel, *blank, True, False)


def test_markov_goes_by_the_removal_effects_that_are_known(lake: Workspace) -> None:
    end = step(9, "x")._replace(is_touch=False, is_conversion=True)
    events = [step(1, "a"), step(2, "b"), step(3, "a"), end]
    rules = lake.definitions.attribution

    def markov(**effects: float) -> list[float | None]:
        return [each.credit.get("markov") for each in touch_credits(events, rules, effects)]

    assert markov(a=0.1, b=0.3) == pytest.approx([0.2, 0.6, 0.2])
    assert markov() == markov(a=0.0) == markov(a=math.nan, b=0.0) == [None] * 3
    assert markov(b=0.3) == [None, 1, None]


def test_nothing_at_all(any_workspace: Workspace) -> None:
    found = any_workspace.attribution(as_of=AS_OF, by="persona")
    assert found.conversions == found.null_paths == found.persons == 0
    assert set(found.abstained) == {"markov", "shapley"}
    assert found.paths.is_empty()
    assert found.as_dict()["credits"][0]["conversions"] == 0


def test_conversions_without_touchpoints_belong_to_nobody(workspace: Workspace) -> None:
    publish_events(workspace.warehouse, {UUID(int=1): [Event("purchase", AS_OF - timedelta(1))]})
    found = from_lake(workspace, ["linear"])
    assert found.credits.select("channel", "conversions").rows() == [("unattributed", 1)]


# ---- what can't be asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"models": ["markof"]}, "no attribution model 'markof'; did you mean 'markov'?"),
        ({"by": "chanel"}, "no column to count by 'chanel'; did you mean 'channel'?"),
        ({"conversion": "purchased"}, "no conversion 'purchased'; did you mean 'purchase'?"),
        ({"transform": "exposed"}, "no transform 'exposed'; did you mean 'exposure'?"),
        ({"direct": "drop"}, "no direct 'drop'"),
        ({"value_function": "rate"}, "no value_function 'rate'"),
        ({"order": 5}, "markov_order is 5, but should be less than or equal to 4."),
        ({"lookback_days": 0}, "lookback_days is 0, but should be greater than 0."),
        ({"draws": -1}, "draws is -1, but should be greater than or equal to 0."),
        ({"days": 0}, "A period has 1 day or more, not 0."),
        ({"days": 10**7}, "A period of 10000000 days would begin before the year 1."),
        ({"lookback_days": 1e9}, "lookback_days is 1000000000.0, but should be less than or equal"),
        ({"seed": -1}, "A seed is 0 or more, not -1."),
        ({"models": "markof"}, "no attribution model 'markof'"),
    ],
    ids=str,
)
def test_wrong_arguments(lake: Workspace, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((UnknownName, BadValue)) as error:
        lake.attribution(as_of=AS_OF, **arguments)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,nulls\na,1\n", "has no column 'conversions', which a path table needs"),
        ("path,conversions\na>b,1\n,2\n", "Row 2 of the path table has no path"),
        ("path,conversions\na>>b,1\n", "Row 1 of the path table has an empty place in its path"),
        (
            "path,conversions\na,-1\n",
            "has -1 conversions; that must be a whole number from 0 to 1e15",
        ),
        ("path,conversions\na,1.5\n", "has 1.5 conversions"),
        ("path,conversions\na,many\n", "has many conversions"),
        ("path,conversions,nulls\na,1,-2\n", "has -2 nulls"),
        ("path,conversions,value\na,1,nan\n", "has the value nan, which is no number"),
        ("path,conversions,value\na,0,5\n", "has the value 5, but no conversion"),
    ],
)
def test_wrong_path_tables(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "paths.csv"
    file.write_text(text)
    with pytest.raises(IngestError) as error:
        attribute_paths(file)
    assert message in str(error.value)


def test_rules_are_checked_as_the_definitions_are() -> None:
    for shares, message in (
        ({"first": 0.9, "last": 0.9}, "position_based must add up to 1 or less"),
        ({"first": 0, "last": 0}, "position_based must add up to 1 or less, but more than 0"),
        ({"first": -1, "last": 0.4}, "position_based.first is -1, but should be"),
    ):
        with pytest.raises(BadValue, match=message):
            attribute_paths(SMALL, position_based=shares)
    with pytest.raises(BadValue, match="direct_channel is 'dirct', which is no channel; did you"):
        attribute_paths(SMALL, direct_channel="dirct")


def test_more_steps_than_a_state_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mi_core.attribution.paths.MOST_KEYS", 3)
    with pytest.raises(BadValue, match=r"Paths have 4 different steps; there may be 3\."):
        attribute_paths(SMALL)


def test_what_rounding_leaves_is_not_less_than_nothing() -> None:
    paths = ["a>c>d>e", "b>e", "a", "a>b>c>f", "a>c>e>f", "a>b>c>d>e"]
    source = pl.DataFrame({"path": paths, "conversions": [5, 8, 6, 2, 3, 8]})
    rules: dict[str, Any] = {"value_function": "conversion_rate", "draws": 0}
    found = attribute_paths(source, "shapley", **rules)
    assert not found.abstained
    assert min(credit(found, "shapley")) == 0


def test_the_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("path,conversions\nwrong,99\n")
    (tmp_path / "p[1].csv").write_text("path,conversions\na>b,20\n")
    assert attribute_paths(tmp_path / "p[1].csv", "linear", draws=0).conversions == 20


def test_path_tables_in_every_form(tmp_path: Path) -> None:
    lists = SMALL.with_columns(pl.col("path").str.split(">"))
    SMALL.write_csv(tmp_path / "small.csv")
    SMALL.rename({"conversions": "total_conversions", "nulls": "total_null"}).write_parquet(
        tmp_path / "small.parquet"
    )
    lists.write_ndjson(tmp_path / "small.jsonl")
    expected = attribute_paths(SMALL, draws=0).credits.drop("value")
    for source in (lists, SMALL.lazy(), *sorted(tmp_path.iterdir())):
        assert attribute_paths(source, draws=0).credits.drop("value").equals(expected)


def test_path_tables_that_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="a file or a Polars frame, not a dict"):
        attribute_paths({"path": ["a"]})  # type: ignore[arg-type]
    with pytest.raises(IngestError, match="There is no path table"):
        attribute_paths(tmp_path / "missing.csv")
    with pytest.raises(UnknownName, match=r"no kind of path table '\.xlsx'"):
        attribute_paths(tmp_path / "paths.xlsx")
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(IngestError, match="can't be read as a path table"):
        attribute_paths(tmp_path / "broken.parquet")


def test_too_thin_for_a_model() -> None:
    thin = SMALL.with_columns(conversions=pl.lit(1), nulls=pl.lit(1))
    found = attribute_paths(thin, min_conversions=10)
    assert "Only 8 conversions have touchpoints" in found.abstained["markov"]
    found = attribute_paths(SMALL, markov_order=4, min_paths_per_state=20)
    assert "79 paths are too few for the" in found.abstained["markov"]
    found = attribute_paths(SMALL, ["shapley"], value_function="conversion_rate")
    assert "less than nothing" in found.abstained["shapley"]
