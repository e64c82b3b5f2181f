"""The personas report's tables: what to do for each, who moved where, what each kind does."""

from html import escape
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories import terms
from mi_core.stories.personas import doing
from mi_core.tables import Column, Html, definitions, heat, sentence, table

if TYPE_CHECKING:
    from mi_core.stories.personas.figures import PersonasReport

CHANNELS = 10
"""Channels shown, those by which most people came."""

_NEW, _GONE = "Not there yet", "No longer there"


def what_to_do(report: "PersonasReport") -> Html:
    """Each persona with what stands out and what to do, most people first."""
    import polars as pl

    about = {
        slug: {"description": description, "traits": traits}
        for slug, description, traits in report.about.rows()
    }
    rows = [
        {
            "persona": _described(report.names[kind.slug], **about[kind.slug]),
            "people": kind.people,
            "stands_out": doing.stands_out(kind),
            "to_do": doing.to_do(kind, dict(report.channel_names)),
        }
        for kind in doing.of_all(report)
        if kind.slug in about
    ]
    if not rows:
        return sentence("Nobody has been scored, so there is nothing to do.")
    columns = {
        "persona": Column("Persona", Html),
        "people": Column("People", words.number, is_figure=True),
        "stands_out": Column("Against all others"),
        "to_do": Column("What to do"),
    }
    return table(
        pl.DataFrame(rows), columns, caption="Each kind, most people first", kind="cards plain"
    )


def moves(report: "PersonasReport") -> Html:
    """How many people went from which persona to which."""
    import polars as pl

    if report.then.as_of is None or not report.moves.height:
        return sentence(
            "Who moved from which kind to which can't be told: there is no scoring in the first "
            "half of the period or before it."
        )
    cells = {(then, now): people for then, now, people in report.moves.rows()}
    befores = [*report.names, *([None] if any(then is None for then, _ in cells) else [])]
    nows = [*report.names, *([None] if any(now is None for _, now in cells) else [])]
    rows = [
        {
            "then": _named(report, then, _NEW),
            **{_key(now): _cell(cells, then, now) for now in nows},
        }
        for then in befores
        if any(cells.get((then, now)) for now in nows)
    ]
    columns = {"then": Column("From")} | {
        _key(now): Column(_named(report, now, _GONE), Html, is_figure=True)
        for now in nows
        if any(cells.get((then, now)) for then in befores)
    }
    return table(
        pl.DataFrame(rows),
        columns,
        caption=f"People by persona on {report.then} (rows) and now (columns); colour shows those "
        "who changed, by their share of the row",
        kind="heatmap",
    )


def standing(report: "PersonasReport") -> Html:
    """What each kind does, as figures."""
    if not report.people:
        return sentence("Nobody has been scored, so there is nothing to show.")
    frame = report.standing.join(
        report.result.select("persona", "active", "trials", "buyers", "revenue_cents"),
        on="persona",
        how="left",
        maintain_order="left",
    )
    columns = {
        "persona": Column("Persona", lambda slug: report.names.get(slug, slug)),
        "people": Column("People", words.number, is_figure=True),
        "median_intent": Column("Typical intent", words.number, is_figure=True),
        "active": Column("Came in the period", words.number, is_figure=True),
        "trials": Column("Began a trial", words.number, is_figure=True),
        "buyers": Column("Bought", words.number, is_figure=True),
        "revenue_cents": Column("Revenue", words.money, is_figure=True),
        "ready": Column("Ready to buy", words.number, is_figure=True),
        "at_risk": Column("At risk", words.number, is_figure=True),
        "median_risk": Column("Typical churn risk", words.number, is_figure=True),
    }
    there = frame.filter(frame["people"] > 0)
    return table(there, columns, caption="People by their persona of now, in the whole period")


def channels(report: "PersonasReport") -> Html:
    """By which channels the people of each persona came."""
    import polars as pl

    if not report.channels.height:
        return sentence("No visit of this period has a known channel.")
    shares = {
        (persona, channel): people / whole
        for persona, channel, people, whole in report.channels.rows()
    }
    most = (
        report.channels.group_by("channel")
        .agg(pl.col("people").sum())
        .sort("people", "channel", descending=[True, False])["channel"]
        .to_list()
    )
    strongest = max(shares.values())
    there = [slug for slug in report.names if any(persona == slug for persona, _ in shares)]
    rows = [
        {
            "channel": report.channel_names.get(channel, channel)
            if channel != "(none)"
            else "No known channel",
            **{slug: _share(shares.get((slug, channel), 0.0), strongest) for slug in there},
        }
        for channel in most[:CHANNELS]
    ]
    columns = {"channel": Column("Channel")} | {
        slug: Column(report.names[slug], Html, is_figure=True) for slug in there
    }
    return table(
        pl.DataFrame(rows),
        columns,
        caption="Of those who came in the period, the share who came by each channel; who came by "
        "several counts for each",
        kind="heatmap",
    )


def glossary(report: "PersonasReport") -> Html:
    """What the words of the report mean, with the limits in force."""
    return definitions(
        [
            terms.PERSONA,
            *report.terms,
            terms.CHURN_RISK,
            terms.READY,
            terms.AT_RISK_TERM,
            (
                "All others",
                "The people of all other personas together. The intervals are wide enough for all "
                "personas that are compared at once.",
            ),
            terms.NO_CLEAR_CHANGE,
            (
                "Confidence",
                "How far to trust a persona, 0–100: of a rule it is fixed in the definitions; "
                "enrichment says its own.",
            ),
        ]
    )


def _described(name: str, description: str, traits: list[str]) -> str:
    fits = f"Fits them: {words.listed(traits)}." if traits else ""
    return f"{escape(name)}<small>{escape(f'{description} {fits}')}</small>"


def _named(report: "PersonasReport", slug: str | None, nobody: str) -> str:
    return nobody if slug is None else report.names.get(slug, slug)


def _key(slug: str | None) -> str:
    """A column's name for a persona; none may be called as that of the rows."""
    return f"now {slug}"


def _cell(
    cells: dict[tuple[str | None, str | None], int], then: str | None, now: str | None
) -> Html:
    whole = sum(people for (was, _), people in cells.items() if was == then)
    people = cells.get((then, now), 0)
    strength = people / whole if whole and then and then != now else 0.0
    return heat(words.number(people) if people else "–", strength)


def _share(share: float, strongest: float) -> Html:
    return heat(words.percent(share) if share else "–", share / strongest)
