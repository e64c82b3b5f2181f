"""Cases: what was known of each person at past instants, and what became of them afterwards.

Features are of events before an instant, outcomes of the horizon that begins there. They come from
the relations that score everybody, so that a case has the figures that a scoring would have given.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from mi_core import scoring
from mi_core.definitions import Definitions
from mi_core.errors import BadValue, UnknownName
from mi_core.tuning.instants import Asked, Instants, instants
from mi_core.warehouse import Warehouse

if TYPE_CHECKING:
    from mi_core.tuning.splitting import Split

OUTCOMES = ("trial", "purchase", "churn")


@dataclass(frozen=True)
class Cases:
    """One row per person and instant, and one per person as of the end of the events.

    Attributes
    ----------
    frame
        `user_id, as_of`; what events before `as_of` add up to: `score` and its parts `engagement,
        purchase_intent, recency, frequency` (rounded, as rules read them), `top_signals`,
        `intent_score` (not rounded), `signals_count`, `age_days` of the newest signal,
        `count_<signal>` and `points_<signal>` by signal; `company_size` as known then; `had_trial,
        had_purchase`; of the 30 days before: `month_intent_score, active_days, active_weeks,
        reactivations, social_returns, email_sends, email_clicks, magnetism_index`; `persona` and
        `persona_confidence` by the rules in force; `label` and `label_source`: the persona that a
        person (`manual`) or a model (`ai_enrichment`) had given by then. And `outcome`: whether it
        happened in `[as_of, as_of + horizon)`; null where it can't, as a first purchase of a buyer.
        Of churn: whether who was active in the 28 days before has no act in the product.
    present
        The same as of the end of the events, or of `now` before it, without outcomes: who would
        change persona today.
    left_out
        A sentence on the instants that were asked for and left out; empty if there are none.
    """

    frame: pl.DataFrame
    present: pl.DataFrame
    outcome: str
    horizon_days: int
    instants: tuple[datetime, ...]
    left_out: str
    definitions: Definitions
    lake_snapshot: int

    @property
    def sought(self) -> str:
        """What high intent should go with: the outcome, or instead of churn, staying active."""
        return "staying active" if self.outcome == "churn" else self.outcome

    def has_sought(self) -> pl.Expr:
        """Whether a case has what is sought; null where it can't have the outcome."""
        return ~pl.col("outcome") if self.outcome == "churn" else pl.col("outcome")

    def __repr__(self) -> str:
        first, last = self.instants[0], self.instants[-1]
        return (
            f"Cases({self.outcome} within {self.horizon_days} days: {self.frame.height:,} at"
            f" {len(self.instants)} instants from {first:%Y-%m-%d} to {last:%Y-%m-%d})"
        )

    def split(self, test_share: float = 0.3, seed: int = 0) -> "Split":
        """Parts to search and to judge in, by person and by time; see `splitting.split`."""
        from mi_core.tuning.splitting import split

        return split(self, test_share=test_share, seed=seed)


def cases(
    warehouse: Warehouse,
    definitions: Definitions,
    outcome: str = "purchase",
    *,
    horizon_days: int = 28,
    every_days: int = 14,
    since: datetime | None = None,
    until: datetime | None = None,
    now: datetime,
) -> Cases:
    """What was known of everybody at past instants, and what became of them.

    Nothing is written to the lake. Instants are midnights in UTC.

    Parameters
    ----------
    outcome
        `trial` or `purchase`: the first one; `churn`: no act in the product, of those who had one
        in the 28 days before.
    horizon_days
        How long after an instant the outcome counts.
    every_days
        How far apart instants are, counted back from the newest.
    since, until
        The oldest and the newest instant; default: all of which the lake has both the days that
        scores look back on and the horizon.
    now
        Nothing from then on is looked at: it is of clocks that go wrong, or later than was asked.

    Raises
    ------
    UnknownName
        There is no such outcome.
    BadValue
        The events cover no instant with its window and its horizon.
    """
    if outcome not in OUTCOMES:
        raise UnknownName("outcome", outcome, OUTCOMES)
    asked = Asked(horizon_days, every_days, since, until)
    with warehouse.reading() as snapshot:
        first, last = _span(warehouse)
        found = instants(
            first, min(last, scoring.naive_utc(now)), definitions.intent.window_days, asked
        )
        frames = [_known_at(warehouse, definitions, at, outcome, asked) for at in found.covered]
        present = _known_at(warehouse, definitions, found.end, outcome, asked)
    return _collected(frames, present, outcome, asked, found, definitions, snapshot)


