"""The three paid services over real HTTP: how each call can end, and what it costs then."""

import asyncio
import inspect
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any, get_args

import httpx
import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.shared import chat_model
from provider_fakes import Providers
from provider_faults import Fault

from mi_core.definitions import load_definitions
from mi_core.enrichment.batch_lines import batch_file, batch_replies
from mi_core.enrichment.calls import CompanyQuestion, PersonaQuestion, Reply, SocialQuestion
from mi_core.enrichment.providers import transport
from mi_core.enrichment.providers.local import LocalCompany, LocalPersona, LocalSocial
from mi_core.enrichment.providers.openai_batch import PersonaBatch
from mi_core.enrichment.providers.openai_persona import PersonaAnalysis
from mi_core.enrichment.providers.perplexity import CompanyIntelligence, company_reply
from mi_core.enrichment.providers.persona_reply import persona_reply
from mi_core.enrichment.providers.rapidapi import SocialLinks
from mi_core.enrichment.providers.wire import Heard, retry_after, turned_down
from mi_core.errors import BadValue, SettingsError

DEFINITIONS = load_definitions()
PERSONAS = DEFINITIONS.personas
PRICES = DEFINITIONS.enrichment.providers
KEYS = {"rapidapi": "rk-3f9a", "perplexity": "pplx-77b1", "openai": "sk-proj-c0de"}
NAME = "Jane Q. Visitor"
FACTS = {
    "intent_score": 41,
    "top_signals": "pricing_view, trial_start",
    "rule_persona": "automation_pro",
    "rule_confidence": 0.6,
    "company_size": "51-200",
}
QUESTIONS = {
    "rapidapi": SocialQuestion(NAME, "acme.example"),
    "perplexity": CompanyQuestion("acme.example"),
    "openai": PersonaQuestion(FACTS),
}

# What every service does in the same way: the fault, the outcome, whether its cost is known.
SAME = [
    ("ok", "ok", True),
    (Fault("slow", seconds=0.02), "ok", True),
    ("html", "lost", False),
    ("rate_limited", "rate_limited", True),
    ("insufficient_quota", "out_of_quota", True),
    ("bad_key", "key_refused", True),
    ("forbidden", "key_refused", True),
    ("bad_request", "rejected", True),
    ("unprocessable", "rejected", True),
    *[(Fault("server_error", status=status), "unavailable", True) for status in (500, 503, 529)],
    *[(Fault("server_error", status=status), "lost", False) for status in (502, 504, 520, 524)],
    ("cut_before", "lost", False),
    (Fault("cut_before", reset=True), "lost", False),
    ("cut_after", "lost", False),
    (Fault("cut_after", reset=True), "lost", False),
    ("cut_midway", "lost", False),
    ("ok", "ok", True),
]
# A call of the social search has one price, so that its cost is known whatever the answer is.
OWN = {
    "rapidapi": [
        ("malformed_json", "invalid", True),
        (Fault("html", status=200), "invalid", True),
        ("invalid_json", "invalid", True),
    ],
    "perplexity": [
        ("malformed_json", "invalid", False),
        (Fault("html", status=200), "invalid", False),
        ("invalid_json", "invalid", True),
        ("refusal", "invalid", True),  # it has no field for it, and says so in words
        ("cut_off", "cut_off", True),
        ("unknown_slug", "ok", True),  # an industry that isn't listed is dropped
    ],
    "openai": [
        ("malformed_json", "invalid", False),
        (Fault("html", status=200), "invalid", False),
        ("invalid_json", "invalid", True),
        ("refusal", "refused", True),
        ("cut_off", "cut_off", True),
        ("unknown_slug", "invalid", True),
    ],
}


@pytest.fixture
def services() -> Iterator[Providers]:
    with Providers() as server:
        server.keys = dict(KEYS)
        yield server
    assert not server.errors, server.errors


