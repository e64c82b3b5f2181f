"""The persona by OpenAI's Responses: one of the slugs, a confidence, and the facts behind it."""

from collections.abc import Mapping
from typing import Any

from mi_core.definitions import OpenAIPrice, Persona
from mi_core.enrichment.calls import PersonaAnswer, PersonaQuestion, Reply, Request
from mi_core.enrichment.persona_prompt import (
    persona_input,
    persona_instructions,
    persona_schema,
)
from mi_core.enrichment.providers.persona_reply import SERVICE, persona_reply
from mi_core.enrichment.providers.transport import heard, openai_client, whole
from mi_core.enrichment.providers.wire import Heard, at_most, turned_down, unreadable
from mi_core.enrichment.untrusted import json_object


class PersonaAnalysis:
    """Asks which persona the facts speak for; it has no tools, and keeps nothing at OpenAI."""

    name = "openai"

    def __init__(self, price: OpenAIPrice, key: str, personas: Mapping[str, Persona]) -> None:
        self._price = price
        self._personas = personas
        self._client = openai_client(SERVICE, price, key)

    def request(self, question: PersonaQuestion) -> Request:
        """The call about `question`."""
        # The tier is stated, for it decides the price.
        body = {**persona_body(question, self._price, self._personas), "service_tier": "default"}
        return Request(body, at_most(body, self._price), self._price.model)

    async def send(self, request: Request, call_id: str) -> Reply[PersonaAnswer]:
        """Ask once; an answer that is of no use costs as much as another."""
        said = await heard(SERVICE, self._post(request, call_id), self._price.timeout_seconds)
        if isinstance(said, Reply):
            return said
        if said.status != 200:
            return turned_down(SERVICE, said)
        body = json_object(said.content)
        if body is None:
            return unreadable(SERVICE, said)
        given = given_facts(request.body)
        return persona_reply(
            body, self._price, self._personas, given=given, request_id=said.request_id
        )

    async def close(self) -> None:
        await self._client.close()

    async def _post(self, request: Request, call_id: str) -> Heard:
        headers = {"x-client-request-id": call_id}
        create: Any = self._client.responses.with_raw_response.create
        return whole((await create(**request.body, extra_headers=headers)).http_response)


def persona_body(
    question: PersonaQuestion, price: OpenAIPrice, personas: Mapping[str, Persona]
) -> dict[str, Any]:
    """The body of a call to Responses, as one call or as a line of a batch."""
    schema = persona_schema(personas, question.facts)
    return {
        "model": price.model,
        "instructions": persona_instructions(personas.values()),
        "input": persona_input(question),
        "max_output_tokens": price.max_output_tokens,
        "reasoning": {"effort": price.reasoning_effort},
        "store": False,
        "text": {
            "format": {"type": "json_schema", "name": "persona", "strict": True, "schema": schema}
        },
    }


def given_facts(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the facts that a body was made with."""
    schema = body["text"]["format"]["schema"]
    return tuple(schema["properties"]["evidence"]["items"]["enum"])
