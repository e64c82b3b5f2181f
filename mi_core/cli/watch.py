"""`mi watch`: is all well? And `mi churn`: who is about to leave?"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal
from mi_core.cli.app import AsOf, Json, WorkspacePath, open_workspace

if TYPE_CHECKING:
    from mi_core.monitoring import Check


def watch(
    notify: Annotated[
        bool, typer.Option("--notify", help="Tell the channels of MI_ALERT_URLS what is new.")
    ] = False,
    as_of: AsOf = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Check data, scores and enrichment; exit code 1 if anything is at alert."""
    from mi_core.errors import NotDelivered

    with open_workspace(workspace) as opened:
        failed: NotDelivered | None = None
        try:
            checks = opened.watch(as_of, notify=notify)
        except NotDelivered as error:
            checks, failed = error.checks, error
        page = opened.path / "reports" / "status.html"
    terminal.write(checks if as_json else [_in_short(each) for each in checks], as_json=as_json)
    for each in checks:
        if each.is_bad:
            terminal.note(f"\n{each.title}: {each.what_to_do}")
    terminal.note(f"\nThe page: {page}")
    if failed:
        raise failed
    if any(each.status == "alert" for each in checks):
        raise typer.Exit(1)


def churn(
    send: Annotated[
        bool, typer.Option("--send", help="Send them to MI_CHURN_WEBHOOK_URL, each once.")
    ] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """List people whose churn risk has become high since they were told of last, or send them."""
    with open_workspace(workspace) as opened:
        if not send:
            terminal.write(opened.churn_list(), as_json=as_json)
            return
        delivery = opened.send_churn()
    terminal.write(delivery, as_json=as_json)
    if delivery.problem:
        terminal.note(f"mi: {delivery.problem}")
        raise typer.Exit(1)


def _in_short(check: "Check") -> dict[str, Any]:
    from mi_core.monitoring.check import IN_WORDS, written

    return {
        "check": check.name,
        "status": IN_WORDS[check.status],
        "found": written(check.value, check.unit),
        "limit": written(check.limit, check.unit),
        "what was found": check.sentence,
    }
