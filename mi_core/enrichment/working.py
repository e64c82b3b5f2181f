"""One lead, step by step: what need not be asked isn't, and what was paid for isn't again.

Profiles are looked for while the company is asked about; the persona waits for the company. Links
stay out of the persona: some are another person's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from mi_core.definitions import EnrichmentRules
from mi_core.enrichment import companies, ledger, steps
from mi_core.enrichment.address import Address
from mi_core.enrichment.asking import (
    AccountShut,
    Asker,
    BudgetReached,
    LostLease,
    ProviderDown,
    PutOff,
)
from mi_core.enrichment.calls import (
    AGAIN,
    CompanyAnswer,
    CompanyQuestion,
    PersonaAnswer,
    PersonaQuestion,
    Provider,
    Reply,
    SocialAnswer,
    SocialQuestion,
    Step,
)
from mi_core.enrichment.links import agreeing_links
from mi_core.enrichment.persona_prompt import persona_facts
from mi_core.enrichment.queue import Lead, is_held
from mi_core.enrichment.steps import StepResult
from mi_core.errors import BadValue
from mi_core.state import Row, State, Transaction

LOCAL = "local"
_PAID_IN_VAIN = {"refused", "cut_off", "invalid"}
_LONGEST_BACKOFF = 86_400.0


class TryAgain(Exception):
    """A step failed in a way that another try may mend."""

    def __init__(self, error: str, retry_after_seconds: float | None) -> None:
        super().__init__(error)
        self.retry_after = timedelta(seconds=retry_after_seconds or 0)


class WaitForBatch(Exception):
    """All that is left of the lead is its persona, which a batch will give."""


class Desk(Protocol):
    """Who answers each step's questions."""

    @property
    def social(self) -> Provider[SocialQuestion, SocialAnswer]: ...
    @property
    def company(self) -> Provider[CompanyQuestion, CompanyAnswer]: ...
    @property
    def persona(self) -> Provider[PersonaQuestion, PersonaAnswer]: ...


@dataclass(frozen=True, slots=True)
class Case:
    """A lead with what is known of it before anybody is asked."""

    lead: Lead
    address: Address | None
    company_domain: str | None
    kind: str
    behavior: Row | None
    done: Mapping[Step, StepResult]
    is_last_try: bool


