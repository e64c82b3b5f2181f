"""Scores: of everybody, and of one person."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import AsOf, AsOfScoring, Json, WorkspacePath, instant, open_workspace
from mi_core.errors import UnknownPerson

if TYPE_CHECKING:
    from mi_core.intent import Trend
    from mi_core.person import MagnetismView, Person
    from mi_core.state import Row
    from mi_core.workspace import Workspace


def score(
    as_of: AsOf = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since", parser=instant, metavar="TIME", help="Score a history too, from here on."
        ),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Days between two instants of it.")] = 7,
    full: Annotated[bool, typer.Option("--full", help="Everybody, not only who changed.")] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Score intent, personas and magnetism."""
    if since and since > (as_of or datetime.now(UTC)):
        raise typer.BadParameter("--since must not be after --as-of.")
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        summary = opened.score(
            as_of, since=since, every=timedelta(days=every), full=full, progress=progress
        )
    terminal.write(summary, as_json=as_json)


def user(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="An id as PostHog has it, or as reports show it.")
    ],
    as_of: AsOfScoring = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show one person: scores, why they are so, and what to do."""
    with open_workspace(workspace) as opened:
        person = opened.user(identifier, as_of=as_of)
        lead = None if as_json else _lead(opened, person.user_id)
    terminal.write(person if as_json else _in_short(person, lead), as_json=as_json)


def _lead(opened: "Workspace", user_id: str) -> "Row | None":
    """What enrichment knows of a person; None where nobody queued them."""
    try:
        return opened.enrichment.lead(user_id)
    except UnknownPerson:
        return None


def _in_short(person: "Person", lead: "Row | None") -> dict[str, object]:
    """What a person needs to know of a person; JSON has the rest."""
    intent, persona, month = person.intent, person.persona, person.magnetism["30d"]
    return {
        "user_id": person.user_id,
        "as_of": person.as_of,
        "intent": f"{intent.score:.0f} of 100, {intent.level}{_change(intent.trend)}",
        "persona": f"{persona.label}, {persona.confidence:.0%} sure, by {persona.source}",
        **{f"magnetism_{window}": _index(view) for window, view in person.magnetism.items()},
        "churn_risk": month.churn_risk,
        "in_a_week": f"{month.forecast.predicted_score}, {month.forecast.trend}",
        **(_enriched(lead) if lead else {}),
        "points_by_signal": list(intent.signals),
        "parts_of_magnetism": month.components,
        "what_to_do": list(month.recommendations),
    }


def _enriched(lead: "Row") -> dict[str, object]:
    """The company as enrichment knows it now, and where there is more."""
    size = f"{lead['company_size']:,} people" if lead["company_size"] else None
    name = lead["company_name"] or lead["company_domain"]
    company = ", ".join(each for each in (name, size) if each)
    since = f", known since {lead['enriched_at']:%Y-%m-%d}" if lead["enriched_at"] else ""
    return {
        **({"company": company + since} if company else {}),
        "enrichment": f"{lead['status']}; see mi enrich status {lead['user_id']}",
    }


def _index(view: "MagnetismView") -> str:
    change = _change(view.trend.trend if view.trend else None)
    return f"{view.index:.0f} of 100, {view.band}{change}"


def _change(trend: "Trend | None") -> str:
    return f" ({trend.change:+.0f}, {trend.direction})" if trend else ""
