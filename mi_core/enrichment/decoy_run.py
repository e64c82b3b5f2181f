"""How far to trust kept profiles: search for people who don't exist, and count what is kept.

A decoy has a common name and an address at a company that leads come from. Nobody of that name is
known there, so whatever the guard keeps for it is another person's.
"""

import asyncio
import random
from dataclasses import dataclass

from mi_core.enrichment.address import Address, read_address
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
    run = _Run(asker, provider, count, progress)
    addresses = [
        read_address(f"{'.'.join(name.lower().split())}@{chance.choice(domains)}", name)
        for name in decoy_names(count, seed)
    ]
    await asyncio.gather(*map(run.search, addresses))
    answered, matched = run.answered, run.matched
    rate = false_match_rate(answered, matched) if answered else None
    return Decoys(
        asked=count,
        answered=answered,
        matched=matched,
        false_match_rate=rate.share if rate else None,
        low=rate.low if rate else None,
        high=rate.high if rate else None,
        cost_micros=run.cost_micros,
        stopped=run.stopped,
    )


@dataclass
class _Run:
    """Searches for decoys, several at a time, and what they found so far."""

    asker: Asker
    provider: Provider[SocialQuestion, SocialAnswer]
    count: int
    progress: Progress
    done: int = 0
    answered: int = 0
    matched: int = 0
    cost_micros: int = 0
    stopped: str | None = None

    def __post_init__(self) -> None:
        # As many as the asker lets through: who waits here is not asked once the run has stopped.
        price = getattr(self.asker.rules.providers, self.provider.name)
        self._turns = asyncio.Semaphore(price.concurrency)

    async def search(self, address: Address) -> None:
        """Search for one decoy; nothing is asked any more once something stopped the run."""
        question = SocialQuestion(str(address.name), address.company_domain)
        async with self._turns:
            if self.stopped:
                return
            try:
                reply = await self.asker.ask(
                    None, self.provider, question, lambda _transaction, _answer: None
                )
            except Interrupted as interruption:
                self.stopped = str(interruption)
                return
        self.done += 1
        self.progress("Searching for decoys", self.done, self.count)
        self.cost_micros += reply.cost_micros or 0
        if reply.answer is not None:
            self.answered += 1
            self.matched += _is_matched(reply.answer, address)


def _is_matched(answer: SocialAnswer, address: Address) -> bool:
    return bool(
        agreeing_links(
            answer.candidates,
            name=str(address.name),
            company_domain=address.company_domain,
            local_part=address.local_part,
        )
    )
