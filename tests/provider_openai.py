"""OpenAI's Responses API over the wire: what it takes, what it answers, what that costs."""

import json
import re
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from provider_answers import Json, texts_of
from provider_wire import SNAPSHOT, Answer, Prices, first_tokens, micros, openai_error, tokens

PARAMETERS = {
    *("background", "conversation", "include", "input", "instructions", "max_output_tokens"),
    *("max_tool_calls", "metadata", "model", "moderation", "parallel_tool_calls"),
    *("previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options"),
    *("prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store"),
    *("stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs"),
    *("top_p", "truncation", "user"),
}
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
KEYWORDS = {
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"),
    *("$ref", "$defs", "definitions", "description", "title", "pattern", "format", "multipleOf"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}
"""What a strict schema may be made of; `default`, `minLength`, `oneOf` and others are refused."""


def schema_problem(schema: Any, context: tuple[str, ...] = ()) -> str | None:
    """What strict mode has against a schema, in its own words."""
    where = f"In context=({', '.join(map(repr, context))}), "
    if not isinstance(schema, dict):
        return f"{where}schema must be an object."
    if unknown := sorted(set(schema) - KEYWORDS):
        return f"{where}'{unknown[0]}' is not permitted."
    if not {"type", "$ref", "anyOf", "enum", "const"} & set(schema):
        return f"{where}schema must have a 'type' key."
    if not context and schema.get("type") != "object":
        return (
            f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {schema.get('type')}'."
        )
    properties = schema.get("properties", {})
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            return f"{where}'additionalProperties' is required to be supplied and to be false."
        if set(schema.get("required", [])) != set(properties):
            return (
                f"{where}'required' is required to be supplied and to be an array including "
                "every key in properties."
            )
    inner = [(("properties", name), part) for name, part in properties.items()]
    inner += [(("$defs", name), part) for name, part in schema.get("$defs", {}).items()]
    inner += [(("anyOf", str(at)), part) for at, part in enumerate(schema.get("anyOf", []))]
    inner += [(("items",), schema["items"])] if "items" in schema else []
    found = (schema_problem(part, (*context, *step)) for step, part in inner)
    return next((problem for problem in found if problem), None)


def model_of(request: Mapping[str, Any]) -> str:
    return str(request.get("model")).removesuffix(SNAPSHOT)


def problem(request: Mapping[str, Any], prices: Prices) -> Answer | None:
    """The error that OpenAI has for a request; None if it takes it."""

    def refused(param: str, code: str, message: str) -> Answer:
        return openai_error(400, message, code, param)

    for name in request:
        if name == "response_format":
            said = "Unsupported parameter: 'response_format'. It has moved to 'text.format'."
            return refused(name, "unsupported_parameter", said)
        if name not in PARAMETERS:
            return refused(name, "unknown_parameter", f"Unknown parameter: '{name}'.")
    for name in ("model", "input"):
        if not request.get(name):
            said = f"Missing required parameter: '{name}'."
            return refused(name, "missing_required_parameter", said)
    if model_of(request) not in prices.openai_token:
        said = f"The model `{request['model']}` does not exist or you do not have access to it."
        return openai_error(404, said, "model_not_found")
    most = request.get("max_output_tokens")
    if most is not None and most < 16:
        said = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
        return refused("max_output_tokens", "integer_below_min_value", said)
    effort = (request.get("reasoning") or {}).get("effort") or "none"
    if effort not in EFFORTS:
        said = f"Invalid value: '{effort}'."
        return refused("reasoning.effort", "invalid_value", said)
    if effort != "none" and {"temperature", "top_p"} & set(request):
        said = "Unsupported parameter: 'temperature' is not supported with this model."
        return refused("temperature", "unsupported_parameter", said)
    return format_problem((request.get("text") or {}).get("format") or {})


def format_problem(form: Mapping[str, Any]) -> Answer | None:
    if form.get("type", "text") in ("text", "json_object"):
        return None
    if form["type"] != "json_schema":
        said = f"Invalid value: '{form['type']}'."
        return openai_error(400, said, "invalid_value", "text.format.type")
    for name in ("name", "schema"):
        if name not in form:
            said = f"Missing required parameter: 'text.format.{name}'."
            return openai_error(400, said, "missing_required_parameter", f"text.format.{name}")
    if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", form["name"]):
        said = "Invalid 'text.format.name': string does not match pattern."
        return openai_error(400, said, "invalid_value", "text.format.name")
    if form.get("strict") and (wrong := schema_problem(form["schema"])):
        said = f"Invalid schema for response_format '{form['name']}': {wrong}"
        return openai_error(400, said, "invalid_json_schema", "text.format.schema")
    return None


def common_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


class PromptCache:
    """Beginnings of prompts that were read before: from 1,024 tokens on, in steps of 128."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def read(self, prompt: str) -> int:
        seen, self._seen = self._seen, [*self._seen[-20:], prompt]
        longest = max((common_start(prompt, one) for one in seen), default=0)
        known = tokens(prompt[:longest]) // 128 * 128
        return known if known >= 1024 else 0


def prompt_of(request: Mapping[str, Any]) -> str:
    form = (request.get("text") or {}).get("format") or {}
    parts = [json.dumps(form.get("schema", "")), *texts_of(request.get("instructions", ""))]
    return "\n".join([*parts, *texts_of(request["input"])])


def answer(
    request: Mapping[str, Any],
    text: str,
    prices: Prices,
    cache: PromptCache,
    *,
    kind: str = "ok",
    reasoning_tokens: int = 0,
    is_batch: bool = False,
) -> Answer:
    """A response with `text`; `kind` refusal or cut_off says how else it ends."""
    prompt, most = prompt_of(request), request.get("max_output_tokens")
    asked, cached = tokens(prompt), cache.read(prompt)
    reasoning = {"effort": "none", "summary": None} | (request.get("reasoning") or {})
    thought = reasoning_tokens if reasoning["effort"] != "none" else 0
    if kind == "cut_off":
        most = min(most or 10**6, thought + tokens(text) // 2)
    is_cut = most is not None and thought + tokens(text) > most
    if is_cut:
        text = first_tokens(text, max(0, most - thought))
    content: Json = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    if kind == "refusal":
        content = {"type": "refusal", "refusal": "I'm sorry, but I can't help with that."}
    written = min(thought, most or thought) + tokens(content.get("text", content.get("refusal")))
    status = "incomplete" if is_cut else "completed"
    output: list[Json] = []
    if thought:
        output.append({"id": f"rs_{uuid.uuid4().hex}", "type": "reasoning", "summary": []})
    if text or not is_cut:
        message = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "status": status}
        ending = {"phase": "final_answer", "role": "assistant"}
        output.append(message | {"content": [content]} | ending)
    tier = {"flex": "flex"}.get(request.get("service_tier") or "", "default")
    share = prices.batch_share if is_batch or tier == "flex" else Decimal(1)
    price_in, price_cached, price_out = prices.openai_token[model_of(request)]
    cost = (asked - cached) * price_in + cached * price_cached + written * price_out
    model = model_of(request) + SNAPSHOT
    usage = {
        "input_tokens": asked,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": cached},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": min(thought, written)},
        "total_tokens": asked + written,
    }
    now = int(time.time())
    body = {
        "id": f"resp_{uuid.uuid4().hex}",
        "object": "response",
        "created_at": now,
        "status": status,
        "background": False,
        "billing": {"payer": "developer"},
        "completed_at": None if is_cut else now,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "max_tool_calls": None,
        "model": model,
        "moderation": None,
        "output": output,
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": request.get("prompt_cache_key"),
        "prompt_cache_retention": "24h",
        "reasoning": reasoning,
        "safety_identifier": request.get("safety_identifier"),
        "service_tier": tier,
        "store": request.get("store", True),
        "temperature": request.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, "verbosity": "medium"} | (request.get("text") or {}),
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": request.get("top_p", 0.98),
        "truncation": "disabled",
        "usage": usage,
        "user": None,
        "metadata": request.get("metadata") or {},
    }
    charged = {"cost_micros": micros(cost * share), "model": model, "is_batch": is_batch}
    counts = {"input_tokens": asked, "output_tokens": written}
    return Answer.of(200, body, charged | counts, x_request_id=f"req_{uuid.uuid4().hex}")
