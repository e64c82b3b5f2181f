"""The wrong-person guard: which of the profiles that a search by name found are the lead's own.

Such a search answers with somebody of that name, whoever it is. A link is kept where the handle of
the profile repeats something that the address says too. Whatever is no profile on the network's own
hosts is dropped, and what is kept is written anew from network and handle, so that nothing else of
a found URL goes further.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal
from unicodedata import combining, normalize
from urllib.parse import quote, unquote, urlsplit

from mi_core.enrichment.address import is_role
from mi_core.enrichment.decoys import FIRST_NAMES, LAST_NAMES
from mi_core.errors import UnknownName

Agreement = Literal["handle", "name_and_company", "name"]
AGREEMENTS: tuple[Agreement, ...] = ("handle", "name_and_company", "name")
"""From the one that says most to the one that says least."""

LONGEST_URL = 300
LONGEST_NAME = 80
MOST_WORDS = 6
MOST_CANDIDATES = 100
SHORTEST = 6
"""Letters and digits of a name or handle; shorter ones are anybody's."""
LEAST_OWN = 3
"""Characters of a handle that its owner made up, beyond names, company and a short number."""


@dataclass(frozen=True, slots=True)
class Link:
    """A profile, and what it has in common with the lead."""

    url: str = field(repr=False)
    agreement: Agreement


def agreeing_links(
    candidates: Mapping[str, Sequence[str]],
    *,
    name: str,
    company_domain: str | None,
    local_part: str | None,
    least: Agreement = "name_and_company",
) -> Mapping[str, Link]:
    """Of each network the one profile that agrees best, if it agrees as much as `least` says.

    - `handle`: the handle is the address's own local part, and the person made that up: all of
      `nightowl77`, nothing of `jane.doe` or `jdoe1987`, which any namesake may have. The address
      ties the person to the handle, and the search tied the handle to the name.
    - `name_and_company`: the handle is the name and the company, as `jane-doe-acme`. A wrong one
      would be a namesake who has to do with a company of that name.
    - `name`: the handle is the name, in either order, perhaps with an id behind it. That is a
      guess: of a common name it is mostly wrong. Ask for it only with the rate of false matches
      known (`decoys`).

    Two profiles of one network that agree alike leave open which it is: neither is kept, nor one
    that agrees less. What is no list of URLs agrees with nothing.
    """
    if least not in AGREEMENTS:
        raise UnknownName("agreement", least, AGREEMENTS)
    if not isinstance(candidates, Mapping):
        return {}
    tests = _tests(_Name.of(name), _label(company_domain), local_part)
    asked = {each: tests[each] for each in AGREEMENTS[: AGREEMENTS.index(least) + 1]}
    best = {network: _best(_profiles(network, urls), asked) for network, urls in candidates.items()}
    return {network: link for network, link in best.items() if link}


def _best(
    profiles: Mapping[str, str], tests: Mapping[Agreement, re.Pattern[str] | None]
) -> Link | None:
    """The profile that passes the first test that any passes, if no other does."""
    for agreement, test in tests.items():
        agreeing = [url for url, handle in profiles.items() if test and test.fullmatch(handle)]
        if agreeing:
            return Link(agreeing[0], agreement) if len(agreeing) == 1 else None
    return None


# What the lead's own data lets a handle be


_GAP = "[-_.]{0,2}"
_ID = r"(?:\d{1,6}|(?<=[-_.])(?=[a-f]*\d)[0-9a-f]{5,12})?"
"""What a network puts behind a handle that somebody else has."""


