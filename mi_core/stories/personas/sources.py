"""What personas go by, and whether behaviour says the same as enrichment."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories.comparing import share_range
from mi_core.tables import Column, Html, table

if TYPE_CHECKING:
    from mi_core.stories.personas.figures import PersonasReport

_BY = {
    "behavior_analysis": "go by behaviour",
    "ai_enrichment": "by enrichment",
    "manual": "were set by hand",
}


def sources(report: "PersonasReport") -> Html:
    """What personas go by; of those that behaviour doesn't decide, whether it says the same."""
    import polars as pl

    known = report.sources.filter(pl.col("source") != "behavior_analysis")
    if not known.height:
        return _note(report)
    columns = {
        "persona": Column("Persona", lambda slug: report.names.get(slug, slug)),
        "source": Column("Said by", _said_by),
        "people": Column("People", words.number, is_figure=True),
        "agreeing": Column("Behaviour says the same", words.number, is_figure=True),
    }
    caption = "Personas that behaviour doesn't decide alone"
    return Html(_note(report) + table(known, columns, caption=caption))


def _note(report: "PersonasReport") -> Html:
    """What the personas go by, and how often enrichment and behaviour agree."""
    told = []
    counts = _by_source(report)
    parts = [
        f"{words.number(counts[source][0])} {how}"
        for source, how in _BY.items()
        if source in counts
    ]
    if list(counts) == ["behavior_analysis"]:
        told.append("All personas go by behaviour.")
    elif parts:
        told.append(f"Of {words.count(report.people, 'persona')}, {words.listed(parts)}.")
    if "ai_enrichment" in counts:
        people, agreeing = counts["ai_enrichment"]
        ends = words.between(*share_range(agreeing, people), words.percent)
        told.append(
            f"Of the {words.number(people)} whom enrichment describes, behaviour alone says the "
            f"same of {words.number(agreeing)}: {words.percent(agreeing / people)} ({ends})."
        )
    else:
        told.append("Enrichment describes nobody yet, so that nothing checks what behaviour says.")
    return Html(f"<p>{' '.join(told)}</p>")


def _by_source(report: "PersonasReport") -> dict[str, tuple[int, int]]:
    """Source → people, and of how many behaviour alone says the same."""
    counts: dict[str, tuple[int, int]] = {}
    for source, people, agreeing in report.sources.select("source", "people", "agreeing").rows():
        was = counts.get(source, (0, 0))
        counts[source] = (was[0] + people, was[1] + agreeing)
    return counts


def _said_by(source: str) -> str:
    return "A person" if source == "manual" else "Enrichment"
