"""The HTTP API, served."""

from typing import Annotated

import typer

from mi_core import terminal
from mi_core.cli.app import Json, WorkspacePath, existing_folder
from mi_core.errors import SettingsError

SHORTEST = 16
"""Characters of a secret that others may try to guess."""


def serve(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen at; 0 for any that is free.")
    ] = 8000,
    workspace: WorkspacePath = None,
    as_json: Json = False,
) -> None:
    """Serve the HTTP API: events in, scores and reports out. Ctrl-C ends it.

    With --json, its URL comes as JSON as soon as it listens.
    """
    from mi_core.api.nearby import is_loopback
    from mi_core.api.server import run
    from mi_core.settings import API_SECRETS, load_settings

    settings = load_settings()
    secrets = {name: getattr(settings, name) for name in API_SECRETS}
    if not is_loopback(host) and not any(secrets.values()):
        raise SettingsError(
            f"At {host} others can reach the server, and no token is set: set MI_API_TOKEN, "
            "MI_CRON_TOKEN and a MI_WEBHOOK_… secret, or serve at 127.0.0.1."
        )
    if not is_loopback(host):
        for name, secret in secrets.items():
            if secret and min(map(len, secret.get_secret_value().split(","))) < SHORTEST:
                raise SettingsError(
                    f"MI_{name.upper()} is easily guessed: of {SHORTEST} characters or more it may"
                    f" be served at {host}."
                )
    folder = existing_folder(workspace)

    def announce(url: str) -> None:
        if as_json:
            terminal.write({"url": url, "workspace": folder}, as_json=True)
        else:
            terminal.note(f"Serving {folder} at {url} (docs at /docs); Ctrl-C ends it.")

    run(folder, settings, host, port, announce=announce)
