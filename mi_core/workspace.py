"""The face of the package: one object with the verbs that people use."""

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mi_core.definitions import definitions_from_config
from mi_core.errors import BadValue, ReportError, UnknownPerson, WorkspaceError
from mi_core.ingest.classify import Progress, keep_classified, silent
from mi_core.ingest.delivery import ingest_files
from mi_core.ingest.erased import Overtaken, again_if_overtaken, check_not_overtaken
from mi_core.ingest.inbox import drain
from mi_core.ingest.summary import IngestSummary
from mi_core.inlet import Inlet
from mi_core.instants import in_utc, moment_of
from mi_core.person import Person, Scores, find_person, view_person
from mi_core.scoring import ScoreSummary, score, thin_snapshots
from mi_core.settings import Settings, load_settings
from mi_core.snapshot import newest_snapshot, take_snapshot
from mi_core.stored import stored_scores

STRANGER = "No event of this workspace came with that id."
TO_FILL_ONE = (
    "take events in with `mi ingest` and `mi score`, or make sample data with `make demo`"
    " and set MI_WORKSPACE to data/demo/workspace."
)

if TYPE_CHECKING:
    import polars as pl
    from duckdb import DuckDBPyConnection

    from mi_core.attribution import Attribution
    from mi_core.definitions import FunnelStep
    from mi_core.erasure import Receipt
    from mi_core.funnels import Funnel
    from mi_core.ingest.spend import SpendSummary
    from mi_core.ingest.summary import PullSummary
    from mi_core.journey import Journey
    from mi_core.monitoring import Check, Delivery
    from mi_core.monitoring.looking import Looking
    from mi_core.refresh import Refreshed
    from mi_core.reports import Difference, Order, Shelf
    from mi_core.retention import Retention
    from mi_core.tuning import Cases


@dataclass(frozen=True)
class Maintenance:
    """What was let go of."""

    scorings_thinned: int
    inbox_rows_pruned: int
    erasures_finished: int


