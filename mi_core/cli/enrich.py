"""`mi enrich`: who the leads are, and what it costs to know."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mi_core import terminal
from mi_core.cli import enrich_in_short as in_short
from mi_core.cli.app import AsOf, Json, WorkspacePath, instant, open_workspace
from mi_core.errors import BadValue

if TYPE_CHECKING:
    from mi_core.enrichment.listing import Left
    from mi_core.enrichment.service import Queued
    from mi_core.enrichment.worker import Worked
    from mi_core.workspace import Workspace

PER_RUN = 10
"""Leads that a run takes where nobody says."""

app = typer.Typer(
    no_args_is_help=True, help="Enrich leads: profiles, company, persona; and see what it costs."
)

Lead = Annotated[
    str, typer.Argument(metavar="ID", help="The person's id in the product, or a user_id.")
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Personas at half the price, which may take a day.")
]
Again = Annotated[bool, typer.Option("--again", help="Also where the lead was cancelled before.")]
Days = Annotated[int, typer.Option(min=1, help="Days that it covers, up to now.")]


@app.command("lead")
def lead(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The address; - reads it.")],
    user: Annotated[
        str | None, typer.Option("--user", metavar="ID", help="Whose it is. Default: the address.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The person's name, if you know it.")] = None,
    trigger: Annotated[str, typer.Option(help="What made it a lead, such as webinar.")] = "manual",
    again: Again = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Enrich one lead now, and show what is known of it."""
    from mi_core.enrichment.intake import Entry

    address = sys.stdin.readline().strip() if email == "-" else email
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        queued = opened.enrichment.put(Entry(address, user, name, trigger), again=again)
        if queued.problems:
            raise BadValue(str(queued.problems[0]["problem"]))
        [user_id] = queued.user_ids
        worked = opened.enrichment.work(1, only=user_id, progress=progress)
        opened.drain()
        found = opened.enrichment.lead(user_id)
    terminal.write(found if as_json else in_short.lead(found), as_json=as_json)
    _note_cancelled(queued)
    _note_ends(worked)
    if worked.stopped:
        raise typer.Exit(1)


