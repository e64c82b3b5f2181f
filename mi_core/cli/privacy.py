"""What is held of one person: forgetting it, and handing it over."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import Json, WorkspacePath, open_workspace

if TYPE_CHECKING:
    from mi_core.erasure import Receipt

Who = Annotated[
    str, typer.Argument(metavar="ID", help="An id as PostHog has it, an address, or a user_id.")
]


def forget(
    identifier: Who,
    lift: Annotated[
        bool, typer.Option("--lift", help="Let a person in again who was forgotten.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Erase a person everywhere, and keep them out; the lake's past goes too."""
    if not (yes or lift):
        # At no terminal, an answer is read all the same, and no answer is a no.
        typer.confirm("This can't be undone, and ends time travel. Erase?", abort=True, err=True)
    with open_workspace(workspace) as opened:
        if lift:
            terminal.write({"hashes_lifted": opened.let_in(identifier)}, as_json=as_json)
            return
        receipt = opened.forget(identifier)
    terminal.write(receipt.as_dict() if as_json else _in_short(receipt), as_json=as_json)
    if not receipt.was_known:
        terminal.note("Nothing was held of them; what comes later stays out all the same.")
    if receipt.reports:
        terminal.note("Render these again, with mi report: " + ", ".join(receipt.reports))


def _in_short(receipt: "Receipt") -> dict[str, object]:
    told = receipt.as_dict()
    places = ("rows", "files")
    counts = {name: {k: v for k, v in told[name].items() if v} for name in places}
    past = receipt.snapshots
    return {
        "erased_at": receipt.finished_at,
        "receipt": receipt.erasure_id,
        "kept_out_by": f"{receipt.hashes} hashes",
        "history_gone": f"{past['count']} snapshots, {past['first']} to {past['last']}",
        "remains": list(receipt.remains),
        **counts,
    }


def export(
    identifier: Who,
    out: Annotated[
        Path | None, typer.Option(help="A file, for its owner's eyes alone. Default: stdout.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Write all that is held on a person, as one JSON document; --json changes nothing."""
    with open_workspace(workspace) as opened:
        document = opened.export_person(identifier)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        _write_privately(out, text)
    if not document["is_known"]:
        terminal.note("Nothing is held with that id.")


def _write_privately(target: Path, text: str) -> None:
    """Write all of it, readable for the owner alone, or leave what was there."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as handle:
        handle.write(text)
    unfinished.replace(target)