def price(name: str, url: str, seconds: float = 5.0):
    return getattr(PRICES, name).model_copy(update={"url": url, "timeout_seconds": seconds})


def made(name: str, url: str, seconds: float = 5.0, key: str | None = None):
    key = KEYS[name] if key is None else key
    match name:
        case "rapidapi":
            return SocialLinks(price(name, url, seconds), key)
        case "perplexity":
            return CompanyIntelligence(price(name, url, seconds), key)
    return PersonaAnalysis(price(name, url, seconds), key, PERSONAS)


PROBES: dict[str, Any] = {}
"""Providers that make requests and send none."""


@pytest.fixture(scope="module", autouse=True)
def _probes() -> Iterator[None]:
    nowhere = "http://127.0.0.1:9"
    PROBES.update({name: made(name, nowhere) for name in KEYS})
    PROBES["batch"] = PersonaBatch(price("openai", nowhere), KEYS["openai"], PERSONAS)
    yield

    async def close() -> None:
        for probe in PROBES.values():
            await probe.close()

    asyncio.run(close())


def ask(name: str, url: str, times: int = 1, seconds: float = 5.0) -> list[Reply]:
    async def run() -> list[Reply]:
        provider = made(name, url, seconds)
        try:
            request = provider.request(QUESTIONS[name])
            return [await provider.send(request, f"call-{each}") for each in range(times)]
        finally:
            await provider.close()

    return asyncio.run(run())


@pytest.mark.parametrize("name", list(KEYS))
def test_every_fault_has_its_outcome_and_the_bill_its_cost(services, name):
    plan = SAME + OWN[name]
    services.faults[name] = [fault for fault, _, _ in plan]

    replies = ask(name, services.urls[name], len(plan))

    assert [reply.outcome for reply in replies] == [outcome for _, outcome, _ in plan]
    billed = {charge.call_id: charge.cost_micros for charge in services.bill(name)}
    most = made_request(name).most_micros
    for at, (reply, (fault, _, is_known)) in enumerate(zip(replies, plan, strict=True)):
        cost = billed.get(f"call-{at}", 0)
        assert reply.cost_micros == (cost if is_known else None), fault
        assert cost <= most, fault
        assert (reply.answer is None) == (reply.outcome != "ok"), fault
        assert (reply.error is None) == (reply.outcome == "ok"), fault
    known = sum(reply.cost_micros or 0 for reply in replies)
    unknown = [f"call-{at}" for at, reply in enumerate(replies) if reply.cost_micros is None]
    assert known + sum(billed.get(each, 0) for each in unknown) == services.total_micros(name)
    assert len(services.asked(name)) == len(plan), "nothing is asked twice"


@pytest.mark.parametrize("name", list(KEYS))
def test_nobody_knows_what_a_call_costs_that_got_no_answer_in_time(services, name):
    services.faults[name] = ["hang_before", "hang_after"]

    async def run() -> list[Reply]:
        provider = made(name, services.urls[name], 0.2)
        request = provider.request(QUESTIONS[name])
        replies = await asyncio.gather(*[provider.send(request, "call") for _ in range(2)])
        await provider.close()
        return replies

    for reply in asyncio.run(run()):
        assert (reply.outcome, reply.cost_micros) == ("lost", None)


def made_request(name: str):
    return PROBES[name].request(QUESTIONS[name])