@dataclass
class Steps:
    """Takes leads through their steps."""

    asker: Asker
    desk: Desk
    local_persona: Provider[PersonaQuestion, PersonaAnswer]
    personas: Collection[str]
    signals: Collection[str]

    def __post_init__(self) -> None:
        self._domains: dict[str, asyncio.Lock] = {}
        self.claims: dict[str, str] = {}

    @property
    def state(self) -> State:
        return self.asker.state

    @property
    def rules(self) -> EnrichmentRules:
        return self.asker.rules

    async def take(self, case: Case) -> None:
        """Do what is left to do; every result is stored as it comes.

        Raises
        ------
        Interrupted, TryAgain, WaitForBatch
            The lead isn't through. Steps that can be done all the same are.
        """
        ended = await asyncio.gather(
            self._unless_done(case, "social", self._social),
            self._company_and_persona(case),
            return_exceptions=True,
        )
        problems = [each for each in ended if isinstance(each, BaseException)]
        if problems:
            raise min(problems, key=_urgency)

    async def _company_and_persona(self, case: Case) -> None:
        await self._unless_done(case, "company", self._company)
        await self._unless_done(case, "persona", self._persona)

    async def _unless_done(
        self, case: Case, step: Step, run: Callable[[Case], Awaitable[StepResult]]
    ) -> None:
        """Run a step that isn't done, and store what it gave unless that is stored already."""
        if step in case.done and not case.done[step].is_missing:
            return
        result = await run(case)
        if result.source != "paid":
            with self.state.writing() as transaction:
                self.keep(transaction, case.lead, result)
                if result.source == "cache":
                    now = self.asker.clock()
                    ledger.note_cached(transaction, case.lead, step, result.provider, now=now)

    def keep(self, transaction: Transaction, lead: Lead, result: StepResult) -> None:
        """Store what a step gave, if the lead is still ours."""
        if is_held(transaction, lead.token):
            steps.write(transaction, lead.lead_id, result, now=self.asker.clock())

    # --- profiles

    async def _social(self, case: Case) -> StepResult:
        address, provider = case.address, self.desk.social
        if address is None and "social" in case.done:
            return case.done["social"]
        if address is None or address.name is None:
            reason = "no_address" if address is None else "no_name"
            return StepResult("social", "skipped", provider.name, reason=reason)

        def found(answer: SocialAnswer) -> StepResult:
            kept = agreeing_links(
                answer.candidates,
                name=address.name or "",
                company_domain=address.company_domain,
                local_part=address.local_part,
            )
            profiles = {network: asdict(link) for network, link in kept.items()}
            return StepResult("social", "paid", provider.name, answer=profiles)

        if provider.name != LOCAL and (known := self._found_elsewhere(case, "social")):
            return known
        question = SocialQuestion(address.name, address.company_domain)
        return await self._asked(case, "social", provider, question, found)

    def _found_elsewhere(self, case: Case, step: Step) -> StepResult | None:
        """What another lead of this person, with the same address and name, was paid for lately."""
        since = self.asker.clock() - timedelta(days=self.rules.result_days)
        with self.state.reading() as transaction:
            return steps.found_elsewhere(transaction, case.lead, step, since=since)

    # --- the company

    async def _company(self, case: Case) -> StepResult:
        domain, provider = case.company_domain, self.desk.company
        if domain is None:
            return StepResult("company", "skipped", provider.name, reason=case.kind)
        if provider.name == LOCAL:
            return await self._company_asked(case, domain)
        token = str(uuid4())
        # One at a time asks about a domain; the others then find the answer.
        async with self._domains.setdefault(domain, asyncio.Lock()):
            while True:
                known = companies.known_or_claimed(
                    self.state, domain, token, now=self.asker.clock(), rules=self.rules
                )
                if known is True:
                    return await self._company_claimed(case, domain, token)
                if known is not False:
                    return _cached(*known)
                await asyncio.sleep(0.2)

    async def _company_claimed(self, case: Case, domain: str, token: str) -> StepResult:
        """Ask under a claim, which ends as the answer is stored."""
        self.claims[domain] = token
        try:
            result = await self._company_asked(case, domain)
            if result.reason in _PAID_IN_VAIN:
                self._keep_no_answer(domain)
            return result
        finally:
            del self.claims[domain]
            companies.let_go(self.state, domain, token)

    def _keep_no_answer(self, domain: str) -> None:
        """Spare the company's other leads a question that was paid for, and not answered."""
        nothing, days = CompanyAnswer({}), self.rules.result_days
        with self.state.writing() as transaction:
            companies.store(
                transaction,
                domain,
                nothing,
                self.desk.company.name,
                now=self.asker.clock(),
                days=days,
            )

    async def _company_asked(self, case: Case, domain: str) -> StepResult:
        provider = self.desk.company

        def found(answer: CompanyAnswer) -> StepResult:
            return StepResult("company", "paid", provider.name, answer=_facts(answer))

        def keep(transaction: Transaction, answer: CompanyAnswer) -> None:
            now, days = self.asker.clock(), self.rules.company_days
            companies.store(transaction, domain, answer, provider.name, now=now, days=days)

        question = CompanyQuestion(domain)
        return await self._asked(case, "company", provider, question, found, keep)

    # --- the persona

    async def _persona(self, case: Case) -> StepResult:
        provider = self.desk.persona
        company = self._company_of(case)
        question = self._question(case, company)
        if provider.name != LOCAL and (spared := self._spared(case, company)):
            return await self._by_rules(case, question, reason=spared)
        if provider.name != LOCAL and case.lead.for_batch:
            raise WaitForBatch
        result = await self._asked(case, "persona", provider, question, _persona_found(provider))
        if result.answer is not None:
            return result
        return await self._by_rules(case, question, reason=result.reason, error=result.error)

    async def _by_rules(
        self, case: Case, question: PersonaQuestion, *, reason: str | None, error: str | None = None
    ) -> StepResult:
        """The persona that behaviour speaks for, in the place of a model's."""
        local = self.local_persona
        result = await self._asked(case, "persona", local, question, _persona_found(local))
        return replace(result, source="rules", reason=reason, error=error)

    async def settle_by_rules(self, case: Case, reason: str, error: str | None) -> None:
        """Let rules give the persona that a batch didn't."""
        result = await self._by_rules(case, self.question_of(case), reason=reason, error=error)
        with self.state.writing() as transaction:
            self.keep(transaction, case.lead, result)

    def question_of(self, case: Case) -> PersonaQuestion:
        """What a model is told of the person."""
        return self._question(case, self._company_of(case))

    def _question(self, case: Case, company: CompanyAnswer | None) -> PersonaQuestion:
        behavior = {**(case.behavior or {}), "email_kind": case.kind}
        return persona_facts(behavior, company, personas=self.personas, signals=self.signals)

    def _company_of(self, case: Case) -> CompanyAnswer | None:
        if case.company_domain is None:
            return None
        with self.state.reading() as transaction:
            return companies.known(transaction, case.company_domain)

    def _spared(self, case: Case, company: CompanyAnswer | None) -> str | None:
        """Why a model would tell nothing that the rules don't."""
        behavior = case.behavior
        if behavior and behavior["persona_confidence"] >= self.rules.sure_confidence:
            return "rules_sure"
        if not behavior and not companies.supported(company):
            return "nothing_known"
        return None

    # --- asking

    async def _asked(
        self,
        case: Case,
        step: Step,
        provider: Provider[Any, Any],
        question: Any,
        found: Callable[[Any], StepResult],
        keep: Callable[[Transaction, Any], None] | None = None,
    ) -> StepResult:
        """The result of one call; a good one is stored as the call is settled.

        Raises
        ------
        TryAgain
            It failed in a way that another try may mend, and there is one.
        """
        if provider.name == LOCAL:
            reply: Reply[Any] = await provider.send(provider.request(question), LOCAL)
            return replace(found(reply.answer), source="local")

        def store(transaction: Transaction, answer: Any) -> None:
            if keep:
                keep(transaction, answer)
            self.keep(transaction, case.lead, found(answer))

        try:
            reply = await self.asker.ask(case.lead, provider, question, store)
        except ProviderDown as down:
            return StepResult(step, "skipped", provider.name, reason=steps.DOWN, error=str(down))
        except BadValue as bad:
            return StepResult(step, "skipped", provider.name, reason="rejected", error=str(bad))
        if reply.outcome == "ok" and reply.answer is not None:
            return found(reply.answer)
        error = f"{step} by {provider.name}: {reply.error or reply.outcome}"
        # A lead ends without a profile or a company, but not without a persona, unless it had one.
        can_do_without = step != "persona" or case.lead.is_partial
        if reply.outcome in AGAIN and not (case.is_last_try and can_do_without):
            raise TryAgain(error, reply.retry_after_seconds)
        return StepResult(step, "skipped", provider.name, reason=reply.outcome, error=error)


