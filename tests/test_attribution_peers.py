"""Attribution held to other packages on 10,000 paths that one of them is published with.

First to what needs no package: mta's own expected figures, and a plain count in this file. Then to
each package where it is installed (benchmarks/peers/requirements.txt). They agree to the last
digits, but for these differences, which were looked into:

- ChannelAttribution simulates walks, always the same ones; a channel is off by up to 0.5 % of all
  conversions, which for a channel with few can be more than it has.
- do-attribution's default removal strategy, `fail`, is another model: `redirect_to_null` is ours.
  Its Shapley game is of paths with exactly a set of channels, and has no answer for most data.
- mta adds up the probabilities of observed paths alone, not of all walks; the two are one where
  every walk was observed. Its time decay is by rank and needs no times.
- marketing_attribution_models leaves repeats of a channel out by default, which changes no removal
  effect. Its Shapley values are of the conversion rate of exact sets, and of each set it keeps the
  last four channels in alphabetical order.
"""

import csv
import gzip
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mi_core.attribution import attribute_paths

FILE = Path(__file__).parent / "data" / "mta_data" / "data.csv.gz"
RULES = ("first_touch", "last_touch", "linear", "position_based")
WITHIN = 1e-9
SIMULATED = 0.01


@pytest.fixture(autouse=True)
def _their_warnings() -> Iterator[None]:
    """What packages warn of, on import or in use, is theirs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def paths() -> list[tuple[list[str], int, float, int]]:
    """Path, conversions, value, nulls."""
    with gzip.open(FILE, "rt") as file:
        return [
            (path.split(" > "), int(conversions), float(value), int(nulls))
            for path, conversions, value, nulls in list(csv.reader(file))[1:]
        ]


def ours(table: Any, model: str, figure: str = "conversions", **rules: Any) -> dict[str, float]:
    """What each channel has; only channels that have something."""
    changes = {"draws": 0, "min_conversions": 0, "min_paths_per_state": 0, **rules}
    rows = attribute_paths(table, [model], **changes).credits.filter(pl.col("model") == model)
    return {key: part for key, part in rows.select("channel", figure).iter_rows() if part}


def small(*rows: tuple[str, int, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["path", "conversions", "nulls"], orient="row")


# --- what needs no package


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", {"direct": 2, "search": 8}),
        ("last_touch", {"direct": 2, "email": 8}),
        ("linear", {"direct": 2, "search": 19 / 6, "email": 19 / 6, "social": 5 / 3}),
        ("position_based", {"direct": 2, "search": 3.5, "email": 3.5, "social": 1}),
    ],
)
def test_the_rules_give_what_mta_expects(model: str, expected: dict[str, float]) -> None:
    """Of eeghor/mta, tests/test_heuristic_models.py, over its three journeys."""
    journeys = small(("direct", 2, 1), ("search > email", 3, 2), ("search > social > email", 5, 4))
    assert ours(journeys, model) == pytest.approx(expected)


def test_repeats_and_other_shares_give_what_mta_expects() -> None:
    """Of the same file: a linear rule counts repeats; two touches share by the ends' weights."""
    assert ours(small(("a > a > b", 6, 0)), "linear") == pytest.approx({"a": 4, "b": 2})
    shares = {"first": 0.3, "last": 0.7}
    credit = ours(small(("x > y", 10, 0)), "position_based", position_based=shares)
    assert credit == pytest.approx({"x": 3, "y": 7})


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (small(("a", 5, 0)), {"a": 5}),
        (small(("a > b > c > d", 10, 0)), {"a": 2.5, "b": 2.5, "c": 2.5, "d": 2.5}),
        (small(("a", 4, 0), ("a > b", 6, 0)), {"a": 7, "b": 3}),
    ],
)
def test_shapley_gives_what_mta_expects(table: pl.DataFrame, expected: dict[str, float]) -> None:
    """Of eeghor/mta, tests/test_shapley.py."""
    assert ours(table, "shapley") == pytest.approx(expected)


@pytest.mark.parametrize("model", [*RULES, "shapley"])
def test_ten_thousand_paths_counted_plainly(model: str, paths: list[Any]) -> None:
    conversions: dict[str, float] = defaultdict(float)
    worth: dict[str, float] = defaultdict(float)
    for path, count, value, _ in paths:
        for channel, share in _shares(model, path):
            conversions[channel] += share * count
            worth[channel] += share * value
    assert ours(FILE, model) == pytest.approx(_some(conversions))
    assert ours(FILE, model, "value") == pytest.approx(_some(worth))


