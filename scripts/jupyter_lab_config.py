"""JupyterLab for `make lab`: on the notebooks, and without asking the network for anything."""

from pathlib import Path

HERE = Path(__file__).resolve().parent

c = get_config()  # noqa: F821  (JupyterLab runs this file with it)

c.ServerApp.root_dir = str(HERE.parent / "notebooks")
# Kernels talk over sockets in a private folder, not over open TCP ports.
c.KernelManager.transport = "ipc"
# overrides.json there turns off the news feed and the update check, which call out.
c.LabApp.app_settings_dir = str(HERE / "jupyter_settings")
# The extension manager lists a package index's extensions; the environment is locked anyway.
c.LabApp.extension_manager = "readonly"
