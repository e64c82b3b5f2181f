"""`mi config`: versions of the definitions, from a proposal to what is in force."""

import getpass
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mi_core import terminal
from mi_core.cli.app import Json, WorkspacePath, configs_of
from mi_core.cli.definitions import in_order, in_short
from mi_core.errors import BadValue

if TYPE_CHECKING:
    from mi_core.definitions import Change

app = typer.Typer(
    no_args_is_help=True, help="Propose other thresholds and weights, put them in force, go back."
)

Version = Annotated[
    str, typer.Argument(help="A proposal, or how it begins; `files`: the files alone.")
]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]
By = Annotated[str | None, typer.Option(help="Who says so. Default: the user of the system.")]


@app.command("list")
def list_(workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """List what was proposed, and what is in force."""
    with configs_of(workspace) as configs:
        made, known = configs.activations(), configs.proposals()
        in_force = configs.in_force().version
    newest = made[-1] if made else None
    rows = [
        {
            "version": each.version,
            "status": "in force" if newest and newest.version == each.version else "proposed",
            "based_on": each.based_on,
            "author": each.author,
            "reason": each.reason,
            "proposed_at": each.proposed_at,
            "has_evidence": each.evidence is not None,
        }
        for each in known
    ]
    history = [vars(each) for each in made]
    terminal.write(
        {"in_force": in_force, "proposals": rows, "activations": history}, as_json=as_json
    )


@app.command("show")
def show(version: Version, workspace: WorkspacePath = None, as_json: Json = False) -> None:
    """Show a proposal: what it changes, who proposed it and why, and what speaks for it.

    Of `files`: their version, and what they say otherwise than what is in force.
    """
    from mi_core.configs import FILES

    with configs_of(workspace) as configs:
        proposal = None if version == FILES else configs.proposal(version)
        of_files = configs.definitions(FILES).version if proposal is None else ""
        found = _rows(configs.diff(version), as_json=as_json)
    if proposal is None:
        terminal.write({"version": of_files, "changes": found}, as_json=as_json)
        return
    shown = {**vars(proposal), "changes": found}
    if not as_json:
        shown["evidence"] = json.dumps(proposal.evidence, indent=2) if proposal.evidence else None
    terminal.write(shown, as_json=as_json)


@app.command("diff")
def diff(
    version: Version,
    against: Annotated[str | None, typer.Argument(help="Default: those in force.")] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Show what a version says otherwise than another."""
    with configs_of(workspace) as configs:
        found = _rows(configs.diff(version, against), as_json=as_json)
    terminal.write(found, as_json=as_json)


@app.command("propose")
def propose(
    overlay: Annotated[
        Path, typer.Argument(help="What to say in place of what is in force: TOML, or JSON.")
    ],
    reason: Reason,
    author: By = None,
    evidence: Annotated[
        Path | None, typer.Option(help="What speaks for it, as JSON, such as figures and seed.")
    ] = None,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Keep other values as a version of their own; they are not in force until activated."""
    with configs_of(workspace) as configs:
        made = configs.propose(
            _document(overlay),
            author=author or getpass.getuser(),
            reason=reason,
            evidence=_document(evidence) if evidence else None,
        )
        found = _rows(configs.diff(made.version), as_json=as_json)
    terminal.write({"version": made.version, "changes": found}, as_json=as_json)
    terminal.note(f"To put it in force: mi config activate {made.version} --reason …")


@app.command("activate")
def activate(
    version: Version,
    reason: Reason,
    by: By = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Put a proposal in force: whatever is opened from now on goes by it."""
    with configs_of(workspace) as configs:
        found = configs.diff(version)
        if not yes and not as_json:
            terminal.write(_rows(found, as_json=False), as_json=False)
            _ask("Put this in force?")
        now = configs.activate(version, by=by or getpass.getuser(), reason=reason)
    changed = {"changes": [in_order(change) for change in found]} if as_json else {}
    _tell({"in_force": now.version, **changed}, as_json=as_json)


@app.command("rollback")
def rollback(
    reason: Reason, by: By = None, workspace: WorkspacePath = None, as_json: Json = False
) -> None:
    """Take the newest activation back."""
    with configs_of(workspace) as configs:
        now = configs.roll_back(by=by or getpass.getuser(), reason=reason)
    _tell({"in_force": now.version}, as_json=as_json)


def _ask(question: str) -> None:
    """Go on only after a yes; where nobody is there to ask, say so."""
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        terminal.note("")
        raise BadValue("Nobody is there to answer; without a terminal, give --yes.") from None


def _tell(answer: Mapping[str, object], *, as_json: bool) -> None:
    terminal.write(answer, as_json=as_json)
    terminal.note("Whatever is opened from now on goes by it, and so does the next scoring.")


def _rows(found: "list[Change]", *, as_json: bool) -> list[dict[str, object]]:
    rows = [in_order(change) for change in found]
    return rows if as_json else [in_short(row) for row in rows]


def _document(file: Path) -> Mapping[str, Any]:
    """A TOML or JSON file as plain values."""
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except UnicodeDecodeError:
        raise BadValue(f"{file} can't be read: it isn't UTF-8.") from None
    except OSError as error:
        raise BadValue(f"{file} can't be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise BadValue(f"{file} can't be read: {error}.") from None
    if not isinstance(found, Mapping):
        raise BadValue(f"{file} must hold a table of values, not a {type(found).__name__}.")
    return found