@pytest.mark.parametrize("name", list(KEYS))
def test_a_service_that_is_not_there_costs_nothing(name):
    [reply] = ask(name, "http://127.0.0.1:9")

    assert (reply.outcome, reply.cost_micros) == ("unavailable", 0)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_what_was_never_sent_is_told_from_what_may_have_arrived(library):
    def ended(error: str, **about: object) -> tuple[str, int | None]:
        async def fail():
            raise getattr(library, error)("x")

        async def fail_in_sdk():
            try:
                await fail()
            except library.HTTPError as cause:
                request = httpx2.Request("POST", "http://a.example")
                raise openai.APIConnectionError(request=request) from cause

        calls = [fail(), fail_in_sdk()]
        replies = [asyncio.run(transport.heard("It", call, 1)) for call in calls]
        assert replies[0] == replies[1]
        return replies[0].outcome, replies[0].cost_micros

    for name in ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"):
        assert ended(name) == ("unavailable", 0)
    for name in ("ReadTimeout", "ReadError", "WriteError", "WriteTimeout", "RemoteProtocolError"):
        assert ended(name) == ("lost", None)
    assert ended("DecodingError") == ("invalid", None)


@pytest.mark.parametrize("name", ["rapidapi", "openai"])
def test_an_answer_that_drips_has_the_same_time_as_another(name):
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            for _ in range(100):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    [reply], seconds = served(drip, name, 0.3)

    assert (reply.outcome, reply.cost_micros) == ("lost", None)
    assert seconds < 1


@pytest.mark.parametrize("name", list(KEYS))
def test_a_redirect_is_not_followed(name):
    asked = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        head = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n"
        writer.write(head + b"connection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    [reply], _ = served(redirect, name, 5)

    assert (reply.outcome, reply.cost_micros, len(asked)) == ("unavailable", 0, 1)


def served(handle, name: str, seconds: float) -> tuple[list[Reply], float]:
    """A call to a server of its own, and how long it took."""

    async def run() -> tuple[list[Reply], float]:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        provider = made(name, f"http://127.0.0.1:{port}", seconds)
        loop = asyncio.get_running_loop()
        started = loop.time()
        reply = await provider.send(provider.request(QUESTIONS[name]), "call")
        taken = loop.time() - started
        await provider.close()
        server.close()
        await asyncio.sleep(0.06)
        return [reply], taken

    return asyncio.run(run())


@pytest.mark.parametrize("name", list(KEYS))
def test_who_stops_waiting_is_let_go(services, name):
    services.faults[name] = "hang_before"

    async def run() -> None:
        provider = made(name, services.urls[name])
        task = asyncio.create_task(provider.send(provider.request(QUESTIONS[name]), "call"))
        await asyncio.to_thread(services.wait_for, 1, name)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await provider.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "999999"}, 3600),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 99 Oct 2015"}, None),
        ({"retry-after": "9" * 400}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers, seconds):
    assert retry_after(headers) == seconds


def test_how_long_to_wait_until_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    far = format_datetime(datetime.now(UTC) + timedelta(days=60), usegmt=True)

    assert 50 < (retry_after({"retry-after": soon}) or 0) <= 60
    assert retry_after({"retry-after": far}) == 3600


@pytest.mark.parametrize("fault", [Fault("rate_limited", retry_after=3)])
def test_a_wait_comes_with_the_reply(services, fault):
    services.faults["openai"] = [fault, Fault("rate_limited", retry_after=0.2, in_ms=True), None]

    waits = [reply.retry_after_seconds for reply in ask("openai", services.urls["openai"], 3)]

    assert waits == [3, 0.2, None]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (402, {}, "out_of_quota"),
        (429, {"error": {"code": "billing_hard_limit_reached"}}, "out_of_quota"),
        (403, {"error": {"type": "insufficient_quota"}}, "out_of_quota"),
        (500, {"error": {"code": "insufficient_quota"}}, "unavailable"),
        (404, {"error": {"code": "model_not_found"}}, "key_refused"),
        (404, {}, "rejected"),
        (405, {}, "rejected"),
        (413, {}, "rejected"),
        (408, {}, "unavailable"),
        (409, {}, "unavailable"),
        (304, {}, "unavailable"),
        (204, {}, "unavailable"),
        (501, {}, "unavailable"),
        (503, {}, "unavailable"),
        (521, {}, "unavailable"),
        (529, {}, "unavailable"),
    ],
)
def test_statuses(status, body, outcome):
    reply = turned_down("It", Heard(status, {}, json.dumps(body).encode()))

    assert (reply.outcome, reply.cost_micros) == (outcome, 0)


