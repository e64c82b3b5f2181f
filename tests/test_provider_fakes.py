"""The fakes of paid services are what the services are: held to recordings and to their clients."""

import asyncio
import json
import socket
import ssl
import struct
import threading
import tomllib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest
from provider_answers import PERSONAS
from provider_fakes import Providers
from provider_faults import KINDS, Fault, applies
from provider_wire import RAPIDAPI_HOST, Prices

HERE = Path(__file__).parent
RECORDED = HERE / "data" / "enrichment"
PRICES = HERE.parent / "mi_core" / "definitions" / "prices.toml"
TLS = ssl.create_default_context()  # never used, but each client makes one, which takes time
NAME = {"type": "string", "enum": list(PERSONAS)}
EVIDENCE = {"type": "array", "items": {"type": "string", "enum": ["visits", "size"]}}
SCHEMA = {
    "type": "object",
    "properties": {"persona": NAME, "confidence": {"type": "number"}, "evidence": EVIDENCE},
    "required": ["persona", "confidence", "evidence"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "name": "persona", "strict": True, "schema": SCHEMA}
PERSONA = {
    "model": "gpt-5.4-mini",
    "instructions": "Choose a persona.",
    "input": json.dumps({"visits": 3, "trend": "up", "size": 40}),
    "max_output_tokens": 200,
    "store": False,
    "text": {"format": FORMAT},
}
COMPANY = {
    "model": "sonar",
    "messages": [{"role": "user", "content": "Describe the company at acme-widgets.example"}],
    "max_tokens": 600,
}


def ask(providers: Providers, question: Callable[[openai.AsyncOpenAI], Awaitable[Any]]) -> Any:
    """What the official client makes of an answer of OpenAI."""
    return with_client(providers.urls["openai"], question)


def with_client(url: str, question: Callable[[openai.AsyncOpenAI], Awaitable[Any]]) -> Any:
    async def asked() -> Any:
        http = openai.DefaultAsyncHttpxClient(verify=TLS)
        options = {"base_url": url, "api_key": "x", "max_retries": 0, "timeout": 10}
        async with openai.AsyncOpenAI(**options, http_client=http) as client:
            return await question(client)

    return asyncio.run(asked())


def persona(providers: Providers, call_id: str = "call-1", **changes: Any) -> Any:
    question, heads = PERSONA | changes, {"x-client-request-id": call_id}
    return ask(providers, lambda client: client.responses.create(**question, extra_headers=heads))


def company(providers: Providers, **changes: Any) -> Any:
    question, url = COMPANY | changes, providers.urls["perplexity"]
    return with_client(url, lambda client: client.chat.completions.create(**question))


def social(providers: Providers, **changes: Any) -> httpx.Response:
    heads = {"x-rapidapi-key": "x", "x-rapidapi-host": RAPIDAPI_HOST, "x-client-request-id": "s-1"}
    query = {"query": "Ada Lovelace", "social_networks": "linkedin,github,snapchat"}
    url = f"{providers.urls['rapidapi']}/search-social-links"
    options = {"params": query, "headers": heads, "timeout": 10, "verify": TLS} | changes
    return httpx.get(url, **options)


def shape(value: Any, path: str = "") -> dict[str, str]:
    """Each path of keys with the type of what is there; None is any type."""
    if isinstance(value, dict):
        found = {path: "object"}
        for key, inner in value.items():
            found |= shape(inner, f"{path}.{key}")
        return found
    if isinstance(value, list):
        return {path: "list"} | (shape(value[0], f"{path}[]") if value else {})
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return {path: {bool: "boolean", str: "text"}.get(type(value), "null")}
    return {path: "number"}


def differences(ours: Any, recorded: Any) -> tuple[set[str], set[str], set[str]]:
    """Paths that only ours has, that only the recording has, and those of another type."""
    left, right = shape(ours), shape(recorded)
    other = {
        path
        for path in left.keys() & right.keys()
        if left[path] != right[path] and "null" not in (left[path], right[path])
    }
    return left.keys() - right.keys(), right.keys() - left.keys(), other


def recording(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / name).read_text())


# --- As recorded --------------------------------------------------------------------------------


