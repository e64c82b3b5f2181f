"""Scores of a whole population, by relations over the lake.

A run goes in two layers. *Features* are what a person's events add up to; they are all that has to
read events. *Scores* are arithmetic over features. An incremental run computes features again only
for people whose events changed or whose windows moved, keeps those of everybody else where they
are, and then scores everybody, since scores fade from one moment to the next: the result is the
same as that of a full run.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from mi_core.definitions import Definitions
from mi_core.errors import BadValue
from mi_core.ingest.erased import again_if_overtaken, check_not_overtaken
from mi_core.relations import literal, relation_sql
from mi_core.state import State
from mi_core.warehouse import Warehouse

WINDOWS = (7, 30)
"""Days of the magnetism windows."""

_WEEKS = (7, 14, 21, 28)
_FURTHEST_STEP = timedelta(days=10)
_MANY_PEOPLE, _MANY_SHARE = 10_000, 0.25
"""More changed people than both cost more one by one than everybody does together."""

_MANY_FILES = 6
"""With so many files, features are written anew: each file is one more to look for a person in."""


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """What a scoring run did; `reason` says why it was a full one, and is empty otherwise."""

    as_of: datetime
    config_version: str
    lake_snapshot: int
    mode: str
    reason: str
    users_scored: int
    users_recomputed: int
    personas_changed: int


@dataclass(frozen=True, slots=True)
class _LastRun:
    as_of: datetime
    config_version: str
    lake_snapshot: int
    has_history: bool
    has_features: bool


@dataclass(frozen=True, slots=True)
class Since:
    """The run whose results are carried on for all but the people in `scope_person`.

    `scope_event` has their events as they are now, `changed_event` gives them as they were.
    """

    as_of: datetime
    lake_snapshot: int


@dataclass(frozen=True, slots=True)
class More:
    """Tables of the lake that are published with the scores, and how to stage them.

    Attributes
    ----------
    tables
        As the lake calls them; staged ones have the same names and columns.
    days
        What they say is about the so many days before `as_of`.
    oldest_day
        Days before `as_of` of the oldest event that they depend on.
    stage
        Stages them from the snapshot that is being read, for whoever has changed since a run, or
        for everybody.
    """

    tables: tuple[str, ...]
    days: int
    oldest_day: int
    stage: Callable[[Since | None], None]


@again_if_overtaken
def score(
    warehouse: Warehouse,
    state: State,
    definitions: Definitions,
    *,
    as_of: datetime,
    full: bool = False,
    more: More | None = None,
) -> ScoreSummary:
    """Score everybody whose first event is before `as_of`, and publish the scores.

    A run for an earlier instant than the last one adds its snapshots, but leaves what stands for
    the present as it is: features, materialised views and persona assignments.

    Parameters
    ----------
    as_of
        Exclusive; has a time zone.
    full
        Compute everybody's features again.
    more
        What else is staged from the same snapshot and published with the scores of the present,
        such as removal effects; see `attribution.touches`.
    """
    moment = naive_utc(as_of)
    with warehouse.reading() as snapshot:
        last = _last_run(warehouse)
        reason = "asked for" if full else _why_full(last, moment, definitions)
        if last is not None and not reason:
            reason = _stage_changed(warehouse, definitions, moment, last, snapshot, more)
        since = None if last is None or reason else Since(last.as_of, last.lake_snapshot)
        if since is None:
            recomputed = _stage_everybody(warehouse, definitions, moment)
        else:
            recomputed = _stage_again(warehouse, definitions, moment, since, snapshot, more)
        warehouse.stage("seen_batch", "scores/seen_batch")
        warehouse.stage("company", "scores/company", as_of=moment)
        scored = stage_scores(warehouse, definitions, moment)
        stage_results(warehouse, definitions, moment, snapshot)
        run = {"as_of": moment, "config_version": definitions.version, "snapshot": snapshot}
        warehouse.stage("cohort", "scores/magnetism_cohort", **run)
        _stage_present(warehouse, moment, last, since, snapshot)
        if more is not None:
            more.stage(since)
    mode = "full" if reason else "incremental"
    with warehouse.publish(f"{mode} scores as of {moment:%Y-%m-%d %H:%M:%S}"):
        check_not_overtaken(warehouse, snapshot)
        staged_from, last = last, _last_run(warehouse)
        # Of two runs at once for one instant, the one that saw less must not undo the other.
        is_newest = last is None or (moment, snapshot) >= (last.as_of, last.lake_snapshot)
        if is_newest or (last and moment < last.as_of):
            _add_snapshots(warehouse, definitions, moment, snapshot)
        if is_newest:
            if last and last.as_of.date() < moment.date():
                _keep_day(warehouse, last.as_of, *_stored_scores(last.as_of))
            is_carried = not reason and last == staged_from and not _has_many_files(warehouse)
            _replace_features(warehouse, is_carried=is_carried)
            _replace_present(warehouse, moment)
            if more is not None:
                _replace_all(warehouse, {table: table for table in more.tables})
        elif last and moment < last.as_of:
            _add_past_day(warehouse, moment)
        warehouse.sql(
            "insert into lake.score_run values ($1, $2, $3, $4, $5, $6)",
            [moment, definitions.version, snapshot, mode, scored, recomputed],
        )
    changed = _assign_personas(warehouse, state, as_of) if is_newest else 0
    return ScoreSummary(
        as_of, definitions.version, snapshot, mode, reason, scored, recomputed, changed
    )


def thin_snapshots(warehouse: Warehouse, *, keep_days: int, kept: Collection[datetime] = ()) -> int:
    """Keep one scoring a day of those older than `keep_days`; returns how many went.

    Those as of the instants `kept`, in UTC and to the second, stay besides.
    """
    thin = {"days": keep_days, "kept": list(kept)}
    with warehouse.publish("thin snapshots"):
        thinned = warehouse.stage("thinned_run", "scores/thinned_run", **thin)
        # The run goes with its rows: whoever looks for a scoring looks there.
        for table in ("user_intent_score", "user_magnetism_index", "score_run"):
            warehouse.sql(
                f"delete from lake.{table} where as_of in (select as_of from thinned_run)"
            )
    return thinned


def naive_utc(moment: datetime) -> datetime:
    """The instant in UTC, without a zone, as the lake has it."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).replace(tzinfo=None)


