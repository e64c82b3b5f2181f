"""Values for DuckDB's parameters, without pandas.

With each value that it is given, DuckDB asks whether it is one of pandas', and loads pandas to find
out: 0.4 s in a process that has no other use for it, and a search of all folders at every value
where it isn't installed. Nothing that is bound here ever is.
"""

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_state = threading.local()


class _NoPandas(MetaPathFinder):
    """Says at once that there is no pandas, while a value is bound in this thread."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas" and getattr(_state, "binds", False):
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
        return None


sys.meta_path.insert(0, _NoPandas())


@contextmanager
def plain_values() -> Iterator[None]:
    """Values bound in the block are Python's own; where pandas is loaded already, it stays so."""
    before = getattr(_state, "binds", False)
    _state.binds = True
    try:
        yield
    finally:
        _state.binds = before
