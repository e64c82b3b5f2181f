"""Files that are there whole, or as they were."""

import os
import threading
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file, with its folder if need be; nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
    unfinished.replace(path)
    return path