def period_before(as_of: datetime, days: int) -> tuple[datetime, datetime]:
    """The `days` days before `as_of`: [since, until), as the lake has them.

    Raises
    ------
    BadValue
        There are no such days.
    """
    if days < 1:
        raise BadValue(f"A period has 1 day or more, not {days}.")
    until = naive_utc(as_of)
    try:
        return until - timedelta(days=days), until
    except OverflowError:
        raise BadValue(f"A period of {days} days would begin before the year 1.") from None


def stage_people(warehouse: Warehouse, definitions: Definitions, as_of: datetime) -> None:
    """Put all that a score as of `as_of` reads of the people in `scope_person` into temp tables."""
    oldest_day = _oldest_day(definitions)
    warehouse.stage("scope_event", "scores/scope_event", as_of=as_of, oldest_day=oldest_day)
    warehouse.stage("scope_milestone", "scores/scope_milestone")


def stage_features(
    warehouse: Warehouse, definitions: Definitions, as_of: datetime, table: str = "feature"
) -> int:
    """Features of the people in `scope_milestone` from `scope_event`; returns how many people."""
    days = _windows(definitions)
    window = {"as_of": as_of, "days": days}
    top = definitions.intent.top_signals
    warehouse.stage("signal_sum", "scores/signal_sum", top=top, **window)
    warehouse.stage("contact_sum", "scores/contact_sum", **window)
    warehouse.stage(
        "habit",
        "scores/habit",
        as_of=as_of,
        oldest_day=_oldest_day(definitions),
        gap_hours=definitions.magnetism.reactivation_gap_hours,
    )
    names = sorted(definitions.signals, reverse=True)
    rows = warehouse.stage(table, "scores/feature", signal_names=names, **window)
    return rows // len(days)


def stage_scores(warehouse: Warehouse, definitions: Definitions, as_of: datetime) -> int:
    """Intent, persona and magnetism of everybody in `feature`; returns how many people.

    `company` has the size of the company of those of whom it is known.
    """
    rules = definitions.intent.model_dump()
    warehouse.stage("intent", "scores/intent", as_of=as_of, rules=rules)
    people = warehouse.stage(
        "persona_score",
        "scores/persona",
        intent_window=intent_window(definitions),
        personas=definitions.persona_rule_rows(),
    )
    warehouse.stage("magnetism", "scores/magnetism", rules=definitions.magnetism.model_dump())
    return people


def stage_results(
    warehouse: Warehouse, definitions: Definitions, as_of: datetime, snapshot: int
) -> None:
    """From the staged scores the intent score to keep of each person: `user_score`."""
    warehouse.stage(
        "user_score",
        "scores/user_intent_score",
        intent_window=intent_window(definitions),
        as_of=as_of,
        config_version=definitions.version,
        snapshot=snapshot,
    )