def test_a_response_has_the_keys_and_types_of_a_recorded_one(providers: Providers):
    recorded = recording("openai_response.json")
    question = recorded["request"] | {"model": "gpt-5.4-mini"}
    url = f"{providers.urls['openai']}/responses"
    answer = httpx.post(url, json=question, headers={"authorization": "Bearer x"}, verify=TLS)

    assert answer.status_code == recorded["status"]
    added, missing, other = differences(answer.json(), recorded["body"])
    # The client of today declares one count more than that day's answer had.
    assert added == {".usage.input_tokens_details.cache_write_tokens"}
    assert not missing
    assert not other
    assert recorded["body"]["model"].startswith(recorded["request"]["model"] + "-20")
    assert answer.json()["model"].startswith(question["model"] + "-20")
    assert recorded["headers"].keys() - answer.headers.keys() == {"x-content-type-options"}


def test_a_completion_has_the_keys_and_types_of_a_recorded_one(providers: Providers):
    recorded = recording("perplexity_completion.json")
    url, heads = f"{providers.urls['perplexity']}/chat/completions", {"authorization": "Bearer x"}
    providers.has_perplexity_cost = False  # as in the recording
    older = httpx.post(url, json=COMPANY, headers=heads, verify=TLS).json()
    providers.has_perplexity_cost = True
    newer = httpx.post(url, json=COMPANY, headers=heads, verify=TLS).json()

    added, missing, other = differences(older, recorded["body"])
    assert {path.split("[]")[0] for path in added} == {".search_results"}
    assert not missing
    assert not other
    added, missing, other = differences(newer, older)
    assert {path.rsplit(".", 1)[-1] for path in added} == {
        *("search_context_size", "cost"),
        *("input_tokens_cost", "output_tokens_cost", "request_cost", "total_cost"),
    }
    assert not missing
    assert not other


# --- As their clients read them -----------------------------------------------------------------


def test_the_official_client_reads_a_response(providers: Providers):
    answer = persona(providers)

    chosen = json.loads(answer.output_text)
    assert chosen["persona"] in PERSONAS
    assert chosen["evidence"] == ["visits", "size"]  # facts of the question that the schema knows
    assert (answer.status, answer.error, answer.service_tier) == ("completed", None, "default")
    assert answer._request_id.startswith("req_")
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert json.loads(persona(providers).output_text) == chosen


def test_the_official_client_reads_a_completion_and_its_cost(providers: Providers):
    answer = company(providers)

    facts, results = json.loads(answer.choices[0].message.content), answer.search_results
    assert facts["name"]["value"] == "Acme Widgets"
    for fact in facts.values():
        assert fact["quote"] in results[fact["source"] - 1]["snippet"]
    assert answer.citations == [result["url"] for result in results]
    assert answer.usage.search_context_size == "low"
    cost = Decimal(str(answer.usage.cost["total_cost"])) * 1_000_000
    assert providers.total_micros("perplexity") == cost
    assert cost == 5_000 + answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_an_industry_is_one_that_the_schema_admits(providers: Providers):
    industry = {"anyOf": [{"type": "string", "enum": ["mining", "fishing"]}, {"type": "null"}]}
    fact = {"type": "object", "properties": {"value": industry}}
    schema = {"$defs": {"fact": fact}, "properties": {"industry": {"$ref": "#/$defs/fact"}}}
    form = {"type": "json_schema", "json_schema": {"name": "company", "schema": schema}}
    answer = company(providers, response_format=form)

    value = json.loads(answer.choices[0].message.content)["industry"]["value"]
    assert value in ("mining", "fishing")


def test_social_links_are_candidates_and_not_all_of_the_right_person(providers: Providers):
    answer = social(providers)

    assert answer.json()["status"] == "OK"
    links = answer.json()["data"]
    assert set(links) == {"linkedin", "github", "snapchat"}
    assert "https://github.com/ada-lovelace" in links["github"]
    assert "https://github.com/john-doe-42" in links["github"]
    assert links["snapchat"] == []
    assert answer.headers["x-ratelimit-requests-remaining"] == "9999"


def test_answers_are_those_that_a_test_gives(providers: Providers):
    providers.social_answer = lambda query, networks: {networks[0]: [f"https://{query}"]}
    providers.company_answer = lambda request: {"asked": request["model"]}
    providers.persona_answer = lambda request: "no JSON"

    assert social(providers).json()["data"] == {"linkedin": ["https://Ada Lovelace"]}
    assert company(providers).choices[0].message.content == '{"asked": "sonar"}'
    assert persona(providers).output_text == "no JSON"


