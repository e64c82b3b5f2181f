"""Three paid services on this machine, as they are on the wire: social links, Perplexity, OpenAI.

One real HTTP server, so that connections can be cut and can hang, and so that several processes can
ask it. It keeps a bill of its own, by which a ledger can be checked, and a log of what was asked.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import provider_openai
import provider_wire as wire
import pytest
from provider_answers import Json, company_answer, persona_answer, search_results, social_answer
from provider_batches import Batches
from provider_faults import REFUSED, Fault, Faults
from provider_http import Call, Server
from provider_wire import Answer, Charge

Hook = Callable[[str, Call], None]


class Providers:
    """The three services. Answers, prices, latency, faults and hooks can be set at any time."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.prices = wire.Prices()
        self.latency_seconds = 0.0
        self.keys: dict[str, str] = {}  # by service; without an entry any key will do
        self.limits: dict[str, tuple[int, float]] = {}  # by service: calls in seconds, then 429
        self.before_work: Hook | None = None  # a call came, and nothing is billed
        self.before_answer: Hook | None = None  # all is done and billed, and nothing is sent
        self.social_answer: Callable[[str, Sequence[str]], Any] = social_answer
        self.search_results: Callable[[Json], list[Json]] = search_results
        self.company_answer: Callable[[Json], Json | str] = company_answer
        self.persona_answer: Callable[[Json], Json | str] = persona_answer
        self.has_perplexity_cost = True  # older answers don't say what they cost
        self.reasoning_tokens = 0  # that a model thinks where it is asked for an effort
        self.batches = Batches(self._run_line)
        self.calls: list[Call] = []
        self.errors: list[BaseException] = []  # mistakes of a test's own functions
        self._bill: list[Charge] = []
        self._cache = provider_openai.PromptCache()
        self._recent: dict[str, deque[float]] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self.stopping = threading.Event()
        self._server = Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))

    def __enter__(self) -> "Providers":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        stuck = self._server.let_go()
        assert not stuck, f"{stuck} calls are still held by a hook"

    @property
    def urls(self) -> dict[str, str]:
        """The base URL of each service."""
        root = f"http://127.0.0.1:{self._server.server_port}"
        paths = {"rapidapi": "/social", "perplexity": "/perplexity", "openai": "/openai/v1"}
        return {service: root + path for service, path in paths.items()}

    # --- What was asked and billed --------------------------------------------------------------

    def bill(self, service: str | None = None) -> list[Charge]:
        with self._lock:
            return [each for each in self._bill if service in (None, each.service)]

    def total_micros(self, service: str | None = None) -> int:
        return sum(charge.cost_micros for charge in self.bill(service))

    def asked(self, endpoint: str | None = None) -> list[Call]:
        """Calls so far, those under way too."""
        with self._lock:
            return [call for call in self.calls if endpoint in (None, call.endpoint)]

    def most_at_once(self, endpoint: str | None = None) -> int:
        """How many calls were under way at the same time."""
        calls = self.asked(endpoint)
        ends = [(call.ended_at if call.ended_at is not None else float("inf")) for call in calls]
        events = sorted([(call.started_at, 1) for call in calls] + [(end, -1) for end in ends])
        now = most = 0
        for _, change in events:
            now += change
            most = max(most, now)
        return most

    def wait_for(self, calls: int, endpoint: str | None = None, seconds: float = 10) -> list[Call]:
        """Wait until so many calls have come."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.asked(endpoint)) >= calls, seconds)
        assert came, f"{len(self.asked(endpoint))} calls came, not {calls}"
        return self.asked(endpoint)

    # --- One call -------------------------------------------------------------------------------

    def take(self, call: Call) -> Fault:
        with self._lock:
            self.calls.append(call)
        with self._changed:
            self._changed.notify_all()
        fault = self.faults.next(call.endpoint, call)
        call.fault = fault.kind
        if self.before_work:
            self.before_work(call.service, call)
        extra = fault.seconds if fault.kind == "slow" else 0
        if seconds := self.latency_seconds + extra:
            self.stopping.wait(seconds)
        return fault

    def answer(self, call: Call, fault: Fault, raw: bytes) -> Answer:
        """Do the work and bill it, or refuse."""
        answer = self._refusal(call, fault) or self._work(call, fault, raw)
        if answer.cost is not None and 200 <= answer.status < 300:
            self._charge(call, answer.cost)
        if fault.kind == "html":
            answer = wire.failure(call.service, "html", fault.status)
        elif fault.kind == "malformed_json":
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        return answer

    def _refusal(self, call: Call, fault: Fault) -> Answer | None:
        if fault.kind in REFUSED or (fault.kind == "html" and fault.status >= 400):
            answer = wire.failure(call.service, fault.kind, fault.status)
            answer.headers.update(fault.headers)
            return answer
        if call.service in self.limits and not self._is_within_limit(call):
            answer = wire.failure(call.service, "rate_limited", 429)
            answer.headers["retry-after"] = f"{self.limits[call.service][1]:g}"
            return answer
        return None

    def _is_within_limit(self, call: Call) -> bool:
        calls, seconds = self.limits[call.service]
        with self._lock:
            recent = self._recent.setdefault(call.service, deque())
            while recent and recent[0] <= call.started_at - seconds:
                recent.popleft()
            recent.append(call.started_at)  # calls over the limit count as well
            return len(recent) <= calls

    def _charge(self, call: Call, cost: Json) -> None:
        with self._lock:
            call.cost_micros = cost["cost_micros"]
            self._bill.append(Charge(call.service, call.call_id, **cost))

    def _work(self, call: Call, fault: Fault, raw: bytes) -> Answer:
        if not call.has_key:
            return wire.failure(call.service, "bad_key", 401)
        if call.endpoint == "rapidapi":
            return self._social(call, fault)
        if call.endpoint == "perplexity":
            return self._company(call, fault)
        return self._openai(call, fault, raw)

    def _social(self, call: Call, fault: Fault) -> Answer:
        hosts = (wire.RAPIDAPI_HOST, call.headers.get("host"))
        if call.path != "/search-social-links":
            return wire.rapidapi_error(404, f"Endpoint '{call.path}' does not exist")
        if call.headers.get("x-rapidapi-host") not in hosts:
            return wire.rapidapi_error(400, "Invalid x-rapidapi-host")
        if not call.query.get("query"):
            error = {"message": "Missing query parameter: query", "code": 400}
            return Answer.of(400, {"status": "ERROR", "request_id": "-", "error": error})
        networks = call.query.get("social_networks") or "facebook,instagram,twitter,linkedin"
        data = self.social_answer(call.query["query"], networks.split(","))
        if fault.kind == "invalid_json":
            data = []
        cost = {"cost_micros": self.prices.social_call}
        return Answer.of(200, wire.social_body(data), cost)

    def _company(self, call: Call, fault: Fault) -> Answer:
        if (call.method, call.path) != ("POST", "/chat/completions"):
            return wire.perplexity_error(404, "Not found", "not_found")
        if not isinstance(call.body, dict):
            return wire.perplexity_error(400, "The body is no JSON object.", "bad_request")
        if problem := wire.perplexity_problem(call.body, self.prices):
            return problem
        content = self.company_answer(call.body)
        if fault.kind == "unknown_slug" and isinstance(content, dict):
            content = content | {"industry": {**content.get("industry", {}), "value": "wizardry"}}
        text = _text(content, fault)
        if fault.kind == "refusal":
            text = "I'm sorry, but I can't help with that."
        return wire.perplexity_answer(
            call.body,
            text,
            self.search_results(call.body),
            self.prices,
            cut_off=fault.kind == "cut_off",
            with_cost=self.has_perplexity_cost,
        )

    def _persona(self, request: Json, fault: Fault, is_batch: bool = False) -> Answer:
        if not isinstance(request, dict):
            return wire.openai_error(400, "We could not parse the JSON body of your request.")
        if problem := provider_openai.problem(request, self.prices):
            return problem
        content = self.persona_answer(request)
        if fault.kind == "unknown_slug":
            content = {"persona": "growth_wizard", "confidence": 0.9, "evidence": []}
        return provider_openai.answer(
            request,
            _text(content, fault),
            self.prices,
            self._cache,
            kind=fault.kind,
            reasoning_tokens=self.reasoning_tokens,
            is_batch=is_batch,
        )

    def _run_line(self, line: Json) -> Answer:
        """A line of a batch: logged, failing and billed as a call is."""
        body, name = line["body"], line["custom_id"]
        path, text = line["url"].removeprefix("/v1"), json.dumps(body)
        call = Call("openai", "openai.lines", "POST", path, {}, {}, text, body, name)
        with self._lock:
            self.calls.append(call)
        fault = self.faults.next(call.endpoint, call)
        call.fault = fault.kind
        answer = self._refusal(call, fault) if fault.kind in REFUSED else None
        answer = answer or self._persona(body, fault, is_batch=True)
        if answer.cost is not None and answer.status == 200:
            self._charge(call, answer.cost)
        call.status, call.ended_at = answer.status, time.monotonic()
        return answer

    def _openai(self, call: Call, fault: Fault, raw: bytes) -> Answer:
        match call.method, call.path.strip("/").split("/"):
            case "POST", ["responses"]:
                return self._persona(call.body, fault)
            case "POST", ["files"]:
                return self.batches.upload(call.headers["content-type"], raw)
            case "GET", ["files", number]:
                return self.batches.file(number)
            case "DELETE", ["files", number]:
                return self.batches.file(number, delete=True)
            case "GET", ["files", number, "content"]:
                return self.batches.file(number, content=True)
            case "POST", ["batches"]:
                return self.batches.create(call.body)
            case "GET", ["batches"]:
                limit = int(call.query.get("limit", 20))
                return self.batches.listed(limit, call.query.get("after"))
            case "GET", ["batches", number]:
                return self.batches.look(number)
            case "POST", ["batches", number, "cancel"]:
                return self.batches.cancel(number)
        return wire.openai_error(404, f"Invalid URL ({call.method} /v1{call.path})")


def _text(content: Json | str, fault: Fault) -> str:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return text[: len(text) // 2] if fault.kind == "invalid_json" else text


@pytest.fixture
def providers() -> Iterator[Providers]:
    """The three services, for one test."""
    with Providers() as server:
        yield server
    assert not server.errors, server.errors
