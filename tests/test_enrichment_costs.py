"""What enrichment costs and saves, in figures that can be worked out by hand."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from enrichment_desk import desk, leads
from enrichment_lake import TABLES, enrichment_warehouse
from provider_fakes import Providers
from sql_cases import fill

from mi_core import terminal
from mi_core.definitions import load_definitions
from mi_core.enrichment.costs import Costs, Saving, Stats, costs, stats
from mi_core.errors import BadValue
from mi_core.warehouse import Warehouse
from mi_core.workspace import Workspace

RULES = load_definitions().enrichment
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)
NOON = datetime(2026, 1, 2, 12)
NUMBERS = itertools.count(1)
ENDED = ("completed", "failed_permanent", "cancelled")

Row = dict[str, Any]
Ledger = dict[str, list[Row]]


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    opened = enrichment_warehouse(tmp_path_factory.mktemp("lake"))
    yield opened
    opened.close()


@pytest.fixture
def ledger(emptied: Warehouse) -> Callable[..., Warehouse]:
    """The warehouse with these rows and no others."""

    def filled(*parts: Ledger) -> Warehouse:
        for table in TABLES:
            fill(emptied, table, [row for part in parts for row in part.get(table, [])])
        return emptied

    return filled


def lead(*parts: Ledger, at: datetime = NOON, status: str = "completed", **columns: Any) -> Ledger:
    """A lead that ended at `at`, with the steps and calls in `parts`."""
    number = next(NUMBERS)
    identity = {
        **{"user_id": name(number), "lead_id": name(number), "status": status},
        **{"email_hash": name(number), "email_domain": "acme.com", "is_partial": 0},
        **{"cost_micros": 0, "queued_at": at, "for_batch": 0, "tries": 1},
        **{"enriched_at": at if status == "completed" else None},
        **{"ended_at": at if status in ENDED else None},
    }
    merged: Ledger = {"state.user_identity": [identity | columns]}
    for table, rows in itertools.chain.from_iterable(part.items() for part in parts):
        keys = {"lead_id": name(number)}
        if table.endswith("call"):
            keys["user_id"] = name(number)
        merged.setdefault(table, []).extend(row | keys for row in rows)
    return merged


def call(step: str, cost: int | None, most: int = 9000, **columns: Any) -> Ledger:
    """A call, for `cost` millionths of a dollar; None where nobody knows."""
    provider = {"social": "rapidapi", "company": "perplexity", "persona": "openai"}[step]
    row = {
        **{"call_id": name(next(NUMBERS)), "user_id": name(0), "step": step, "provider": provider},
        **{"cost_micros": cost, "most_micros": most, "called_at": NOON, "is_cached": 0},
        **{"status": "lost" if cost is None else "ok"},
    }
    return {"state.enrichment_call": [row | columns]}


def step(step: str, source: str, reason: str | None = None, provider: str = "perplexity") -> Ledger:
    """A step that gave something unless it was skipped."""
    row = {
        **{"step": step, "source": source, "reason": reason, "provider": provider},
        **{"answer": None if source == "skipped" else "{}", "done_at": NOON},
    }
    return {"state.enrichment_step": [row]}


def name(number: int) -> str:
    return f"00000000-0000-0000-0000-{number:012}"


def asked(warehouse: Warehouse) -> Costs:
    return costs(warehouse, RULES, since=SINCE, until=UNTIL)


def looked_at(warehouse: Warehouse, **period: datetime) -> Stats:
    return stats(warehouse, RULES, **{"since": SINCE, "until": UNTIL} | period)


def one_saving(found: Costs) -> Saving:
    [saving] = found.savings
    return saving


# --- costs


def test_without_leads_nothing_costs_or_saves_anything(workspace: Workspace) -> None:
    found = asked(workspace.warehouse)

    assert (found.leads, found.usd_per_lead, found.usd_per_useful_lead) == (0, None, None)
    assert (found.spent_usd, found.saved_usd, found.providers, found.savings) == (0, 0, [], [])
    assert {(each.usd, each.saved_percent) for each in found.comparisons} == {(0, None)}


def test_cost_per_lead_is_of_all_that_ended_and_held_counts_as_spent(
    ledger: Callable[..., Warehouse],
) -> None:
    found = asked(
        ledger(
            lead(call("social", 1000), call("company", 5000), step("persona", "paid")),
            lead(call("social", None, most=1000), step("persona", "rules", "rejected", "local")),
            lead(call("social", 1000), status="failed_permanent"),
            lead(call("social", 4000), status="pending"),
        )
    )

    assert (found.leads, found.useful_leads) == (3, 1)
    assert (found.leads_usd, found.leads_held_usd) == (0.007, 0.001)
    assert found.usd_per_lead == 0.002667  # $0.008 for 3
    assert found.usd_per_useful_lead == 0.008
    assert (found.spent_usd, found.held_usd) == (0.011, 0.001)  # with the lead that hasn't ended


def test_prices_elsewhere_are_for_the_same_leads(ledger: Callable[..., Warehouse]) -> None:
    found = asked(ledger(*(lead(call("persona", 1000), step("persona", "paid")) for _ in range(4))))

    listed, clay, *others = found.comparisons
    assert (listed.name, listed.usd_per_lead, listed.usd) == ("replaced_system", 0.041, 0.164)
    assert (listed.saved_usd, listed.saved_percent) == (0.16, 97.6)
    assert (clay.name, clay.usd_per_lead, clay.usd) == ("clay", 0.25, 1.0)
    assert (clay.saved_usd, clay.saved_percent) == (0.996, 99.6)
    assert (clay.priced_on, bool(clay.source)) == (date(2025, 12, 31), True)
    assert [each.name for each in others] == ["clay_launch", "clay_growth"]


def test_dearer_than_elsewhere_is_said_so(ledger: Callable[..., Warehouse]) -> None:
    found = asked(ledger(lead(call("persona", None, most=82_000), step("persona", "paid"))))

    assert (found.comparisons[0].saved_usd, found.comparisons[0].saved_percent) == (-0.041, -100.0)


def test_the_local_provider_is_free_and_saves_nothing(ledger: Callable[..., Warehouse]) -> None:
    found = asked(
        ledger(
            lead(
                step("social", "skipped", "no_name", "local"),
                step("company", "skipped", "free_mail", "local"),
                step("persona", "local", None, "local"),
            ),
            lead(status="failed_permanent", email_hash=None, email_domain="mailinator.com"),
        )
    )

    assert (found.leads, found.useful_leads, found.usd_per_lead) == (1, 0, 0.0)
    assert (found.compared_leads, found.savings) == (0, [])
    assert {(each.usd, each.saved_usd) for each in found.comparisons} == {(0.0, 0.0)}


def test_a_price_of_next_to_nothing_is_nothing(ledger: Callable[..., Warehouse]) -> None:
    clay = RULES.price_book["clay"].model_copy(update={"usd_per_lead": 5e-324})
    rules = RULES.model_copy(update={"price_book": {"clay": clay}})
    dear = ledger(lead(call("persona", 1000), step("persona", "paid")))

    [_, found] = costs(dear, rules, since=SINCE, until=UNTIL).comparisons
    assert (found.usd, found.saved_usd, found.saved_percent) == (0.0, -0.001, None)


def test_an_answer_from_a_cache_is_no_call(ledger: Callable[..., Warehouse]) -> None:
    cached: Row = {"is_cached": 1, "most": 0}
    filled = ledger(
        lead(call("social", 1000, latency_ms=80), call("company", 5000, latency_ms=900)),
        lead(
            call("social", 0, called_at=datetime(2026, 1, 1), **cached),
            *(call("company", 0, **cached), step("company", "cache", "company_cache")),
        ),
        lead(call("persona", 0, **cached)),
    )
    found, done = asked(filled), looked_at(filled)

    openai, perplexity, rapidapi = found.providers
    assert [(each.calls, each.ok, each.cached_calls) for each in found.providers] == [
        *((0, 0, 1), (1, 1, 1), (1, 1, 1))
    ]
    assert (openai.median_ms, perplexity.median_ms, rapidapi.p95_ms) == (None, 900, 80)
    assert {(each.provider, each.calls, each.usd) for each in found.days} == {
        ("perplexity", 1, 0.005),
        ("rapidapi", 1, 0.001),
    }
    assert one_saving(found) == Saving("company_cache", "company", 1, 0.005, 0.005, 0.01)
    assert (found.leads, found.usd_per_lead) == (3, 0.002)
    # From the first call, at noon of the second, until the 31st.
    assert done.projected_30_days_usd == round(0.006 * 30 / 28.5, 6)


def test_what_an_address_cost_that_gave_way_is_spent_but_is_of_no_lead(
    ledger: Callable[..., Warehouse],
) -> None:
    gone = call("social", 1000, lead_id=name(0))
    found = asked(ledger(lead(call("social", 2000), step("persona", "paid")), gone))

    assert (found.leads, found.leads_usd, found.spent_usd) == (1, 0.002, 0.003)


# --- savings


def test_what_a_cache_spared_is_worth_what_the_paid_calls_cost(
    ledger: Callable[..., Warehouse],
) -> None:
    found = asked(
        ledger(
            lead(call("company", 5000), step("company", "paid")),
            lead(call("company", 6001), step("company", "paid")),
            lead(call("company", 0), call("company", None), step("company", "skipped", "lost")),
            *(lead(step("company", "cache", "company_cache")) for _ in range(3)),
        )
    )

    # 3 times the average of $0.005 and $0.006001, to the millionth
    assert one_saving(found) == Saving("company_cache", "company", 3, 0.0055, 0.016502, 0.03)
    assert found.saved_usd == 0.016502


def test_a_period_without_paid_calls_of_a_step_goes_by_those_before_it(
    ledger: Callable[..., Warehouse],
) -> None:
    spared = lead(step("persona", "rules", "rules_sure", "local"))
    earlier = lead(call("persona", 700, called_at=datetime(2025, 12, 1)), at=datetime(2025, 12, 1))

    assert one_saving(asked(ledger(spared, earlier))).usd == 0.0007
    never = one_saving(asked(ledger(spared)))
    assert (never.times, never.usd_each, never.usd, never.list_usd) == (1, None, None, 0.03)


def test_a_refused_disposable_address_saves_what_any_other_lead_costs(
    ledger: Callable[..., Warehouse],
) -> None:
    refused: Row = {"status": "failed_permanent", "email_hash": None}
    found = asked(
        ledger(
            lead(call("social", 1000), step("persona", "paid")),
            lead(call("social", 3000), step("persona", "paid")),
            *(lead(**refused, email_domain="mailinator.com") for _ in range(5)),
            lead(**refused, email_domain=None),
        )
    )

    assert one_saving(found) == Saving("disposable", "all", 5, 0.002, 0.01, 0.205)
    assert (found.leads, found.usd_per_lead) == (2, 0.002)


def test_a_batch_saves_the_other_half(ledger: Callable[..., Warehouse]) -> None:
    found = asked(
        ledger(
            lead(call("persona", 300, batch_key="b"), step("persona", "paid")),
            lead(call("persona", 500, batch_key="b"), step("persona", "paid")),
            lead(call("persona", 0, batch_key="b", status="unavailable")),
            lead(call("persona", None, batch_key="b", status="reserved"), status="waiting"),
            lead(call("persona", 5000), step("persona", "paid")),
        )
    )

    assert one_saving(found) == Saving("batch", "persona", 2, 0.0004, 0.0008, 0.0)
    [openai] = found.providers
    assert (openai.calls, openai.batch_calls, openai.unsettled) == (5, 4, 1)


def test_what_a_batch_saves_follows_its_share_of_the_price(
    ledger: Callable[..., Warehouse],
) -> None:
    openai = RULES.providers.openai.model_copy(update={"batch_share": 0.8})
    providers = RULES.providers.model_copy(update={"openai": openai})
    rules = RULES.model_copy(update={"providers": providers})
    batched = ledger(lead(call("persona", 400, batch_key="b")))

    # $0.0004 is 80 % of $0.0005
    assert one_saving(costs(batched, rules, since=SINCE, until=UNTIL)).usd == 0.0001


def test_paid_and_saved_make_up_the_price_of_every_step(
    tmp_path: Path, providers: Providers
) -> None:
    with desk(tmp_path / "w", providers) as workspace:
        workspace.enrichment.put(leads(12, companies=3))
        workspace.enrichment.work(None)
        now = datetime.now(UTC)
        found = costs(workspace.warehouse, RULES, since=now - timedelta(days=1), until=now)
        done = stats(workspace.warehouse, RULES, since=now - timedelta(days=1), until=now)

    assert found.spent_usd == found.leads_usd == providers.total_micros() / 1e6
    assert (found.leads, found.compared_leads, done.success_rate) == (12, 12, 1.0)
    calls = {each.provider: each.calls for each in found.providers}
    spared = {(each.name, each.step): each.times for each in found.savings}
    assert (calls["rapidapi"], calls["perplexity"]) == (12, 3)
    assert spared["company_cache", "company"] == 9
    assert calls.get("openai", 0) + sum(n for (_, at), n in spared.items() if at == "persona") == 12
    perplexity = providers.total_micros("perplexity") / 1e6
    [cached] = [each for each in found.savings if each.step == "company"]
    assert cached.usd == pytest.approx(3 * perplexity, abs=1e-6)


# --- stats


def test_without_leads_there_is_no_rate(workspace: Workspace) -> None:
    found = looked_at(workspace.warehouse)

    assert set(found.by_status.values()) == {0}
    assert (found.success_rate, found.success_rate_with_refused, found.partial_share) == (None,) * 3
    assert (found.projected_30_days_usd, found.due, found.oldest_due_at) == (0.0, 0, None)


def test_a_bad_address_is_no_failure_of_the_enrichment(ledger: Callable[..., Warehouse]) -> None:
    refused: Row = {"status": "failed_permanent", "email_hash": None}
    found = looked_at(
        ledger(
            lead(),
            lead(),
            lead(is_partial=1),
            lead(status="failed_permanent"),
            lead(**refused, email_domain="mailinator.com"),
            lead(**refused, email_domain=None),
            lead(status="cancelled"),
            lead(status="failed"),
        )
    )

    assert (found.ended, found.completed, found.partial, found.refused) == (4, 3, 1, 2)
    assert (found.success_rate, found.success_rate_with_refused) == (0.75, 0.5)
    assert found.partial_share == pytest.approx(1 / 3)
    assert found.by_status == {
        **{"pending": 0, "processing": 0, "waiting": 0, "failed": 1},
        **{"completed": 3, "failed_permanent": 3, "cancelled": 1},
    }


@pytest.mark.parametrize(
    ("first_call", "projected"),
    [
        pytest.param(datetime(2025, 6, 1), 0.3, id="history: the period is 30 days"),
        pytest.param(datetime(2026, 1, 16), 0.6, id="begun half-way: twice the pace"),
        pytest.param(datetime(2026, 1, 30, 23), 9.0, id="begun an hour ago: a day at least"),
    ],
)
def test_projection_goes_by_the_pace_since_the_first_call(
    ledger: Callable[..., Warehouse], first_call: datetime, projected: float
) -> None:
    found = looked_at(
        ledger(
            lead(call("social", 0, called_at=first_call)),
            lead(call("company", 200_000, called_at=datetime(2026, 1, 30, 23, 30))),
            lead(call("company", None, most=100_000, called_at=datetime(2026, 1, 30, 23, 30))),
        )
    )

    assert (found.spent_usd, found.held_usd) == (0.2, 0.1)
    assert (found.projected_30_days_usd, found.monthly_cap_usd) == (projected, 100.0)


def test_the_longest_wait_is_of_the_first_lead_that_is_due(
    ledger: Callable[..., Warehouse],
) -> None:
    found = looked_at(
        ledger(
            lead(status="pending", at=datetime(2026, 1, 30, 23, 58)),
            lead(status="pending", at=datetime(2026, 1, 30, 23, 59)),
            lead(status="failed", next_try_at=datetime(2026, 1, 31, 0, 1)),
        )
    )

    assert (found.due, found.oldest_wait_seconds) == (2, 120.0)
    assert found.oldest_due_at == datetime(2026, 1, 30, 23, 58, tzinfo=UTC)


def test_the_most_frequent_errors_come_first(ledger: Callable[..., Warehouse]) -> None:
    busy = "RapidAPI: too many calls (429)."
    found = looked_at(
        ledger(
            lead(call("social", 0, status="rate_limited", error=busy)),
            lead(status="failed", error=f"social by rapidapi: {busy}"),
            lead(status="failed_permanent", error=f"social by rapidapi: {busy}"),
            lead(status="failed_permanent", email_hash=None, error="That is no e-mail address."),
        )
    )

    assert [(each.kind, each.leads, each.calls) for each in found.top_errors] == [
        ("RapidAPI: too many calls", 2, 1),
        ("That is no e-mail address", 1, 0),
    ]


# --- both


def test_both_engines_give_the_same(any_workspace: Workspace) -> None:
    put(
        any_workspace,
        lead(
            *(call("social", 1000, latency_ms=100), call("company", None, most=6600)),
            *(step("company", "skipped", "lost"), step("persona", "rules", "rules_sure", "local")),
            is_partial=1,
            error="company by perplexity: lost",
        ),
        lead(
            *(call("social", 1000), call("company", 5000), call("persona", 500, batch_key="b")),
            *(step("company", "paid"), step("persona", "paid", None, "openai")),
        ),
        lead(step("company", "cache", "company_cache"), step("persona", "paid", None, "openai")),
        lead(status="pending", at=datetime(2026, 1, 30, 23)),
        lead(call("social", 2000, called_at=datetime(2026, 1, 31)), at=datetime(2026, 1, 31)),
    )
    found, done = asked(any_workspace.warehouse), looked_at(any_workspace.warehouse)

    assert (found.leads, found.useful_leads, found.compared_leads) == (3, 2, 3)
    assert (found.leads_usd, found.leads_held_usd, found.usd_per_lead) == (0.0075, 0.0066, 0.0047)
    assert [(each.provider, each.usd, each.held_usd) for each in found.providers] == [
        ("openai", 0.0005, 0.0),
        ("perplexity", 0.005, 0.0066),
        ("rapidapi", 0.002, 0.0),
    ]
    assert {each.day for each in found.days} == {date(2026, 1, 2)}
    assert {(each.name, each.usd, each.list_usd) for each in found.savings} == {
        ("company_cache", 0.005, 0.01),
        ("rules_sure", 0.0005, 0.03),
        ("batch", 0.0005, 0.0),
    }
    assert (found.saved_usd, found.comparisons[0].usd) == (0.006, 0.123)
    assert (done.by_status["completed"], done.by_status["pending"]) == (4, 1)
    assert (done.success_rate, done.partial_share, done.due) == (1.0, 1 / 3, 1)
    assert done.oldest_wait_seconds == 3600.0
    assert [(each.kind, each.leads, each.calls) for each in done.top_errors] == [("lost", 1, 1)]


@pytest.mark.parametrize("ask", [costs, stats])
def test_all_of_it_can_be_written_as_json(
    ledger: Callable[..., Warehouse],
    capsys: pytest.CaptureFixture[str],
    ask: Callable[..., Costs | Stats],
) -> None:
    filled = ledger(
        lead(call("social", 1000), step("company", "cache", "company_cache")),
        lead(status="failed_permanent", error="late"),
    )
    found = ask(filled, RULES, since=SINCE, until=UNTIL)
    terminal.write(found, as_json=True)

    written = json.loads(capsys.readouterr().out)
    assert set(written) == {field.name for field in fields(found)}
    assert written["since"] == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("ask", [costs, stats])
def test_a_period_ends_after_it_begins(
    ledger: Callable[..., Warehouse], ask: Callable[..., Costs | Stats]
) -> None:
    with pytest.raises(BadValue, match="ends after it begins"):
        ask(ledger(), RULES, since=SINCE, until=SINCE)


def put(workspace: Workspace, *parts: Ledger) -> None:
    """Insert rows into the state, as its writers do."""
    with workspace.state.writing() as transaction:
        for table, row in (
            (table, row) for part in parts for table, rows in part.items() for row in rows
        ):
            bound = {
                k: v.replace(tzinfo=UTC) if isinstance(v, datetime) else v for k, v in row.items()
            }
            columns, marks = ", ".join(row), ", ".join(f":{column}" for column in row)
            into = table.removeprefix("state.")
            transaction.change(f"insert into {into} ({columns}) values ({marks})", **bound)