def _tests(
    name: "_Name", label: str | None, local_part: str | None
) -> dict[Agreement, re.Pattern[str] | None]:
    """For each agreement the handles that have it; None where the lead's data allows none."""
    return {
        "handle": _own_handle(name, label, local_part),
        "name_and_company": _name_and_company(name, label),
        "name": re.compile(name.pattern + _ID) if name.pattern else None,
    }


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as words, each a pattern of its spellings, and as the handles that consist of it.

    `pattern` is None of a name that is short or of one word, as that says nothing of a person.
    """

    words: tuple[str, ...] = ()
    pattern: str | None = None

    @classmethod
    def of(cls, name: str) -> "_Name":
        words = _name_words(name) if name and len(name) <= LONGEST_NAME else []
        if len(words) > MOST_WORDS:
            return cls()
        full = [word for word in words if len(word) > 1]
        known = tuple(_spellings(word) for word in full)
        if len(full) < 2 or sum(map(len, full)) < SHORTEST:
            return cls(known)
        orders = (words[first:] + words[:first] for first in range(len(words)))
        return cls(known, f"(?:{'|'.join(map(_in_order, orders))})")


def _name_words(name: str) -> list[str]:
    """Words in lower case, without titles; `o'neill` and `anne-marie` are one each."""
    plain = re.sub(r"['’ʼ`]", "", normalize("NFC", name.lower()))
    words = [re.sub(r"[\W\d_]+", "-", word).strip("-") for word in re.split(r"[\s,;/()]+", plain)]
    return [word for word in words if word and word not in _TITLES]


def _in_order(words: Sequence[str]) -> str:
    """Handles of these words in this order; an initial may be left out."""
    return "".join(
        f"{_spellings(word)}{_GAP}" if len(word) > 1 else f"(?:{_spellings(word)}{_GAP})?"
        for word in words
    )


def _spellings(word: str) -> str:
    """The ways to write a word in plain letters: `muller` and `mueller` of `müller`."""
    return "".join(_WAYS.get(each) or re.escape(_plain(each)) for each in word)


def _name_and_company(name: _Name, label: str | None) -> re.Pattern[str] | None:
    """Both, in either order. A short label has to stand apart, as letters alone meet by chance."""
    if not name.pattern or not label:
        return None
    gap = _GAP if len(label) >= 4 else "[-_.]+"
    company = _spellings(label)
    behind = f"{name.pattern}{gap}(?:(?:at|from){_GAP})?{company}"
    return re.compile(f"(?:{behind}|{company}{gap}{name.pattern}){_GAP}{_ID}")


def _own_handle(name: _Name, label: str | None, local_part: str | None) -> re.Pattern[str] | None:
    """The local part, with any separators, if it is long enough and the person's own.

    Which of it is the person's own, only the whole name tells.
    """
    if not local_part or len(local_part) > 64 or is_role(local_part) or len(name.words) < 2:
        return None
    letters = re.sub(r"[\W_]+", "", _plain(local_part.partition("+")[0]))
    if len(letters) < SHORTEST or len(_made_up(letters, name, label)) < LEAST_OWN:
        return None
    return re.compile(_GAP + _GAP.join(map(re.escape, letters)) + _GAP)


def _made_up(letters: str, name: _Name, label: str | None) -> str:
    """What is left of a local part without what others of that name or company have too."""
    known = [*name.words, *([_spellings(label)] if label else [])]
    for word in sorted(known, key=len, reverse=True):  # `jackson` before `jack`
        letters = re.sub(word, "", letters)
    letters = re.sub(r"(?<!\d)\d{1,4}(?!\d)", "", letters)
    return "" if is_role(letters) or _is_common(letters) else letters


def _is_common(letters: str) -> bool:
    """Whether it is a common name, first, last or both, or what many add to theirs."""
    common = _common()
    return letters in common or any(
        letters[:cut] in common and letters[cut:] in common for cut in range(2, len(letters) - 1)
    )


@cache
def _common() -> frozenset[str]:
    return frozenset(map(_plain, FIRST_NAMES + LAST_NAMES)) | _ADDED


def _label(company_domain: str | None) -> str | None:
    """`acme` of `acme.co.uk`; None of what is in other people's handles: `design`, `smith`."""
    if not company_domain or len(company_domain) > 253:
        return None
    try:
        label = company_domain.lower().split(".")[0].encode("ascii").decode("idna")
    except UnicodeError:
        return None
    label = re.sub(r"[\W_]+", "-", label).strip("-")
    says_something = len(re.findall(r"[^\W\d_]", label)) >= 2 and _plain(label) not in _common()
    return label if says_something and not is_role(label) else None


def _plain(text: str) -> str:
    """In lower case, without accents: `jose` of `José`. Letters of other scripts stay as they are,
    so that none passes for a Latin one that looks alike.
    """
    plain = text.casefold().translate(_LETTERS)
    return "".join(each for each in normalize("NFKD", plain) if not combining(each))


# Which URLs are profiles


@dataclass(frozen=True, slots=True)
class _Network:
    """Its hosts, and what stands between host and handle; the first host is the one written."""

    hosts: tuple[str, ...]
    before: tuple[str, ...] = ("",)


def _profiles(network: object, urls: object) -> dict[str, str]:
    """The handle of each profile among the URLs, in plain letters, by the profile's own URL."""
    known = _NETWORKS.get(network) if isinstance(network, str) else None
    if known is None or not isinstance(urls, list | tuple):
        return {}
    found = (_profile(known, url) for url in urls[:MOST_CANDIDATES])
    return dict(each for each in found if each)


