"""What the search of thresholds claims where there is nothing to find, finds where there is, costs.

Worlds without an effect: in how many of them the 95 % interval of the change on the cases for
testing leaves out that nothing changes. Worlds with a planted threshold at 40: where the search
puts it. And one search, and the weights, over 100,000 cases.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import numpy as np
import polars as pl

from mi_core import tuning
from mi_core.definitions import load_definitions

PLANTED = 40


def drawn(seed: int, people: int, instants: int, *, low: float, high: float) -> tuning.Cases:
    """Cases of people by chance, who buy more often above the planted threshold."""
    rng, size = np.random.default_rng(seed), people * instants
    steps = np.datetime64("2024-01-01", "us") + np.arange(instants) * np.timedelta64(14, "D")
    definitions = load_definitions()
    parts = {"engagement": 60, "purchase_intent": 60, "recency": 11, "frequency": 16, "score": 101}
    given = {f"count_{name}": rng.integers(0, 3, size) for name in definitions.signals}
    frame = pl.DataFrame(
        {
            "user_id": np.repeat([str(UUID(int=number)) for number in range(people)], instants),
            "as_of": pl.Series(np.tile(steps, people)).cast(pl.Datetime("us")),
            **{name: rng.integers(0, most, size) for name, most in parts.items()},
            "company_size": rng.integers(1, 2000, size),
            "top_signals": pl.Series(rng.choice(["trial_start", "page_view"], size))
            .reshape((size, 1))
            .arr.to_list(),
            "signals_count": sum(given.values()),
            "age_days": rng.random(size) * 30,
            **given,
            **{
                f"points_{name}": given[f"count_{name}"] * rule.points
                for name, rule in definitions.signals.items()
            },
        }
    )
    chance = np.where(frame["purchase_intent"].to_numpy() > PLANTED, high, low)
    return tuning.Cases(
        frame=frame.with_columns(pl.Series("outcome", rng.random(size) < chance)),
        present=frame,
        outcome="purchase",
        horizon_days=28,
        instants=tuple(frame["as_of"].unique().sort()),
        left_out="",
        definitions=definitions,
        lake_snapshot=0,
    )


def proposals(seeds: int, low: float, high: float) -> Iterator[tuning.Proposal]:
    effort = tuning.Effort(draws=1000, searches=0)
    for seed in range(seeds):
        split = drawn(seed, 400, 8, low=low, high=high).split(seed=seed)
        yield tuning.search(split, tuning.Lift(0.1), seed=seed, effort=effort)


def nothing_to_find(seeds: int) -> None:
    found = [each.difference for each in proposals(seeds, 0.15, 0.15)]
    covered = np.mean([each.low <= 0 <= each.high for each in found])
    better = np.mean([each.low > 0 for each in found])
    print(f"nothing to find, {seeds} worlds: {covered:.1%} hold 0, {better:.1%} claim to be better")


def something_to_find(seeds: int) -> None:
    name = "automation_pro.purchase_intent_above"
    found = list(proposals(seeds, 0.05, 0.4))
    at = [each.thresholds.filter(pl.col("threshold") == name)["proposed"].item() for each in found]
    print(
        f"planted at {PLANTED}, {seeds} worlds: found at {np.median(at):g}"
        f" ({np.quantile(at, 0.05):g} to {np.quantile(at, 0.95):g}),"
        f" {np.mean([each.is_clear for each in found]):.0%} clearly better"
    )


@contextmanager
def timed(what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}: {wall:.1f} s, {cpu:.1f} s of CPU")


def costs() -> None:
    cases = drawn(0, 12_500, 8, low=0.05, high=0.3)
    with timed("split of 100,000 cases"):
        split = cases.split()
    everything = tuning.Split(
        cases.frame, split.test, cases, split.test_from, split.test_share, split.seed
    )
    with timed("search in 100,000 cases, intervals and stability with it"):
        found = tuning.search(everything, tuning.Value(10, 2))
    with timed("baselines"):
        assert found.baselines.height == 8
    with timed("weights of 11 signals"):
        tuning.intent_weights(cases)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=300)
    worlds = parser.parse_args().worlds
    nothing_to_find(worlds)
    something_to_find(worlds // 4)
    costs()
