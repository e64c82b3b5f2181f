"""What three paid services say over the wire: their bodies, their errors, and what they charge."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Any

from provider_answers import Json, texts_of

RAPIDAPI_HOST = "social-links-search.p.rapidapi.com"
SNAPSHOT = "-2026-03-17"
"""OpenAI answers with the dated name of a model, whatever it was asked for; the day is made up."""
HTML = (
    "<html>\n<head><title>{0}</title></head>\n<body><center><h1>{0}</h1></center></body>\n</html>"
)


@dataclass
class Prices:
    """Millionths of a dollar; those per token are dollars per million tokens too."""

    social_call: int = 1_000
    perplexity_call: dict[str, dict[str, int]] = field(
        default_factory=lambda: {
            "sonar": {"low": 5_000, "medium": 8_000, "high": 12_000},
            "sonar-pro": {"low": 6_000, "medium": 10_000, "high": 14_000},
        }
    )
    perplexity_token: dict[str, tuple[Decimal, Decimal]] = field(
        default_factory=lambda: {
            "sonar": (Decimal(1), Decimal(1)),
            "sonar-pro": (Decimal(3), Decimal(15)),
        }
    )
    openai_token: dict[str, tuple[Decimal, Decimal, Decimal]] = field(
        default_factory=lambda: {  # input, input read from the cache, output
            "gpt-5.4-mini": (Decimal("0.75"), Decimal("0.075"), Decimal("4.5")),
            "gpt-5.4-nano": (Decimal("0.2"), Decimal("0.02"), Decimal("1.25")),
            "gpt-5.4": (Decimal("2.5"), Decimal("0.25"), Decimal(15)),
        }
    )
    batch_share: Decimal = Decimal("0.5")  # and that of the service tier `flex`


@dataclass(frozen=True)
class Charge:
    """A line of the bill."""

    service: str
    call_id: str | None
    cost_micros: int
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    is_batch: bool = False
    at: float = field(default_factory=time.monotonic)


@dataclass
class Answer:
    """What goes back, and what it costs if it was work."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cost: Json | None = None

    @classmethod
    def of(cls, status: int, body: Any, cost: Json | None = None, **headers: str) -> "Answer":
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        text = json.dumps(body, ensure_ascii=False).encode()
        return cls(status, text, {"content-type": "application/json", **names}, cost)

    @classmethod
    def html(cls, status: int, title: str) -> "Answer":
        return cls(status, HTML.format(title).encode(), {"content-type": "text/html"})


def micros(cost: Decimal) -> int:
    """Rounded up, so that a bill is never below the price."""
    return int(cost.to_integral_value(ROUND_CEILING))


