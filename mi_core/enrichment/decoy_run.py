"""How far to trust kept profiles: search for people who don't exist, and count what is kept.

A decoy has a common name and an address at a company that leads come from. Nobody of that name is
known there, so whatever the guard keeps for it is another person's.
"""

import random
from dataclasses import dataclass

from mi_core.enrichment.address import read_address
from mi_core.enrichment.asking import Asker, Interrupted
from mi_core.enrichment.calls import Provider, SocialAnswer, SocialQuestion
from mi_core.enrichment.decoys import decoy_names, false_match_rate
from mi_core.enrichment.links import agreeing_links
from mi_core.errors import BadValue
from mi_core.ingest.classify import Progress

_DOMAINS = (
    "select distinct email_domain from user_identity where email_domain is not null order by 1"
)


@dataclass(frozen=True)
class Decoys:
    """What decoys tell: of so many answered, for how many a profile was kept, with its interval."""

    asked: int
    answered: int
    matched: int
    false_match_rate: float | None
    low: float | None
    high: float | None
    cost_micros: int
    stopped: str | None = None


async def run_decoys(
    asker: Asker,
    provider: Provider[SocialQuestion, SocialAnswer],
    count: int,
    *,
    seed: int,
    progress: Progress,
) -> Decoys:
    """Search for `count` decoys; each search is booked as any other.

    Raises
    ------
    BadValue
        Nobody searches for profiles here.
    """
    if provider.name == "local":
        raise BadValue("Decoys need the provider of profiles: set MI_RAPIDAPI_KEY.")
    with asker.state.reading() as transaction:
        domains = [row["email_domain"] for row in transaction.rows(_DOMAINS)] or ["gmail.com"]
    chance = random.Random(seed)
    answered = matched = cost = 0
    stopped = None
    for number, name in enumerate(decoy_names(count, seed)):
        progress("Searching for decoys", number, count)
        local_part = ".".join(name.lower().split())
        address = read_address(f"{local_part}@{chance.choice(domains)}", name)
        question = SocialQuestion(name, address.company_domain)
        try:
            reply = await asker.ask(None, provider, question, lambda _transaction, _answer: None)
        except Interrupted as interruption:
            stopped = str(interruption)
            break
        cost += reply.cost_micros or 0
        if reply.answer is not None:
            answered += 1
            matched += bool(
                agreeing_links(
                    reply.answer.candidates,
                    name=name,
                    company_domain=address.company_domain,
                    local_part=address.local_part,
                )
            )
    rate = false_match_rate(answered, matched) if answered else None
    return Decoys(
        asked=count,
        answered=answered,
        matched=matched,
        false_match_rate=rate.share if rate else None,
        low=rate.low if rate else None,
        high=rate.high if rate else None,
        cost_micros=cost,
        stopped=stopped,
    )