class Workspace(Inlet):
    """A company's events, scores and reports in one folder. Open one with `open_workspace`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        super().__init__(path, settings, is_alone=False)
        self._is_classified = False
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            self.warehouse.load_definitions(self.definitions)
            self._register_definitions()
            on_failure.pop_all()

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"

    def ingest(self, paths: Iterable[Path | str], *, progress: Progress = silent) -> IngestSummary:
        """Take PostHog batch exports, files or folders, into the lake; see `ingest_files`."""
        summary = ingest_files(self.warehouse, self.door, map(Path, paths), progress=progress)
        self._follow_people()
        return summary

    def pull(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        overlap: timedelta = timedelta(hours=24),
        progress: Progress = silent,
    ) -> "PullSummary":
        """Take what PostHog has, by its query API; see `ingest.pull.pull_from_posthog`.

        Parameters
        ----------
        since
            Default: where the last pull ended, less the `overlap` for events that arrived late;
            the first pull goes back by 7 days.
        until
            Exclusive; default: now.

        Raises
        ------
        SettingsError
            MI_POSTHOG_PROJECT_ID or MI_POSTHOG_API_KEY isn't set.
        PullError
            PostHog can't be pulled from; what came before stays in the lake.
        """
        from mi_core.ingest.pull import pull_from_posthog

        try:
            return pull_from_posthog(
                self.warehouse,
                self.door,
                since=since,
                until=until,
                overlap=overlap,
                now=datetime.now(UTC),
                progress=progress,
            )
        finally:
            self._follow_people()

    def coverage(self, days: int = 7, *, as_of: datetime | None = None) -> "pl.DataFrame":
        """What each source delivered and what the webhook missed, by hour, as a frame.

        It has the whole hours of the `days` days before `as_of` (default: now). All columns:
        `help(mi_core.ingest.coverage.coverage)`.
        """
        from mi_core.ingest.coverage import coverage

        with self.warehouse.reading():
            return coverage(self.warehouse, days=days, as_of=as_of or datetime.now(UTC))

    def drain(self) -> int:
        """Move what is new in the inbox to the lake; returns how many events the lake gained."""
        accepted = drain(self.warehouse, self.door)
        self._follow_people()
        return accepted

    def score(
        self,
        as_of: datetime | None = None,
        *,
        since: datetime | None = None,
        every: timedelta = timedelta(days=7),
        full: bool = False,
        progress: Progress = silent,
    ) -> ScoreSummary:
        """Score everybody as of an instant (exclusive; default: now); see `scoring.score`.

        With `since`, the instants `every` so often before `as_of`, back to `since`, are scored
        first, so that there is a history to compare with. Returns the summary of the last.
        """
        from mi_core.attribution.touches import removal_effects_to_store

        self._keep_classified(progress)
        instants = _instants(as_of or datetime.now(UTC), since, every)
        stores = (self.warehouse, self.state, self.definitions)
        # Those of the last instant are what stays.
        effects = removal_effects_to_store(self.warehouse, self.definitions, as_of=instants[-1])
        for number, instant in enumerate(instants):
            progress(f"Scoring as of {instant:%Y-%m-%d}", number, len(instants))
            more = effects if instant == instants[-1] else None
            summary = score(*stores, as_of=instant, full=full, more=more)
        return summary

    def refresh(self, as_of: datetime | None = None) -> "Refreshed":
        """Drain the inbox and score everybody as of an instant (exclusive; default: now).

        The scheduled work on scores, and what it did: see `refresh.refresh`.
        """
        from mi_core.refresh import refresh

        return refresh(self.warehouse, self.drain, partial(self.score, as_of))

    def unscored(
        self, since: datetime, until: datetime, every: timedelta = timedelta(days=1)
    ) -> list[datetime]:
        """The instants `every` so often from `since` to `until` (both count), oldest first, that
        nobody has scored by the definitions in force; what a backfill has still to do.
        """
        from mi_core.refresh import unscored

        return unscored(self.warehouse, self.definitions, since, until, every)

    def user(self, distinct_id: str, *, as_of: datetime | None = None) -> Person:
        """One person; see `view_person`.

        Parameters
        ----------
        distinct_id
            An id of the product, or a `user_id` as tables and reports show it.
        as_of
            Exclusive; default: the newest scoring, or the person's own since then, or now where
            there is none.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here, or to nobody with events before `as_of`.
        """
        self._keep_classified()
        user_id = self.user_id_of(distinct_id)
        moment = self._moment_of(user_id, as_of)
        return view_person(self.warehouse, self.state, self.definitions, user_id, as_of=moment)

    def scores(self, distinct_id: str) -> Scores:
        """One person as the newest scoring stored them, several times faster than `user`.

        What came after it doesn't count, until the next one. Whom it doesn't have is scored as by
        `user`, and so is everybody before the first scoring by the definitions in force.

        Raises
        ------
        UnknownPerson
            As `user`.
        """
        with self.warehouse.reading():
            user_id = self.user_id_of(distinct_id)
            found = stored_scores(self.warehouse, self.state, self.definitions, user_id)
        return found.scores or self.user(str(user_id), as_of=found.as_of)

    def rescore(self, distinct_id: str) -> Person:
        """Score one person as of now, the inbox included, and keep that; see `take_snapshot`.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here, or to nobody with events before now.
        """
        self.drain()
        self._keep_classified()
        user_id, now = self.user_id_of(distinct_id), datetime.now(UTC)
        take_snapshot(self.warehouse, self.state, self.definitions, user_id, as_of=now)
        return view_person(self.warehouse, self.state, self.definitions, user_id, as_of=now)

    def user_id_of(self, distinct_id: str) -> UUID:
        """Whose an id of the product is, or a `user_id` as tables and reports show it.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here.
        """
        user_id = find_person(self.warehouse, self.keys.hashes(distinct_id), distinct_id)
        if user_id is None:
            raise UnknownPerson(STRANGER)
        return user_id

    def attribution(
        self,
        models: Sequence[str] | None = None,
        *,
        by: str = "channel",
        conversion: str | None = None,
        as_of: datetime | None = None,
        days: int = 90,
        lookback_days: float | None = None,
        transform: str | None = None,
        direct: str | None = None,
        max_touches: int | None = None,
        order: int | None = None,
        value_function: str | None = None,
        draws: int | None = None,
        seed: int = 0,
    ) -> "Attribution":
        """Which marketing earned the conversions of the `days` days before `as_of`.

        The answer has the frames `.credits`, `.moves`, `.disagreement`, `.paths` and
        `.removal_effects`; what isn't said is as attribution.toml has it. All options:
        `help(mi_core.attribution.attribute)`.
        """
        from mi_core.attribution import attribute

        self._keep_classified()
        rules = {
            "lookback_days": lookback_days,
            "transform": transform,
            "direct": direct,
            "max_touches": max_touches,
            "markov_order": order,
            "value_function": value_function,
            "draws": draws,
        }
        return attribute(
            self.warehouse,
            self.definitions,
            models,
            by=by,
            conversion=conversion,
            as_of=self._moment(as_of),
            days=days,
            seed=seed,
            **{name: value for name, value in rules.items() if value is not None},
        )

    def journey(self, distinct_id: str, *, as_of: datetime | None = None) -> "Journey":
        """One person's way: milestones, touchpoints, credit; see `journey.view_journey`.

        As of the newest scoring, or now where there is none, markov goes by what was stored with
        it; any other `as_of` takes a look at everybody's paths.

        Raises
        ------
        UnknownPerson
            The id belongs to nobody here, or to nobody with events before `as_of`.
        """
        from mi_core.journey import view_journey

        self._keep_classified()
        with self.warehouse.reading():
            user_id, moment = self.user_id_of(distinct_id), self._moment(as_of)
            return view_journey(self.warehouse, self.state, self.definitions, user_id, as_of=moment)

    def funnel(
        self,
        steps: "Sequence[str | FunnelStep] | None" = None,
        *,
        order: str = "ordered",
        window_days: float = 14,
        exclude: Sequence[str] = (),
        by: str | None = None,
        as_of: datetime | None = None,
        days: int = 90,
    ) -> "Funnel":
        """How many people took each of `steps`, or those of funnel.toml, one after the other.

        The answer has the frames `.steps` and `.times`. All options:
        `help(mi_core.funnels.funnel)`.
        """
        from mi_core.funnels import funnel

        self._keep_classified()
        return funnel(
            self.warehouse,
            self.definitions,
            steps,
            order=order,
            window_days=window_days,
            exclude=exclude,
            by=by,
            as_of=self._moment(as_of),
            days=days,
        )

    def retention(
        self,
        start: str | None = "engagement",
        returning: str | None = None,
        *,
        every: str = "week",
        periods: int = 12,
        kind: str = "first_time",
        counting: str = "on",
        by: str | None = None,
        as_of: datetime | None = None,
    ) -> "Retention":
        """How many people of each cohort came back, period by period.

        The answer has the frames `.cohorts` and `.mean`. `start` defaults to acts in the product;
        None is any event, also those that people only receive. All options:
        `help(mi_core.retention.retention)`.
        """
        from mi_core.retention import retention

        self._keep_classified()
        return retention(
            self.warehouse,
            self.definitions,
            start,
            returning,
            every=every,
            periods=periods,
            kind=kind,
            counting=counting,
            by=by,
            as_of=self._moment(as_of),
        )

    def lifecycle(
        self,
        event: str | None = "engagement",
        *,
        every: str = "week",
        as_of: datetime | None = None,
        days: int = 90,
    ) -> "pl.DataFrame":
        """New, returning, resurrecting and dormant people by period, as a frame.

        `event` as `start` of `retention`. All options: `help(mi_core.retention.lifecycle)`.
        """
        from mi_core.retention import lifecycle

        self._keep_classified()
        moment = self._moment(as_of)
        return lifecycle(
            self.warehouse, self.definitions, event, every=every, as_of=moment, days=days
        )

    def stickiness(
        self,
        event: str | None = "engagement",
        *,
        every: str = "day",
        as_of: datetime | None = None,
        days: int = 30,
    ) -> "pl.DataFrame":
        """How many people were active in how many periods, as a frame.

        `event` as `start` of `retention`. All options: `help(mi_core.retention.stickiness)`.
        """
        from mi_core.retention import stickiness

        self._keep_classified()
        moment = self._moment(as_of)
        return stickiness(
            self.warehouse, self.definitions, event, every=every, as_of=moment, days=days
        )

    def cases(
        self,
        outcome: str = "purchase",
        *,
        horizon_days: int = 28,
        every_days: int = 14,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> "Cases":
        """What was known of everybody at past instants, and what became of them: to tune by.

        `outcome` is `trial`, `purchase` or `churn`, within the horizon. Nothing is written. The
        rest is in `mi_core.tuning`; all options: `help(mi_core.tuning.cases.cases)`.
        """
        from mi_core.tuning.cases import cases

        self._keep_classified()
        return cases(
            self.warehouse,
            self.definitions,
            outcome,
            horizon_days=horizon_days,
            every_days=every_days,
            since=since,
            until=until,
            now=datetime.now(UTC),
        )

    def ingest_spend(self, files: Iterable[Path | str], *, replace: bool = False) -> "SpendSummary":
        """Take what campaigns cost, by day, from CSV or Parquet; see `spend.ingest_spend`."""
        from mi_core.ingest.spend import ingest_spend

        return ingest_spend(self.warehouse, self.definitions, map(Path, files), replace=replace)

    def scoring(self, as_of: datetime | str | None = None) -> datetime:
        """The instant of the newest scoring at or before `as_of`, which may be as "2024-06-30".

        Raises
        ------
        BadValue
            `as_of` is no instant, or nothing was scored at it or before.
        """
        until = moment_of("as_of", as_of or datetime.max).replace(tzinfo=None)
        span = "select max(as_of) filter (as_of <= $until), min(as_of) from lake.score_run"
        [(found, first)] = self.warehouse.sql(span, {"until": until}).fetchall()
        if isinstance(found, datetime):
            return found.replace(tzinfo=UTC)
        said = f"the first scoring is as of {first:%Y-%m-%d}" if first else "run `mi score`"
        raise BadValue(f"Nothing was scored as of {as_of or 'any time'} or before; {said}.")

    def scored_as_of(self) -> datetime | None:
        """The instant of the newest scoring; None before the first."""
        row = self.warehouse.sql("select max(as_of) from lake.score_run").fetchone()
        return row[0].replace(tzinfo=UTC) if row and row[0] else None

    @again_if_overtaken
    def report(
        self,
        name: str = "acquisition",
        *,
        as_of: datetime | None = None,
        days: int | None = None,
        out: Path | None = None,
        pdf: bool = False,
        **more: object,
    ) -> Path:
        """Render the report `name` and return its page; see `reports.render`.

        Parameters
        ----------
        as_of
            The instant of a scoring; default: the newest.
        days
            How many it covers; default: as the report has it.
        out
            Where to write it; default: `reports/` in the workspace, under the names of the report
            and of what `more` asks for. There its editions are kept, and all are in `index.html`;
            one about an earlier instant than the newest goes to the history at once.
        pdf
            Also print it, to a file beside it; needs Chromium.
        more
            Other parameters of the report's notebook, such as `by="campaign"` of `attribution`.

        Raises
        ------
        ReportError
            It can't be rendered; the page before it stays.
        UnknownName
            There is no such report, or it has no such parameter.
        """
        from mi_core.reports import order, print_page

        asked = order(self.shelf, name, as_of=as_of, days=days, out=out, more=more)
        [page] = self._make([asked], silent).values()
        if isinstance(page, ReportError):
            raise page
        if pdf:
            print_page(page)
        return page

    @again_if_overtaken
    def report_all(
        self,
        names: Iterable[str] | None = None,
        *,
        as_of: datetime | None = None,
        progress: Progress = silent,
    ) -> "dict[str, Path | ReportError]":
        """Render several reports, side by side; by default all that there are.

        Returns each report's page, or why there is none: one that fails stops no other.
        """
        from mi_core.reports import catalogue, order

        wanted = list(catalogue()) if names is None else list(names)
        return self._make([order(self.shelf, name, as_of=as_of) for name in wanted], progress)

    def _make(
        self, orders: "Sequence[Order]", progress: Progress
    ) -> "dict[str, Path | ReportError]":
        """Render, then keep what is not of somebody who was forgotten meanwhile."""
        from mi_core.reports import made

        pages: dict[str, Path | ReportError] = {}
        snapshot = self.warehouse.snapshot()
        progress("Rendering reports", 0, len(orders))
        for asked, page in made(self.path, self.shelf, orders):
            pages[asked.name] = page
            progress("Rendering reports", len(pages), len(orders))
            if isinstance(page, ReportError):
                continue
            try:
                check_not_overtaken(self.warehouse, snapshot)
            except Overtaken:
                page.unlink(missing_ok=True)
                raise
            if asked.stem:
                self.shelf.file(asked.stem, page)
        return {asked.name: pages[asked.name] for asked in orders}

    def report_again(
        self, page: Path, *, out: Path | None = None
    ) -> "tuple[Path, list[Difference]]":
        """Make a page again from its manifest; returns the new page and what differs in it.

        From the lake's snapshot of then, by the definitions of then. Where the lake keeps that no
        longer, from what it holds now, as of the same instant.

        Parameters
        ----------
        page
            A page that `report` made, wherever it is now, or its manifest alone.
        out
            Where to write it; default: `reports/again/` in the workspace.

        Raises
        ------
        ReportError
            The file has no manifest, or it can't be rendered.
        """
        from mi_core import reports

        then = reports.read_manifest(page)
        parameters = dict(then.parameters) | {"config": then.definitions}
        if then.as_of:
            parameters["as_of"] = then.as_of.isoformat()
        if then.lake_snapshot is not None and self.warehouse.has_snapshot(then.lake_snapshot):
            parameters["snapshot"] = then.lake_snapshot
        target = out or self.path / "reports" / "again" / f"{page.stem}.html"
        again = reports.render(
            self.path, reports.find_report(then.report).notebook, target, parameters
        )
        return again, reports.compare(then, reports.read_manifest(again))

    @cached_property
    def shelf(self) -> "Shelf":
        """The pages of reports in this workspace."""
        from mi_core.reports import Shelf

        return Shelf(self.path / "reports")

    def watch(self, as_of: datetime | None = None, *, notify: bool = False) -> "list[Check]":
        """Look at freshness, coverage, drift, enrichment and money; see `monitoring.watching`.

        Writes `reports/status.html`, and remembers since when what is so.

        Parameters
        ----------
        as_of
            Exclusive; default: now.
        notify
            Tell the channels of MI_ALERT_URLS what they don't know yet.

        Raises
        ------
        SettingsError
            With `notify`: there is no channel, or one that can't be read.
        NotDelivered
            A channel didn't take its message. The page is written all the same.
        """
        from mi_core.monitoring.watching import watch

        return watch(self._looking(as_of), self.keys, self.settings, notify=notify)

    def churn_list(self, as_of: datetime | None = None) -> "pl.DataFrame":
        """Whose churn risk has become high, of whom no service was told; see `monitoring.churn`."""
        from mi_core.monitoring.churn import churn_list

        return churn_list(self._looking(as_of))

    def send_churn(self) -> "Delivery":
        """Send these to MI_CHURN_WEBHOOK_URL, each person once; see `monitoring.churn_webhook`.

        Raises
        ------
        SettingsError
            The webhook or its secret isn't set, or can't be read.
        """
        from mi_core.monitoring.churn_webhook import Webhook, send_churn

        return send_churn(self._looking(None), Webhook.of(self.settings))

    def _looking(self, as_of: datetime | None) -> "Looking":
        from mi_core.monitoring.looking import Looking

        moment = in_utc("as_of", as_of or datetime.now(UTC))
        self._keep_classified()
        return Looking(self.warehouse, self.state, self.definitions, moment)

    def forget(self, distinct_id: str) -> "Receipt":
        """Erase a person physically and keep them out from now on; see `erasure.forget`.

        By an id of the product, an address in any spelling, or a `user_id`. Of one of whom nothing
        is held, what comes later stays out all the same.
        """
        from mi_core.erasure import forget

        if not distinct_id.strip():
            raise BadValue("An empty id is nobody's; nothing was erased.")
        # What waits in the inbox may tell of further ids of theirs.
        self.drain()
        receipt = forget(self.warehouse, self.state, self.keys, distinct_id)
        if receipt.reports:
            self.shelf.write_index()
        return receipt

    def let_in(self, distinct_id: str) -> int:
        """Let a person in again who was forgotten; see `erasure.lift`."""
        from mi_core.erasure import lift

        return lift(self.warehouse, self.state, self.keys, distinct_id)

    def export_person(self, distinct_id: str) -> dict[str, Any]:
        """All that is held on a person, as plain values for JSON; see `disclosure`."""
        from mi_core.disclosure import export_person

        return export_person(self.warehouse, self.keys, distinct_id)

    def maintain(self, *, keep_days: int = 7) -> Maintenance:
        """Let go of what is no longer needed, and put the lake's files in order.

        An erasure that was interrupted is finished first.

        Parameters
        ----------
        keep_days
            How long everything is kept: every scoring (of older ones, the last of each day), what
            the inbox has handed on, and the lake's history.
        """
        from mi_core.erasure import finish

        finished = len(finish(self.warehouse, self.state))
        thinned = thin_snapshots(self.warehouse, keep_days=keep_days)
        row = self.warehouse.sql("select max(last_seq) from lake.ingest_watermark").fetchone()
        before = datetime.now(UTC) - timedelta(days=keep_days)
        pruned = self.state.prune_inbox(row[0] or 0 if row else 0, before)
        self.warehouse.maintain(keep_days=keep_days)
        self.state.set_meta("maintained_at", datetime.now(UTC).isoformat())
        return Maintenance(thinned, pruned, finished)

    def maintained_at(self) -> datetime | None:
        """When `maintain` last came to its end; None before the first time."""
        told = self.state.meta("maintained_at")
        return datetime.fromisoformat(told) if told else None

    def sql(self, query: str, **values: object) -> "pl.DataFrame":
        """The rows of a query over `lake.…` and `state.…`; the prefixes may be left out.

        It only reads: a statement that would change what is stored is refused. `$name` in the query
        stands for the value of that name::

            workspace.sql("select count(*) from user_event where channel = $channel", channel="ads")
        """
        return self.warehouse.ask(query, values)

    @cached_property
    def duckdb(self) -> "DuckDBPyConnection":
        """A DuckDB connection of its own to the lake and the state, for relations; it only reads.

        A relation is a query that runs when it is looked at::

            touches = workspace.duckdb.sql("from touchpoint")
            touches.filter("channel = 'email'").aggregate("campaign_id, count(*) as touches")
            touches.df()  # a pandas frame; `pl.DataFrame(touches)` is a Polars one

        It is closed with the workspace.
        """
        reader = self.warehouse.reader()
        self._beside.callback(reader.close)
        reader.load_definitions(self.definitions)
        return reader.connection

    def look_back(self, snapshot: int | None, config: str | None) -> None:
        """See `open_workspace`: what is None stays as it is."""
        if config is not None and config != self.definitions.version:
            self.definitions = definitions_from_config(self.state.config(config))
            self._is_classified = True
        if snapshot is not None:
            self.warehouse.look_back(snapshot)
            # The events were typed then, by what was in force.
            self._is_classified = True
        self.warehouse.load_definitions(self.definitions)

    def _moment(self, as_of: datetime | None) -> datetime:
        """`as_of`; where nobody says, that of the newest scoring, or now."""
        if as_of is None:
            return self.scored_as_of() or datetime.now(UTC)
        in_utc("as_of", as_of)
        return as_of

    def _moment_of(self, user_id: UUID, as_of: datetime | None) -> datetime:
        """As `_moment`, or the person's own snapshot where that is newer."""
        own = newest_snapshot(self.warehouse, user_id) if as_of is None else None
        return own or self._moment(as_of)

    def _follow_people(self) -> None:
        """Let the state follow people whose user_id is another now; a crash only puts it off."""
        renamed = self.warehouse.query("identity/renamed_person").fetchall()
        self.state.move_people(renamed)

    def _keep_classified(self, progress: Progress = silent) -> None:
        """Type the events by this workspace's definitions, once: those don't change under it."""
        if not self._is_classified:
            keep_classified(self.warehouse, self.definitions, progress=progress)
            self._is_classified = True

    def _register_definitions(self) -> None:
        """Keep the definitions in force where scores and assignments can refer to them."""
        definitions = self.definitions
        if self.state.meta("definitions") == definitions.version:
            return
        self.state.seed_personas(
            {
                "slug": slug,
                "position": persona.position,
                "label": persona.label,
                "description": persona.description,
                "intent_level": persona.intent_level,
                "traits": list(persona.traits),
            }
            for slug, persona in definitions.personas.items()
        )
        body = json.dumps(definitions.config(), sort_keys=True)
        self.state.register_config(definitions.version, body, created_at=datetime.now(UTC))
        self.state.set_meta("definitions", definitions.version)


