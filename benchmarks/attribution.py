"""Attribution beside other packages and hand-written queries, from the same touchpoints.

Ours reads them as views in the lake's place and then does what a workspace does, on paths of any
length: seven rules, as polars by hand here, where the others have five or three. "All nine models"
also draws people again, by groups; no other has such intervals.

`python benchmarks/attribution.py [--small] [--rounds N] [--data FOLDER]`; what isn't installed is
left out: peers/requirements.txt says how to install it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from peers import packages, with_chdb, with_pandas, with_polars
from peers.comparison import ROUNDED, SIMULATED, Contender, arguments, compare
from peers.with_polars import scaled

OURS = "mi_core"
BARE = "bare scan"
ORDERS = (1, 2, 3, 4)
DRAWS = 1000
CONVERSION = -1

JOURNEY = """
    select
        journey_id::bigint as journey_id,
        (journey_id % {groups})::integer as person_group,
        converted::bigint as conversions,
        (1 - converted)::bigint as nulls,
        value
    from '{data}/journeys.parquet'
    {where}
"""
PATH_TOUCH = """
    select
        journey.journey_id,
        touch.ts as touched_at,
        touch.touch_id as event_id,
        touch.channel as key,
        touch.channel = 'direct' as is_direct,
        epoch_us(timestamp '2026-01-01') - epoch_us(touch.ts) as age_us,
        false as is_before_lead
    from journey
    inner join '{data}/touches.parquet' as touch using (journey_id)
"""


@dataclass(frozen=True)
class Opened:
    """A warehouse in memory, and the rules: what a workspace has when it is asked."""

    data: Path
    warehouse: Any
    rules: Any


def opened(data: Path) -> Opened:
    from mi_core.definitions import load_definitions
    from mi_core.settings import load_settings
    from mi_core.warehouse import Warehouse

    changes = {"transform": "unique", "half_life_days": 7, "min_paths_per_state": 0, "draws": 0}
    rules = load_definitions().attribution.model_copy(update=changes)
    return Opened(data, Warehouse(data, load_settings()), rules)


def bare_scan(ours: Opened) -> None:
    """Touchpoints by channel, counted by DuckDB."""
    query = f"select channel, count(*) from '{ours.data}/touches.parquet' group by channel"
    ours.warehouse.sql(query).fetchall()


def stage(ours: Opened, *, with_nulls: bool = True) -> tuple[list[str], int]:
    """Stage the paths as for every model; returns the channels and the number of groups."""
    from mi_core.attribution.paths import groups_of, stage_steps
    from mi_core.attribution.statistics import keys_of

    groups = groups_of(ours.rules)
    where = "" if with_nulls else "where converted = 1"
    journey = JOURNEY.format(data=ours.data, where=where, groups=groups)
    ours.warehouse.sql(f"create or replace temp table journey as {journey}")
    touch = PATH_TOUCH.format(data=ours.data)
    ours.warehouse.sql(f"create or replace temp table path_touch as {touch}")
    stage_steps(ours.warehouse, ours.rules)
    return keys_of(ours.warehouse), groups


def rules(ours: Opened) -> dict[str, dict[str, float]]:
    """The seven rules, conversions and value; paths without a conversion aren't read."""
    from mi_core.attribution.statistics import RULES, rule_sums

    keys, groups = stage(ours, with_nulls=False)
    answer = {}
    for rule, sums in rule_sums(ours.warehouse, ours.rules, RULES, groups, len(keys)).items():
        for name, by_group in zip((rule, f"{rule} value"), sums, strict=True):
            answer[name] = dict(zip(keys, by_group.sum(axis=0).tolist(), strict=True))
    return answer


def markov(order: int, ours: Opened) -> dict[str, dict[str, float]]:
    """Removal effects in a chain of some order, normalised."""
    ours = of_order(order, ours)
    return removal_shares(order, ours, *stage(ours))


def markov_of_table(order: int, ours: Opened) -> dict[str, dict[str, float]]:
    """The same from path strings with their counts, as ChannelAttribution takes them."""
    from mi_core.attribution.path_table import stage_path_table
    from mi_core.attribution.paths import groups_of
    from mi_core.attribution.statistics import keys_of

    ours = of_order(order, ours)
    stage_path_table(ours.warehouse, ours.data / "paths.parquet", ours.rules, seed=0)
    return removal_shares(order, ours, keys_of(ours.warehouse), groups_of(ours.rules))


def of_order(order: int, ours: Opened) -> Opened:
    return replace(ours, rules=ours.rules.model_copy(update={"markov_order": order}))


def removal_shares(
    order: int, ours: Opened, keys: list[str], groups: int
) -> dict[str, dict[str, float]]:
    from mi_core.attribution.statistics import markov_steps

    chain, steps = markov_steps(ours.warehouse, order, groups, len(keys))
    times = steps.sum(axis=0)
    _, effects = chain.removal_effects(times)
    conversions = float(times[chain.target == CONVERSION].sum())
    return {"markov": scaled(dict(zip(keys, effects.tolist(), strict=True)), conversions)}