@pytest.mark.parametrize("status", [502, 504, 520, 524])
def test_behind_a_gateway_nobody_knows_whether_the_question_came_through(status):
    quota = {"error": {"code": "insufficient_quota"}}
    for body in (b"<html>", json.dumps(quota).encode()):
        reply = turned_down("It", Heard(status, {}, body))

        assert (reply.outcome, reply.cost_micros) == ("lost", None)
        assert reply.error.startswith("It: a gateway lost the answer (")


def test_a_used_up_plan_is_told_from_a_busy_one():
    left = {"x-ratelimit-requests-remaining": "12"}
    none = {"x-ratelimit-requests-remaining": "0"}

    assert turned_down("It", Heard(429, left, b"")).outcome == "rate_limited"
    assert turned_down("It", Heard(429, none, b"")).outcome == "out_of_quota"


@pytest.mark.parametrize("name", list(KEYS))
def test_no_key_and_no_name_is_said_anywhere(services, caplog, name):
    caplog.set_level(logging.DEBUG)
    faults = ["ok", "bad_key", "rate_limited", "cut_after", "malformed_json", "bad_request"]
    services.faults[name] = faults

    replies = ask(name, services.urls[name], len(faults))

    said = "\n".join([caplog.text, repr(PROBES[name]), str(PROBES[name]), repr(replies)])
    assert caplog.text.count("HTTP Request: ") >= 5
    for secret in (*KEYS.values(), NAME, NAME.replace(" ", "+"), NAME.replace(" ", "%20")):
        assert secret not in said
    assert all(KEYS[name] not in call.said for call in services.asked(name))


def test_an_error_is_one_sentence_whatever_the_service_says():
    said = {"error": {"message": "Key sk-proj-c0de of jane@acme.example", "code": "sk-proj-c0de"}}
    for status in (400, 401, 402, 429, 500):
        for body in (said, {"message": "jane@acme.example"}, {"error": "x" * 10_000}):
            reply = turned_down("OpenAI", Heard(status, {}, json.dumps(body).encode()))
            assert re.fullmatch(r"OpenAI: [a-z ',]+ \(\d{3}(, [a-z_]+)?\)\.", reply.error), reply


@pytest.mark.parametrize("key", ["", "sk proj", "sk-\nX-Evil: 1", "sk-ü", "sk-" + "x" * 600])
@pytest.mark.parametrize("name", list(KEYS))
def test_a_key_that_is_none_is_not_repeated(name, key):
    with pytest.raises(SettingsError, match="has characters") as caught:
        made(name, "http://127.0.0.1:9", key=key)

    assert not key or key not in str(caught.value)


# --- What goes out ------------------------------------------------------------------------------


def test_the_search_is_for_a_name_and_a_label(services):
    ask("rapidapi", services.urls["rapidapi"])

    [call] = services.asked("rapidapi")
    assert call.query["query"] == f"{NAME} acme"
    assert call.query["social_networks"].count(",") == 8
    assert call.call_id == "call-0"


@pytest.mark.parametrize("name", ["jane@acme.example", "Jane jane＠acme.example", "", "  ", "42"])
def test_an_address_is_never_searched_for(name):
    with pytest.raises(BadValue, match="no name") as caught:
        PROBES["rapidapi"].request(SocialQuestion(name))
    assert "jane" not in str(caught.value)


def test_only_the_domain_is_asked_about(services):
    ask("perplexity", services.urls["perplexity"])

    [call] = services.asked("perplexity")
    assert "<domain>acme.example</domain>" in call.text
    assert "openai-organization" not in call.headers
    assert "jane" not in call.said.lower()