def open_workspace(
    path: Path | str | None = None,
    *,
    settings: Settings | None = None,
    snapshot: int | None = None,
    config: str | None = None,
    filled: bool = False,
) -> Workspace:
    """Open the workspace in the folder `path` (default: MI_WORKSPACE, else `data/`).

    A folder that holds none becomes one; an older one is upgraded; a newer one is refused.

    Parameters
    ----------
    snapshot
        A lake snapshot to look back to, as the foot of a report names it; it can only be read.
    config
        The version of definitions to go by in place of those in force, of those that were once.
    filled
        Refuse a folder without scored events, and make nothing there.

    Raises
    ------
    WorkspaceError
        It is to be filled, and isn't; or it can't be opened.
    SnapshotGone
        The lake keeps no history of that snapshot.
    UnknownName
        No definitions of that version were in force.
    """
    settings = settings or load_settings()
    folder = Path(path if path is not None else settings.workspace).absolute()
    if filled and not (settings.catalog_url or (folder / "catalog.sqlite").is_file()):
        raise WorkspaceError(f"There is no workspace in {folder}: {TO_FILL_ONE}")
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(folder, settings)
    with ExitStack() as on_failure:
        on_failure.callback(workspace.close)
        if filled and workspace.scored_as_of() is None:
            raise WorkspaceError(f"Nothing is scored in {folder} yet: {TO_FILL_ONE}")
        if snapshot is not None or config is not None:
            workspace.look_back(snapshot, config)
        on_failure.pop_all()
    return workspace


def _instants(as_of: datetime, since: datetime | None, every: timedelta) -> list[datetime]:
    """`as_of`, and those `every` so often before it that are not before `since`, in order."""
    instants = [as_of]
    while since is not None and instants[-1] - every >= since:
        instants.append(instants[-1] - every)
    return instants[::-1]
