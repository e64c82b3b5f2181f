"""What leads cost, what was saved, and how the enrichment does, as the ledger has it.

What is held for a call of unknown cost counts as spent wherever a cost is divided, compared or
projected, as it counts against the caps: so no figure is better than the bill can be.

A saving is measured, not claimed. It is a step of a lead that a provider was at hand for and that
nobody was paid for, at the average that our own paid calls of that step cost: those of the period,
or, where it has none, those before it. Where nothing was ever paid for a step, nobody knows what it
would have cost here, and its saving is None. The same step once for each lead, as a system without
lists and caches would have paid: each saving counts once, under the first reason that held.

Prices of others are compared with for those leads alone that had a provider for each step. Without
a key the local provider answers; that is free, and not the same thing for less.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from mi_core.definitions import EnrichmentRules
from mi_core.definitions import micros as micros_of
from mi_core.enrichment.queue import STATUSES
from mi_core.errors import BadValue
from mi_core.scoring import naive_utc
from mi_core.state import Row
from mi_core.warehouse import Warehouse

ERRORS_SHOWN = 10
PROJECTED_DAYS = 30
REPLACED_SYSTEM = "replaced_system"
"""The system that this one replaces, among those to compare with."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ProviderCost:
    """One provider's calls in a period. `unsettled`: under way, or of a cost nobody knows yet.

    `cached_calls` are those that an answer from a cache stood in for: not among `calls`, nor in
    any other figure.
    """

    provider: str
    calls: int
    ok: int
    failed: int
    unsettled: int
    usd: float
    held_usd: float
    input_tokens: int
    output_tokens: int
    median_ms: int | None
    p95_ms: int | None
    cached_calls: int
    batch_calls: int


@dataclass(frozen=True, slots=True)
class DayCost:
    """One provider's calls on a UTC day."""

    day: date
    provider: str
    calls: int
    usd: float
    held_usd: float


@dataclass(frozen=True, slots=True)
class Saving:
    """What was not paid for, and why.

    `usd` is what it would have cost at our own average of `usd_each`; `list_usd` is what the
    replaced system would have booked for it, which is another question.
    """

    name: str
    step: str
    times: int
    usd_each: float | None
    usd: float | None
    list_usd: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the compared leads would have cost elsewhere, and how much less they cost here."""

    name: str
    usd_per_lead: float
    usd: float
    saved_usd: float
    saved_percent: float | None
    priced_on: date | None
    source: str


@dataclass(frozen=True, slots=True, repr=False)
class Costs:
    """What leads that ended in [since, until) cost, and what calls made then cost.

    The two differ by calls for leads that haven't ended, or gave way to another address of the same
    person, and by calls made before `since`. A lead that was refused at the door, for no or a
    disposable address, is not among `leads`; a dead letter is, with what it cost.
    """

    since: datetime
    until: datetime
    leads: int
    useful_leads: int
    leads_usd: float
    leads_held_usd: float
    usd_per_lead: float | None
    usd_per_useful_lead: float | None
    spent_usd: float
    held_usd: float
    saved_usd: float
    compared_leads: int
    compared_usd: float
    providers: Sequence[ProviderCost]
    days: Sequence[DayCost]
    savings: Sequence[Saving]
    comparisons: Sequence[Comparison]

    def __repr__(self) -> str:
        return (
            f"<Costs of {self.leads:,} leads that ended {self.since:%Y-%m-%d} to"
            f" {self.until:%Y-%m-%d}: ${self.leads_usd:,.2f}, and ${self.leads_held_usd:,.2f} held."
            " See .usd_per_lead, .providers, .days, .savings, .comparisons>"
        )


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How many leads have an error of a kind, and how many calls ended so."""

    kind: str
    leads: int
    calls: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Stats:
    """How the enrichment does: leads by status now, and what happened in [since, until).

    `success_rate` is the completed leads' share of those that ended, which a bad address doesn't
    lower: it is refused before anything is tried. `success_rate_with_refused` counts it as a lead
    that failed. `partial_share` is of the completed ones.
    """

    since: datetime
    until: datetime
    by_status: Mapping[str, int]
    ended: int
    completed: int
    partial: int
    refused: int
    success_rate: float | None
    success_rate_with_refused: float | None
    partial_share: float | None
    spent_usd: float
    held_usd: float
    projected_30_days_usd: float
    monthly_cap_usd: float
    due: int
    oldest_due_at: datetime | None
    oldest_wait_seconds: float | None
    top_errors: Sequence[ErrorCount]


