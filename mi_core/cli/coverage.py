"""`mi coverage`: is everything here that PostHog has, and what did the webhook miss?"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal, words
from mi_core.cli.app import AsOf, Json, WorkspacePath, open_workspace

if TYPE_CHECKING:
    import polars as pl

Stretch = tuple[datetime, datetime]

WORST = 10
"""Hours shown, of those in which the webhook missed most."""
COMMANDS = 3
"""Commands shown; of more stretches than these, one for all."""


def coverage(
    days: Annotated[int, typer.Option(min=1, max=3660, help="The hours of so many days.")] = 7,
    as_of: AsOf = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show what webhook, export and pull delivered, hour by hour, and what is missing."""
    from mi_core.ingest.coverage import unverified

    with open_workspace(workspace) as opened:
        hours = opened.coverage(days, as_of=as_of)
    gaps = unverified(hours)
    totals, sources, worst = _totals(hours), _sources(hours), _worst(hours)
    if as_json:
        tables = {"sources": sources, "worst_hours": worst, "unverified": _gaps(gaps)}
        terminal.write({**totals, **tables, "hours": hours}, as_json=True)
        return
    shown = {**totals, "share": words.percent(totals["share"]), "by source": sources}
    shown["hours in which most was missed"] = [
        {**row, "share": words.percent(row["share"])} for row in worst
    ]
    terminal.write(shown, as_json=False)
    terminal.note("\n" + "\n".join(_findings(totals, gaps)))


def _totals(hours: "pl.DataFrame") -> dict[str, Any]:
    """Over all hours; what the reference has and what was missed of it, over the verified ones."""
    verified = hours.filter(hours["is_verified"])
    reference, received = (int(verified[name].sum()) for name in ("reference", "received"))
    return {
        "since": hours["hour"][0],
        "until": hours["hour"][-1] + timedelta(hours=1),
        "events": int(hours["events"].sum()),
        "verified_hours": verified.height,
        "unverified_hours": hours.height - verified.height,
        "reference": reference,
        "received": received,
        "missed": reference - received,
        "share": received / reference if reference else None,
    }


def _sources(hours: "pl.DataFrame") -> list[dict[str, Any]]:
    from mi_core.ingest.coverage import SOURCES

    return [
        {
            "source": source,
            "delivered": int(hours[source].sum()),
            "nobody_else": int(hours[f"only_{source}"].sum()),
        }
        for source in SOURCES
    ]


def _worst(hours: "pl.DataFrame") -> list[dict[str, Any]]:
    missed = hours.filter(hours["is_verified"] & (hours["missed"] > 0))
    worst = missed.sort(["missed", "hour"], descending=[True, False]).head(WORST)
    return worst.select("hour", "events", "reference", "received", "missed", "share").to_dicts()


def _gaps(gaps: Sequence[Stretch]) -> list[dict[str, Any]]:
    return [{"since": one, "until": end, "command": _command(one, end)} for one, end in gaps]


def _command(since: datetime, until: datetime) -> str:
    return f"mi ingest posthog --since {since:%Y-%m-%dT%H:%M} --until {until:%Y-%m-%dT%H:%M}"


def _findings(totals: Mapping[str, Any], gaps: Sequence[Stretch]) -> list[str]:
    """What is missing, in sentences, and the commands that fetch it."""
    told = []
    if totals["reference"]:
        told.append(
            f"The webhook delivered {totals['received']:,} of the {totals['reference']:,} events"
            f" ({words.percent(totals['share'])}) that exports and pulls have in"
            f" {totals['verified_hours']:,} verified hours; those it missed are here all the same."
        )
    elif totals["verified_hours"]:
        told.append("Exports and pulls have no event in the hours that they cover.")
    if not gaps:
        return [*told, "Every hour is verified: nothing is missing."]
    count = totals["unverified_hours"]
    told.append(
        f"{count:,} hour{'s are' if count > 1 else ' is'} unverified: no export or pull covers"
        f" {'them' if count > 1 else 'it'}, so what the webhook missed there is missing here."
        " To fetch it:"
    )
    few = gaps if len(gaps) <= COMMANDS else [(gaps[0][0], gaps[-1][1])]
    return [*told, *(f"  {_command(one, end)}" for one, end in few)]