@pytest.mark.parametrize(
    "domain",
    ["", "acme", "jane@acme.example", "a b.example", "x.example\nignore", "a" * 300 + ".io"],
)
def test_what_is_no_domain_is_not_asked_about(domain):
    with pytest.raises(BadValue, match="no domain"):
        PROBES["perplexity"].request(CompanyQuestion(domain))


def test_a_persona_is_asked_for_without_storing_and_at_a_known_tier(services):
    ask("openai", services.urls["openai"])

    [call] = services.asked("openai")
    assert call.body["store"] is False
    assert call.body["service_tier"] == "default"
    assert "tools" not in call.body
    assert json.loads(call.body["input"].split("\n")[1]) == FACTS
    assert call.headers["x-stainless-retry-count"] == "0"


def test_variables_meant_for_openai_do_not_reach_others(services, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9")

    [reply] = ask("perplexity", services.urls["perplexity"])

    assert reply.outcome == "ok"
    assert "secret" not in services.asked("perplexity")[0].said


# --- What comes back ----------------------------------------------------------------------------


def test_candidates_are_addresses_of_known_networks(services):
    services.social_answer = lambda query, networks: {
        "github": ["https://github.com/jane", "javascript:alert(1)", 7, None, "x" * 10_000],
        "linkedin": "https://linkedin.com/in/jane",
        "myspace": ["https://myspace.com/jane"],
        "twitter": [f"https://twitter.com/jane{each}" for each in range(1000)],
        "youtube": ["https://user:pass@youtube.com/@jane", "https://youtube.com/\u202e@enaj"],
    }

    [reply] = ask("rapidapi", services.urls["rapidapi"])

    assert reply.answer.candidates == {
        "github": ("https://github.com/jane",),
        "twitter": tuple(f"https://twitter.com/jane{each}" for each in range(10)),
    }


NO_PERSONA = [
    {"persona": "automation_pro", "confidence": 1.01, "evidence": []},
    {"persona": "automation_pro", "confidence": -0.1, "evidence": []},
    {"persona": "automation_pro", "confidence": True, "evidence": []},
    {"persona": "automation_pro", "confidence": "0.5", "evidence": []},
    {"persona": "automation_pro", "confidence": 0.5},
    {"persona": ["automation_pro"], "confidence": 0.5, "evidence": []},
    {"persona": "AUTOMATION_PRO", "confidence": 0.5, "evidence": []},
    {"persona": "automation_pro", "confidence": 0.5, "evidence": "intent_score"},
    '{"persona": "automation_pro", "confidence": NaN, "evidence": []}',
    '{"persona": "automation_pro", "confidence": 1e999, "evidence": []}',
    '["automation_pro"]',
    "automation_pro",
    "[" * 700,
]


def test_a_persona_that_is_none_is_paid_for_and_not_taken(services):
    answers = iter(NO_PERSONA)
    services.persona_answer = lambda request: next(answers)

    replies = ask("openai", services.urls["openai"], len(NO_PERSONA))

    assert {reply.outcome for reply in replies} == {"invalid"}
    bill = [charge.cost_micros for charge in services.bill("openai")]
    assert [reply.cost_micros for reply in replies] == bill
    assert all(bill)


def test_evidence_is_of_the_facts_given(services):
    said = {"persona": "automation_pro", "confidence": 1, "evidence": ["recency", "intent_score"]}
    services.persona_answer = lambda request: said

    [reply] = ask("openai", services.urls["openai"])

    assert reply.answer.evidence == ("intent_score",)
    assert reply.model == "gpt-5.4-mini-2026-03-17"
    assert reply.request_id.startswith("req_")


def test_cached_and_thinking_tokens_are_booked(services):
    """The seen part of a prompt is cheaper; thoughts are tokens of the answer."""
    services.reasoning_tokens = 64
    long = {each: persona.model_copy() for each, persona in PERSONAS.items()}
    first = min(long)
    long[first] = long[first].model_copy(update={"description": "Works a lot. " * 400})

    async def run() -> list[Reply]:
        update = {"url": services.urls["openai"], "reasoning_effort": "low"}
        provider = PersonaAnalysis(PRICES.openai.model_copy(update=update), KEYS["openai"], long)
        request = provider.request(QUESTIONS["openai"])
        replies = [await provider.send(request, f"call-{each}") for each in range(2)]
        await provider.close()
        assert all(reply.cost_micros <= request.most_micros for reply in replies)
        return replies

    replies = asyncio.run(run())

    bill = [charge.cost_micros for charge in services.bill("openai")]
    assert [reply.cost_micros for reply in replies] == bill
    assert bill[1] < bill[0] / 2
    assert replies[0].output_tokens > 64


def test_perplexity_without_a_stated_cost_is_booked_by_its_tokens(services):
    services.has_perplexity_cost = False

    [reply] = ask("perplexity", services.urls["perplexity"])

    assert reply.cost_micros == services.total_micros("perplexity") > 5000


@pytest.mark.parametrize(
    ("stated", "micros"),
    [
        *[
            (0.0123, 12_300),
            (0.005234000000000001, 5234),
            (0.0052345, 5235),
            (0, 0),
            (1, 1_000_000),
        ],
        *[(each, 5300) for each in (None, -1, True, "0.1", float("inf"), 10**6, {})],
        (..., 5300),
    ],
)
def test_what_perplexity_says_that_it_costs_is_booked_if_it_can_be(stated, micros):
    usage = {"prompt_tokens": 200, "completion_tokens": 100, "cost": {"total_cost": stated}}

    assert company_reply({"usage": usage}, PRICES.perplexity).cost_micros == micros
    assert company_reply({"usage": {}}, PRICES.perplexity).cost_micros is None
    assert company_reply({"usage": {"prompt_tokens": -1}}, PRICES.perplexity).cost_micros is None


usd = st.decimals(0, 100, places=4).map(float)


@settings(max_examples=40, deadline=None)
@given(st.data(), usd, usd, usd)
def test_no_answer_within_the_limits_costs_more_than_was_reserved(data, given_usd, made_usd, each):
    known = data.draw(st.sets(st.sampled_from(list(FACTS))))
    question = PersonaQuestion({name: FACTS[name] for name in known})
    of_tokens = {"input_usd": given_usd, "output_usd": made_usd}
    model = PRICES.openai.model_copy(
        update=of_tokens | {"cached_input_usd": min(each, given_usd), "max_output_tokens": 900}
    )
    search = PRICES.perplexity.model_copy(update=of_tokens | {"per_call_usd": each})
    for provider, request, share in requests_of(model, search, question):
        size = len(json.dumps(dict(request.body)).encode())
        most = request.body.get("max_output_tokens") or request.body["max_tokens"]
        asked = data.draw(st.integers(0, size))
        answered = data.draw(st.integers(0, most))
        if provider == "openai":
            cached = {"cached_tokens": data.draw(st.integers(0, asked))}
            usage = {"input_tokens": asked, "input_tokens_details": cached}
            body = {"usage": usage | {"output_tokens": answered}}
            reply = persona_reply(body, model, PERSONAS, share=share)
        else:
            body = {"usage": {"prompt_tokens": asked, "completion_tokens": answered}}
            reply = company_reply(body, search)
        assert 0 <= reply.cost_micros <= request.most_micros


def requests_of(model, search, question):
    persona, batch, company = (PROBES[name] for name in ("openai", "batch", "perplexity"))
    persona._price = batch._price = model
    company._price = search
    return [
        ("openai", persona.request(question), 1.0),
        ("openai", batch.request(question), 0.5),
        ("perplexity", company.request(QUESTIONS["perplexity"]), 1.0),
    ]


# --- Without a network, and in batches ----------------------------------------------------------


def test_the_local_provider_is_free_and_pretends_nothing():
    async def run():
        replies = []
        for provider, name in (
            (LocalSocial(), "rapidapi"),
            (LocalCompany(), "perplexity"),
            (LocalPersona(PERSONAS), "openai"),
        ):
            assert provider.name == "local"
            request = provider.request(QUESTIONS[name])
            assert request.most_micros == 0
            replies.append(await provider.send(request, "call"))
            await provider.close()
        unknown = LocalPersona(PERSONAS)
        replies.append(await unknown.send(unknown.request(PersonaQuestion({})), "call"))
        return replies

    social, company, persona, unknown = asyncio.run(run())

    assert all(each.cost_micros == 0 for each in (social, company, persona, unknown))
    assert not social.answer.candidates
    assert not company.answer.facts
    assert (persona.answer.slug, persona.answer.confidence) == ("automation_pro", 0.6)
    assert persona.answer.evidence == ("rule_persona",)
    last = max(PERSONAS.values(), key=lambda each: each.position)
    assert (unknown.answer.slug, unknown.answer.confidence) == (last.slug, last.confidence)
    assert not unknown.answer.evidence


def in_batches(services, run):
    async def with_batch():
        batch = PersonaBatch(
            price("openai", services.urls["openai"], 0.5), KEYS["openai"], PERSONAS
        )
        try:
            return await run(batch)
        finally:
            await batch.close()

    return asyncio.run(with_batch())


def test_a_batch_costs_half_and_is_found_by_its_key(services):
    async def run(batch):
        request = batch.request(QUESTIONS["openai"])
        calls = {f"line-{each}": request for each in range(20)}
        submitted = await batch.submit(calls, "batch-a")
        assert (await batch.find("batch-a")).answer == submitted.answer
        assert (await batch.find("batch-b")).answer is None
        before = (await batch.collect(submitted.answer, calls)).answer
        assert not before.has_ended
        assert not before.replies
        services.batches.advance()
        return (await batch.collect(submitted.answer, calls)).answer

    services.faults["openai.lines"] = ["refusal", "rate_limited", "invalid_json", "bad_request"]
    state = in_batches(services, run)

    assert (state.status, state.has_ended) == ("completed", True)
    outcomes = sorted(reply.outcome for reply in state.replies.values() if reply.outcome != "ok")
    assert outcomes == ["invalid", "rate_limited", "refused", "rejected"]
    assert all(charge.is_batch for charge in services.bill())
    booked = {name: reply.cost_micros for name, reply in state.replies.items() if reply.cost_micros}
    assert booked == {charge.call_id: charge.cost_micros for charge in services.bill()}


@pytest.mark.parametrize("ending", ["expired", "failed"])
def test_a_batch_that_ends_early_answers_for_each_call(services, ending):
    async def run(batch):
        calls = dict.fromkeys(("a", "b", "c", "d"), batch.request(QUESTIONS["openai"]))
        submitted = await batch.submit(calls, "key")
        services.batches.advance()
        return (await batch.collect(submitted.answer, calls)).answer

    services.batches.steps = ["in_progress", ending]
    state = in_batches(services, run)

    done = [reply for reply in state.replies.values() if reply.outcome == "ok"]
    assert len(done) == (2 if ending == "expired" else 0)
    undone = [reply for reply in state.replies.values() if reply.outcome != "ok"]
    assert {(reply.outcome, reply.cost_micros) for reply in undone} == {("unavailable", 0)}
    assert sum(reply.cost_micros for reply in done) == services.total_micros()


def test_a_batch_whose_making_was_lost_is_found(services):
    async def run(batch):
        calls = {"a": batch.request(QUESTIONS["openai"])}
        services.faults["openai.files"] = ["cut_after"]
        assert (await batch.submit(calls, "key")).outcome == "unavailable"
        assert (await batch.find("key")).answer is None
        services.faults["openai.files"] = "ok"
        services.faults["openai.batches"] = ["cut_after"]
        assert (await batch.submit(calls, "key")).outcome == "lost"
        return await batch.find("key")

    found = in_batches(services, run)

    assert found.answer in services.batches.batches


def test_batches_are_listed_page_by_page(services):
    async def run(batch):
        calls = {"a": batch.request(QUESTIONS["openai"])}
        first = await batch.submit(calls, "first")
        for each in range(3):
            await batch.submit(calls, f"later-{each}")
        return first.answer, (await batch.find("first")).answer

    import mi_core.enrichment.providers.openai_batch as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PER_PAGE", 2)
        first, found = in_batches(services, run)

    assert first == found


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("server_error", "unavailable"), ("cut_midway", "lost"), ("bad_key", None)],
)
def test_what_goes_wrong_around_a_batch_is_a_reply(services, fault, outcome):
    async def run(batch):
        submitted = await batch.submit({"a": batch.request(QUESTIONS["openai"])}, "key")
        services.batches.advance()
        services.faults["openai.batches"] = fault
        looks = [await batch.find("key"), await batch.collect(submitted.answer, ["a"])]
        services.faults["openai.batches"] = "ok"
        services.faults["openai.files"] = fault
        return [*looks, await batch.collect(submitted.answer, ["a"])]

    replies = in_batches(services, run)

    assert {reply.outcome for reply in replies} == {outcome or "key_refused"}


