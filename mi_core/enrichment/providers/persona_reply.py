"""A body of OpenAI's Responses as an outcome: what it says, and what it costs either way."""

import math
from collections.abc import Collection, Mapping
from typing import Any

from mi_core.definitions import OpenAIPrice
from mi_core.enrichment.calls import Outcome, PersonaAnswer, Reply
from mi_core.enrichment.persona_prompt import FACTS
from mi_core.enrichment.providers.wire import identifier, priced
from mi_core.enrichment.untrusted import count, json_object, mapping

SERVICE = "OpenAI"
_SAYS = {
    "refused": "the model declined to answer",
    "cut_off": "the answer was longer than allowed",
    "invalid": "the answer is not what was asked for",
    "unavailable": "the service failed to answer",
}


def persona_reply(
    body: Mapping[str, Any],
    price: OpenAIPrice,
    personas: Collection[str],
    *,
    given: Collection[str] = tuple(FACTS),
    share: float = 1.0,
    request_id: str | None = None,
) -> Reply[PersonaAnswer]:
    """The reply in `body`; evidence that was not `given` is left out. `share` is of the price."""
    outcome, answer = _answer(body, personas, given)
    usage = mapping(body.get("usage"))
    return Reply(
        outcome,
        _cost(usage, price, share),
        answer,
        error=None if outcome == "ok" else f"{SERVICE}: {_SAYS[outcome]}.",
        model=identifier(body.get("model")) or price.model,
        input_tokens=count(usage.get("input_tokens")),
        output_tokens=count(usage.get("output_tokens")),
        request_id=request_id or identifier(body.get("id")),
    )


def _cost(usage: Mapping[str, Any], price: OpenAIPrice, share: float) -> int | None:
    """Micros, rounded up; None where the usage doesn't say how many tokens there were."""
    given, made = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if given is None or made is None:
        return None
    cached = count(mapping(usage.get("input_tokens_details")).get("cached_tokens")) or 0
    cached = min(cached, given)
    return priced(
        (given - cached, price.input_usd),
        (cached, price.cached_input_usd),
        (made, price.output_usd),
        share=share,
    )


def _answer(
    body: Mapping[str, Any], personas: Collection[str], given: Collection[str]
) -> tuple[Outcome, PersonaAnswer | None]:
    parts = _parts(body)
    reason = mapping(body.get("incomplete_details")).get("reason")
    if reason == "content_filter" or any(part.get("type") == "refusal" for part in parts):
        return "refused", None
    if body.get("status") == "incomplete":
        return "cut_off", None
    if body.get("status") == "failed":
        return "unavailable", None
    texts = [part.get("text") for part in parts if part.get("type") == "output_text"]
    text = texts[0] if len(texts) == 1 else None
    said = (
        json_object(text) if isinstance(text, str) and body.get("status") == "completed" else None
    )
    answer = said and _persona(said, personas, given)
    return ("ok", answer) if answer else ("invalid", None)


def _parts(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the model wrote, of all messages; its reasoning isn't among it."""
    output = body.get("output")
    messages = [mapping(each) for each in output] if isinstance(output, list) else []
    contents = [each.get("content") for each in messages if each.get("type") == "message"]
    return [mapping(part) for each in contents if isinstance(each, list) for part in each]


def _persona(
    said: Mapping[str, Any], personas: Collection[str], given: Collection[str]
) -> PersonaAnswer | None:
    slug, confidence, evidence = (said.get(name) for name in ("persona", "confidence", "evidence"))
    is_slug = isinstance(slug, str) and slug in personas
    is_number = isinstance(confidence, int | float) and not isinstance(confidence, bool)
    if not (is_slug and is_number and isinstance(evidence, list)):
        return None
    if not (math.isfinite(confidence) and 0 <= confidence <= 1):  # type: ignore[arg-type,operator]
        return None
    named = dict.fromkeys(name for name in FACTS if name in given and name in evidence)
    return PersonaAnswer(str(slug), float(confidence), tuple(named))  # type: ignore[arg-type]