# --- Errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("rate_limited", openai.RateLimitError, "rate_limit_exceeded"),
        ("insufficient_quota", openai.RateLimitError, "insufficient_quota"),
        ("bad_key", openai.AuthenticationError, "invalid_api_key"),
        ("forbidden", openai.PermissionDeniedError, "model_not_found"),
        ("bad_request", openai.BadRequestError, "invalid_value"),
        ("unprocessable", openai.UnprocessableEntityError, None),
        ("server_error", openai.InternalServerError, None),
        (Fault("server_error", status=503), openai.InternalServerError, None),
        ("html", openai.InternalServerError, None),
        ("hang_before", openai.APITimeoutError, None),
        ("cut_before", openai.APIConnectionError, None),
        (Fault("cut_before", reset=True), openai.APIConnectionError, None),
    ],
)
def test_an_error_is_what_the_client_takes_it_for_and_free(
    providers: Providers, fault: str | Fault, error: type[Exception], code: str | None
):
    providers.faults["openai"] = [fault]
    with pytest.raises(error) as raised:
        persona(providers, timeout=0.1 if fault == "hang_before" else 10)

    assert type(raised.value) is error
    assert getattr(raised.value, "code", None) == code
    assert providers.bill() == []
    persona(providers)  # and then all is well
    assert len(providers.bill()) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang_after", openai.APITimeoutError),
        ("cut_after", openai.APIConnectionError),
        ("cut_midway", openai.APIConnectionError),
        ("malformed_json", json.JSONDecodeError),
        (Fault("html", status=200), AttributeError),
    ],
)
def test_work_is_billed_whether_or_not_its_answer_arrives(
    providers: Providers, fault: str | Fault, error: type[Exception]
):
    done = threading.Event()
    providers.before_answer = lambda service, call: done.set()
    providers.faults["openai"] = fault
    with pytest.raises(error):
        persona(providers, timeout=0.1 if fault == "hang_after" else 10).output_text  # noqa: B018

    assert done.wait(10)
    (charge,) = providers.bill()
    assert (charge.service, charge.call_id) == ("openai", "call-1")
    assert charge.cost_micros == providers.asked()[0].cost_micros > 0


@pytest.mark.parametrize(
    ("service", "fault", "status", "html"),
    [
        ("perplexity", "rate_limited", 429, False),
        ("perplexity", "insufficient_quota", 401, False),  # a key without money is refused
        ("perplexity", "bad_key", 401, True),
        ("perplexity", "bad_request", 400, False),
        ("perplexity", "unprocessable", 422, False),
        ("perplexity", "server_error", 500, False),
        ("rapidapi", "rate_limited", 429, False),
        ("rapidapi", "insufficient_quota", 429, False),
        ("rapidapi", "bad_key", 401, False),
        ("rapidapi", "forbidden", 403, False),
        ("rapidapi", "bad_request", 400, False),
        ("rapidapi", "server_error", 500, False),
        ("rapidapi", "html", 502, True),
    ],
)
def test_errors_of_the_other_two(
    providers: Providers, service: str, fault: str, status: int, html: bool
):
    providers.faults[service] = fault
    if service == "perplexity":
        with pytest.raises(openai.APIStatusError) as raised:
            company(providers)
        answer = raised.value.response
    else:
        answer = social(providers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == ("text/html" if html else "application/json")
    assert html == ("<html>" in answer.text)
    assert providers.total_micros() == 0


def test_how_long_to_wait_is_said_in_seconds_or_milliseconds(providers: Providers):
    waits = [
        Fault("rate_limited", retry_after=2),
        Fault("rate_limited", retry_after=0.2, in_ms=True),
    ]
    providers.faults["rapidapi"] = [*waits, "rate_limited"]
    said = [social(providers).headers for _ in range(3)]

    assert [heads.get("retry-after") for heads in said] == ["2", None, None]
    assert [heads.get("retry-after-ms") for heads in said] == [None, "200", None]


def changed_schema(**changes: Any) -> dict[str, Any]:
    return {"text": {"format": FORMAT | {"schema": SCHEMA | changes}}}


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"model": "gpt-9"}, openai.NotFoundError, "model_not_found"),
        ({"input": ""}, openai.BadRequestError, "missing_required_parameter"),
        ({"max_output_tokens": 5}, openai.BadRequestError, "integer_below_min_value"),
        ({"extra_body": {"seed": 1}}, openai.BadRequestError, "unknown_parameter"),
        (
            {"reasoning": {"effort": "low"}, "temperature": 0},
            openai.BadRequestError,
            "unsupported_parameter",
        ),
        (
            changed_schema(additionalProperties=True),
            openai.BadRequestError,
            "invalid_json_schema",
        ),
        (changed_schema(required=["persona"]), openai.BadRequestError, "invalid_json_schema"),
        (
            changed_schema(properties=SCHEMA["properties"] | {"persona": {"minLength": 1}}),
            openai.BadRequestError,
            "invalid_json_schema",
        ),
    ],
)
def test_openai_takes_what_the_real_one_takes(
    providers: Providers, changes: dict[str, Any], error: type[Exception], code: str
):
    with pytest.raises(error) as raised:
        persona(providers, **changes)

    assert raised.value.code == code
    assert providers.bill() == []


