"""What is true of where the paths came from is found again inside the intervals.

First of walks of a chain whose probabilities are given, so that the truth is known in closed form.
Then of the synthetic generator's people, through a workspace, where the truth is a population's.
At last, what no model finds: how many conversions each channel caused, which the generator knows.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy import sparse
from stores import new_workspace

from mi_core.attribution import MODELS, Attribution, attribute_paths, markov
from mi_core.attribution.intervals import draw_weights, interval
from mi_core.attribution.markov import CONVERSION, NULL, Chain
from mi_core.attribution.models import estimate
from mi_core.attribution.paths import Scope, stage_paths
from mi_core.synthetic import Truth, generate
from mi_core.workspace import Workspace

Floats = npt.NDArray[np.float64]

LEVEL = 0.95


def held(draws: Floats, truth: Floats) -> npt.NDArray[np.bool_]:
    """Whether the interval of the draws holds the truth, for each key."""
    low, high = interval(draws, LEVEL)
    return np.asarray((low <= truth) & (truth <= high))


# ---- walks of a known chain

CHANNELS = ("direct", "display", "email", "search")
NEXT = np.array(
    [
        # start, direct, display, email, search, null, conversion
        [0, 0.20, 0.40, 0.10, 0.30, 0, 0],
        [0, 0, 0.05, 0.15, 0.20, 0.35, 0.25],
        [0, 0.15, 0, 0.05, 0.30, 0.45, 0.05],
        [0, 0.20, 0.05, 0, 0.15, 0.30, 0.30],
        [0, 0.15, 0.20, 0.10, 0, 0.40, 0.15],
    ]
)
"""Where a walk goes next, so that NULL and CONVERSION, −2 and −1, count from the end."""
SOURCE, TARGET = (
    np.array(side)
    for side in zip(
        *((s, t) for s in range(5) for t in (1, 2, 3, 4, NULL, CONVERSION) if NEXT[s, t]),
        strict=True,
    )
)
CHAIN = Chain.from_edges(SOURCE, TARGET, len(CHANNELS))
VISITS = np.linalg.inv(np.eye(5) - NEXT[:, :5])[0]
"""How often a walk comes to each state."""


def walk(seed: int, people: int) -> npt.NDArray[np.int64]:
    """[people, steps] each one's states up to the end, which is repeated."""
    rng, cumulative = np.random.default_rng(seed), NEXT.cumsum(axis=1)
    at, steps = np.zeros(people, dtype=np.int64), []
    while np.any(at >= 0):
        following = (rng.random((people, 1)) >= cumulative[at]).sum(axis=1)
        following = np.where(following > 4, following - 7, following)
        at = np.where(at < 0, at, following)
        steps.append(at)
    return np.stack(steps, axis=1)


def taken(steps: npt.NDArray[np.int64]) -> Floats:
    """[people, edges] how often each person's walk takes each edge."""
    number = np.full(NEXT.shape, -1)
    number[SOURCE, TARGET] = np.arange(len(SOURCE))
    before = np.hstack([np.zeros((len(steps), 1), dtype=np.int64), steps[:, :-1]])
    person, step = np.nonzero(before >= 0)
    counts = np.zeros((len(steps), len(SOURCE)))
    np.add.at(counts, (person, number[before[person, step], steps[person, step]]), 1)
    return counts


