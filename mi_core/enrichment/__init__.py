"""Leads: who they are, and what it costs to know."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mi_core.enrichment.intake import Entry

__all__ = ["Entry"]


def __getattr__(name: str) -> object:
    """Load the way in when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mi_core.enrichment import intake

    return getattr(intake, name)