def test_requests_that_the_other_two_refuse(providers: Providers):
    with pytest.raises(openai.BadRequestError, match="Invalid model"):
        company(providers, model="moon")
    with pytest.raises(openai.BadRequestError, match="Last message"):
        company(providers, messages=[{"role": "system", "content": "Be kind."}])
    assert social(providers, params={"query": ""}).json()["error"]["code"] == 400
    assert social(providers, headers={"x-rapidapi-host": RAPIDAPI_HOST}).status_code == 401
    assert social(providers, headers={"x-rapidapi-key": "x"}).status_code == 400
    providers.keys["rapidapi"] = "another"
    assert social(providers).status_code == 401
    assert providers.bill() == []


# --- Answers that are of no use -----------------------------------------------------------------


def test_a_refusal_is_billed_and_has_no_text(providers: Providers):
    providers.faults["openai"] = "refusal"
    answer = persona(providers)

    assert answer.output_text == ""
    assert answer.output[0].content[0].type == "refusal"
    assert providers.total_micros() > 0


def test_an_answer_longer_than_it_may_be_is_cut_off_and_billed(providers: Providers):
    providers.persona_answer = lambda request: "word " * 100
    natural = persona(providers, max_output_tokens=16)
    providers.faults["openai"] = "cut_off"
    forced = persona(providers)

    for answer in (natural, forced):
        assert answer.status == "incomplete"
        assert answer.incomplete_details.reason == "max_output_tokens"
    assert natural.usage.output_tokens == 16
    assert 0 <= len("word " * 50) - len(forced.output_text) < 4  # a token is four letters here
    assert len(providers.bill()) == 2


def test_a_model_that_thinks_has_that_first_and_it_costs(providers: Providers):
    providers.reasoning_tokens = 50
    plain, thinking = persona(providers), persona(providers, reasoning={"effort": "low"})
    mute = persona(providers, reasoning={"effort": "low"}, max_output_tokens=20)

    assert [item.type for item in plain.output] == ["message"]
    assert [item.type for item in thinking.output] == ["reasoning", "message"]
    assert thinking.usage.output_tokens == plain.usage.output_tokens + 50
    assert [item.type for item in mute.output] == ["reasoning"]
    assert (mute.status, mute.usage.output_tokens) == ("incomplete", 20)


def test_answers_that_are_no_json_or_not_what_was_asked(providers: Providers):
    providers.faults["openai"] = ["invalid_json", "unknown_slug"]
    with pytest.raises(json.JSONDecodeError):
        json.loads(persona(providers).output_text)
    assert json.loads(persona(providers).output_text)["persona"] not in PERSONAS

    providers.faults["perplexity"] = ["refusal", "cut_off", "unknown_slug"]
    refused, cut_off, unknown = (company(providers).choices[0] for _ in range(3))
    assert refused.message.content.startswith("I'm sorry")
    assert (refused.finish_reason, cut_off.finish_reason) == ("stop", "length")
    assert json.loads(unknown.message.content)["industry"]["value"] == "wizardry"

    providers.faults["rapidapi"] = "invalid_json"
    assert social(providers).json()["data"] == []
    assert len(providers.bill()) == 6