def costs(
    warehouse: Warehouse, rules: EnrichmentRules, *, since: datetime, until: datetime
) -> Costs:
    """What leads cost in [since, until), what was saved, and what others would have taken.

    Raises
    ------
    BadValue
        The period ends before it begins.
    """
    period = _period(since, until)
    with warehouse.reading():
        warehouse.stage("lead", "enrichment/lead")
        [ended] = _rows(warehouse, "ended", **period)
        providers = _rows(warehouse, "provider", **period)
        days = _rows(warehouse, "day", **period)
        steps = _rows(warehouse, "step", **period)
        prices = {row["step"]: row for row in _rows(warehouse, "step_price", **period)}
    savings = [
        *_spared_steps(steps, prices, rules),
        *_refused_leads(ended, rules),
        *_batches(providers, rules),
    ]
    return Costs(
        since=since,
        until=until,
        **_of_leads(ended),
        **_of_calls(providers),
        saved_usd=round(sum((each.usd or 0.0 for each in savings), 0.0), 6),
        providers=[_provider_cost(row) for row in providers],
        days=[_day_cost(row) for row in days],
        savings=savings,
        comparisons=list(_comparisons(ended["compared"], ended["compared_micros"], rules)),
    )


def stats(
    warehouse: Warehouse, rules: EnrichmentRules, *, since: datetime, until: datetime
) -> Stats:
    """How many leads are where, how those of [since, until) went, and who waits at `until`.

    The projection is of 30 days at the pace from `since`, or from the first call ever where that
    was later, but of a day at least: an hour's work is no pace.

    Raises
    ------
    BadValue
        The period ends before it begins.
    """
    period = _period(since, until)
    with warehouse.reading():
        warehouse.stage("lead", "enrichment/lead")
        [ended] = _rows(warehouse, "ended", **period)
        providers = _rows(warehouse, "provider", **period)
        statuses = {row["status"]: row["leads"] for row in _rows(warehouse, "status")}
        [first] = _rows(warehouse, "first_call", until=period["until"])
        [waiting] = _rows(warehouse, "waiting", at=period["until"])
        errors = _rows(warehouse, "error", most=ERRORS_SHOWN, **period)
    begun = max(period["since"], first["called_at"] or period["since"])
    days = max(1.0, (period["until"] - begun) / _DAY)
    return Stats(
        since=since,
        until=until,
        by_status={status: 0 for status in STATUSES} | statuses,
        **_of_ends(ended),
        **_of_calls(providers),
        projected_30_days_usd=_projected(providers, days),
        monthly_cap_usd=rules.budget.monthly_usd,
        **_of_waiting(waiting, period["until"]),
        top_errors=[
            ErrorCount(**row | {"last_at": row["last_at"].replace(tzinfo=UTC)}) for row in errors
        ],
    )


# --- figures of some rows


def _of_leads(ended: Row) -> dict[str, Any]:
    """What the leads that ended cost."""
    committed = ended["cost_micros"] + ended["held_micros"]
    return {
        "leads": ended["leads"],
        "useful_leads": ended["useful"],
        "leads_usd": _usd(ended["cost_micros"]),
        "leads_held_usd": _usd(ended["held_micros"]),
        "usd_per_lead": _usd_each(committed, ended["leads"]),
        "usd_per_useful_lead": _usd_each(committed, ended["useful"]),
        "compared_leads": ended["compared"],
        "compared_usd": _usd(ended["compared_micros"]),
    }


def _of_calls(providers: Sequence[Row]) -> dict[str, Any]:
    """What the calls cost."""
    return {
        "spent_usd": _usd(sum(row["cost_micros"] for row in providers)),
        "held_usd": _usd(sum(row["held_micros"] for row in providers)),
    }


def _of_ends(ended: Row) -> dict[str, Any]:
    """How the leads ended."""
    refused = ended["malformed"] + ended["disposable"]
    return {
        "ended": ended["leads"],
        "completed": ended["completed"],
        "partial": ended["partial"],
        "refused": refused,
        "success_rate": _share(ended["completed"], ended["leads"]),
        "success_rate_with_refused": _share(ended["completed"], ended["leads"] + refused),
        "partial_share": _share(ended["partial"], ended["completed"]),
    }


def _of_waiting(waiting: Row, at: datetime) -> dict[str, Any]:
    """Who waits at `at`, and how long."""
    oldest_at = waiting["oldest_at"]
    return {
        "due": waiting["leads"],
        "oldest_due_at": oldest_at and oldest_at.replace(tzinfo=UTC),
        "oldest_wait_seconds": oldest_at and (at - oldest_at).total_seconds(),
    }


