"""Who answers which step: a paid provider where its key is set, else the local one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from mi_core.definitions import Definitions
from mi_core.enrichment.calls import (
    CompanyAnswer,
    CompanyQuestion,
    PersonaAnswer,
    PersonaQuestion,
    Provider,
    SocialAnswer,
    SocialQuestion,
)
from mi_core.settings import Settings

if TYPE_CHECKING:
    from mi_core.enrichment.providers.openai_batch import PersonaBatch


@dataclass(frozen=True)
class Desk:
    """The provider of each step; `batch` where personas may be had at half price, in a day."""

    social: Provider[SocialQuestion, SocialAnswer]
    company: Provider[CompanyQuestion, CompanyAnswer]
    persona: Provider[PersonaQuestion, PersonaAnswer]
    local_persona: Provider[PersonaQuestion, PersonaAnswer]
    batch: "PersonaBatch | None" = None

    async def close(self) -> None:
        """Let go of all connections."""
        for each in (self.social, self.company, self.persona, self.batch):
            if each is not None:
                await each.close()


def open_desk(settings: Settings, definitions: Definitions) -> Desk:
    """The desk that the keys of the settings allow."""
    from mi_core.enrichment.providers.local import LocalCompany, LocalPersona, LocalSocial

    prices, personas = definitions.enrichment.providers, definitions.personas
    social: Provider[SocialQuestion, SocialAnswer] = LocalSocial()
    company: Provider[CompanyQuestion, CompanyAnswer] = LocalCompany()
    local = LocalPersona(personas)
    persona: Provider[PersonaQuestion, PersonaAnswer] = local
    batch = None
    if key := _secret(settings.rapidapi_key):
        from mi_core.enrichment.providers.rapidapi import SocialLinks

        social = SocialLinks(prices.rapidapi, key)
    if key := _secret(settings.perplexity_api_key):
        from mi_core.enrichment.providers.perplexity import CompanyIntelligence

        company = CompanyIntelligence(prices.perplexity, key)
    if key := _secret(settings.openai_api_key):
        from mi_core.enrichment.providers.openai_batch import PersonaBatch
        from mi_core.enrichment.providers.openai_persona import PersonaAnalysis

        persona = PersonaAnalysis(prices.openai, key, personas)
        batch = PersonaBatch(prices.openai, key, personas)
    return Desk(social, company, persona, local, batch)


def _secret(key: SecretStr | None) -> str | None:
    return key.get_secret_value() if key else None
