"""The HTTP API, served."""

from typing import Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import WorkspacePath, existing_folder
from mi_core.errors import SettingsError


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for any that is free.")
    ] = 8000,
    workspace: WorkspacePath = None,
) -> None:
    """Serve the HTTP API: events in, scores and reports out. Ctrl-C ends it."""
    from mi_core.api.nearby import is_loopback
    from mi_core.api.server import run
    from mi_core.settings import API_SECRETS, load_settings

    settings = load_settings()
    if not is_loopback(host) and not any(getattr(settings, name) for name in API_SECRETS):
        raise SettingsError(
            f"At {host} others can reach the server, and no token is set: set MI_API_TOKEN, "
            "MI_CRON_TOKEN and a MI_WEBHOOK_… secret, or serve at 127.0.0.1."
        )
    run(existing_folder(workspace), settings, host, port, announce=terminal.note)