def _collected(
    frames: list[pl.DataFrame],
    present: pl.DataFrame,
    outcome: str,
    asked: Asked,
    found: Instants,
    definitions: Definitions,
    snapshot: int,
) -> Cases:
    return Cases(
        frame=pl.concat(frames, rechunk=True),
        present=present.with_columns(pl.lit(None, pl.Boolean).alias("outcome")),
        outcome=outcome,
        horizon_days=asked.horizon_days,
        instants=found.covered,
        left_out=found.left_out,
        definitions=definitions,
        lake_snapshot=snapshot,
    )


def _span(warehouse: Warehouse) -> tuple[datetime, datetime]:
    first, last = warehouse.query("tuning/span").fetchone()
    if first is None:
        raise BadValue("There are no events, so that there is nothing to tune by.")
    return first, last


def _known_at(
    warehouse: Warehouse, definitions: Definitions, as_of: datetime, outcome: str, asked: Asked
) -> pl.DataFrame:
    """The rows of one instant."""
    with _staged(warehouse, definitions, as_of):
        _stage_outcome(warehouse, as_of, outcome, asked.horizon_days)
        window = scoring.intent_window(definitions)
        known = warehouse.relation("tuning/case", as_of=as_of, intent_window=window)
        totals = warehouse.relation(
            "tuning/signal_total", as_of=as_of, days=definitions.intent.window_days
        )
    return _with_totals(known, totals, sorted(definitions.signals)).sort("user_id")


@contextmanager
def _staged(warehouse: Warehouse, definitions: Definitions, as_of: datetime) -> Iterator[None]:
    """Everybody's features and scores, staged as for a scoring that is never published."""
    everybody = "create or replace temp table scope_person as select user_id from "
    warehouse.sql(f"{everybody} lake.user_milestone where first_event_at < $at", {"at": as_of})
    scoring.stage_people(warehouse, definitions, as_of)
    scoring.stage_features(warehouse, definitions, as_of)
    warehouse.stage("company", "scores/company", as_of=as_of)
    scoring.stage_scores(warehouse, definitions, as_of)
    warehouse.stage("label", "tuning/label", as_of=as_of)
    yield
    # A month of everybody's events: too much to leave lying about.
    warehouse.sql("drop table if exists temp.scope_event")


def _stage_outcome(warehouse: Warehouse, as_of: datetime, outcome: str, horizon_days: int) -> None:
    horizon = {"as_of": as_of, "horizon_days": horizon_days}
    if outcome == "churn":
        warehouse.stage("outcome", "tuning/outcome_churn", **horizon)
    else:
        warehouse.stage("outcome", "tuning/outcome_first", step=outcome, **horizon)


def _with_totals(known: pl.DataFrame, totals: pl.DataFrame, signals: list[str]) -> pl.DataFrame:
    """With two columns for each signal, 0 for who didn't give it."""
    found = known
    for column, prefix in (("signals_count", "count"), ("points", "points")):
        wide = totals.pivot("signal", on_columns=signals, index="user_id", values=column)
        named = wide.rename({name: f"{prefix}_{name}" for name in signals})
        found = found.join(named, on="user_id", how="left", maintain_order="left")
    return found.with_columns(
        pl.col(f"{prefix}_{name}").fill_null(0)
        for prefix in ("count", "points")
        for name in signals
    )
