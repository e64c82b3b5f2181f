"""Which of the facts that a model states of a company its own search results bear out.

A fact is supported where it names one of the results, quotes words that stand in this result's
snippet or title, and has a value that the quote says. What isn't supported is kept, marked, and
kept out of every prompt. What is no fact at all, by its type or its characters, is dropped.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from mi_core.enrichment.calls import CompanyAnswer, Fact
from mi_core.enrichment.industries import INDUSTRIES
from mi_core.enrichment.untrusted import count, mapping, plain_text, web_address

FACTS = ("name", "industry", "size", "location")
MOST_PEOPLE = 10_000_000
LONGEST_VALUE = 100
LONGEST_SNIPPET = 300
_LONGEST_RESULT = 20_000

_PEOPLE = re.compile(
    r"\b(employ|people|person|staff|team|worker|workforce|headcount|fte|company size"
    r"|mitarbeit|beschäftigt|collaborateur|salarié|emplead|dipendent|medewerker)"
)
_NUMBER = re.compile(
    r"(?<![\w.,$€£])(?<![$€£] )"
    r"([0-9]{1,3}(?:[ ,.'’][0-9]{3})+(?![0-9])|[0-9]{1,9}(?:[.,][0-9]{1,3})?(?![0-9]))"
    r"(?: ?(k|tsd|thousand|m|mio|million)\b)?+"
    r"(?! ?[%$€£])"
)
_TIMES = {"k": 1e3, "tsd": 1e3, "thousand": 1e3, "m": 1e6, "mio": 1e6, "million": 1e6}


def company_answer(stated: Mapping[str, Any], results: object) -> CompanyAnswer:
    """The facts in `stated`, each checked against the search results that came with it."""
    pages = results if isinstance(results, list) else []
    facts = {name: _fact(name, mapping(stated.get(name)), pages) for name in FACTS}
    return CompanyAnswer({name: fact for name, fact in facts.items() if fact is not None})


def _fact(name: str, stated: Mapping[str, Any], pages: Sequence[object]) -> Fact | None:
    value = _value(name, stated.get("value"))
    if value is None:
        return None
    page = _page(stated.get("source"), pages)
    url = web_address(page.get("url"))
    quote = plain_text(stated.get("quote"), LONGEST_SNIPPET)
    is_found = url is not None and quote is not None and _stands_in(quote, page)
    return Fact(value, url, quote, is_found and says(name, value, quote or ""))


def _value(name: str, value: object) -> str | int | None:
    """A value of the fact's type, within its bounds."""
    if name == "size":
        people = count(value)
        return people if people is not None and 1 <= people <= MOST_PEOPLE else None
    text = plain_text(value, LONGEST_VALUE)
    return None if name == "industry" and text not in INDUSTRIES else text


def _page(source: object, pages: Sequence[object]) -> Mapping[str, Any]:
    """The search result that is meant, counted from 1; an empty one where there is none."""
    position = count(source)
    return mapping(pages[position - 1]) if position and position <= len(pages) else {}


def _stands_in(quote: str, page: Mapping[str, Any]) -> bool:
    texts = (page.get("snippet"), page.get("title"))
    parts = [normal(text[:_LONGEST_RESULT]) for text in texts if isinstance(text, str)]
    return any(normal(quote) in part for part in parts)


def says(name: str, value: str | int, quote: str) -> bool:
    """Whether the quote says the value, and not something else.

    A size must be in it as a number, or lie within a range of numbers ("51-200", ends included),
    beside a word for people. Names and places must have all their words in it, but for legal forms.
    An industry of our list stands in no text as such: one of its words must.
    """
    if isinstance(value, int):
        return _PEOPLE.search(normal(quote)) is not None and _counts(value, quote)
    if name == "industry":
        sentence = f" {' '.join(_words(quote))} "
        return any(f" {beginning}" in sentence for beginning in INDUSTRIES[value])
    wanted = set(_words(value))
    wanted = wanted - _LEGAL_FORMS or wanted
    has_words = bool(wanted) and wanted <= set(_words(quote))
    # Not every script has spaces between words.
    return has_words or (not value.isascii() and normal(value) in normal(quote))


def _counts(people: int, quote: str) -> bool:
    text = normal(quote)
    found = list(_NUMBER.finditer(text))
    ranges = [
        (_amount(low), _amount(high))
        for low, high in pairwise(found)
        if re.fullmatch(r" ?(-|–|—|to|bis|and|à) ?", text[low.end() : high.start()])
    ]
    return people in map(_amount, found) or any(low <= people <= high for low, high in ranges)


def _amount(number: re.Match[str]) -> float:
    """`10,000`, `10.000`, `10 000`, `10k` and `1.5 million` as figures."""
    digits, unit = number.groups()
    if unit is None and re.search(r"[ ,.'’][0-9]{3}(?![0-9])", digits):
        return float(re.sub("[^0-9]", "", digits))
    return round(float(re.sub("[^0-9.]", "", digits.replace(",", "."))) * _TIMES.get(unit, 1), 3)


def normal(text: str) -> str:
    """Letters as they compare: one form of each, lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normal(text))


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LEGAL_FORMS = _set("""
    ab ag as bv co company corp corporation gmbh group holding inc incorporated kg limited llc llp
    ltd nv oy plc pty sa sarl sas se spa srl the ug
""")
"""Words that a name has, or goes without."""