def add_day(
    warehouse: Warehouse, intent: str = "from user_score", magnetism: str = "from temp.magnetism"
) -> None:
    """Add scores, the staged ones or what two selects give, to the table of days."""
    with (
        warehouse.view("scored_intent", intent),
        warehouse.view("scored_magnetism", magnetism),
    ):
        _insert(warehouse, "user_score_day", "user_score_day")


def intent_window(definitions: Definitions) -> str:
    """The name of the window that the intent score is about, such as `30d`."""
    return f"{definitions.intent.window_days}d"


def _windows(definitions: Definitions) -> list[int]:
    return sorted({*WINDOWS, definitions.intent.window_days})


def _oldest_day(definitions: Definitions) -> int:
    """Days before `as_of` of the oldest event that a feature needs."""
    gap_days = math.ceil(definitions.magnetism.reactivation_gap_hours / 24)
    return max(*_windows(definitions), *_WEEKS) + gap_days


def _last_run(warehouse: Warehouse) -> _LastRun | None:
    rows = warehouse.relation("scores/last_run").rows()
    return _LastRun(*rows[0]) if rows else None


def _why_full(last: _LastRun | None, as_of: datetime, definitions: Definitions) -> str:
    """Why features can't be carried over from the last run; empty if they can."""
    if last is None:
        return "first run"
    if last.config_version != definitions.version:
        return "the definitions have changed since the last run"
    if as_of < last.as_of:
        return "the last run is for a later instant"
    if as_of - last.as_of > _FURTHEST_STEP:
        return f"the last run is over {_FURTHEST_STEP.days} days back"
    if not last.has_features:
        return "the last run's features are gone"
    return "" if last.has_history else "the lake's history since the last run is gone"


def _stage_everybody(warehouse: Warehouse, definitions: Definitions, as_of: datetime) -> int:
    for scope, table in (("scope_event", "user_event"), ("scope_milestone", "user_milestone")):
        # A temporary table, as other scopes are, would hide the view.
        warehouse.sql(f"drop table if exists temp.{scope}")
        warehouse.sql(f"create or replace view memory.{scope} as from lake.{table}")
    return stage_features(warehouse, definitions, as_of)


def _stage_changed(
    warehouse: Warehouse,
    definitions: Definitions,
    as_of: datetime,
    last: _LastRun,
    snapshot: int,
    more: More | None,
) -> str:
    """Stage who changed since the last run; says why that is too many, and nothing if it isn't."""
    changed = warehouse.stage(
        "scope_person",
        "scores/scope_person",
        as_of=as_of,
        last_as_of=last.as_of,
        edges=[0, *_WEEKS, *_windows(definitions), *([more.days] if more else [])],
        last_snapshot=last.lake_snapshot,
        snapshot=snapshot,
    )
    row = warehouse.sql("select count(*) from lake.user_milestone").fetchone()
    people = row[0] if row else 0
    is_many = changed > _MANY_PEOPLE and changed > _MANY_SHARE * people
    return f"{changed:,} of {people:,} people have changed" if is_many else ""


def _stage_again(
    warehouse: Warehouse,
    definitions: Definitions,
    as_of: datetime,
    since: Since,
    snapshot: int,
    more: More | None,
) -> int:
    """Features of those who changed, and those of everybody else from the last run."""
    if more is None:
        stage_people(warehouse, definitions, as_of)
    else:
        # One look at their events is for both.
        oldest_day = max(_oldest_day(definitions), more.oldest_day + (as_of - since.as_of).days + 1)
        reads = {"as_of": as_of, "oldest_day": oldest_day, "version": snapshot}
        warehouse.stage("scope_event", "scores/changed_event", **reads)
        warehouse.stage("scope_milestone", "scores/scope_milestone")
    recomputed = stage_features(warehouse, definitions, as_of, "feature_new")
    warehouse.stage("feature", "scores/feature_next")
    return recomputed


def _stage_present(
    warehouse: Warehouse,
    as_of: datetime,
    last: _LastRun | None,
    since: Since | None,
    snapshot: int,
) -> None:
    """Stage what is stored of the newest run only, beside features and scores."""
    last_as_of = last.as_of if last else None
    warehouse.stage("former_id", "scores/former_id", as_of=as_of, last_as_of=last_as_of)
    warehouse.stage("persona_performance", "reports/persona_performance")
    if since is None:
        always = {"since": datetime.min, "days": None}
        warehouse.stage("daily_funnel", "reports/daily_funnel", as_of=as_of, **always)
        return
    warehouse.stage("feature_stale", "scores/feature_stale")
    since_last = {"last_as_of": since.as_of, "last_snapshot": since.lake_snapshot}
    rows = warehouse.query("scores/funnel_day", as_of=as_of, snapshot=snapshot, **since_last)
    days = [day for (day,) in rows.fetchall()]
    warehouse.stage("funnel_new", "reports/daily_funnel", as_of=as_of, since=min(days), days=days)
    warehouse.stage("daily_funnel", "scores/funnel_next", days=days)


