"""A process of `make schedule`, `server` or `serving`: it ends with the one that started it.

However that one ends: a server that is left would keep the port.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path


def main(name: str, files: list[str]) -> None:
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        if name == "server":
            from prefect.cli import app

            sys.argv = ["prefect", "server", "start"]
            app()
        else:
            from flows.serving import serve

            asyncio.run(serve(*map(Path, files)))


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