# --- The bill -----------------------------------------------------------------------------------


def test_prices_are_those_of_the_definitions():
    known = tomllib.loads(PRICES.read_text(), parse_float=Decimal)["enrichment"]["providers"]
    prices = Prices()

    million = 1_000_000
    assert known["rapidapi"]["per_call_usd"] * million == prices.social_call
    sonar, mini = known["perplexity"], known["openai"]
    fee = prices.perplexity_call[sonar["model"]][sonar["search_context"]]
    assert sonar["per_call_usd"] * million == fee
    assert (sonar["input_usd"], sonar["output_usd"]) == prices.perplexity_token[sonar["model"]]
    each = (mini["input_usd"], mini["cached_input_usd"], mini["output_usd"])
    assert each == prices.openai_token[mini["model"]]
    assert mini["batch_share"] == prices.batch_share


def test_the_bill_is_exact_and_says_which_call(providers: Providers):
    social(providers)
    answer = persona(providers, call_id="p-1")
    flex = persona(providers, call_id="p-2", service_tier="flex")

    usage = answer.usage
    cost = usage.input_tokens * Decimal("0.75") + usage.output_tokens * Decimal("4.5")
    links, full, half = providers.bill()
    assert (links.service, links.call_id, links.cost_micros) == ("rapidapi", "s-1", 1000)
    assert (full.call_id, full.input_tokens) == ("p-1", usage.input_tokens)
    assert 0 <= full.cost_micros - cost < 1
    assert flex.service_tier == "flex"
    assert 0 <= half.cost_micros - cost / 2 < 1
    assert providers.total_micros("openai") == full.cost_micros + half.cost_micros
    assert providers.total_micros() == 1000 + providers.total_micros("openai")


def test_a_long_prompt_that_was_read_before_is_cheaper(providers: Providers):
    first, second = (persona(providers, instructions="Choose. " * 1000) for _ in range(2))

    assert first.usage.input_tokens_details.cached_tokens == 0
    cached = second.usage.input_tokens_details.cached_tokens
    assert cached % 128 == 0
    assert 0 <= second.usage.input_tokens - cached < 128
    dearer, cheaper = (charge.cost_micros for charge in providers.bill())
    assert abs(dearer - cheaper - cached * Decimal("0.675")) < 1


# --- What a test can see and hold ---------------------------------------------------------------


def test_calls_are_logged_without_keys(providers: Providers):
    social(providers)
    persona(providers)

    links, model = providers.asked()
    assert (links.path, links.query["query"]) == ("/search-social-links", "Ada Lovelace")
    assert (model.path, model.body["model"], model.status) == ("/responses", "gpt-5.4-mini", 200)
    assert (links.call_id, model.call_id) == ("s-1", "call-1")
    assert links.started_at < links.ended_at < model.started_at
    for call in (links, model):
        assert {"authorization", "x-rapidapi-key"}.isdisjoint(call.headers)
        assert "@" not in call.said
    assert "Ada Lovelace" in links.said
    assert "Choose a persona" in model.said


def test_calls_at_once_are_counted(providers: Providers):
    all_here = threading.Barrier(5, timeout=10)
    providers.before_work = lambda service, call: all_here.wait()

    async def asked() -> None:
        async with httpx.AsyncClient(verify=TLS, timeout=10) as client:
            url = f"{providers.urls['rapidapi']}/search-social-links"
            await asyncio.gather(*(client.get(url) for _ in range(5)))
            providers.before_work = None
            await client.get(url)

    asyncio.run(asked())
    assert len(providers.asked("rapidapi")) == 6
    assert providers.most_at_once("rapidapi") == 5
    assert providers.most_at_once("openai") == 0


