"""The figures of the magnetism report, read once, from one snapshot of the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mi_core.magnetism import AT_RISK
from mi_core.stories import comparing
from mi_core.stories.comparing import Change
from mi_core.stories.period import Edition, Period, edition

if TYPE_CHECKING:
    import polars as pl

    from mi_core.workspace import Workspace

PEOPLE_LISTED = 12
"""People shown on the board."""

DRAWN_BACK = ("warm", "hot")
"""Bands of those who come back by themselves."""

CHECKED_DAYS, CHECKED_PEOPLE = 7, 10
"""From which the risk of then is held against what happened: days since, people at risk and not."""


@dataclass(frozen=True)
class MagnetismReport:
    """The figures of one period, each frame a relation `reports/drawn_…` or of that name.

    Attributes
    ----------
    trend_change
        Points from which an index over 7 days is called weaker or stronger than that over 30.
    cuts, points
        Where each band ends; the definitions' `weights`, `bonuses` and points of `churn` risk.
    scorings
        When people were scored `last` before, a `week` ago and at the period's `begin`, and by
        which version of the definitions.
    labels
        Persona or channel → what people call it.
    """

    edition: Edition
    cuts: tuple[tuple[str, float], ...]
    points: Mapping[str, Mapping[str, float]]
    labels: Mapping[str, str]
    scorings: dict[str, Any]
    bands: "pl.DataFrame"
    moves: "pl.DataFrame"
    parts: "pl.DataFrame"
    windows: "pl.DataFrame"
    pace: "pl.DataFrame"
    trend_change: float
    risks: "pl.DataFrame"
    risk_moves: "pl.DataFrame"
    groups: "pl.DataFrame"
    advice: "pl.DataFrame"
    board: "pl.DataFrame"

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 28
    ) -> "MagnetismReport":
        """Read the figures of a scoring and of those in the `days` days before it.

        Parameters
        ----------
        as_of
            The instant of a scoring, UTC, as a datetime or ISO 8601; default: the newest scoring.

        Raises
        ------
        ReportError
            Nothing has been scored, or nothing as of that instant.
        """
        lake, definitions = workspace.warehouse, workspace.definitions
        rules = definitions.magnetism
        names = rules.band_names
        risk = {"risk": AT_RISK}
        with edition(workspace, as_of, days) as found:
            at = found.period.until
            scorings = lake.relation(
                "reports/drawn_scoring", as_of=at, since=found.period.since
            ).row(0, named=True)
            then = {name: scorings[name] for name in ("last_at", "week_at", "begin_at")}
            lake.stage("drawn", "reports/drawn", as_of=at, **then)
            return cls(
                edition=found,
                cuts=rules.bands,
                points={
                    name: getattr(rules, name).model_dump()
                    for name in ("weights", "bonuses", "churn")
                },
                labels=_labels(workspace),
                scorings=scorings,
                bands=lake.relation("reports/band_share", bands=names, **found.span),
                moves=lake.relation("reports/drawn_move"),
                parts=lake.relation("reports/drawn_part"),
                windows=lake.relation("reports/drawn_window", bands=names),
                pace=lake.relation("reports/drawn_pace", points=rules.trend_change),
                trend_change=rules.trend_change,
                risks=lake.relation("reports/drawn_risk"),
                risk_moves=lake.relation("reports/drawn_risk_move", **risk),
                groups=lake.relation("reports/drawn_group", **risk),
                advice=lake.relation("reports/drawn_advice", **risk),
                board=lake.relation("reports/drawn_board", people=PEOPLE_LISTED, **risk),
            )

    @property
    def period(self) -> Period:
        return self.edition.period

    def scored_at(self, scoring: str) -> datetime | None:
        """When people were scored `last` before, a `week` ago, or at the `begin`; None: never."""
        at: datetime | None = self.scorings[f"{scoring}_at"]
        return at

    @cached_property
    def people(self) -> int:
        """How many were scored."""
        import polars as pl

        return int(self.moves.filter(pl.col("band_now").is_not_null())["people"].sum())

    @cached_property
    def drawn_back(self) -> Change:
        """The share of people in a band of `DRAWN_BACK`, against the period's begin."""
        return comparing.of_moves(
            (people, now and now in DRAWN_BACK, then and then in DRAWN_BACK)
            for then, now, people in self.moves.iter_rows()
        )

    @property
    def has_pace(self) -> bool:
        """Whether anybody has an index over 7 days beside that over 30."""
        return self.pace["pace"].null_count() < self.pace.height

    def paced(self, pace: str) -> Change:
        """The share of people drawn `weaker` or `stronger` over 7 days than over 30."""
        return comparing.of_moves(
            (people, now and now == pace, then and then == pace)
            for now, then, people in self.pace.iter_rows()
        )

    def risk_change(self, scoring: str = "begin") -> Change:
        """The share of known people at risk, against that scoring."""
        rows = self.risk_moves.filter(self.risk_moves["scoring"] == scoring)
        columns = rows.select("people", "is_at_risk", "was_at_risk")
        return comparing.of_moves(columns.iter_rows())

    def at_risk(
        self, scoring: str, *, was: bool | None, now: bool | None, column: str = "people"
    ) -> int:
        """How many known people were at risk at a scoring, or not (None: any), and are so now.

        Who wasn't known, or not scored, wasn't at risk. Or the sum of another `column`.
        """
        import polars as pl

        wanted = pl.col("scoring") == scoring
        for name, value in (("was_at_risk", was), ("is_at_risk", now)):
            if value is not None:
                wanted &= pl.col(name).fill_null(value=False) == value
        return int(self.risk_moves.filter(wanted)[column].sum())

    @property
    def known(self) -> int:
        """How many known people were scored."""
        return int(self.risks["people"].sum())

    @property
    def known_at_risk(self) -> int:
        return int(self.risks.filter(self.risks["risk_from"] >= AT_RISK)["people"].sum())

    @property
    def listed_cents(self) -> int:
        """What those on the board have spent."""
        return int(self.board["spent_cents"].sum())

    def of_all(self, name: str) -> int:
        """A figure of `board` that is about all who are at risk."""
        return int(self.board[name][0]) if self.board.height else 0

    def stayed_away(self, *, at_risk: bool) -> tuple[int, int]:
        """Of those at risk at the begin, or not: how many did nothing since, and how many all."""
        is_high = self.risks["risk_from"] >= AT_RISK
        rows = self.risks.filter(is_high if at_risk else ~is_high)
        return int(rows["stayed_away"].sum()), int(rows["people_then"].sum())

    @property
    def rule_check(self) -> "pl.DataFrame":
        """`risks` with the share who stayed away, by the risk of then, and its interval."""
        import polars as pl

        ranges = [
            comparing.share_range(away, people)
            for away, people in self.risks.select("stayed_away", "people_then").iter_rows()
        ]
        return self.risks.with_columns(
            (pl.col("stayed_away") / pl.col("people_then")).alias("share"),
            pl.Series("low", [low for low, _ in ranges]),
            pl.Series("high", [high for _, high in ranges]),
        )

    @property
    def was_rule_right(self) -> Change | None:
        """The share who stayed away of those at risk at the begin, against that of the others.

        None where that was too recent, or one of the two groups is too small.
        """
        begin = self.scored_at("begin")
        if begin is None or (self.period.until - begin).days < CHECKED_DAYS:
            return None
        (away, people), (others_away, others) = (
            self.stayed_away(at_risk=each) for each in (True, False)
        )
        if min(people, others) < CHECKED_PEOPLE:
            return None
        return comparing.of_shares(away, people, others_away, others)

    @property
    def other_definitions(self) -> list[str]:
        """Scorings compared with that went by other definitions."""
        return [
            each
            for each in ("last", "week", "begin")
            if self.scorings[f"{each}_version"] not in (None, self.edition.config_version)
        ]


def _labels(workspace: "Workspace") -> dict[str, str]:
    definitions = workspace.definitions
    channels = {name: each.label for name, each in definitions.channels.names.items()}
    return channels | {name: each.label for name, each in definitions.personas.items()}
