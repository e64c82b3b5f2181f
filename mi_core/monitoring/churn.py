"""Who is about to leave: people whose churn risk has become high since a service was told last.

A person is told of once. The state database has one row for each who has crossed the limit
(`churn_notice`), until a scoring finds them below a lower one: only then may they cross it anew.
Whom it's about is as in the report's list of people at risk: those who once bought, tried or left
an address.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.magnetism import AT_RISK, RECOMMENDATIONS
from mi_core.monitoring.looking import Looking
from mi_core.state import INBOX_KEY, moment

if TYPE_CHECKING:
    import polars as pl

KEEP_IN_TOUCH = "Keep in touch."

_NOTED = "select user_id, sent_at from churn_notice"
_RECOVERED = "delete from churn_notice where user_id = :user_id"
_CROSSED = """
insert into churn_notice (user_id, crossed_at, risk, risk_before)
values (:user_id, :at, :risk, :before)
on conflict (user_id) do nothing
"""


@dataclass(frozen=True)
class AtRisk:
    """One person at risk of leaving, as of a scoring; `risk` is 0-100.

    Attributes
    ----------
    risk_before
        At the scoring before, or the one that was told of last; None for who wasn't scored then.
    recommendation
        A code of `magnetism.RECOMMENDATIONS`; None where nothing is advised.
    """

    user_id: str
    risk: int
    risk_before: int | None
    reason: str
    recommendation: str | None
    last_seen_at: datetime | None


def new_at_risk(at: Looking) -> list[AtRisk]:
    """Those at risk of whom no service was told, the highest risk first."""
    with at.warehouse.reading():
        _, people = _people_at_risk(at)
    with at.state.reading() as transaction:
        told = {row["user_id"] for row in transaction.rows(_NOTED) if row["sent_at"]}
    return [each for each in people if each.user_id not in told]


def churn_list(at: Looking) -> "pl.DataFrame":
    """As `new_at_risk`, as a frame with a row for each person.

    Columns: user_id, risk and risk_before (0-100), reason, recommendation (a sentence),
    last_seen_at (UTC).
    """
    import polars as pl

    rows = [
        (
            each.user_id,
            each.risk,
            each.risk_before,
            each.reason,
            advice(each.recommendation),
            each.last_seen_at,
        )
        for each in new_at_risk(at)
    ]
    shape: dict[str, type[pl.DataType] | pl.DataType] = {
        "user_id": pl.String,
        "risk": pl.Int64,
        "risk_before": pl.Int64,
        "reason": pl.String,
        "recommendation": pl.String,
        "last_seen_at": pl.Datetime("us"),
    }
    return pl.DataFrame(rows, schema=shape, orient="row")


def note_crossings(at: Looking) -> list[AtRisk]:
    """Write down who has crossed the limit, and forget who is well again; returns those at risk."""
    with at.state.reading() as transaction:
        noted = [row["user_id"] for row in transaction.rows(_NOTED)]
    with at.warehouse.reading():
        as_of, people = _people_at_risk(at)
        if as_of is None:
            return []
        below = at.rules.notices.again_below
        low = at.warehouse.relation(
            "monitoring/low_risk", as_of=as_of, user_ids=noted, below=below
        )["user_id"].to_list()
    crossed: list[dict[str, Any]] = [
        {
            "user_id": each.user_id,
            "at": as_of.replace(tzinfo=UTC),
            "risk": each.risk,
            "before": each.risk_before,
        }
        for each in people
    ]
    with at.state.writing() as transaction:
        transaction.change_each(_RECOVERED, [{"user_id": each} for each in low])
        # Scores may have been computed before somebody was forgotten; from here on nobody is.
        transaction.one_at_a_time(INBOX_KEY)
        erased = transaction.known("erased_id", "id_hash", [row["user_id"] for row in crossed])
        here = [row for row in crossed if row["user_id"] not in erased]
        transaction.change_each(_CROSSED, here)
    return [each for each in people if each.user_id not in erased]


def advice(code: str | None) -> str:
    """A recommendation as a sentence."""
    known = RECOMMENDATIONS.get(code or "")
    return known.sentence if known else KEEP_IN_TOUCH


def _people_at_risk(at: Looking) -> tuple[datetime | None, list[AtRisk]]:
    """The instant of the newest scoring, and everybody at risk of leaving then."""
    as_of, earlier = _scorings(at)
    if as_of is None:
        return None, []
    rows = at.warehouse.relation(
        "monitoring/churn_risk", as_of=as_of, earlier=earlier, risk=AT_RISK
    )
    return as_of, [_at_risk(row) for row in rows.iter_rows(named=True)]


def _scorings(at: Looking) -> tuple[datetime | None, datetime | None]:
    """The newest scoring until `as_of`, and the one to compare with: the one told of last.

    That one may be thinned by now: the nearest then. Where nobody was told of any before the
    newest, it is the scoring before.
    """
    runs = at.warehouse.sql(
        "select distinct as_of from lake.score_run where as_of <= $as_of order by as_of desc",
        {"as_of": at.at},
    ).fetchall()
    if not runs:
        return None, None
    newest, *before = (as_of for (as_of,) in runs)
    with at.state.reading() as transaction:
        [told] = transaction.rows(
            "select max(crossed_at) as at from churn_notice"
            " where sent_at is not null and crossed_at < :newest",
            newest=newest.replace(tzinfo=UTC),
        )
    last = moment(told["at"])
    told_at = last.astimezone(UTC).replace(tzinfo=None) if last else newest
    return newest, min(before, key=lambda as_of: abs(as_of - told_at), default=None)


def _at_risk(row: dict[str, Any]) -> AtRisk:
    codes = row["recommendations"] or []
    return AtRisk(
        user_id=row["user_id"],
        risk=row["churn_risk"],
        risk_before=row["churn_risk_before"],
        reason=reason(row),
        recommendation=codes[0] if codes else None,
        last_seen_at=row["last_seen_at"],
    )


def reason(row: dict[str, Any]) -> str:
    """Why the risk is what it is: who it is, when they were active last, how magnetism went."""
    if row["purchases"]:
        who = words.count(row["purchases"], "purchase")
    else:
        who = "Began a trial" if row["has_tried"] else "Left an address"
    seen = row["last_seen_at"]
    active = f"last active on {words.day(seen)}" if seen else "never active in the product"
    now, before = round(row["magnetism_index"]), row["magnetism_before"]
    went = f"magnetism {now}"
    if before is not None and round(before) != now:
        went = f"magnetism {'fell' if before > now else 'rose'} from {round(before)} to {now}"
    return f"{who}; {active}; {went}."
