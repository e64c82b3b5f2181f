"""A person's right to see what is held, and to have it erased."""

from fastapi import APIRouter

from mi_core.api.crew import CrewOf
from mi_core.api.models.people import Erased, PersonHeld
from mi_core.api.routes.params import PersonInPath, problems
from mi_core.api.tokens import needs
from mi_core.api.verbs import people

router = APIRouter(prefix="/api/v1/people", tags=["people"], dependencies=[needs("people")])


@router.get("/{user_id:path}", summary="All that is held of somebody", responses=problems(404, 422))
async def get_person(user_id: PersonInPath, crew: CrewOf) -> PersonHeld:
    return await crew.work(people.held, user_id)


@router.delete(
    "/{user_id:path}",
    summary="Erase all that is held of somebody",
    responses=problems(422),
)
async def delete_person(user_id: PersonInPath, crew: CrewOf) -> Erased:
    """Physically, from past states too; and what comes later with their ids stays out.

    Also of somebody of whom nothing is held: so it may be repeated.
    """
    return await crew.work(people.erase, user_id)
