"""The provider without a network: free, and it says no more than is known anyway."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mi_core.enrichment.calls import (
    CompanyAnswer,
    CompanyQuestion,
    PersonaAnswer,
    PersonaQuestion,
    Reply,
    Request,
    SocialAnswer,
    SocialQuestion,
)

if TYPE_CHECKING:
    from mi_core.definitions import Persona


class LocalSocial:
    """Finds nobody: there is no search without a network."""

    name = "local"

    def request(self, question: SocialQuestion) -> Request:
        return Request({}, 0)

    async def send(self, request: Request, call_id: str) -> Reply[SocialAnswer]:
        return Reply("ok", 0, SocialAnswer({}))

    async def close(self) -> None:
        """There is nothing to let go of."""


class LocalCompany:
    """Knows no facts: that a domain is a company's is told by the address itself."""

    name = "local"

    def request(self, question: CompanyQuestion) -> Request:
        return Request({}, 0)

    async def send(self, request: Request, call_id: str) -> Reply[CompanyAnswer]:
        return Reply("ok", 0, CompanyAnswer({}))

    async def close(self) -> None:
        """There is nothing to let go of."""


class LocalPersona:
    """Says what the rules say, with their confidence, and names them as its evidence.

    Of a stranger they say what they say of everybody else.
    """

    name = "local"

    def __init__(self, personas: Mapping[str, "Persona"]) -> None:
        self._personas = personas

    def request(self, question: PersonaQuestion) -> Request:
        return Request(dict(question.facts), 0)

    async def send(self, request: Request, call_id: str) -> Reply[PersonaAnswer]:
        slug = request.body.get("rule_persona")
        confidence = request.body.get("rule_confidence")
        if slug not in self._personas or not isinstance(confidence, int | float):
            last = max(self._personas.values(), key=lambda persona: persona.position)
            return Reply("ok", 0, PersonaAnswer(last.slug, last.confidence, ()))
        return Reply("ok", 0, PersonaAnswer(str(slug), float(confidence), ("rule_persona",)))

    async def close(self) -> None:
        """There is nothing to let go of."""