def tokens(text: str) -> int:
    return -(-len(text.encode()) // 4)


def first_tokens(text: str, count: int) -> str:
    return text.encode()[: 4 * count].decode(errors="ignore")


# --- Errors -------------------------------------------------------------------------------------


def openai_error(
    status: int, message: str, code: str | None = None, param: str | None = None, kind: str = ""
) -> Answer:
    kind = kind or "invalid_request_error"
    return Answer.of(
        status, {"error": {"message": message, "type": kind, "param": param, "code": code}}
    )


def perplexity_error(status: int, message: str, kind: str) -> Answer:
    return Answer.of(status, {"error": {"message": message, "type": kind, "code": status}})


def rapidapi_error(status: int, message: str) -> Answer:
    """An error of the gateway; those of the service behind it have `status` and `error`."""
    return Answer.of(status, {"message": message})


QUOTA = "You exceeded your current quota, please check your plan and billing details."
SERVER = "The server had an error while processing your request. Sorry about that!"
PLAN = "You have exceeded the MONTHLY quota for Requests on your current plan, BASIC."


def failure(service: str, kind: str, status: int) -> Answer:
    """How a service says an error of this kind; `status` counts for errors of the server."""
    if kind == "html":
        return Answer.html(status, "Please wait" if status < 300 else f"{status} Bad Gateway")
    if service == "perplexity" and kind == "bad_key":  # its gateway speaks, not the service
        return Answer.html(401, "401 Authorization Required")
    if service == "perplexity" and kind == "unprocessable":
        said = {"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}
        return Answer.of(422, {"detail": [said]})
    errors = {
        "openai": {
            "rate_limited": (429, "Rate limit reached.", "rate_limit_exceeded", None, "requests"),
            "insufficient_quota": (429, QUOTA, "insufficient_quota", None, "insufficient_quota"),
            "bad_key": (401, "Incorrect API key provided.", "invalid_api_key"),
            "forbidden": (403, "Project does not have access to model.", "model_not_found"),
            "bad_request": (400, "Invalid value: 'input'.", "invalid_value", "input"),
            "unprocessable": (422, "Unprocessable entity."),
            "server_error": (status, SERVER, None, None, "server_error"),
        },
        "perplexity": {
            "rate_limited": (429, "Rate limit exceeded.", "rate_limit_exceeded"),
            "insufficient_quota": (401, QUOTA, "insufficient_quota"),  # not 429, as OpenAI has it
            "forbidden": (403, "Access denied.", "forbidden"),
            "bad_request": (400, "Invalid request.", "bad_request"),
            "server_error": (status, "Internal server error.", "internal_server_error"),
        },
        "rapidapi": {
            "rate_limited": (429, "Too many requests"),
            "insufficient_quota": (429, PLAN),
            "bad_key": (401, "Invalid API key."),
            "forbidden": (403, "You are not subscribed to this API."),
            "bad_request": (400, "Invalid value of query"),
            "unprocessable": (422, "Unprocessable entity"),
            "server_error": (status, "The API is unreachable, please contact the API provider"),
        },
    }
    said = {"openai": openai_error, "perplexity": perplexity_error, "rapidapi": rapidapi_error}
    return said[service](*errors[service][kind])


def heads(service: str, calls: int) -> dict[str, str]:
    """Headers of every answer of a service, after so many calls."""
    left = str(max(1, 10_000 - calls))  # none left would mean that the month is over
    if service == "rapidapi":
        return {
            "x-rapidapi-request-id": uuid.uuid4().hex,
            "x-ratelimit-requests-limit": "10000",
            "x-ratelimit-requests-remaining": left,
            "x-ratelimit-requests-reset": "1800000",
        }
    if service == "perplexity":
        return {"x-request-id": str(uuid.uuid4())}
    return {
        "openai-processing-ms": "12",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-limit-tokens": "2000000",
        "x-ratelimit-remaining-requests": left,
        "x-ratelimit-remaining-tokens": "1999000",
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-reset-tokens": "30ms",
        "x-request-id": f"req_{uuid.uuid4().hex}",
    }


# --- Social links -------------------------------------------------------------------------------


def social_body(data: Any) -> Json:
    return {"status": "OK", "request_id": str(uuid.uuid4()), "data": data}


# --- Perplexity ---------------------------------------------------------------------------------


def perplexity_problem(request: Mapping[str, Any], prices: Prices) -> Answer | None:
    model, messages = request.get("model"), request.get("messages")
    options = request.get("web_search_options", {})
    answers = request.get("response_format", {})
    schema = answers.get("json_schema", {}).get("schema")
    if model not in prices.perplexity_token:
        return perplexity_error(400, f"Invalid model '{model}'.", "invalid_model")
    if not messages or messages[-1].get("role") not in ("user", "tool"):
        said = "Last message must have role `user` or `tool`."
        return perplexity_error(400, said, "invalid_message")
    if options.get("search_context_size", "low") not in prices.perplexity_call[model]:
        return perplexity_error(400, "Invalid search_context_size.", "invalid_parameter")
    if answers.get("type", "text") not in ("text", "json_schema", "regex") or (
        answers.get("type") == "json_schema" and not isinstance(schema, dict)
    ):
        return perplexity_error(400, "Invalid response_format.", "invalid_response_format")
    return None


def perplexity_answer(
    request: Mapping[str, Any],
    text: str,
    results: list[Json],
    prices: Prices,
    *,
    cut_off: bool = False,
    with_cost: bool = True,
) -> Answer:
    model = request["model"]
    size = request.get("web_search_options", {}).get("search_context_size", "low")
    most = request.get("max_tokens") or 10**6
    if cut_off:
        text = text[: len(text) // 2]
    cut_off = cut_off or tokens(text) > most
    text = first_tokens(text, most)
    # The schema isn't counted: what is asked and answered is.
    asked, answered = tokens("\n".join(texts_of(request["messages"]))), tokens(text)
    price_in, price_out = prices.perplexity_token[model]
    parts = (asked * price_in, answered * price_out, Decimal(prices.perplexity_call[model][size]))
    names = ("input_tokens_cost", "output_tokens_cost", "request_cost", "total_cost")
    usage: Json = {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
    }
    if with_cost:
        dollars = [float(part / 1_000_000) for part in (*parts, sum(parts))]
        usage |= {"search_context_size": size, "cost": dict(zip(names, dollars, strict=True))}
    body = {
        "id": str(uuid.uuid4()),
        "model": model,
        "created": int(time.time()),
        "usage": usage,
        "citations": [result["url"] for result in results],
        "search_results": results,
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "length" if cut_off else "stop",
            }
        ],
    }
    cost = {"cost_micros": micros(sum(parts, Decimal(0))), "model": model}
    return Answer.of(200, body, cost | {"input_tokens": asked, "output_tokens": answered})
