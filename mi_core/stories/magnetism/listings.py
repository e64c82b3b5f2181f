"""The magnetism report's tables: who moved, who is about to leave, what to do, what words mean."""

from html import escape
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.magnetism import AT_RISK, RECOMMENDATIONS
from mi_core.stories import telling
from mi_core.stories.terms import AT_RISK_TERM
from mi_core.tables import Column, Html, definitions, sentence, table

if TYPE_CHECKING:
    from mi_core.stories.magnetism.figures import MagnetismReport

_CHANNELS = {"in_app": "In the product", "sales": "In person", "none": "–"}
_SCORINGS = {
    "last": "the scoring before",
    "week": "a week ago",
    "begin": "when the period began",
}


_SEVERAL = (
    "How many people each fits; one may have several. An email needs an address, and leave to write"
)


def moves(report: "MagnetismReport") -> Html:
    """From which band to which people moved since the period's begin, and the net flow."""
    import polars as pl

    begin = report.scored_at("begin")
    if begin is None or not report.people:
        return sentence("Nobody was scored before, so nobody has moved between bands.")
    bands = [*(name for name, _ in report.cuts), "hot"]
    counted = {(then, now): people for then, now, people in report.moves.iter_rows()}
    rows = []
    for then in [*bands, None]:
        each = {f"to_{now}": words.number(counted.get((then, now), 0)) for now in bands}
        rows.append({"band": then.title() if then else "Not scored then"} | each)
    net = {
        f"to_{band}": sum(people for (_, now), people in counted.items() if now == band)
        - sum(people for (then, _), people in counted.items() if then == band)
        for band in bands
    }
    rows.append({"band": "More or fewer in all"} | {name: _flow(n) for name, n in net.items()})
    columns = {"band": Column(f"On {words.day(begin)}")} | {
        f"to_{band}": Column(f"Now {band}", is_figure=True) for band in bands
    }
    return table(pl.DataFrame(rows), columns, caption="People by band, then and now")


def risk_moves(report: "MagnetismReport") -> Html:
    """How many became at risk, stayed so, and were won back since each scoring compared with."""
    import polars as pl

    seen: dict[Any, dict[str, object]] = {}
    for scoring, name in _SCORINGS.items():
        at = report.scored_at(scoring)
        if at is None or at in seen:
            continue
        came, stayed, went = (
            report.at_risk(scoring, was=was, now=now)
            for was, now in ((False, True), (True, True), (True, False))
        )
        cents = report.at_risk(scoring, was=False, now=True, column="spent_cents")
        seen[at] = {
            "since": f"{words.day(at)}, {name}",
            "came": came,
            "cents": cents,
            "stayed": stayed,
            "went": went,
        }
    if not seen or not report.known:
        return sentence("There is no earlier scoring to compare with.")
    columns = {
        "since": Column("Since"),
        "came": Column("Newly at risk", words.number, is_figure=True),
        "cents": Column("They have spent", words.money, is_figure=True),
        "stayed": Column("Still at risk", words.number, is_figure=True),
        "went": Column("Won back", words.number, is_figure=True),
    }
    caption = "People who became at risk, stayed so, or are so no longer"
    return table(pl.DataFrame(list(seen.values())), columns, caption=caption)


def board(report: "MagnetismReport") -> Html:
    """Those at risk, the most to lose first, with what changed and what to do."""
    import polars as pl

    if not report.board.height:
        return sentence("Nobody is at risk of leaving at the moment.")
    rows = [
        {
            "person": _person(report, row),
            "risk": row["churn_risk"],
            "spent": row["spent_cents"],
            "why": _why(report, row),
            "advice": _advice(row),
        }
        for row in report.board.iter_rows(named=True)
    ]
    columns = {
        "person": Column("Person", Html),
        "risk": Column("Churn risk", words.number, is_figure=True),
        "spent": Column("Has spent", words.money, is_figure=True),
        "why": Column("What is known"),
        "advice": Column("What to do"),
    }
    listed = report.of_all("listed")
    caption = f"{words.number(len(rows))} of {words.count(listed, 'person', 'people')} at risk"
    if listed > len(rows):
        caption += ", those with the most to lose first: what they have spent, times the risk"
    return table(pl.DataFrame(rows), columns, caption=caption, kind="cards")


