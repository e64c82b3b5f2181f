"""Marketing intelligence: who means it, who they are, what holds them, what brought them."""

from mi_core.errors import MiError
from mi_core.workspace import Workspace, open_workspace

__all__ = ["MiError", "Workspace", "open_workspace"]
