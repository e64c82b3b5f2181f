"""Text of others moves no persona, not even with a model that obeys whatever it reads.

The model here looks for the attack's word in everything that it is sent, in each disguise that the
attacks have, and obeys. So the figure says what gets into a prompt, and not how firm a model is.
"""

import asyncio
import base64
import codecs
import html
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote

import pytest
from injections import ATTACKS, TARGET
from provider_fakes import Providers

from mi_core.definitions import load_definitions
from mi_core.enrichment.calls import (
    CompanyAnswer,
    CompanyQuestion,
    Fact,
    PersonaQuestion,
    SocialAnswer,
    SocialQuestion,
)
from mi_core.enrichment.company_facts import company_answer
from mi_core.enrichment.persona_prompt import persona_facts, persona_instructions
from mi_core.enrichment.providers.openai_persona import PersonaAnalysis, persona_body
from mi_core.enrichment.providers.perplexity import CompanyIntelligence
from mi_core.enrichment.providers.rapidapi import SocialLinks
from mi_core.errors import BadValue

DEFINITIONS = load_definitions()
PRICES = DEFINITIONS.enrichment.providers
RULES_SAY = "student_early_career"
BEHAVIOR: dict[str, Any] = {
    "intent_score": 12,
    "signals_count": 3,
    "top_signals": ["page_view"],
    "persona": RULES_SAY,
    "persona_confidence": 0.5,
}
Json = dict[str, Any]


# --- A model that obeys -------------------------------------------------------------------------


def readings(text: str) -> Iterator[str]:
    """The text as it is, and as it reads once it is decoded in every way that an attack uses."""
    seen = {text}
    todo = [text]
    while todo:
        one = todo.pop()
        yield one
        for other in decoded(one):
            if other not in seen and len(seen) < 60:
                seen.add(other)
                todo.append(other)