@app.command("file")
def file(
    path: Annotated[
        Path, typer.Argument(help="CSV with a column email; user_id, name, trigger if you like.")
    ],
    batch: Batch = False,
    again: Again = False,
    run: Annotated[bool, typer.Option("--run", help="Then work the queue until it is empty.")] = (
        False
    ),
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Queue the leads of a CSV file; lines that can't be enriched are listed, the others go on."""
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        progress("Queueing leads", 0, 1)
        queued = opened.enrichment.put_file(path, for_batch=batch, again=again)
        worked = opened.enrichment.work(None, progress=progress) if run else None
        left = _left(opened)
        if run:
            opened.drain()
    terminal.write(_filed(queued, worked, as_json=as_json), as_json=as_json)
    if queued.ignored_columns:
        terminal.note(f"Not read: the columns {', '.join(queued.ignored_columns)}.")
    _note_cancelled(queued)
    if worked:
        _end_run(worked, left)
    elif queued.queued:
        terminal.note("They wait in the queue; mi enrich run --all enriches them.")


def _filed(queued: "Queued", worked: "Worked | None", *, as_json: bool) -> dict[str, object]:
    if not as_json:
        ran = {"worked": in_short.worked(worked)} if worked else {}
        return in_short.queued(queued) | ran
    shown = ("queued", "skipped", "skipped_for", "refused", "problems", "ignored_columns")
    return {name: getattr(queued, name) for name in shown} | ({"worked": worked} if worked else {})


@app.command("run")
def run(
    most: Annotated[
        int | None, typer.Option(min=1, help="Leads to take at most. Default: 10.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Take all that are due.")] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Work the queue, several leads at a time; Ctrl-C lets those under way finish."""
    if everything and most is not None:
        raise typer.BadParameter("Give --all or --most, one of the two.")
    limit = None if everything else most or PER_RUN
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        worked = opened.enrichment.work(limit, progress=progress)
        left = _left(opened)
        opened.drain()
    terminal.write(worked if as_json else in_short.worked(worked), as_json=as_json)
    _end_run(worked, left)


@app.command("status")
def status(
    identifier: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A person's lead. Default: the queue.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show the queue, the providers and the budget; or one lead, step by step."""
    with open_workspace(workspace) as opened:
        if identifier is not None:
            found = opened.enrichment.lead(identifier)
            terminal.write(found if as_json else in_short.lead(found), as_json=as_json)
            return
        now, to_settle = opened.enrichment.status(), _left(opened).to_settle
    terminal.write(now if as_json else in_short.status(now, to_settle), as_json=as_json)
    for said in (now.budget.alert, in_short.may_spend_no_more(now.budget)):
        if said:
            terminal.note(said)


@app.command("list")
def list_leads(
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Of one status. Default: of all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Leads to show at most.")] = 50,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """List leads, those first that were queued last: status, error, next try."""
    from mi_core.enrichment.listing import newest

    with open_workspace(workspace) as opened:
        found = newest(opened.state, status=status, most=limit)
    terminal.write(found if as_json else in_short.leads(found), as_json=as_json)


@app.command("stats")
def stats(
    days: Days = 30, as_of: AsOf = None, workspace: WorkspacePath = None, as_json: Json = False
) -> None:
    """Show how the queue did: ended leads, success, cost, errors."""
    with open_workspace(workspace) as opened:
        _check_as_of(opened, as_of)
        found = opened.enrichment.stats(days=days, as_of=as_of)
        terminal.write(found if as_json else in_short.stats(found), as_json=as_json)
        if not found.ended:
            _note_where_leads_lie(opened)


@app.command("costs")
def costs(
    days: Days = 30, as_of: AsOf = None, workspace: WorkspacePath = None, as_json: Json = False
) -> None:
    """Show what leads cost, what was saved and how, and what they would cost elsewhere."""
    with open_workspace(workspace) as opened:
        _check_as_of(opened, as_of)
        found = opened.enrichment.costs(days=days, as_of=as_of)
        terminal.write(found if as_json else in_short.costs(found), as_json=as_json)
        if not found.leads:
            _note_where_leads_lie(opened)
        elif not found.compared_leads:
            terminal.note("Nobody was paid for these leads, so there is nothing to compare.")


@app.command("cancel")
def cancel(identifier: Lead, workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """Take a lead out of the queue, and erase its address."""
    with open_workspace(workspace) as opened:
        is_cancelled = opened.enrichment.cancel(identifier)
    terminal.write({"cancelled": is_cancelled}, as_json=as_json)
    if not is_cancelled:
        terminal.note("It wasn't in the queue any more.")


@app.command("retry")
def retry(
    identifier: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One person's. Default: all.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Completed leads that lack a step, not dead letters.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Queue dead letters again; what was paid for isn't paid again."""
    with open_workspace(workspace) as opened:
        queued = opened.enrichment.retry(identifier, partial=partial)
        found = None if identifier is None else opened.enrichment.lead(identifier)
    terminal.write({"queued": queued}, as_json=as_json)
    if not queued:
        terminal.note(in_short.not_retried(found, partial=partial))


@app.command("reopen")
def reopen(
    provider: Annotated[str, typer.Argument(help="rapidapi, perplexity or openai.")],
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Ask a provider again at once: its account is mended, or it is up again."""
    with open_workspace(workspace) as opened:
        opened.enrichment.reopen(provider)
    terminal.write({"reopened": provider}, as_json=as_json)


@app.command("settle")
def settle(
    provider: Annotated[str, typer.Argument(help="rapidapi, perplexity or openai.")],
    bill: Annotated[
        Path | None, typer.Option(help="CSV with call_id and usd: all that it billed.")
    ] = None,
    as_held: Annotated[
        bool, typer.Option("--as-held", help="Without a bill: each cost the most that it can.")
    ] = False,
    before: Annotated[
        datetime | None,
        typer.Option(parser=instant, metavar="TIME", help="The bill holds all calls made before."),
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Settle calls whose cost nobody knows, such as those that a crash cut off."""
    from mi_core.enrichment.bills import read_bill

    if (bill is None) != as_held:
        raise typer.BadParameter("Give --bill FILE or --as-held, one of the two.")
    if bill and before is None:
        raise typer.BadParameter("Say by --before up to when the bill goes.")
    with open_workspace(workspace) as opened:
        billed = None if bill is None else read_bill(bill)
        settled = opened.enrichment.settle(provider, billed, before=before, as_held=as_held)
    dollars = settled.pop("micros") / 1e6
    terminal.write({**settled, "dollars": f"{dollars:.6f}"}, as_json=as_json)
    if not settled["billed"] + settled["not_billed"]:
        terminal.note(f"{provider} has no calls to settle.")


@app.command("decoys")
def decoys(
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many searches to pay for.")] = 50,
    seed: Annotated[int, typer.Option(help="Which decoys: the same seed, the same.")] = 0,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Search for people who don't exist: how often would a wrong profile be kept?"""
    with open_workspace(workspace) as opened, terminal.progress() as progress:
        found = opened.enrichment.decoys(count, seed=seed, progress=progress)
    terminal.write(found if as_json else in_short.decoys(found), as_json=as_json)
    if found.stopped:
        terminal.note(f"Stopped: {found.stopped}")
        raise typer.Exit(1)


def _check_as_of(opened: "Workspace", as_of: datetime | None) -> None:
    """What is still to come has no figures; zeros would look like some."""
    if as_of is not None and as_of > opened.enrichment.clock():
        raise BadValue(f"{as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC is still to come.")


def _left(opened: "Workspace") -> "Left":
    from mi_core.enrichment.listing import left

    return left(opened.state, now=opened.enrichment.clock())


def _note_where_leads_lie(opened: "Workspace") -> None:
    """Say so where leads ended before a period: its zeros are no finding."""
    newest = opened.enrichment.newest_end()
    if newest is not None:
        day = newest + timedelta(days=1)
        terminal.note(
            f"No lead ended in these days; the last one did on {newest:%Y-%m-%d}."
            f" Look at it with --as-of {day:%Y-%m-%d}."
        )


def _note_ends(worked: "Worked") -> None:
    """What a person should know of a run, beside its figures."""
    if worked.stopped:
        terminal.note(f"Stopped: {worked.stopped}")
    elif worked.alert:
        terminal.note(worked.alert)
    if worked.failed_permanent:
        terminal.note("Dead letters: mi enrich stats says why, mi enrich retry queues them again.")


def _note_cancelled(queued: "Queued") -> None:
    if queued.skipped_for.get("cancelled"):
        terminal.note("Who was cancelled before is left alone; --again enriches them all the same.")


def _end_run(worked: "Worked", left: "Left") -> None:
    """Say what a run leaves. It ends with 1 where something stopped it, with 130 after Ctrl-C."""
    _note_ends(worked)
    if said := in_short.left(left, worked):
        terminal.note(" ".join(said))
    if worked.stopped:
        raise typer.Exit(1)
    if worked.is_interrupted and left.due:
        raise typer.Exit(130)