def _add_snapshots(
    warehouse: Warehouse, definitions: Definitions, as_of: datetime, snapshot: int
) -> None:
    """Write the staged scores as the snapshots of `as_of`, in place of earlier ones."""
    run = {"as_of": as_of, "config_version": definitions.version, "snapshot": snapshot}
    for table in ("user_intent_score", "user_magnetism_index"):
        warehouse.sql(f"delete from lake.{table} where as_of = $as_of", {"as_of": as_of})
    warehouse.sql("insert into lake.user_intent_score by name from user_score")
    _insert(warehouse, "user_magnetism_index", "user_magnetism_index", **run)


def _keep_day(warehouse: Warehouse, as_of: datetime, *scores: str) -> None:
    """Make scores as of `as_of`, as `add_day` takes them, those of that day."""
    day = datetime.combine(as_of, time.min)
    warehouse.sql(
        "delete from lake.user_score_day where as_of >= $since and as_of < $until",
        {"since": day, "until": day + timedelta(days=1)},
    )
    add_day(warehouse, *scores)


def _stored_scores(as_of: datetime) -> tuple[str, str]:
    """Selects of the scoring as of then."""
    of_run = f"where as_of = {literal(as_of)}"
    return f"from lake.user_intent_score {of_run}", f"from lake.user_magnetism_index {of_run}"


def _add_past_day(warehouse: Warehouse, as_of: datetime) -> None:
    """Write the staged scores of the past as those of their day, unless one has later ones."""
    [(has_later,)] = warehouse.sql(
        "select count(*) > 0 from lake.score_run where as_of > $as_of and as_of < $as_of::date + 1",
        {"as_of": as_of},
    ).fetchall()
    if not has_later:
        _keep_day(warehouse, as_of)


def _has_many_files(warehouse: Warehouse) -> bool:
    row = warehouse.sql(
        "select file_count from ducklake_table_info('lake') where table_name = 'user_feature'"
    ).fetchone()
    return row is None or row[0] >= _MANY_FILES


def _replace_features(warehouse: Warehouse, *, is_carried: bool) -> None:
    """Write the staged features; of what is stored already, those alone that hold no longer."""
    written = "from temp.feature"
    if is_carried:
        of_stale = "where user_id in (select user_id from feature_stale)"
        warehouse.sql(f"delete from lake.user_feature {of_stale}")
        written += f" {of_stale}"
    else:
        warehouse.sql("delete from lake.user_feature")
    with warehouse.view("written_feature", written):
        _insert(warehouse, "user_feature", "user_feature")


def _replace_present(warehouse: Warehouse, as_of: datetime) -> None:
    """Write what else the lake holds of the newest run only, and drop the marks that led to it."""
    warehouse.sql("delete from lake.touched_user where batch_id in (from seen_batch)")
    warehouse.sql("delete from lake.removal_effect")
    staged = {
        "magnetism_cohort": "cohort",
        "mv_persona_performance": "persona_performance",
        "mv_daily_funnel": "daily_funnel",
    }
    _replace_all(warehouse, staged)
    for window in ("7d", "30d"):
        table = f"mv_user_magnetism_{window}"
        warehouse.sql(f"delete from lake.{table}")
        _insert(warehouse, table, "mv_user_magnetism", as_of=as_of, time_window=window)


def _replace_all(warehouse: Warehouse, staged: Mapping[str, str]) -> None:
    """Write tables of the lake anew, each from a staged one."""
    for table, rows in staged.items():
        warehouse.sql(f"delete from lake.{table}")
        warehouse.sql(f"insert into lake.{table} by name from temp.{rows}", name=table)


def _insert(warehouse: Warehouse, table: str, relation: str, **params: object) -> None:
    """Append a relation over staged tables to a table of the lake, without a copy in between."""
    select = relation_sql(f"scores/{relation}")
    warehouse.sql(f"insert into lake.{table} by name\n{select}", params, name=table)


def _assign_personas(warehouse: Warehouse, state: State, as_of: datetime) -> int:
    warehouse.stage("persona_change", "scores/persona_change")
    rows = warehouse.sql("select user_id, slug, confidence from persona_change").fetchall()
    return state.assign_personas(rows, source="behavior_analysis", assigned_at=as_of)