def test_more_calls_than_a_plan_has_are_refused(providers: Providers):
    providers.limits["rapidapi"] = (2, 60)
    answers = [social(providers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "60"
    assert providers.total_micros() == 2000


def test_answers_take_as_long_as_a_test_says(providers: Providers):
    providers.latency_seconds = 0.05
    providers.faults["rapidapi"] = [None, Fault("slow", seconds=0.1)]
    for _ in range(2):
        social(providers)

    usual, slow = (call.ended_at - call.started_at for call in providers.asked())
    assert usual >= 0.05
    assert slow >= 0.15


@pytest.mark.parametrize("leave", ["finish", "reset"])
def test_a_client_that_went_away_was_served_all_the_same(providers: Providers, leave: str):
    gone = threading.Event()
    providers.before_answer = lambda service, call: gone.wait(10)
    providers.social_answer = lambda query, networks: {"linkedin": ["x" * 1_000_000]}
    address = urlsplit(providers.urls["rapidapi"])
    with socket.create_connection((address.hostname, address.port)) as client:
        if leave == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        heads = f"host: x\r\nx-rapidapi-key: x\r\nx-rapidapi-host: {RAPIDAPI_HOST}"
        request = f"GET {address.path}/search-social-links?query=Ada HTTP/1.1\r\n{heads}\r\n\r\n"
        client.sendall(request.encode())
        providers.wait_for(1)
    gone.set()
    assert social(providers).status_code == 200
    assert providers.total_micros() == 2000


@pytest.mark.parametrize(("hook", "billed"), [("before_work", 0), ("before_answer", 1)])
def test_a_hook_holds_a_call_before_its_work_or_its_answer(
    providers: Providers, hook: str, billed: int
):
    reached, go_on, seen = threading.Event(), threading.Event(), []

    def held(service: str, call: Any) -> None:
        reached.set()
        go_on.wait(10)

    setattr(providers, hook, held)
    asking = threading.Thread(target=lambda: seen.append(social(providers)))
    asking.start()
    assert reached.wait(10)
    (call,) = providers.wait_for(1, "rapidapi")
    assert (len(providers.bill()), call.status, seen) == (billed, None, [])
    go_on.set()
    asking.join()
    assert (len(providers.bill()), seen[0].status_code) == (1, 200)


def test_faults_by_chance_are_the_same_for_the_same_seed(providers: Providers):
    def drawn(seed: int) -> list[str]:
        providers.faults.random(0.3, KINDS[3:], seed)
        return [providers.faults.next("rapidapi", None).kind for _ in range(200)]

    first = drawn(1)
    assert first == drawn(1) != drawn(2)
    assert 40 <= 200 - first.count("ok") <= 80
    assert all(applies(kind, "rapidapi") for kind in first)
    providers.faults.clear()
    assert providers.faults.next("rapidapi", None).kind == "ok"


def test_mistakes_in_a_plan_are_said(providers: Providers):
    with pytest.raises(ValueError, match="there is no fault 'storm'"):
        providers.faults["openai"] = "storm"
    with pytest.raises(KeyError, match="gemini"):
        providers.faults["gemini"] = "slow"
    providers.faults["rapidapi"] = lambda call: "refusal"
    with pytest.raises(httpx.TransportError):
        social(providers)
    assert "refusal can't happen to rapidapi" in str(providers.errors.pop())


# --- Batches ------------------------------------------------------------------------------------


def lines(*names: str, **changes: Any) -> bytes:
    each = {"method": "POST", "url": "/v1/responses", "body": PERSONA | changes}
    return "\n".join(json.dumps({"custom_id": name, **each}) for name in names).encode()


async def begun(client: openai.AsyncOpenAI, content: bytes, **metadata: str) -> Any:
    file = await client.files.create(file=("questions.jsonl", content), purpose="batch")
    return await client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/responses",
        completion_window="24h",
        metadata=metadata,
    )


async def rows(client: openai.AsyncOpenAI, file: str | None) -> dict[str, Any]:
    content = await client.files.content(file)
    return {row["custom_id"]: row for row in map(json.loads, content.text.splitlines())}


NAMES = [f"lead-{number}" for number in range(20)]


def test_a_batch_from_end_to_end(providers: Providers):
    single = persona(providers)
    price = providers.bill().pop().cost_micros
    providers.faults["openai.lines"] = ["bad_request", "refusal", "cut_off", "unknown_slug"]

    async def asked(client: openai.AsyncOpenAI) -> None:
        batch = await begun(client, lines(*NAMES), run="7")
        seen = [batch.status]
        assert batch.request_counts.total == 0
        while batch.status != "completed":
            assert batch.output_file_id is None
            batch = await client.batches.retrieve(batch.id)
            seen.append(batch.status)
        assert seen == ["validating", "in_progress", "finalizing", "completed"]
        assert batch.request_counts.to_dict() == {"total": 20, "completed": 19, "failed": 1}
        assert batch.metadata == {"run": "7"}

        answers = await rows(client, batch.output_file_id)
        errors = await rows(client, batch.error_file_id)
        assert answers.keys() | errors.keys() == set(NAMES)
        assert list(answers) != sorted(answers, key=NAMES.index)
        (error,) = errors.values()
        assert error["response"]["status_code"] == 400
        assert error["response"]["body"]["error"]["code"] == "invalid_value"
        bodies = [row["response"]["body"] for row in answers.values()]
        assert sum(body["status"] == "incomplete" for body in bodies) == 1
        assert sum(body["output"][0]["content"][0]["type"] == "refusal" for body in bodies) == 1
        texts = [body["output"][0]["content"][0].get("text") for body in bodies]
        assert texts.count(single.output_text) == 16
        assert batch.usage.total_tokens == sum(body["usage"]["total_tokens"] for body in bodies)

        assert (await client.files.delete(batch.input_file_id)).deleted
        with pytest.raises(openai.NotFoundError):
            await client.files.content(batch.input_file_id)

    ask(providers, asked)
    charges = [charge for charge in providers.bill() if charge.is_batch]
    assert len(charges) == 19
    assert {charge.call_id for charge in charges} < set(NAMES)
    assert sum(charge.cost_micros == -(-price // 2) for charge in charges) >= 16


@pytest.mark.parametrize("status", ["expired", "cancelled"])
def test_a_batch_that_ends_early_has_and_bills_a_part(providers: Providers, status: str):
    providers.batches.steps[-1] = "expired"

    async def asked(client: openai.AsyncOpenAI) -> None:
        batch = await begun(client, lines(*NAMES))
        batch = await client.batches.retrieve(batch.id)
        assert batch.status == "in_progress"
        if status == "cancelled":
            assert (await client.batches.cancel(batch.id)).status == "cancelling"
        providers.batches.advance()
        providers.batches.is_automatic = False
        batch = await client.batches.retrieve(batch.id)
        assert (batch.status, batch.request_counts.completed) == (status, 10)
        answers = await rows(client, batch.output_file_id)
        errors = await rows(client, batch.error_file_id)
        assert answers.keys().isdisjoint(errors)
        assert answers.keys() == {charge.call_id for charge in providers.bill()}
        assert {row["error"]["code"] for row in errors.values()} == {f"batch_{status}"}
        assert {row["response"] for row in errors.values()} == {None}
        with pytest.raises(openai.ConflictError):
            await client.batches.cancel(batch.id)

    ask(providers, asked)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"{", "invalid_json_line"),
        (lines("a", "a"), "duplicate_custom_id"),
        (lines("a") + b"\n" + lines("b", model="gpt-5.4"), "mismatched_model"),
        (
            b'{"custom_id": "a", "method": "POST", "url": "/v1/responses"}',
            "missing_required_parameter",
        ),
    ],
)
def test_a_file_that_is_wrong_fails_the_whole_batch(
    providers: Providers, content: bytes, code: str
):
    async def asked(client: openai.AsyncOpenAI) -> None:
        batch = await begun(client, content)
        batch = await client.batches.retrieve(batch.id)
        assert (batch.status, batch.errors.data[0].code) == ("failed", code)
        assert (batch.output_file_id, batch.error_file_id) == (None, None)

    ask(providers, asked)
    assert providers.bill() == []


def test_a_batch_whose_creation_was_not_answered_is_in_the_list(providers: Providers):
    providers.faults["openai.batches"] = [None, "cut_after", "cut_before"]

    async def asked(client: openai.AsyncOpenAI) -> None:
        await begun(client, lines("a"), run="1")
        for run in ("2", "3"):
            with pytest.raises(openai.APIConnectionError):
                await begun(client, lines("a"), run=run)
        page = await client.batches.list(limit=1)
        assert [batch.metadata["run"] for batch in page.data] == ["2"]
        assert [batch.metadata["run"] async for batch in client.batches.list(limit=1)] == ["2", "1"]

    ask(providers, asked)
