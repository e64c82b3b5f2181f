"""What is known of companies: asked once for all leads of a domain, and kept for a while.

Whoever asks first puts up a claim; the others wait for the answer, in this process and in others.
A claim ends by itself, in case its owner died.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from mi_core.definitions import EnrichmentRules
from mi_core.enrichment.calls import CompanyAnswer, Fact
from mi_core.state import Row, State, Transaction

_KNOWN = """
select facts, provider
from company_profile
where domain = :domain and good_until > :now
"""
# An answer may have come between the look for one and this.
_CLAIM = """
insert into company_profile (domain, claim_token, claim_expires_at)
values (:domain, :token, :until)
on conflict (domain) do update
set claim_token = excluded.claim_token, claim_expires_at = excluded.claim_expires_at
where
    (company_profile.good_until is null or company_profile.good_until <= :now)
    and (
        company_profile.claim_token is null
        or company_profile.claim_token = excluded.claim_token
        or company_profile.claim_expires_at <= :now
    )
"""
_STORE = """
update company_profile
set
    facts = :facts, provider = :provider, fetched_at = :now, good_until = :good_until,
    claim_token = null, claim_expires_at = null
where domain = :domain
"""
_RENEW = """
update company_profile
set claim_expires_at = :until
where domain = :domain and claim_token = :token
"""
_LET_GO = """
update company_profile
set claim_token = null, claim_expires_at = null
where domain = :domain and claim_token = :token
"""


def known_or_claimed(
    state: State, domain: str, token: str, *, now: datetime, rules: EnrichmentRules
) -> tuple[CompanyAnswer, str] | bool:
    """What is known of a company and who said so; else whether it is now ours to ask."""
    with state.reading() as transaction:
        if found := _good(transaction, domain, now):
            return found
    with state.writing() as transaction:
        if found := _good(transaction, domain, now):
            return found
        claim = {"domain": domain, "token": token, "until": _claim_end(now, rules)}
        return transaction.change(_CLAIM, **claim, now=now) == 1


def renew(
    transaction: Transaction, claims: Mapping[str, str], *, now: datetime, rules: EnrichmentRules
) -> None:
    """Move the end of claims, token by domain; those that were lost stay lost."""
    until = _claim_end(now, rules)
    rows = [{"domain": domain, "token": token, "until": until} for domain, token in claims.items()]
    transaction.change_each(_RENEW, rows)


def _claim_end(now: datetime, rules: EnrichmentRules) -> datetime:
    return now + timedelta(seconds=rules.lease_seconds)


def _good(transaction: Transaction, domain: str, now: datetime) -> tuple[CompanyAnswer, str] | None:
    found = transaction.rows(_KNOWN, domain=domain, now=now)
    return (read_facts(found[0]["facts"]), found[0]["provider"]) if found else None


def store(
    transaction: Transaction,
    domain: str,
    answer: CompanyAnswer,
    provider: str,
    *,
    now: datetime,
    days: float,
) -> None:
    """Keep an answer for the leads of `days` to come, whoever's claim stands by now."""
    transaction.change(
        _STORE,
        domain=domain,
        facts=write_facts(answer),
        provider=provider,
        now=now,
        good_until=now + timedelta(days=days),
    )


def let_go(state: State, domain: str, token: str) -> None:
    """Give up a claim, if it is still ours."""
    with state.writing() as transaction:
        transaction.change(_LET_GO, domain=domain, token=token)


def known(transaction: Transaction, domain: str) -> CompanyAnswer | None:
    """What was last said of a company, however long ago."""
    query = "select facts from company_profile where domain = :domain and facts is not null"
    found = transaction.rows(query, domain=domain)
    return read_facts(found[0]["facts"]) if found else None


def supported(answer: CompanyAnswer | None) -> Row:
    """The values of the facts that their source bears out."""
    facts = answer.facts if answer else {}
    return {name: fact.value for name, fact in facts.items() if fact.is_supported}


def write_facts(answer: CompanyAnswer) -> str:
    """An answer as JSON text."""
    return json.dumps({name: asdict(fact) for name, fact in answer.facts.items()}, sort_keys=True)


def read_facts(text: str) -> CompanyAnswer:
    """The answer that `write_facts` wrote."""
    return CompanyAnswer({name: Fact(**fact) for name, fact in json.loads(text).items()})