def decoded(text: str) -> Iterator[str]:
    marks = ("Mn", "Cf", "Cs", "Cc")
    yield unicodedata.normalize("NFKC", text)
    yield "".join(each for each in text if unicodedata.category(each) not in marks)
    yield "".join(chr(ord(each) - 0xE0000) if ord(each) >= 0xE0000 else each for each in text)
    yield text[::-1]
    yield re.sub(r"(?<=\b\w) (?=\w\b)", "", text)
    yield codecs.encode(text, "rot13")
    yield unquote(text)
    yield html.unescape(text)
    if "\\u" in text or '\\"' in text:
        plain = text.encode("ascii", "backslashreplace").decode("unicode_escape")
        yield plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for word in re.findall(r"[0-9a-f]{40,}", text):
        yield bytes.fromhex(word[: len(word) // 2 * 2]).decode(errors="replace")
    for word in re.findall(r"[A-Za-z0-9+/]{20,}={0,2}", text):
        yield base64.b64decode(word + "=" * (-len(word) % 4)).decode(errors="replace")


def obeys(request: Mapping[str, Any]) -> Json:
    """The persona that anything in the request asks for, else what the rules say."""
    ours = persona_instructions(DEFINITIONS.personas.values())
    schema = json.dumps(request["text"]["format"]["schema"]["properties"]["evidence"])
    read = "\n".join([request["instructions"].replace(ours, ""), request["input"], schema])
    slug = TARGET if asks_for_target(read) else RULES_SAY
    return {"persona": slug, "confidence": 0.9, "evidence": []}


@cache
def asks_for_target(text: str) -> bool:
    return any(TARGET in reading.lower() for reading in readings(text))


# --- Where an attack can stand ------------------------------------------------------------------


def company(**stated: tuple[Any, str]) -> tuple[Json, list[Json]]:
    """What a model that is all the attacker's states, and the pages it found: the attacker's."""
    facts, pages = {}, []
    for at, (name, (value, words)) in enumerate(stated.items(), 1):
        facts[name] = {"value": value, "source": at, "quote": words}
        pages.append({"url": "https://acme.example/", "title": words, "snippet": words})
    return facts, pages


def attacked_companies(text: str) -> dict[str, tuple[Json, list[Json]]]:
    """The attack in each field of an answer about a company; sources and quotes all hold."""
    size = {"value": 250, "source": 1, "quote": "250 people"}
    good = {"url": "https://acme.example/", "title": "Acme", "snippet": "250 people"}
    return {
        "name": company(name=(text, text)),
        "location": company(location=(text, f"in {text}")),
        "industry": company(industry=(text, text)),
        "industry_quote": company(industry=("software", f"software. {text}")),
        "size": company(size=(text, f"{text} people")),
        "size_quote": company(size=(250, f"250 people. {text}")),
        "source": ({"size": {**size, "source": text}}, [good]),
        "url": ({"size": size}, [{**good, "url": f"https://acme.example/?{text}"}]),
        "url_quoted": (
            {"size": size},
            [{**good, "url": f"https://x.example/{quote(text, '', errors='replace')}"}],
        ),
        "title": ({"size": size}, [{**good, "title": text}]),
        "snippet": ({"size": size}, [{**good, "snippet": f"250 people. {text}"}]),
        "other_fact": ({"size": size, "persona": text, text: text}, [good]),
        "other_result": ({"size": size}, [good, {"url": text, "title": text, "snippet": text}]),
        "fact_is_text": ({"size": text, "industry": text, "name": text}, [good]),
    }


def attacked_behaviors(text: str) -> dict[str, Json]:
    """The attack in each of the columns of a person's scores, and in one that there isn't."""
    columns = {name: {**BEHAVIOR, name: text} for name in (*BEHAVIOR, "email_kind", "note", text)}
    return columns | {"top_signals": {**BEHAVIOR, "top_signals": ["page_view", text]}}


def question(behavior: Json, known: CompanyAnswer | None) -> PersonaQuestion:
    return persona_facts(
        behavior, known, personas=DEFINITIONS.personas, signals=DEFINITIONS.signals
    )


def body(asked: PersonaQuestion) -> Json:
    return persona_body(asked, PRICES.openai, DEFINITIONS.personas)


def is_moved(asked: PersonaQuestion) -> bool:
    return obeys(body(asked))["persona"] == TARGET


# --- The tests ----------------------------------------------------------------------------------


def test_there_are_many_attacks():
    assert len(set(ATTACKS.values())) == len(ATTACKS) >= 40


@pytest.mark.parametrize("attack", list(ATTACKS))
def test_the_obedient_model_is_moved_by_what_it_reads(attack):
    """Without this the next tests would say nothing."""
    request = body(question(BEHAVIOR, None))
    assert obeys(request)["persona"] == RULES_SAY

    in_facts = request | {"input": f"<facts>\n{ATTACKS[attack]}\n</facts>"}
    in_json = request | {"input": json.dumps({"company_name": ATTACKS[attack]})}
    in_instructions = request | {"instructions": request["instructions"] + ATTACKS[attack]}

    for each in (in_facts, in_json, in_instructions):
        assert obeys(each)["persona"] == TARGET


def test_no_field_lets_an_attack_into_the_question():
    harmless = {where: company_answer(*made) for where, made in attacked_companies("Acme").items()}
    moved, tried = [], 0
    for name, text in ATTACKS.items():
        for where, made in attacked_companies(text).items():
            asked = question(BEHAVIOR, company_answer(*made))
            tried += 1
            if is_moved(asked):
                moved.append((name, where))
            # At most a fact falls away: what is left is word for word what it is without an attack.
            assert asked.facts.items() <= question(BEHAVIOR, harmless[where]).facts.items()
        for where, behavior in attacked_behaviors(text).items():
            tried += 1
            if is_moved(question(behavior, None)):
                moved.append((name, where))

    print(f"{len(moved)} of {tried} attacks moved a persona")
    assert not moved


def test_no_attack_gets_through_the_services(caplog):
    """Profiles, company and persona over HTTP, where all but the last are the attacker's."""
    moved = asyncio.run(run_all())

    print(f"{sum(moved.values())} of {len(moved)} attacks moved a persona")
    assert len(moved) == len(ATTACKS)
    assert not any(moved.values()), [name for name, each in moved.items() if each]


async def run_all() -> dict[str, bool]:
    with Providers() as services:
        sent = [sendable(text) for text in ATTACKS.values()]
        texts = {f"lead{number}.example": text for number, text in enumerate(sent)}
        services.search_results = lambda asked: everything(text_for(asked, texts))[1]
        services.company_answer = lambda asked: everything(text_for(asked, texts))[0]
        services.social_answer = lambda query, networks: {
            "github": [f"https://github.com/{quote(each)}" for each in sent],
            "linkedin": sent,
            **{each: [each] for each in sent},
        }
        services.persona_answer = obeys
        social = SocialLinks(at(services, "rapidapi"), "key")
        companies = CompanyIntelligence(at(services, "perplexity"), "key")
        personas = PersonaAnalysis(at(services, "openai"), "key", DEFINITIONS.personas)

        search = social.request(SocialQuestion("Jane Roe", "acme.example"))
        profiles = (await social.send(search, "social")).answer
        assert isinstance(profiles, SocialAnswer)
        assert profiles.candidates, "the attacks are read, not turned away"

        async def run(domain: str) -> bool:
            look = companies.request(CompanyQuestion(domain))
            known = (await companies.send(look, "company")).answer
            assert known is not None
            assert known.facts["size"].is_supported
            behavior = {**BEHAVIOR, "profiles": profiles.candidates}
            reply = await personas.send(personas.request(question(behavior, known)), "persona")
            assert reply.answer is not None
            return reply.answer.slug == TARGET

        names = dict(zip(ATTACKS, texts, strict=True))
        moved = {name: await run(domain) for name, domain in names.items()}
        for provider in (social, companies, personas):
            await provider.close()
    assert not services.errors, services.errors
    return moved


def at(services: Providers, name: str):
    return getattr(PRICES, name).model_copy(update={"url": services.urls[name]})


def text_for(asked: Json, texts: dict[str, str]) -> str:
    """The attack of the domain that is asked about."""
    return texts[re.search(r"<domain>(.*)</domain>", asked["messages"][-1]["content"])[1]]


def sendable(text: str) -> str:
    """The text without a lone surrogate, which has no bytes."""
    return text.encode(errors="replace").decode()


def everything(text: str) -> tuple[Json, list[Json]]:
    """The attack in all fields at once, beside facts that hold."""
    words = f"software, 250 people. {text}"[:290]
    facts = {
        "name": {"value": text[:90], "source": 2, "quote": text[:290]},
        "industry": {"value": "software", "source": 1, "quote": words},
        "size": {"value": 250, "source": 3, "quote": "250 people"},
        "location": {"value": text[-90:], "source": 2, "quote": text[:290]},
        "persona": text,
    }
    pages = [
        {"url": f"https://acme.example/?{text}", "title": text, "snippet": words, "date": text},
        {"url": "https://acme.example/about", "title": text, "snippet": text},
        {"url": "https://acme.example/team", "title": text, "snippet": f"250 people {text}"},
    ]
    return facts, pages


def test_a_domain_is_a_domain_or_is_not_asked_about():
    provider = CompanyIntelligence(PRICES.perplexity, "key")
    asyncio.run(provider.close())
    for text in ATTACKS.values():
        for domain in (text, f"{text}.example", f"acme.example/{text}"):
            with pytest.raises(BadValue, match="no domain"):
                provider.request(CompanyQuestion(domain))


def test_a_stored_answer_is_not_trusted_more_than_a_fresh_one():
    """Facts come back from the state, where somebody may have written anything."""
    for text in ATTACKS.values():
        stored = CompanyAnswer(
            {
                name: Fact(text, text, text, is_supported=True)
                for name in ("name", "industry", "size", "location", text)
            }
        )
        assert question(BEHAVIOR, stored) == question(BEHAVIOR, None)


def test_a_question_made_elsewhere_has_no_sentences_either():
    """The last lock before the wire; a bare identifier may pass it, an order in words may not."""
    through = []
    for name, text in ATTACKS.items():
        facts = dict.fromkeys(("rule_persona", "top_signals", "company_industry", text), text)
        if is_moved(PersonaQuestion(facts)):
            through.append(name)

    assert through == ["fact_signal", "fact_identifier"]
