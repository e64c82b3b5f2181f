"""How Prefect is set up here: on this machine alone, in the workspace folder, telling nobody.

By variables, which the server, whatever serves and every run inherit.
"""

import os
from pathlib import Path

from flows import ROOT

_UNLESS_SET = {
    "PREFECT_LOGGING_EXTRA_LOGGERS": "mi_core",
    "PREFECT_RUNNER_POLL_FREQUENCY": "5",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    # Runs and their artifacts go after 90 days.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
}


def environment(workspace: Path, port: int) -> dict[str, str]:
    """All variables for a process of Prefect whose server is at `port`."""
    home, site = workspace / "prefect", f"http://127.0.0.1:{port}"
    direct = ",".join(filter(None, map(os.environ.get, ("NO_PROXY", "no_proxy"))))
    paths = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    return {
        **_UNLESS_SET,
        **os.environ,
        "MI_WORKSPACE": str(workspace),
        "PYTHONPATH": os.pathsep.join(paths),
        # A proxy of the machine is not for what goes on inside it.
        **dict.fromkeys(("NO_PROXY", "no_proxy"), f"{direct},127.0.0.1".lstrip(",")),
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"{site}/api",
        # By variable: given as an option, the pages would look for the API at the default port.
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        # Otherwise any page of the web may ask the API, which takes no password.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": site,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        # Otherwise the built pages are written into the installed package.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "ui"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    }
