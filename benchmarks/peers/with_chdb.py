"""The comparison's work written by hand for chDB (ClickHouse as a library), with what it is best
at: arrays, `windowFunnel`, and a table sorted by person and time.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers.data import HALF_LIFE, MONDAY, STEPS, WEEK

_STEPS = ", ".join(f"'{step}'" for step in STEPS)
_RULES = ("first_touch", "last_touch", "linear", "position_based", "time_decay")


@dataclass(frozen=True)
class Tables:
    """A session, and where it finds touchpoints, journeys and events."""

    session: Any
    touches: str
    journeys: str
    events: str

    def rows(self, query: str) -> Iterator[list[str]]:
        """What a query returns; columns of the Parquet files are read as never null."""
        settings = " settings schema_inference_make_columns_nullable = 0"
        return csv.reader(str(self.session.query(query + settings, "CSV")).splitlines())


def files(data: Path, events: str = "events") -> Tables:
    """The Parquet files as they are."""
    from chdb import session

    def file(name: str) -> str:
        return f"file('{data / name}.parquet', Parquet)"

    return Tables(session.Session(), file("touches"), file("journeys"), file(events))


def merge_tree(data: Path) -> Tables:
    """Events in ClickHouse's own table, sorted by person and time."""
    found = files(data)
    found.session.query("create database own engine = Atomic")
    found.session.query(
        "create table own.events (user_id Int32, ts DateTime64(6), event LowCardinality(String))"
        " engine = MergeTree order by (user_id, ts)"
    )
    found.session.query(f"insert into own.events select * from {found.events}")
    return Tables(found.session, found.touches, found.journeys, "own.events")


def rules(tables: Tables) -> dict[str, dict[str, float]]:
    """The five rules that most packages have."""
    position = (
        "multiIf(n = 1, 1., n = 2, .5, position = 1 or position = n, .4, .2 / (n - 2))"
        " as position_based"
    )
    rows = tables.rows(
        f"""
        select
            channel,
            {", ".join(f"sum({rule}), sum({rule} * value)" for rule in _RULES)}
        from (
            select
                channel, value, position = 1 as first_touch, position = n as last_touch,
                1 / n as linear, {position}, weight / arraySum(weights) as time_decay
            from (
                select
                    value,
                    arrayMap(x -> x.2, path) as channels,
                    length(path) as n,
                    arrayMap(x -> pow(2, (x.1 - path[-1].1) / {HALF_LIFE}), path) as weights
                from (
                    select
                        journey_id,
                        arraySort(groupArray((toUnixTimestamp64Micro(ts), channel))) as path
                    from {tables.touches}
                    where journey_id in (
                        select journey_id from {tables.journeys} where converted = 1
                    )
                    group by journey_id
                ) as paths
                inner join (
                    select journey_id, value from {tables.journeys} where converted = 1
                ) as journeys using (journey_id)
            )
            array join channels as channel, weights as weight, arrayEnumerate(weights) as position
        )
        group by channel
        """
    )
    sums = {channel: list(map(float, each)) for channel, *each in rows}
    answer = {}
    for number, rule in enumerate(_RULES):
        answer[rule] = {channel: each[2 * number] for channel, each in sums.items()}
        answer[f"{rule} value"] = {channel: each[2 * number + 1] for channel, each in sums.items()}
    return answer


def markov_counts(tables: Tables) -> dict[str, dict[str, float]]:
    """How often a path goes from one channel, or the start, to the next, or its end."""
    rows = tables.rows(
        f"""
        select step.1, step.2, count()
        from (
            select
                arrayJoin(arrayZip(
                    arrayConcat(['(start)'], channels),
                    arrayConcat(channels, [if(converted = 1, '(conversion)', '(null)')])
                )) as step
            from (
                select
                    journey_id,
                    arrayMap(x -> x.2, arraySort(groupArray((ts, channel)))) as channels
                from {tables.touches}
                group by journey_id
            ) as paths
            inner join {tables.journeys} as journeys using (journey_id)
        )
        group by step
        """
    )
    return {"steps": {(source, target): float(times) for source, target, times in rows}}


def funnel(tables: Tables) -> dict[str, dict[str, float]]:
    """How many people took each step in order, within a week of the first."""
    steps = ", ".join(f"event = '{step}'" for step in STEPS)
    [people] = tables.rows(
        f"""
        select {", ".join(f"countIf(level >= {n})" for n in range(1, len(STEPS) + 1))}
        from (
            select windowFunnel({WEEK})(toUInt64(toUnixTimestamp64Micro(ts)), {steps}) as level
            from {tables.events}
            where event in ({_STEPS})
            group by user_id
        )
        """
    )
    return {"people": dict(zip(STEPS, map(float, people), strict=True))}


def retention(tables: Tables) -> dict[str, dict[Any, float]]:
    """How many people of each week's newcomers had events how many weeks later."""
    rows = tables.rows(
        f"""
        select cohort, week - cohort as period, sum(people)
        from (
            select
                arrayFilter(week -> bitTest(mask, week), range(32)) as weeks,
                weeks[1] as cohort,
                count() as people
            from (
                select
                    groupBitOr(bitShiftLeft(
                        toUInt32(1),
                        toUInt8(intDiv(toUnixTimestamp64Micro(ts) - {MONDAY}, {WEEK}))
                    )) as mask
                from {tables.events}
                group by user_id
            )
            group by mask
        )
        array join weeks as week
        group by cohort, period
        """
    )
    return {"people": {(int(cohort), int(period)): float(n) for cohort, period, n in rows}}
