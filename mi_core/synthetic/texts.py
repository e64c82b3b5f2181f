"""Rows as text: ids, JSON properties. Each text is made once per block and a row joins a few."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from mi_core.synthetic.journeys import Floats
from mi_core.synthetic.model import ARCHETYPES, CAMPAIGNS, CHANNELS, Channel, Plan
from mi_core.synthetic.rows import (
    ANONYMOUS,
    LANDING,
    PLAIN,
    SECOND_DEVICE,
    SERVER,
    Block,
    Rows,
)
from mi_core.synthetic.vocabulary import ELEMENTS, FRAGMENTS, IS_AD, NAMES

Longs = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_HEX = np.array([f"{i:04x}".encode() for i in range(65_536)], dtype="S4").view(np.uint32)
_WHERE = (0, 4, 9, 14, 19, 24, 28, 32)  # of each four digits, between the hyphens
_PLATFORMS = ("desktop", "mobile", "tablet")
_ADDRESSES = 254
_CREATIVES = 2 * len(CAMPAIGNS)  # per channel
_EXECUTIVE = list(ARCHETYPES).index("corporate_executive")
_EVENTS, _FRAGMENTS, _ELEMENTS = pl.Series(NAMES), pl.Series(FRAGMENTS), pl.Series(ELEMENTS)


def microseconds(plan: Plan, at: Floats) -> Longs:
    """Seconds since the plan's start as microseconds since 1970, cut to whole milliseconds."""
    return int(plan.start.timestamp() * 1e6) + np.floor(at * 1e3).astype(np.int64) * 1_000