_URGENT = (LostLease, BudgetReached, AccountShut, TryAgain, PutOff, WaitForBatch)


def _urgency(problem: BaseException) -> int:
    """Of two problems at once, a mistake of ours goes first."""
    return _URGENT.index(type(problem)) if type(problem) in _URGENT else -1


def _facts(answer: CompanyAnswer) -> dict[str, Any]:
    return {name: asdict(fact) for name, fact in answer.facts.items()}


def _persona_found(
    provider: Provider[PersonaQuestion, PersonaAnswer],
) -> Callable[[PersonaAnswer], StepResult]:
    return lambda answer: StepResult("persona", "paid", provider.name, answer=asdict(answer))


def _cached(answer: CompanyAnswer, provider: str) -> StepResult:
    facts = _facts(answer)
    return StepResult("company", "cache", provider, answer=facts, reason="company_cache")


def retry_due(lead: Lead, problem: TryAgain, rules: EnrichmentRules, now: datetime) -> datetime:
    """When to try again: four times later each time, spread out, and not before the provider says.

    With many tries that is a day at most, before the spread.
    The spread follows the lead's id, so that the same lead waits as long in every run.
    """
    backoff = min(rules.retry_seconds * 4.0 ** min(lead.tries - 1, 50), _LONGEST_BACKOFF)
    spread = 0.5 + int(lead.lead_id[:4], 16) / 0xFFFF
    return now + max(timedelta(seconds=backoff * spread), problem.retry_after)
