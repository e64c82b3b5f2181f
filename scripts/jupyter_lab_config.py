"""JupyterLab for `make lab`: on the notebooks, and without asking the network for anything."""

import os
from pathlib import Path

from dotenv import dotenv_values

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DEMO = ROOT / "data" / "demo" / "workspace"

c = get_config()  # noqa: F821  (JupyterLab runs this file with it)

# Kernels run in the folder of the notebooks, where no .env is and no `data/`.
for name, value in dotenv_values(ROOT / ".env").items():
    if name.upper().startswith("MI_") and value is not None:
        os.environ.setdefault(name.upper(), value)
own = ROOT / os.environ.get("MI_WORKSPACE", "data")
is_said = "MI_WORKSPACE" in os.environ or "MI_CATALOG_URL" in os.environ
is_filled = is_said or (own / "catalog.sqlite").is_file()
os.environ["MI_WORKSPACE"] = str(own if is_filled or not DEMO.is_dir() else DEMO)

c.ServerApp.root_dir = str(ROOT / "notebooks")
c.LabApp.default_url = "/lab/tree/00-start-here.ipynb"
# Kernels talk over sockets in a private folder, not over open TCP ports.
c.KernelManager.transport = "ipc"
# overrides.json there turns off the news feed and the update check, which call out.
c.LabApp.app_settings_dir = str(HERE / "jupyter_settings")
# The extension manager lists a package index's extensions; the environment is locked anyway.
c.LabApp.extension_manager = "readonly"
