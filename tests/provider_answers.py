"""What the fakes of paid services answer by default: the same to the same question."""

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]

PERSONAS = (
    "automation_pro",
    "tech_entrepreneur",
    "creative_transition",
    "corporate_executive",
    "networking_enthusiast",
    "student_early_career",
)
PROFILE = {
    "facebook": "https://www.facebook.com/{}",
    "tiktok": "https://www.tiktok.com/@{}",
    "instagram": "https://www.instagram.com/{}",
    "snapchat": "https://www.snapchat.com/add/{}",
    "twitter": "https://twitter.com/{}",
    "youtube": "https://www.youtube.com/@{}",
    "linkedin": "https://www.linkedin.com/in/{}",
    "github": "https://github.com/{}",
    "pinterest": "https://www.pinterest.com/{}",
}
PLACES = ("Berlin, Germany", "Austin, Texas", "Lyon, France", "Osaka, Japan", "Leeds, England")
TRADES = ("software", "retail", "manufacturing", "healthcare", "education")


def number_of(text: str) -> int:
    return zlib.crc32(text.encode())


def social_answer(query: str, networks: Sequence[str]) -> dict[str, list[str]]:
    """Handles that carry the name asked for, and others' as a search by name finds them too.

    The right one isn't always the first. Nobody is on Snapchat: a network may have no links.
    """
    words = re.findall(r"\w+", query.lower())[:2] or ["nobody"]
    found = {}
    for network in networks:
        if network not in PROFILE:
            continue
        between = "-" if network in ("linkedin", "github") else ""
        handles = [between.join(words), f"{words[0]}{number_of(query) % 900 + 100}", "john-doe-42"]
        if number_of(query + network) % 2:
            handles.reverse()
        links = [PROFILE[network].format(quote(handle)) for handle in handles]
        found[network] = [] if network == "snapchat" else links
    return found


def texts_of(content: Any) -> Iterator[str]:
    """The texts of messages of either API, whatever their nesting."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for item in content:
            yield from texts_of(item)
    elif isinstance(content, dict):
        yield from texts_of(content.get("text", content.get("content", "")))


def user_text(messages: Any) -> str:
    """What the user said last, of `messages` of Perplexity or `input` of OpenAI."""
    if isinstance(messages, list):
        messages = [each for each in messages if each.get("role") == "user"][-1:]
    return "\n".join(texts_of(messages))


def choices(schema: Any, *path: str) -> list[str]:
    """The texts that a JSON schema admits at a path of properties; empty if it doesn't say."""
    definitions = schema.get("$defs", {}) if isinstance(schema, dict) else {}

    def unwrapped(part: Any) -> Json:
        while isinstance(part, dict) and "$ref" in part:
            part = definitions[part["$ref"].rsplit("/", 1)[-1]]
        return part if isinstance(part, dict) else {}

    parts = [unwrapped(schema)]
    for step in path:
        parts = [
            unwrapped(part["items"] if step == "[]" else part["properties"][step])
            for each in parts
            for part in [each, *map(unwrapped, each.get("anyOf", []))]
            if ("items" in part if step == "[]" else step in part.get("properties", {}))
        ]
    parts += [unwrapped(option) for part in parts for option in part.get("anyOf", [])]
    values = [value for part in parts for value in [*part.get("enum", []), part.get("const")]]
    return [value for value in values if isinstance(value, str)]


def company(request: Mapping[str, Any]) -> tuple[list[Json], Json]:
    """What the web says of the domain asked about, and the facts found in it with their quotes."""
    asked = user_text(request.get("messages", ""))
    found = re.search(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", asked.lower())
    domain = found[0] if found else "nowhere.example"
    number = number_of(domain)
    schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
    industries = choices(schema, "industry", "value") or list(TRADES)
    industry = industries[number % len(industries)]
    name = domain.split(".")[-2].replace("-", " ").title()
    size, place = 10 + number % 5000, PLACES[number % len(PLACES)]

    quotes = {
        "name": (1, name, f"{name} was founded by two friends"),
        "industry": (1, industry, f"works in {industry}"),
        "size": (2, size, f"{size} employees"),
        "location": (2, place, f"headquarters in {place}"),
    }
    pages = [
        (
            f"About {name}",
            f"https://www.{domain}/about",
            f"{{name}}. It {{industry}}. {name} is fun.",
        ),
        (f"{name} - profile", f"https://profiles.example/{domain}", "{size}, with {location}."),
        ("Ten to watch", "https://news.example/ten-to-watch", "These ten are on everybody's lips."),
    ]
    said = {fact: words for fact, (_, _, words) in quotes.items()}
    results = [
        {
            "title": title,
            "url": url,
            "date": "2026-03-02",
            "last_updated": "2026-05-20",
            "snippet": snippet.format(**said),
            "source": "web",
        }
        for title, url, snippet in pages
    ]
    facts = {
        fact: {"value": value, "source": source, "quote": words}
        for fact, (source, value, words) in quotes.items()
    }
    return results, facts


def search_results(request: Mapping[str, Any]) -> list[Json]:
    return company(request)[0]


def company_answer(request: Mapping[str, Any]) -> Json | str:
    """Each fact with the number of the page that says it, counted from 1, and its words there."""
    return company(request)[1]


def facts_in(text: str) -> Json:
    """The first JSON object in a text, or what it calls `facts`."""
    decoder = json.JSONDecoder()
    for opening in re.finditer(r"\{", text):
        try:
            found, _ = decoder.raw_decode(text, opening.start())
        except json.JSONDecodeError:
            continue
        inner = found.get("facts", found)
        return inner if isinstance(inner, dict) else found
    return {}


def persona_answer(request: Mapping[str, Any]) -> Json | str:
    facts = facts_in(user_text(request.get("input", "")))
    schema = request.get("text", {}).get("format", {}).get("schema", {})
    slugs = choices(schema, "persona") or list(PERSONAS)
    known = choices(schema, "evidence", "[]")
    number = number_of(json.dumps(facts, sort_keys=True))
    return {
        "persona": slugs[number % len(slugs)],
        "confidence": (50 + number % 50) / 100,
        "evidence": [fact for fact in facts if not known or fact in known][:2],
    }
