"""Attribution packages, called as their documentation says.

Most read path strings with counts, which `path_strings` makes from touchpoints: that is work too,
though it isn't counted in theirs. marketing_attribution_models reads touchpoints.
"""

import contextlib
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peers.data import HALF_LIFE
from peers.with_polars import scaled

Shares = dict[str, float]


def connected(data: Path) -> tuple[Any, Path]:
    """A DuckDB connection, and the data."""
    from mi_core.warehouse import scratch

    return scratch(), data


def path_strings(connected: tuple[Any, Path]) -> None:
    """What most packages need first: each path as text, with counts."""
    connection, data = connected
    connection.execute(
        f"""
        create or replace temp table path as
        select
            path,
            sum(converted) as conversions,
            sum(value) as value,
            sum(1 - converted) as nulls
        from (
            select journey_id, string_agg(channel, ' > ' order by ts) as path
            from '{data}/touches.parquet'
            group by journey_id
        )
        inner join '{data}/journeys.parquet' using (journey_id)
        group by path
        """
    )


def paths(data: Path) -> Any:
    """The path strings, ready-made, under the names that ChannelAttribution and mta know."""
    import pandas as pd

    return pd.read_parquet(data / "paths.parquet").rename(
        columns={
            "conversions": "total_conversions",
            "value": "total_conversion_value",
            "nulls": "total_null",
        }
    )


# --- ChannelAttribution


def channel_attribution_rules(frame: Any) -> dict[str, Shares]:
    """First, last and linear; it has no others."""
    ca = _quietly(lambda: __import__("ChannelAttribution"))
    found = _quietly(
        lambda: ca.heuristic_models(
            frame,
            "path",
            "total_conversions",
            var_value="total_conversion_value",
            flg_pro=False,
        )
    ).set_index("channel_name")
    answer = {}
    for rule, name in (
        ("first_touch", "first_touch"),
        ("last_touch", "last_touch"),
        ("linear", "linear_touch"),
    ):
        answer[rule] = dict(found[f"{name}_conversions"])
        answer[f"{rule} value"] = dict(found[f"{name}_value"])
    return answer


def channel_attribution_markov(order: int, frame: Any) -> dict[str, Shares]:
    """By simulated walks, always the same ones."""
    ca = _quietly(lambda: __import__("ChannelAttribution"))
    found = _quietly(
        lambda: ca.markov_model(
            frame,
            "path",
            "total_conversions",
            "total_conversion_value",
            "total_null",
            order=order,
            ncore=2,
            verbose=False,
            flg_pro=False,
        )
    )
    return {"markov": dict(found.set_index("channel_name")["total_conversions"])}


# --- mta


def mta_rules(frame: Any) -> dict[str, Shares]:
    """Its rules that are ours too: its time decay is by rank, ours by time."""
    model = _mta(frame)
    _quietly(
        lambda: (
            model.first_touch(normalize=False)
            .last_touch(normalize=False)
            .linear(share="proportional", normalize=False)
            .position_based(normalize=False)
        )
    )
    found = model.attribution
    return {
        "first_touch": dict(found["first_touch"]),
        "last_touch": dict(found["last_touch"]),
        "linear": dict(found["linear"]),
        "position_based": dict(found["pos_based"]),
    }


def mta_markov(frame: Any) -> dict[str, Shares]:
    """The probabilities of the observed converting paths only, added up."""
    model = _mta(frame)
    _quietly(lambda: model.markov(normalize=False))
    total = float(frame["total_conversions"].sum())
    return {"markov": scaled(model.attribution["markov"], total)}


def mta_shapley(frame: Any) -> dict[str, Shares]:
    """v(S) = conversions of paths inside S."""
    model = _mta(frame)
    _quietly(lambda: model.shapley(normalize=False))
    return {"shapley": dict(model.attribution["shapley"])}


def _mta(frame: Any) -> Any:
    from mta.mta import MTA

    logging.disable(logging.CRITICAL)
    return _quietly(lambda: MTA(frame, add_timepoints=False, allow_loops=True))


# --- marketing_attribution_models


def mam_touches(data: Path) -> Any:
    """Touchpoints, with a journey's value at its last: the package's session format."""
    import polars as pl

    is_conversion = (pl.col("ts") == pl.col("ts").max().over("journey_id")) & (
        pl.col("converted") == 1
    )
    return (
        pl.read_parquet(data / "touches.parquet")
        .join(pl.read_parquet(data / "journeys.parquet"), on="journey_id")
        .select(
            "ts",
            "channel",
            user=pl.col("journey_id").cast(pl.String),
            is_conversion=is_conversion,
            worth=pl.when(is_conversion).then(pl.col("value")).otherwise(0.0),
        )
    )


def mam_rules(touches: Any) -> dict[str, Shares]:
    """The five rules that most packages have: the value; conversions would take a second run."""
    model = mam(touches, conversion_value_colname="worth")
    half_life = HALF_LIFE / 3_600_000_000
    return {
        "first_touch value": _mam_sums(model.run_first_click()),
        "last_touch value": _mam_sums(model.run_last_click()),
        "linear value": _mam_sums(model.run_linear()),
        "position_based value": _mam_sums(model.run_position_based()),
        "time_decay value": _mam_sums(model.run_time_decay(half_life)),
    }


def mam_markov(touches: Any) -> dict[str, Shares]:
    """Its removal effects, with repeats of a channel left in, made shares of all conversions."""
    found = mam(touches).run_markov(transition_to_same_state=True).metadata["removal_effect"]
    return {"markov": scaled(dict(found["removal_effect"]), float(touches["is_conversion"].sum()))}


def mam_shapley(touches: Any) -> dict[str, Shares]:
    """v(S) = conversion rate of the paths with exactly S, of the last 4 channels by alphabet."""
    return {"shapley": _mam_sums(mam(touches).run_shapley(max_size=4))}


def mam(touches: Any, **options: str) -> Any:
    """The package's object, which first makes paths of the touchpoints."""
    import mam as package

    return package.MAM(
        touches,
        "session",
        channels_colname="channel",
        journey_with_conv_colname="is_conversion",
        datetime_colname="ts",
        user_id_colname="user",
        **options,
    )


def _mam_sums(found: Any) -> Shares:
    return dict(found.to_polars().iter_rows())


# --- do-attribution


def do_attribution_markov(order: int, frame: Any) -> dict[str, Shares]:
    """With the removal strategy that is ours; its default is another model."""
    from do_attribution.markov import MarkovAttribution

    model = MarkovAttribution(order=order, removal_strategy="redirect_to_null")
    found = model.fit(*_weighted(frame))
    total = float(frame["total_conversions"].sum())
    return {"markov": scaled(found["attribution"], total)}


def _weighted(frame: Any) -> tuple[list[str], list[int], list[int]]:
    """Paths, whether they convert, and how often each came."""
    yes, no = frame[frame["total_conversions"] > 0], frame[frame["total_null"] > 0]
    return (
        [*yes["path"], *no["path"]],
        [1] * len(yes) + [0] * len(no),
        [*yes["total_conversions"], *no["total_null"]],
    )


def _quietly(work: Callable[[], Any]) -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return work()