def test_lines_of_a_batch_that_nobody_can_read():
    good = {"custom_id": "a", "response": {"status_code": 400, "body": {}}}
    files = [json.dumps(good).encode() + b'\n{"custom_id": "b", "resp', b'{"custom_id": 7}\n[]']

    replies = batch_replies(files, ["a", "b"], PRICES.openai, PERSONAS)

    assert (replies["a"].outcome, replies["a"].cost_micros) == ("rejected", 0)
    assert (replies["b"].outcome, replies["b"].cost_micros) == ("invalid", None)
    assert set(replies) == {"a", "b"}


def test_a_batch_is_one_line_a_call():
    calls = {f"id-{each}": made_request("openai") for each in range(3)}

    lines = [json.loads(line) for line in batch_file(calls).splitlines()]

    assert [line["custom_id"] for line in lines] == list(calls)
    assert {(line["method"], line["url"]) for line in lines} == {("POST", "/v1/responses")}
    in_batches_only = PROBES["batch"].request(QUESTIONS["openai"])
    assert "service_tier" not in in_batches_only.body
    assert in_batches_only.most_micros <= calls["id-0"].most_micros / 2 + 1


@pytest.mark.parametrize("calls", [0, 50_001])
def test_a_batch_has_its_bounds(calls):
    request = PROBES["batch"].request(QUESTIONS["openai"])
    too_many = {str(each): request for each in range(calls)}

    with pytest.raises(BadValue, match="1 to 50000"):
        asyncio.run(PROBES["batch"].submit(too_many, "key"))


# --- The model ----------------------------------------------------------------------------------

REVIEWED = date(2026, 11, 25)
"""When the choice of the model was last looked at; later with each look."""


def shutdowns() -> dict[str, date]:
    """Models by the day that OpenAI ends them, as the installed client says."""
    text = " ".join(inspect.getsource(chat_model).split())
    announced = re.findall(r'- ("[^:]+"): Announced shutdown date: (\d{4}-\d\d-\d\d)', text)
    return {
        name: date.fromisoformat(day)
        for names, day in announced
        for name in re.findall(r'"([^"]+)"', names)
    }


def test_the_model_is_not_about_to_end():
    ends, model = shutdowns(), PRICES.openai.model

    assert ends["gpt-5-mini"] < REVIEWED + timedelta(days=90), "an end within 90 days is noticed"
    assert model in get_args(chat_model.ChatModel)
    assert ends.get(model, date.max) > REVIEWED + timedelta(days=90)
