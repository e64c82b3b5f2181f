"""Jupyter kernels that begin with everything loaded, which takes each a tenth of the work.

A nursery has loaded what notebooks import, and forks itself for each kernel. Jupyter starts a small
program in a kernel's place, which asks the nursery for one, and ends when that does.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

STORIES = "acquisition attribution cohorts costs executive health magnetism personas"
NEEDED = (
    *("ipykernel.kernelapp", "pandas", "scipy.stats", "mi_core.charts", "mi_core.notebook"),
    *("mi_core.attribution.attribute", "mi_core.enrichment.service", "mi_core.funnels"),
    *(f"mi_core.stories.{name}.findings" for name in STORIES.split()),
)

ASK = """
import os, signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
asked = socket.socket(socket.AF_UNIX)
asked.connect(sys.argv[1])
asked.sendall(f"{os.getcwd()}\\0{sys.argv[2]}".encode())
asked.shutdown(socket.SHUT_WR)
asked.recv(1)  # Nothing ever comes: it ends with the kernel.
"""


@contextmanager
def nursery(folder: Path, settings: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Keep a nursery while the block runs; yields what Jupyter must find in its environment.

    `settings` are the MI_… variables that its kernels have in theirs; none of the machine's.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("MI_")}
    door, spec = folder / "door", folder / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    ask = [sys.executable, "-I", "-S", "-c", ASK, str(door), "{connection_file}"]
    about = {"argv": ask, "display_name": "Python 3", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(about))
    found = {
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(door))
        listening.listen(64)
        process = subprocess.Popen(
            [sys.executable, __file__, str(listening.fileno())],
            env={**others, **settings, **found},
            pass_fds=[listening.fileno()],
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield found
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _load() -> None:
    """What notebooks import, and what drawing the first chart loads; no thread is begun."""
    for name in NEEDED:
        import_module(name)
    from mi_core.drawing import nothing

    nothing("to begin with").to_dict()


def _serve(listening: socket.socket) -> None:
    """Fork a kernel for each who asks."""
    while True:
        asked, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _be_a_kernel(asked)
            return
        asked.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _be_a_kernel(asked: socket.socket) -> None:
    """Until Jupyter tells it to end; `asked`, which whoever asked waits on, is open so long."""
    from ipykernel.kernelapp import IPKernelApp

    written = b"".join(iter(lambda: asked.recv(4096), b""))
    folder, connection_file = written.decode().split("\0")
    os.chdir(folder)
    ends_with = f"--IPKernelApp.parent_handle={os.getppid()}"
    IPKernelApp.launch_instance(
        ["-f", connection_file, ends_with, "--HistoryManager.enabled=False"]
    )


if __name__ == "__main__":
    _load()
    _serve(socket.socket(fileno=int(sys.argv[1])))
