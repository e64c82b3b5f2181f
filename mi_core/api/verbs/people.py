"""Whom an id belongs to."""

from mi_core.errors import UnknownPerson
from mi_core.workspace import Workspace


def known_person(workspace: Workspace, written: str) -> str:
    """The user_id of somebody with events or a lead, by an id of the product or a user_id.

    Raises
    ------
    UnknownPerson
        Nothing ever came with that id.
    """
    try:
        return str(workspace.user_id_of(written))
    except UnknownPerson:
        pass
    try:
        return str(workspace.enrichment.lead(written)["user_id"])
    except UnknownPerson:
        raise UnknownPerson("Neither an event nor a lead came with that id.") from None