def test_ten_thousand_paths_as_a_plain_chain(paths: list[Any]) -> None:
    """A matrix of all states, the ends too, and its limit; a removed channel leads to null."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for path, conversions, _, nulls in paths:
        for step in zip(["(start)", *path], path, strict=False):
            counts[step] += conversions + nulls
        counts[path[-1], "(conversion)"] += conversions
        counts[path[-1], "(null)"] += nulls
    states = sorted({state for step in counts for state in step})
    place = {state: number for number, state in enumerate(states)}
    chain = np.zeros((len(states), len(states)))
    for (source, target), times in counts.items():
        chain[place[source], place[target]] = times
    for end in ("(conversion)", "(null)"):
        chain[place[end], place[end]] = 1
    chain /= chain.sum(axis=1, keepdims=True)

    def converting(removed: str | None = None) -> float:
        walk = chain.copy()
        if removed:
            walk[place[removed]] = np.eye(len(states))[place["(null)"]]
        for _ in range(12):  # 4,096 steps: no walk is still under way
            walk = walk @ walk
        return float(walk[place["(start)"], place["(conversion)"]])

    found = attribute_paths(FILE, ["markov"], draws=0)
    effects = {c: 1 - converting(c) / converting() for c in states if not c.startswith("(")}
    assert found.base_rate == pytest.approx(converting())
    assert dict(found.removal_effects.select("channel", "removal_effect").iter_rows()) == (
        pytest.approx(effects)
    )


def _shares(model: str, path: list[str]) -> list[tuple[str, float]]:
    """Each step or channel of a path with its share."""
    if model == "shapley":
        return [(channel, 1 / len(set(path))) for channel in set(path)]
    if model == "first_touch" or len(path) == 1:
        return [(path[0], 1)]
    if model == "last_touch":
        return [(path[-1], 1)]
    if model == "linear":
        return [(channel, 1 / len(path)) for channel in path]
    if len(path) == 2:
        return [(channel, 0.5) for channel in path]
    between = [(channel, 0.2 / (len(path) - 2)) for channel in path[1:-1]]
    return [(path[0], 0.4), *between, (path[-1], 0.4)]


def _some(credit: dict[str, float]) -> dict[str, float]:
    return {channel: part for channel, part in credit.items() if part}


# --- the packages themselves


@pytest.fixture(scope="module")
def frame() -> Any:
    return pytest.importorskip("pandas").read_csv(FILE)


def test_channel_attribution(frame: Any) -> None:
    """Its three rules to the last digits, its simulated chains to 1 % of all conversions."""
    package = pytest.importorskip("ChannelAttribution")
    rules = package.heuristic_models(
        frame, "path", "total_conversions", var_value="total_conversion_value", flg_pro=False
    ).set_index("channel_name")
    for model in ("first_touch", "last_touch", "linear"):
        theirs = rules.filter(like=model).set_axis(["conversions", "value"], axis="columns")
        for figure in theirs:
            assert ours(FILE, model, figure) == pytest.approx(_some(dict(theirs[figure])))
    for order in (1, 2, 3):
        chain = package.markov_model(
            frame,
            "path",
            "total_conversions",
            "total_conversion_value",
            "total_null",
            order=order,
            ncore=1,
            verbose=False,
            flg_pro=False,
        ).set_index("channel_name")["total_conversions"]
        credit = ours(FILE, "markov", markov_order=order)
        assert dict(chain) == pytest.approx(credit, abs=SIMULATED * chain.sum())


@pytest.mark.parametrize("order", [1, 2, 3])
def test_do_attribution(order: int, frame: Any) -> None:
    package = pytest.importorskip("do_attribution.markov")
    yes, no = frame[frame["total_conversions"] > 0], frame[frame["total_null"] > 0]
    found = package.MarkovAttribution(order=order, removal_strategy="redirect_to_null").fit(
        [*yes["path"], *no["path"]],
        [1] * len(yes) + [0] * len(no),
        [*yes["total_conversions"], *no["total_null"]],
    )
    credit = ours(FILE, "markov", markov_order=order)
    shares = {channel: part / sum(credit.values()) for channel, part in credit.items()}
    assert found["attribution"] == pytest.approx(shares, abs=WITHIN)


def test_mta(frame: Any) -> None:
    model = _mta(frame)
    model.first_touch().last_touch().linear(share="proportional").position_based().shapley()
    for name, theirs in zip(
        RULES, ("first_touch", "last_touch", "linear", "pos_based"), strict=True
    ):
        assert ours(FILE, name) == pytest.approx(_some(model.attribution[theirs]))
    assert ours(FILE, "shapley") == pytest.approx(dict(model.attribution["shapley"]))


def test_mta_markov_where_every_walk_was_observed() -> None:
    rows = [("a > b", 3, 1), ("a > c", 1, 1)]
    pandas = pytest.importorskip("pandas")
    names = ["path", "total_conversions", "total_null"]
    model = _mta(pandas.DataFrame(rows, columns=names)).markov()
    found = attribute_paths(small(*rows), ["markov"], draws=0, min_conversions=0)
    effects = dict(found.removal_effects.select("channel", "removal_effect").iter_rows())
    assert model.attribution["markov"] == pytest.approx(effects)


def test_marketing_attribution_models(frame: Any) -> None:
    package = pytest.importorskip("mam")
    counts = {True: "total_conversions", False: "total_null"}
    rows = pl.concat(
        pl.DataFrame({"path": list(frame["path"]), "n": list(frame[name]), "converts": converts})
        for converts, name in counts.items()
    )
    model = package.MAM(
        rows.filter(pl.col("n") > 0),
        "grouped_journey",
        channels_colname="path",
        journey_with_conv_colname="converts",
        occurrences_colname="n",
    )
    runs = (model.run_first_click, model.run_last_click, model.run_linear, model.run_position_based)
    for name, run in zip(RULES, runs, strict=True):
        assert ours(FILE, name) == pytest.approx(_some(dict(run().to_polars().iter_rows())))
    found = attribute_paths(FILE, ["markov"], draws=0)
    effects = dict(found.removal_effects.select("channel", "removal_effect").iter_rows())
    for with_repeats in (True, False):
        theirs = model.run_markov(transition_to_same_state=with_repeats).metadata["removal_effect"]
        assert dict(theirs["removal_effect"]) == pytest.approx(effects)


def _mta(frame: Any) -> Any:
    package = pytest.importorskip("mta.mta")
    return package.MTA(frame, add_timepoints=False, allow_loops=True, normalize_by_default=False)