def draw_words(rng: np.random.Generator, moments: Longs) -> tuple[Words, Words]:
    """The two halves of UUIDs of version 7: 48 bits of the moment (microseconds), 74 of chance."""
    chance = rng.integers(0, 1 << 62, (2, len(moments)), dtype=np.uint64)
    milliseconds = (moments // 1_000).astype(np.uint64)
    high = milliseconds << np.uint64(16) | np.uint64(0x7000) | chance[0] & np.uint64(0xFFF)
    return high, chance[1] | np.uint64(1 << 63)


def uuid_text(high: Words, low: Words) -> pl.Series:
    """128-bit ids as text, hexadecimal digits in groups of 8-4-4-4-12."""
    text = np.full((len(high), 36), ord("-"), np.uint8)
    for place, where in enumerate(_WHERE):
        half = high if place < 4 else low
        digits = _HEX[half >> np.uint64(48 - place % 4 * 16) & np.uint64(0xFFFF)]
        text[:, where : where + 4] = digits.view(np.uint8).reshape(-1, 4)
    return pl.Series(text.view("S36").ravel()).cast(pl.String)


def person_texts(rng: np.random.Generator, plan: Plan, block: Block) -> pl.DataFrame:
    """One row per person: the four distinct ids, two person ids, and personal data as JSON."""
    arrived = microseconds(plan, block.people.arrived)
    names = ("anonymous", "second", "person_id", "second_person_id")
    drawn = {name: uuid_text(*draw_words(rng, arrived)) for name in names}
    number = pl.Series(block.people.number).cast(pl.String).str.zfill(9)
    executive = pl.Series(block.people.archetype == _EXECUTIVE)
    return (
        pl.DataFrame({"number": number, "executive": executive, **drawn})
        .with_columns(
            known=pl.format("user-{}", "number"),
            alias=pl.format("crm-{}", "number"),
            email=pl.when("executive")
            .then(pl.format("u{}@corp-{}.example", "number", pl.col("number").str.tail(4)))
            .otherwise(pl.format("u{}@mail.example", "number")),
        )
        .with_columns(personal=pl.format('{{"email":"{}","name":"Person {}"}}', "email", "number"))
    )


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a block, stacked so that one index per row finds each."""

    distinct_ids: pl.Series  # by identity, person
    person_ids: pl.Series  # people, then the visitors on second devices
    person_properties: pl.Series  # people, then one for anonymous visitors
    prefixes: pl.Series  # sessions, then servers with and without consent
    extras: pl.Series  # none; landings by visit; email, identify twice, alias by person


def block_texts(rng: np.random.Generator, plan: Plan, block: Block, people: pl.DataFrame) -> Texts:
    extras = people.select(
        email=pl.format(',"email":"{}"', "email"),
        first=pl.format(',"$anon_distinct_id":"{}","$set":{}', "anonymous", "personal"),
        second=pl.format(',"$anon_distinct_id":"{}","$set":{}', "second", "personal"),
        alias=pl.format(',"alias":"{}"', "alias"),
    )
    return Texts(
        _stacked(people.select("anonymous", "known", "second", "alias")),
        _stacked(people.select("person_id", "second_person_id")),
        pl.concat([people["personal"], pl.Series(["{}"])]),
        _prefixes(rng, plan, block),
        pl.concat([pl.Series([""]), _landings(rng, block), _stacked(extras)]),
    )


def _stacked(frame: pl.DataFrame) -> pl.Series:
    return pl.concat([column.alias("") for column in frame.get_columns()])


def _landings(rng: np.random.Generator, block: Block) -> pl.Series:
    """What the first event of each visit carries of its channel."""
    texts = [_landing(name, c, k) for name, c in CHANNELS.items() for k in range(_CREATIVES)]
    creative = rng.integers(0, _CREATIVES, len(block.visits.at))
    return pl.Series(texts).gather(block.visits.channel * _CREATIVES + creative)


def _landing(name: str, channel: Channel, number: int) -> str:
    parts = {"$referrer": channel.referrer or "$direct"}
    if channel.source:
        campaign = f"{name}-{CAMPAIGNS[number // 2]}"
        parts |= {
            "utm_source": channel.source,
            "utm_medium": channel.medium,
            "utm_campaign": campaign,
            "campaign_id": campaign,
            "creative_id": f"{campaign}-{'ab'[number % 2]}",
        }
    if channel.click_id:
        parts[channel.click_id] = f"Cj0KCQ{name}{number}"
    return "".join(f',"{key}":"{value}"' for key, value in parts.items())


def _prefixes(rng: np.random.Generator, plan: Plan, block: Block) -> pl.Series:
    """The opening of a row's properties: session, device, consent."""
    sessions, people = block.sessions, len(block.people)
    platform = rng.choice(len(_PLATFORMS), people, p=(0.45, 0.45, 0.10))
    address = rng.integers(0, _ADDRESSES, people)
    arm = rng.integers(0, 2, people)
    by_person = ((~block.consent * 2 + arm) * len(_PLATFORMS) + platform) * _ADDRESSES + address
    devices = _devices()
    in_app = (sessions.channel < 0) * (len(devices) // 2)
    session_id = uuid_text(*draw_words(rng, microseconds(plan, sessions.at)))
    frame = pl.DataFrame(
        {"id": session_id, "device": devices.gather(in_app + by_person[sessions.person])}
    )
    server = '{"$lib":"posthog-node"'
    return pl.concat(
        [
            frame.select(pl.format('{{"$session_id":"{}"{}', "id", "device")).to_series().alias(""),
            pl.Series([server, server + ',"consent_analytics":false']),
        ]
    )


@cache
def _devices() -> pl.Series:
    """By web or app, consent, experiment arm, platform, address."""
    return pl.Series(
        f',"$lib":"{library}","platform":"{platform}","$ip":"203.0.113.{address + 1}"'
        f"{experiment}{consent}"
        for library in ("web", "posthog-ios")
        for consent in ("", ',"consent_analytics":false')
        for experiment in _experiments(library)
        for platform in _PLATFORMS
        for address in range(_ADDRESSES)
    )


def _experiments(library: str) -> tuple[str, str]:
    if library == "web":
        return "", ""
    return ',"$feature/new-onboarding":"control"', ',"$feature/new-onboarding":"test"'


def render(block: Block, texts: Texts, rows: Rows) -> dict[str, pl.Series]:
    """The text columns of `rows`, but for their uuid."""
    people = len(block.people)
    anonymous = (rows.identity == ANONYMOUS) | (rows.identity == SECOND_DEVICE)
    properties = pl.DataFrame(
        {
            "prefix": texts.prefixes.gather(_prefix_index(block, rows)),
            "event": _FRAGMENTS.gather(rows.code),
            "extra": texts.extras.gather(_extra_index(block, rows)),
        }
    ).select(pl.concat_str("prefix", "event", "extra", pl.lit("}")))
    return {
        "event": _EVENTS.gather(rows.code),
        "distinct_id": texts.distinct_ids.gather(
            rows.identity.astype(np.int64) * people + rows.person
        ),
        "person_id": texts.person_ids.gather(
            np.where(rows.identity == SECOND_DEVICE, people, 0) + rows.person
        ),
        "properties": properties.to_series(),
        "person_properties": texts.person_properties.gather(
            np.where(anonymous, people, rows.person)
        ),
        "elements_chain": _ELEMENTS.gather(rows.code),
    }


def _prefix_index(block: Block, rows: Rows) -> Longs:
    """Advertising networks and servers know no session."""
    server = len(block.sessions.at) + ~block.consent[rows.person]
    return np.where((rows.session == SERVER) | IS_AD[rows.code], server, rows.session)


def _extra_index(block: Block, rows: Rows) -> Longs:
    personal = (rows.extra.astype(np.int64) - LANDING - 1) * len(block.people) + rows.person
    by_person = np.where(rows.extra == LANDING, rows.session, len(block.visits.at) + personal)
    return np.where(rows.extra == PLAIN, 0, 1 + by_person)