def shapley(ours: Opened) -> dict[str, dict[str, float]]:
    """v(S) = conversions of paths inside S."""
    from mi_core.attribution.shapley import shapley as values
    from mi_core.attribution.statistics import coalitions

    keys, groups = stage(ours, with_nulls=False)
    found = coalitions(ours.warehouse, groups, len(keys))
    conversions, nulls = (each.sum(axis=0) for each in (found.conversions, found.nulls))
    credit = values(found.members, conversions, nulls).credit
    return {"shapley": dict(zip(keys, credit.tolist(), strict=True))}


def everything(draws: int, order: int, ours: Opened) -> None:
    """All nine models, with intervals from draws of people where there are any."""
    from mi_core.attribution.models import MODELS, estimate

    rules = ours.rules.model_copy(update={"draws": draws, "markov_order": order})
    stage(replace(ours, rules=rules))
    estimate(ours.warehouse, rules, MODELS, seed=0)


def of_rules() -> Sequence[Contender]:
    return (
        Contender(BARE, bare_scan, opened),
        Contender(OURS, rules, opened),
        Contender("polars by hand", with_polars.rules),
        Contender("pandas by hand", with_pandas.rules, needs=("pandas", "pyarrow")),
        Contender("chDB by hand", with_chdb.rules, with_chdb.files, needs=("chdb",)),
        Contender(
            "path strings, which the next two need", packages.path_strings, packages.connected
        ),
        Contender(
            "ChannelAttribution, 3 rules",
            packages.channel_attribution_rules,
            packages.paths,
            needs=("ChannelAttribution", "pandas", "pyarrow"),
        ),
        Contender(
            "mta, 4 rules without value",
            packages.mta_rules,
            packages.paths,
            needs=("mta", "pyarrow"),
        ),
        Contender(
            "marketing_attribution_models, 5 rules without conversions",
            packages.mam_rules,
            packages.mam_touches,
            needs=("mam",),
            within=ROUNDED,
        ),
    )


def of_markov(order: int) -> Sequence[Contender]:
    """Beyond order 1, only two packages have it."""
    first = order == 1
    others = (
        Contender("polars and NumPy by hand", with_polars.markov),
        Contender(
            "chDB by hand, steps alone",
            with_chdb.markov_counts,
            with_chdb.files,
            needs=("chdb",),
        ),
        Contender(
            "path strings, which the next three need", packages.path_strings, packages.connected
        ),
        Contender(
            "mta", packages.mta_markov, packages.paths, needs=("mta", "pyarrow"), within=None
        ),
        Contender(
            "marketing_attribution_models",
            packages.mam_markov,
            packages.mam_touches,
            needs=("mam",),
        ),
    )
    # Its matrix is dense: of order 3, 1,000 states take it minutes, of order 4, 10,000 hours.
    do_attribution = Contender(
        "do-attribution",
        partial(packages.do_attribution_markov, order),
        packages.paths,
        needs=("do_attribution", "pandas", "pyarrow"),
    )
    return (
        Contender(BARE, bare_scan, opened),
        Contender(OURS, partial(markov, order), opened),
        *(others if first else ()),
        Contender(f"{OURS}, from path strings", partial(markov_of_table, order), opened),
        Contender(
            "ChannelAttribution",
            partial(packages.channel_attribution_markov, order),
            packages.paths,
            needs=("ChannelAttribution", "pandas", "pyarrow"),
            within=SIMULATED,
        ),
        *((do_attribution,) if order <= 2 else ()),
    )


def of_shapley() -> Sequence[Contender]:
    return (
        Contender(BARE, bare_scan, opened),
        Contender(OURS, shapley, opened),
        Contender("polars by hand", with_polars.shapley),
        Contender("path strings, which mta needs", packages.path_strings, packages.connected),
        Contender("mta", packages.mta_shapley, packages.paths, needs=("mta", "pyarrow")),
        Contender(
            "marketing_attribution_models",
            packages.mam_shapley,
            packages.mam_touches,
            needs=("mam",),
            within=None,
        ),
    )


def of_everything() -> Sequence[Contender]:
    return (
        Contender(BARE, bare_scan, opened),
        Contender(OURS, partial(everything, 0, 1), opened),
        *(
            Contender(
                f"{OURS}, {DRAWS:,} draws, order {order}", partial(everything, DRAWS, order), opened
            )
            for order in ORDERS
        ),
    )


if __name__ == "__main__":
    data, rounds = arguments(__doc__)
    show = partial(compare, data=data, rounds=rounds, ours=OURS, bare=BARE)
    show("Rules: conversions and value", contenders=of_rules())
    for order in ORDERS:
        show(f"Markov chain of order {order}", contenders=of_markov(order))
    show("Shapley values", contenders=of_shapley())
    show("All nine models", contenders=of_everything())
