"""Whom an id belongs to, what is held of them, and its end."""

from mi_core.api.models.people import Erased, PersonHeld
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


def held(workspace: Workspace, user_id: str) -> PersonHeld:
    """All that is held of a person; UnknownPerson where that is nothing."""
    document = PersonHeld.model_validate(workspace.export_person(user_id))
    if not document.is_known:
        raise UnknownPerson("Nothing is held of anybody with that id.")
    return document


def erase(workspace: Workspace, user_id: str) -> Erased:
    """Erase all that is held of a person, and keep them out from now on."""
    return Erased.model_validate(workspace.forget(user_id))