def _projected(providers: Sequence[Row], days: float) -> float:
    """What 30 days cost at the pace of these."""
    committed = sum(row["cost_micros"] + row["held_micros"] for row in providers)
    return _usd(committed * PROJECTED_DAYS / days)


# --- savings


def _spared_steps(
    steps: Sequence[Row], prices: Mapping[str, Row], rules: EnrichmentRules
) -> Iterator[Saving]:
    """Steps of leads that a list, a cache or a rule stood in for."""
    for row in steps:
        if row["is_spared"]:
            step, times = row["step"], row["leads"]
            price = prices.get(step)
            list_micros = times * rules.list_micros[step]
            paid = _average(price) if price else None
            yield _saving(row["reason"], step, times, paid, list_micros)


def _average(price: Row) -> Fraction:
    """What a paid call of a step cost on average, in micros: of the period, or else before it."""
    if price["calls"]:
        return Fraction(price["cost_micros"], price["calls"])
    return Fraction(price["earlier_micros"], price["earlier_calls"])


def _refused_leads(ended: Row, rules: EnrichmentRules) -> Iterator[Saving]:
    """Leads of disposable domains: none of their steps was taken. Any other lead is the measure."""
    times, compared = ended["disposable"], ended["compared"]
    if times and compared:
        list_micros = times * sum(rules.list_micros.values())
        paid = Fraction(ended["compared_micros"], compared)
        yield _saving("disposable", "all", times, paid, list_micros)


def _batches(providers: Sequence[Row], rules: EnrichmentRules) -> Iterator[Saving]:
    """The rest of the full price of the same tokens; the list price was not avoided by it."""
    times = sum(row["batch_paid_calls"] for row in providers)
    share = Fraction(str(rules.providers.openai.batch_share))
    if times:
        paid = sum(row["batch_micros"] for row in providers)
        yield _saving("batch", "persona", times, (paid / share - paid) / times, 0)


def _saving(name: str, step: str, times: int, each: Fraction | None, list_micros: int) -> Saving:
    return Saving(
        name=name,
        step=step,
        times=times,
        usd_each=None if each is None else _usd(each),
        usd=None if each is None else _usd(times * each),
        list_usd=_usd(list_micros),
    )


# --- what others take


def _comparisons(leads: int, micros: int, rules: EnrichmentRules) -> Iterator[Comparison]:
    listed = sum(rules.list_micros.values())
    source = "what the system that this one replaces booked for its three steps"
    yield _comparison(REPLACED_SYSTEM, listed, None, source, leads, micros)
    for name, price in rules.price_book.items():
        yield _comparison(
            name, micros_of(price.usd_per_lead), price.priced_on, price.source, leads, micros
        )


def _comparison(
    name: str, each: int, priced_on: date | None, source: str, leads: int, micros: int
) -> Comparison:
    theirs = leads * each
    return Comparison(
        name=name,
        usd_per_lead=_usd(each),
        usd=_usd(theirs),
        saved_usd=_usd(theirs - micros),
        saved_percent=round(100 * (theirs - micros) / theirs, 1) if theirs else None,
        priced_on=priced_on,
        source=source,
    )


# --- inner parts


def _period(since: datetime, until: datetime) -> dict[str, datetime]:
    """The period as the state's tables have times."""
    if until <= since:
        raise BadValue(f"A period ends after it begins; {until} is not after {since}.")
    return {"since": naive_utc(since), "until": naive_utc(until)}


def _rows(warehouse: Warehouse, name: str, **params: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = warehouse.relation(f"enrichment/{name}", **params).to_dicts()
    return rows


def _provider_cost(row: Row) -> ProviderCost:
    left_out = ("cost_micros", "held_micros", "batch_paid_calls", "batch_micros")
    told = {name: value for name, value in row.items() if name not in left_out}
    return ProviderCost(**told, usd=_usd(row["cost_micros"]), held_usd=_usd(row["held_micros"]))


def _day_cost(row: Row) -> DayCost:
    return DayCost(
        row["day"],
        row["provider"],
        row["calls"],
        usd=_usd(row["cost_micros"]),
        held_usd=_usd(row["held_micros"]),
    )


def _usd(micros: int | float | Fraction) -> float:
    """Dollars, to the millionth that the ledger counts in."""
    return round(micros) / 1_000_000


def _usd_each(micros: int, number: int) -> float | None:
    return _usd(Fraction(micros, number)) if number else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
