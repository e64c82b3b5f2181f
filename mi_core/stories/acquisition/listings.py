"""The acquisition report's tables: who to act on, how good the data is, what the words mean."""

from html import escape
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.magnetism import RECOMMENDATIONS
from mi_core.stories import telling
from mi_core.stories.terms import AT_RISK_TERM
from mi_core.tables import Column, Html, definitions, sentence, table

if TYPE_CHECKING:
    from mi_core.stories.acquisition import AcquisitionReport

_SELLING = ("convert_trial", "offer_trial", "upsell_or_referral")


def people(report: "AcquisitionReport", name: str) -> Html:
    """The people of one list, `ready_to_buy` or `at_risk`, with the reason and what to do."""
    import polars as pl

    listed = report.people.filter(pl.col("list") == name)
    ready = report.to_act_on["in_both"] if name == "at_risk" else 0
    if not listed.height:
        elsewhere = f"; {_on_the_other(ready)}" if ready else ""
        return sentence(f"Nobody is on this list at the moment{elsewhere}.")
    rows = [
        {
            "person": _person(row),
            "intent": row["score"],
            "risk": row["churn_risk"],
            "why": _why_ready(row) if name == "ready_to_buy" else _why_at_risk(row),
            "advice": _advice(row, name),
        }
        for row in listed.iter_rows(named=True)
    ]
    columns = {
        "person": Column("Person", Html),
        "intent": Column("Intent", words.number, is_figure=True),
        "risk": Column("Churn risk", words.number, is_figure=True),
        "why": Column("Why"),
        "advice": Column("What to do"),
    }
    total = report.to_act_on["at_risk"] if name == "at_risk" else report.listed(name)
    caption = f"{words.number(listed.height)} of {words.count(total, 'person', 'people')}"
    if report.listed(name) > listed.height:
        caption += ", the most urgent first"
    if ready:
        caption += f"; {_on_the_other(ready)}"
    return table(pl.DataFrame(rows), columns, caption=caption, kind="cards")


def _on_the_other(ready: int) -> str:
    who = "person at risk looks" if ready == 1 else "people at risk look"
    belongs = "belongs" if ready == 1 else "belong"
    return f"{words.number(ready)} {who} ready to buy and {belongs} to the list above"


def data_quality(report: "AcquisitionReport") -> Html:
    """How fresh and how complete the data is."""
    held = report.freshness
    events, visits = report.total("events"), report.total("visits")
    known_origin = report.total("visits_with_origin") / visits if visits else None
    unknown = report.total("unknown") / events if events else None
    quiet_days = report.coverage["events"].to_list().count(0)
    return definitions(
        [
            ("Newest event", words.moment(held["last_event_at"])),
            ("Oldest event", words.moment(held["first_event_at"])),
            ("Events in the period", words.number(events)),
            ("Days without any event", words.number(quiet_days)),
            ("Visits of known origin", words.percent(known_origin)),
            ("Events with an unknown name", words.percent(unknown)),
            ("Delivered and stored, ever", words.number(held["accepted"])),
            ("Delivered twice, stored once", words.number(held["duplicates"])),
            ("Left out for lack of consent", words.number(held["withheld"])),
            ("Rejected as unreadable", words.number(held["rejected"])),
        ]
    )


def unknown_events(report: "AcquisitionReport") -> Html:
    """Event names that the settings don't know, the most frequent first."""
    if not report.unknown_events.height:
        return sentence("Every event of this period has a name that the settings know.")
    columns = {
        "event_name": Column("Event"),
        "events": Column("Events", words.number, is_figure=True),
        "people": Column("People", words.number, is_figure=True),
        "last_seen_at": Column("Last seen", words.day, is_figure=True),
    }
    caption = "Event names that the settings don't know: stored, but they count for no score"
    return table(report.unknown_events.head(20), columns, caption=caption)


def glossary(report: "AcquisitionReport") -> Html:
    """What the words of the report mean, with the thresholds in force."""
    return definitions(
        [
            (
                "Intent",
                "How close a person is to buying, 0–100: what they did in the last 30 days, how "
                f"recently and how often. Levels: {_cuts(report.intent_levels, 'very high')}.",
            ),
            (
                "Magnetism",
                "How strongly a person is drawn back, 0–100: intent, regular use, returns, email "
                "clicks and visits from social channels. "
                f"Bands: {_cuts(report.magnetism_bands, 'hot')}.",
            ),
            (
                "Churn risk",
                "A rule of thumb for how likely a person is to leave, 0–100: the opposite of "
                "magnetism, higher after a silent week, lower for those who tried or bought. "
                "It is no probability.",
            ),
            (
                "Persona",
                "The kind of customer a person most resembles, by behaviour or by what is known "
                "of them. A help for choosing the tone, not a fact about the person.",
            ),
            (
                "Ready to buy",
                "High or very high intent, and no purchase in the last 30 days.",
            ),
            (AT_RISK_TERM[0], f"{AT_RISK_TERM[1]} These are on that list only."),
            (
                "First channel",
                "Where the first touchpoint of a person came from, as far as that can be told.",
            ),
            ("In brackets", telling.CLEAR),
            (
                "Origin",
                "The channel that a visit came through, such as an ad, an email or a search, where "
                "that can be told.",
            ),
        ]
    )


def _person(row: dict[str, Any]) -> str:
    return f"<code>{row['user_id']}</code><small>{escape(row['persona'] or '')}</small>"


def _why_ready(row: dict[str, Any]) -> str:
    signs = words.listed([words.plain(each) for each in dict.fromkeys(row["top_signals"])])
    bought = words.count(row["purchases"], "purchase") if row["purchases"] else "no purchase"
    return f"Strongest signs: {signs}. {_seen(row)}; {bought} so far."


def _seen(row: dict[str, Any]) -> str:
    here = row["last_here_at"]
    return f"Last here on {words.day(here)}" if here else "Never seen here"


def _why_at_risk(row: dict[str, Any]) -> str:
    seen = f"{_seen(row)}."
    if not row["purchases"]:
        return f"Left an address or began a trial, and hasn't bought. {seen}"
    spent = f" worth {words.money(row['spent_cents'])}" if row["spent_cents"] else ""
    bought = words.count(row["purchases"], "purchase")
    return f"{bought}{spent}, the last on {words.day(row['last_purchase_at'])}. {seen}"


def _advice(row: dict[str, Any], name: str) -> str:
    """The first recommendation; for those ready to buy one that sells, whatever else is due."""
    codes = row["recommendations"] or []
    if name == "ready_to_buy":
        again = "Offer what goes well with the last purchase."
        first = "Make an offer for a first purchase."
        codes = [code for code in codes if code in _SELLING]
        otherwise = again if row["purchases"] else first
    else:
        otherwise = "Nothing special: keep in touch."
    return RECOMMENDATIONS[codes[0]].sentence if codes else otherwise


def _cuts(cuts: tuple[tuple[str, float], ...], last: str) -> str:
    """`cold below 30, cooling below 50, warm below 70, hot above`."""
    return ", ".join(
        [*(f"{words.plain(name)} below {cut:g}" for name, cut in cuts), f"{last} above"]
    )
