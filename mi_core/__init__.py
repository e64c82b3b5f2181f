"""Marketing intelligence: who means it, who they are, what holds them, what brought them."""

from typing import TYPE_CHECKING

from mi_core.errors import MiError

if TYPE_CHECKING:
    from mi_core.workspace import Workspace, open_workspace

__all__ = ["MiError", "Workspace", "open_workspace"]


def __getattr__(name: str) -> object:
    """Load the workspace, and the engines under it, when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mi_core import workspace

    return getattr(workspace, name)