@pytest.mark.parametrize("way", ["solved anew", "linearised", "in groups of four"])
def test_removal_effects_of_a_known_chain_are_inside_about_19_times_of_20(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 150 samples of 300 people (1,200 in groups of four), for effects, shares of the credit and
    the share that converts: 94 % on the mean over channels, each within 5 % (2.8 standard errors)
    of 95 %. Fewer people do a little worse: 200, in 1,200 other samples, 92 to 95 %."""
    if way == "linearised":
        monkeypatch.setattr(markov, "EXACT_STATES", 0)
    samples, groups, people = 150, 300, 1_200 if way == "in groups of four" else 300
    base, effects = CHAIN.removal_effects(VISITS[SOURCE] * NEXT[SOURCE, TARGET])
    assert base == pytest.approx(VISITS @ NEXT[:, CONVERSION])
    walked = taken(walk(1, samples * people)).reshape(samples, groups, -1, len(SOURCE)).sum(axis=2)
    found = np.zeros((3, len(CHANNELS)))
    for seed, counts in enumerate(walked):
        weights = draw_weights(groups, 300, seed=seed)
        bases, draws = CHAIN.bootstrap(sparse.csr_array(counts), weights)
        shares = draws / draws.sum(axis=1, keepdims=True)
        found[0] += held(draws, effects)
        found[1] += held(shares, effects / effects.sum())
        found[2] += held(bases[:, np.newaxis], base)
    coverage = found / samples
    assert coverage == pytest.approx(np.full((3, 4), LEVEL), abs=0.05)
    assert coverage[:2].mean(axis=1) == pytest.approx([LEVEL] * 2, abs=0.025)


def path_table(steps: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Distinct walks with how many of them converted and how many did not."""
    rows, times = np.unique(steps, axis=0, return_counts=True)
    paths = [[CHANNELS[state - 1] for state in row if state > 0] for row in rows.tolist()]
    return pl.DataFrame(
        {
            "path": paths,
            "conversions": np.where(rows[:, -1] == CONVERSION, times, 0),
            "nulls": np.where(rows[:, -1] == NULL, times, 0),
        }
    )


TIMELESS = [model for model in MODELS if model not in ("w_shaped", "time_decay")]


def shares_of(found: Attribution, model: str) -> dict[str, float]:
    rows = found.credits.filter(model=model).drop_nulls("share")
    return dict(rows.select("channel", "share").iter_rows())


@pytest.fixture(scope="module")
def everybody() -> Attribution:
    """Of 60,000 walks: 150 times as many as a sample below, so nearly the truth."""
    return attribute_paths(path_table(walk(2, 60_000)), TIMELESS, draws=0)


def test_a_large_sample_comes_to_the_closed_form(everybody: Attribution) -> None:
    converts = NEXT[:, CONVERSION]
    chance = np.linalg.solve(np.eye(5) - NEXT[:, :5], converts)
    effects = CHAIN.removal_effects(VISITS[SOURCE] * NEXT[SOURCE, TARGET])[1]
    for model, expected in (
        ("first_touch", NEXT[0, 1:5] * chance[1:]),
        ("last_touch", VISITS[1:] * converts[1:]),
        ("markov", effects),
    ):
        truth = dict(zip(CHANNELS, (expected / expected.sum()).tolist(), strict=True))
        assert shares_of(everybody, model) == pytest.approx(truth, abs=0.006), model


def test_every_model_of_a_path_table_holds_the_truth_about_19_times_of_20(
    everybody: Attribution,
) -> None:
    """Conversions of 30 samples of 400 walks under seven models, which go wrong together: 96 % are
    inside, within three standard errors (6 %) of 95 %."""
    rate = everybody.credits["conversions"] / 60_000
    cells = []
    for seed in range(30):
        table = path_table(walk(1_000 + seed, 400))
        found = attribute_paths(table, TIMELESS, draws=300, seed=seed).credits
        assert found.select("model", "channel").equals(everybody.credits.select("model", "channel"))
        is_in = (400 * rate).is_between(found["conversions_low"], found["conversions_high"])
        cells.append(found.select("model", "channel", is_in=is_in))
    by_model = (
        pl.concat(cells)
        .filter(pl.col("channel") != "unattributed")
        .group_by("model")
        .agg(pl.col("is_in").mean())
    )
    assert by_model["is_in"].mean() == pytest.approx(LEVEL, abs=0.06)
    assert by_model["is_in"].min() > 0.85


# ---- people of the generator, through a workspace

PAID = ("google_ads", "linkedin_ads", "meta_ads", "tiktok_ads")


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return generate(tmp_path_factory.mktemp("population"), events=150_000, seed=11)


@pytest.fixture(scope="module")
def population(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """2,500 people, with only such events as paths or identities are made of, a third of all."""
    folder = tmp_path_factory.mktemp("workspace")
    with new_workspace(folder / "workspace") as workspace:
        rows = workspace.definitions.taxonomy_rows()
        kept = [row["event_name"] for row in rows if row["is_touch"] or row["is_conversion"]]
        kept += ["$identify", "$create_alias", "lead_captured"]
        is_landing = pl.col("properties").str.contains('"$referrer"', literal=True)
        (folder / "events").mkdir()
        for file in truth.events_folder.iterdir():
            pl.read_parquet(file).filter(
                pl.col("event").is_in(kept), (pl.col("event") != "$pageview") | is_landing
            ).write_parquet(folder / "events" / file.name)
        workspace.ingest([folder / "events"])
        yield workspace


def test_a_small_workspace_holds_the_shares_of_a_large_population(
    population: Workspace, truth: Truth, tmp_path: Path
) -> None:
    """320 people with other seeds, whole, against 2,500: of 108 shares, nine models' of twelve
    channels, 96 or 97 % are inside what their conversions' intervals make of all conversions. Which
    it is, is chance: people have other ids in each workspace, and draws follow them."""
    export = generate(tmp_path / "export", events=20_000, seed=12)
    with new_workspace(tmp_path / "workspace") as workspace:
        workspace.ingest([export.events_folder])
        found = workspace.attribution(as_of=export.end)
    expected = population.attribution(as_of=truth.end, draws=0).credits
    both = found.credits.join(
        expected.select("model", "channel", true="share"), on=["model", "channel"]
    ).drop_nulls("true")
    low, high = (pl.col(f"conversions_{end}") / found.converting_paths for end in ("low", "high"))
    is_in = both.select(pl.col("true").is_between(low, high))["true"]
    assert len(is_in) == 108
    assert is_in.mean() > 0.85


def test_tenths_of_a_population_differ_from_the_others_as_chance_has_it(
    population: Workspace, truth: Truth
) -> None:
    """250 people with 80 conversions against the other 2,250, ten times, both drawn: an interval of
    the difference between their shares holds 0 in 93 % of 1,080 cases."""
    warehouse, until = population.warehouse, truth.end.replace(tzinfo=None)
    rules = population.definitions.attribution.model_copy(update={"draws": 200})
    with warehouse.reading():
        stage_paths(warehouse, Scope(until - timedelta(days=90), until), rules)
        warehouse.sql(
            "create or replace temp table everybody as select *,"
            " epoch_us(min(ended_at) over (partition by user_id)) as number from journey"
        )
        inside = []
        for tenth in range(10):
            part = f"hash(number) % 10 = {tenth}"
            these = _shares_of_part(population, rules, part, seed=tenth)
            others = _shares_of_part(population, rules, f"not {part}", seed=tenth + 10)
            inside.append(held(np.subtract(these, others)[1:], np.zeros(these.shape[1:])))
    assert np.mean(inside) == pytest.approx(LEVEL, abs=0.05)
    assert np.mean(inside, axis=(0, 2)).min() > 0.87


def _shares_of_part(workspace: Workspace, rules: Any, part: str, *, seed: int) -> Floats:
    """[1 + draws, models, channels] of the people that `part` chooses, by the time of their first
    path's end; ids of people are others in each workspace."""
    workspace.warehouse.sql(
        "create or replace temp table journey as select * replace"
        " (((dense_rank() over (order by number) - 1) % 1000)::integer as person_group)"
        f" from everybody where {part}"
    )
    found = estimate(workspace.warehouse, rules, MODELS, seed=seed)
    assert len(found.keys) == 12
    return np.stack([found.by_model[model].shares for model in MODELS], axis=1)


# ---- what no model finds


def caused_shares(truth: Truth, figure: str) -> dict[str, float]:
    """What each channel caused, of what all did; below 0 where it held people back."""
    caused = {name: getattr(channel, figure) for name, channel in truth.channels.items()}
    return {name: each / sum(caused.values()) for name, each in caused.items()}


def misplaced(shares: dict[str, float], others: dict[str, float]) -> float:
    """How much of the one would have to move to make it the other."""
    return sum(abs(share - others[name]) for name, share in shares.items()) / 2


@pytest.mark.parametrize(
    ("conversion", "figure"),
    [("trial_started", "trials_caused"), ("purchase", "purchases_caused")],
)
def test_credit_is_nearer_to_visits_than_to_causes(
    conversion: str, figure: str, population: Workspace, truth: Truth
) -> None:
    """What attribution can't recover: it sees who was there, not what would have been otherwise.

    Shared out by a mere count of visits, 25 % of the credit for trials (27 % for purchases) is with
    other channels than caused them. Under the rules and shapley it is 15 to 23 % (19 to 21 %),
    under markov 28 % (29 %): worse than the count. All give google_ads, which caused 23 %, 10 to
    16 %, and tiktok_ads, which held people back, 3 to 7 %. Over 24,500 people it is much the same.
    """
    caused = caused_shares(truth, figure)
    found = population.attribution(as_of=truth.end, draws=0, conversion=conversion)
    visits = {name: channel.visits for name, channel in truth.channels.items()}
    by_visits = {name: each / sum(visits.values()) for name, each in visits.items()}
    off = {model: misplaced(shares_of(found, model), caused) for model in MODELS}
    counted = misplaced(by_visits, caused)
    assert 0.23 < counted < 0.29
    for model in MODELS:
        shares = shares_of(found, model)
        # last_non_direct takes nearly all from direct, which is much of the visits.
        assert model == "last_non_direct" or misplaced(shares, by_visits) < off[model], model
        assert shares["google_ads"] < 0.17 < 0.23 < caused["google_ads"], model
        assert shares["tiktok_ads"] > 0.02 > 0 > caused["tiktok_ads"], model
    assert counted < off.pop("markov") < 0.31
    assert 0.14 < min(off.values()) < max(off.values()) < counted


def test_most_models_put_paid_channels_in_the_order_of_their_causes(
    population: Workspace, truth: Truth
) -> None:
    """Per visit, two that work well, one that works a little and one that does harm; not so under
    markov, nor, in larger populations, under first_touch."""
    for conversion in ("trial_started", "purchase"):
        found = population.attribution(as_of=truth.end, draws=0, conversion=conversion)
        for model in set(MODELS) - {"first_touch", "markov"}:
            assert _paid_in_order(shares_of(found, model), truth) == [*PAID], (conversion, model)
        assert _paid_in_order(shares_of(found, "markov"), truth) != [*PAID]
    assert _paid_in_order(caused_shares(truth, "trials_caused"), truth) == [*PAID]


def _paid_in_order(shares: dict[str, float], truth: Truth) -> list[str]:
    """By share per visit, the best first; of the two that work well, as in the alphabet."""
    ordered = sorted(PAID, key=lambda name: -shares[name] / truth.channels[name].visits)
    return [*sorted(ordered[:2]), *ordered[2:]]


def test_a_removal_effect_is_no_effect_of_removal(population: Workspace, truth: Truth) -> None:
    """Markov says that 43 % of the trials go without google_ads: 18 % would; and 25 % without
    tiktok_ads: there would be 2 % more. Whoever met a removed channel is lost, by assumption."""
    found = population.attribution(["markov"], as_of=truth.end, draws=0, conversion="trial_started")
    effects = dict(found.removal_effects.select("channel", "removal_effect").iter_rows())
    for channel, effect in effects.items():
        assert effect > 2 * truth.channels[channel].trials_caused / found.conversions
    caused = truth.channels["google_ads"].trials_caused / found.conversions
    assert (effects["google_ads"], caused) == pytest.approx((0.43, 0.18), abs=0.02)
    caused = truth.channels["tiktok_ads"].trials_caused / found.conversions
    assert (effects["tiktok_ads"], caused) == pytest.approx((0.25, -0.02), abs=0.02)