def _profile(network: _Network, url: object) -> tuple[str, str] | None:
    """The URL as it is written here, and the handle; None of anything but a person's own page."""
    path = _path(network, url)
    if path is None:
        return None
    for before in network.before:
        profile = _PROFILE.fullmatch(path.removeprefix(before)) if path.startswith(before) else None
        if profile and _is_handle(profile["handle"]):
            handle = profile["handle"].lower()
            return f"https://{network.hosts[0]}/{before}{quote(handle)}", _plain(handle)
    return None


def _path(network: _Network, url: object) -> str | None:
    """The path of a web address on one of the network's hosts, decoded.

    A host with a user, a port, or letters that look like others is none of its hosts. Control
    characters go first, as the parser would drop them silently.
    """
    if not isinstance(url, str) or len(url) > LONGEST_URL or not url.isprintable():
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    host, hosts = parts.netloc.lower(), set(map(_bare, network.hosts))
    is_there = parts.scheme in ("https", "http") and {host, _SUBDOMAIN.sub("", host)} & hosts
    return normalize("NFC", unquote(parts.path)).removeprefix("/") if is_there else None


def _bare(host: str) -> str:
    return host.removeprefix("www.")


def _is_handle(text: str) -> bool:
    """Whether it can be a person's; letters in disguise, such as wide ones, are nobody's."""
    return text.lower() not in _PAGES and normalize("NFKC", text) == text


_PROFILE = re.compile(r"(?P<handle>[\w.-]{2,100})(?:/[a-z]{2}(?:[-_][a-z]{2})?)?/?", re.IGNORECASE)
"""A handle, perhaps with the language in which its page is shown."""

_SUBDOMAIN = re.compile(r"^(?:www|m|mobile|mbasic|web|[a-z]{2}|[a-z]{2}-[a-z]{2})\.")

_NETWORKS: Mapping[str, _Network] = {
    "facebook": _Network(("www.facebook.com", "fb.com")),
    "tiktok": _Network(("www.tiktok.com",), ("@",)),
    "instagram": _Network(("www.instagram.com",)),
    "snapchat": _Network(("www.snapchat.com",), ("add/", "@")),
    "twitter": _Network(("x.com", "twitter.com")),
    "youtube": _Network(("www.youtube.com",), ("@", "c/", "user/")),
    "linkedin": _Network(("www.linkedin.com",), ("in/",)),
    "github": _Network(("github.com",)),
    "pinterest": _Network(
        (
            *("www.pinterest.com", "pinterest.at", "pinterest.ca", "pinterest.ch", "pinterest.cl"),
            *("pinterest.co.kr", "pinterest.co.uk", "pinterest.com.au", "pinterest.com.mx"),
            *("pinterest.de", "pinterest.dk", "pinterest.es", "pinterest.fr", "pinterest.ie"),
            *("pinterest.it", "pinterest.jp", "pinterest.nz", "pinterest.ph", "pinterest.pt"),
            *("pinterest.se",),
        )
    ),
}
"""Those that the search knows. A handle that follows no prefix may be a page of the network's."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_PAGES = _set("""
    about account accounts ads advertising apps blog business careers channel channels
    collections company compose contact create dashboard developer developers dir directory
    directory.php discover download enterprise events explore features feed followers following
    gaming groups hashtag help home i ideas intent issues jobs join lens live location login
    logout marketplace media messages music new news notifications organizations orgs p pages
    people permalink.php photo photo.php photos pin playlist policies posts press pricing
    privacy profile profile.php public pulls reel reels results search security settings share
    sharer sharer.php shop shorts signup site sponsors spotlight stories story.php support tag
    tags terms today topics trending tv video videos watch
""")
"""Pages of a network that look like handles."""

_TITLES = _set("dr mr mrs ms mx miss prof sir dipl ing phd md mba jr sr ii iii")

_ADDED = _set("""
    a an and art arts at biz blog business by co coach coaching company consult consulting
    creative de design designs dev digital eu fan fit fitness global group hey home hq iam im
    inc its life live llc ltd mail me mr mrs ms music my official online page photo photography
    photos pro real story studio studios tech the thereal this travel tv uk us usa web work
    works world writer writes yoga
""")
"""What many people put before or behind their names."""

_WAYS = {"ä": "ae?", "æ": "ae?", "å": "aa?", "ö": "oe?", "ø": "oe?", "ü": "ue?", "-": _GAP}
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