def advice(report: "MagnetismReport") -> Html:
    """Each recommendation, and how many people a campaign of it would reach."""
    import polars as pl

    if not report.advice.height:
        return sentence("Nothing is recommended for anybody at the moment.")
    rows = [
        {
            "what": RECOMMENDATIONS[row["code"]].sentence,
            "channel": _channel(RECOMMENDATIONS[row["code"]].channel),
            "people": row["people"],
            "reached": row["with_address"] if _is_email(row["code"]) else None,
            "at_risk": row["at_risk"],
        }
        for row in report.advice.iter_rows(named=True)
        if row["code"] in RECOMMENDATIONS
    ]
    columns = {
        "what": Column("What to do"),
        "channel": Column("How"),
        "people": Column("People", words.number, is_figure=True),
        "reached": Column("With an address", words.number, is_figure=True),
        "at_risk": Column("At risk", words.number, is_figure=True),
    }
    frame = pl.DataFrame(rows, schema_overrides={"reached": pl.Int64})
    return table(frame, columns, caption=_SEVERAL)


def glossary(report: "MagnetismReport") -> Html:
    """What the words of the report mean, with the limits in force."""
    points, bonus = report.points["weights"], report.points["bonuses"]
    churn = report.points["churn"]
    cuts = ", ".join(f"{name} below {cut:g}" for name, cut in report.cuts)
    return definitions(
        [
            (
                "Magnetism",
                "How strongly a person is drawn back, 0–100: intent (at most "
                f"{points['intent']:g}), regular use ({points['engagement']:g}), returns after a "
                f"pause ({points['reactivation']:g}), email clicks ({points['email_ctr']:g}), "
                f"visits from social channels ({points['social_returns']:g}); and "
                f"{bonus['trial']:g} for a trial, {bonus['purchase']:g} for a purchase. Over 30 "
                "days, unless 7 are named.",
            ),
            ("Bands", f"By magnetism: {cuts}, hot above."),
            (
                "Churn risk",
                "A rule of thumb for how likely a person is to leave, 0–100: 100 less magnetism; "
                f"{churn['no_active_day']:g} more after a week without use, "
                f"{churn['no_reactivation']:g} without a return; {churn['email_click']:g} less "
                f"with an email click, {churn['trial']:g} with a trial, {churn['purchase']:g} with "
                "a purchase. It is no probability.",
            ),
            ("Known", "Who has left an address, begun a trial or bought: whoever can be lost."),
            (AT_RISK_TERM[0], f"{AT_RISK_TERM[1]}{_ready(report)}"),
            (
                "Newly at risk",
                "At risk now, and not at the earlier scoring, where some weren't known yet.",
            ),
            ("Won back", f"At risk at an earlier scoring, and now below {AT_RISK}."),
            (
                "Has spent",
                "Purchases and renewals up to the scoring; the events carry no currency.",
            ),
            (
                "First channel",
                "Where the first touchpoint of a person came from, as far as that can be told.",
            ),
            (
                "Stayed away",
                "Did nothing in the product since: opened emails and seen ads don't count.",
            ),
            ("In brackets", telling.CLEAR),
        ]
    )


def _ready(report: "MagnetismReport") -> str:
    ready = report.of_all("ready")
    if not ready:
        return ""
    return (
        f" Here {words.number(ready)} {'do' if ready > 1 else 'does'}; the acquisition report "
        "lists these as ready to buy only."
    )


def _flow(people: int) -> str:
    return f"{'+' if people > 0 else '−' if people < 0 else '±'}{words.number(abs(people))}"


def _person(report: "MagnetismReport", row: dict[str, Any]) -> str:
    said = [report.labels.get(row["persona"], row["persona"] or "")]
    if report.scored_at("week") and not row["was_at_risk"]:
        said.append("newly at risk")
    shown = ", ".join(escape(each) for each in said if each)
    return f"<code>{row['user_id']}</code><small>{shown}</small>"


def _why(report: "MagnetismReport", row: dict[str, Any]) -> str:
    bought = words.count(row["purchases"], "purchase") if row["purchases"] else "no purchase yet"
    here = row["last_here_at"]
    seen = f"Last here on {words.day(here)}" if here else "Never seen here"
    index, then = row["index_100"] / 100, row["index_100_then"]
    begin = report.scored_at("begin")
    was = "" if then is None else f", {then / 100:.0f} on {words.day(begin)}"
    first = report.labels.get(row["channel"], row["channel"]) if row["channel"] else ""
    by = f" First came by {first}." if first else ""
    return f"{seen}; {bought}. Magnetism {index:.0f}{was}.{by}"


def _advice(row: dict[str, Any]) -> str:
    """The first recommendation; an offer, for whoever looks ready to buy."""
    if row["is_ready"]:
        return "Make an offer: intent is high, though use is not."
    codes = [code for code in row["recommendations"] or [] if code in RECOMMENDATIONS]
    return RECOMMENDATIONS[codes[0]].sentence if codes else "Nothing special: keep in touch."


def _is_email(code: str) -> bool:
    return RECOMMENDATIONS[code].channel == "email"


def _channel(name: str) -> str:
    return _CHANNELS.get(name, words.plain(name).capitalize())
