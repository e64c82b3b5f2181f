"""The versions of the lake's and the state's tables.

Each step is a file `sql/migrations/<store>/NNNN_name.sql`, applied once, in order, with its number
recorded in the store. An older workspace is upgraded when it is opened; a newer one is refused.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

from mi_core.errors import WorkspaceError


@dataclass(frozen=True)
class Step:
    """One migration: its number and its SQL."""

    version: int
    sql: str


@dataclass(frozen=True)
class Migrations:
    """All steps of one store, `lake` or `state`."""

    store: str

    @cached_property
    def steps(self) -> list[Step]:
        folder = resources.files("mi_core") / "sql" / "migrations" / self.store
        files = sorted(
            (file for file in folder.iterdir() if file.name.endswith(".sql")),
            key=lambda file: file.name,
        )
        return [Step(int(file.name[:4]), file.read_text(encoding="utf-8")) for file in files]

    @property
    def newest(self) -> int:
        return self.steps[-1].version

    def after(self, version: int) -> list[Step]:
        """The steps that a store of `version` still lacks."""
        return [step for step in self.steps if step.version > version]

    def check(self, version: int, where: Path) -> None:
        """Raise WorkspaceError if the store is newer than this package."""
        if version > self.newest:
            raise WorkspaceError(
                f"The {self.store} of {where} has schema version {version}, but this package knows "
                f"versions up to {self.newest}: update the package to open it."
            )


LAKE = Migrations("lake")
STATE = Migrations("state")
