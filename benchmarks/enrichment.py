"""What enriching leads takes and costs, against fakes of the paid providers over loopback HTTP.

Ten leads at once, where each call takes a second; the cost of a lead, at the dated prices of
prices.toml and with the tokens of the prompts as they are sent; and how many leads succeed where
one call in twenty fails.

`python benchmarks/enrichment.py [--rounds N] [--leads N]`
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from measure import alone

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from enrichment_desk import desk, first_name
from provider_fakes import Providers

from mi_core.enrichment.intake import Entry
from mi_core.workspace import Workspace

PLANS = "[enrichment.providers]\n" + "".join(
    f"{name} = {{ calls = {calls}, per_seconds = {seconds} }}\n"
    for name, calls, seconds in (("rapidapi", 5, 1), ("perplexity", 50, 60), ("openai", 500, 60))
)
"""The limits of prices.toml, which the workspaces of the tests lift."""


@contextmanager
def enriching(rules: str = "") -> Iterator[tuple[Workspace, Providers]]:
    """An empty workspace, and the fakes that it asks."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Providers() as providers,
        desk(Path(folder) / "workspace", providers, rules) as workspace,
    ):
        yield workspace, providers


def leads(count: int, *, free_mail: float = 0.4, per_company: int = 10) -> list[Entry]:
    """Leads with names to search for: so many of 100 with free mail, so many of each company."""
    entries, of_companies = [], 0
    for number in range(count):
        is_free = int((number + 1) * free_mail) > int(number * free_mail)
        domain = "gmail.com" if is_free else f"company-{of_companies // per_company}.com"
        of_companies += not is_free
        entries.append(Entry(f"{first_name(number)}.roe@{domain}", f"lead-{number}"))
    return entries


def ten_leads(rules: str) -> float:
    """Seconds from the call to ten enriched leads; the process has just opened its workspace."""
    with enriching(rules) as (workspace, providers):
        providers.latency_seconds = 1.0
        workspace.enrichment.put(leads(10))
        started = time.perf_counter()
        worked = workspace.enrichment.work()
        seconds = time.perf_counter() - started
        assert (worked.completed, worked.partial) == (10, 0), worked
        assert providers.total_micros() == workspace.enrichment.status().budget.day_micros
    return seconds


def cost(count: int, *, for_batch: bool = False) -> None:
    """What `count` leads cost, nobody of whom was ever seen: rules can spare no model."""
    with enriching("[enrichment.budget]\ndaily_usd = 1000.0\nmonthly_usd = 1000.0\n") as (
        workspace,
        providers,
    ):
        workspace.enrichment.put(leads(count), for_batch=for_batch)
        workspace.enrichment.work(None)
        for _ in range(4 if for_batch else 0):
            workspace.enrichment.work(None)
        found = workspace.enrichment.costs(days=1)
        assert workspace.enrichment.status().budget.day_micros == providers.total_micros()
    way = "persona by batch" if for_batch else "one by one"
    print(f"\n{count} leads, 40 % free mail, 10 of each company; {way}")
    print(f"| a lead | ${found.usd_per_lead:.5f} |")
    print(f"| a useful lead | ${found.usd_per_useful_lead:.5f} ({found.useful_leads}) |")
    for each in found.providers:
        print(f"| {each.provider} | {each.calls} calls | ${each.usd / count:.5f} a lead |")
    for saving in found.savings:
        worth = "–" if saving.usd is None else f"${saving.usd / count:.5f} a lead"
        print(f"| saved by {saving.name}, {saving.step} | {saving.times} times | {worth} |")
    for other in found.comparisons:
        less = f"{other.saved_percent:.1f} % less"
        print(f"| {other.name} | ${other.usd_per_lead:.4f} a lead | {less} |")


def success(count: int) -> None:
    """How many of `count` leads are completed within their three tries, 5 % of calls failing."""
    with enriching("[enrichment.breaker]\npause_seconds = 60.0\n") as (workspace, providers):
        kinds = ("rate_limited", "server_error", "cut_before", "cut_after", "malformed_json")
        providers.faults.random(0.05, kinds, seed=1)
        later = timedelta(0)
        workspace.enrichment.clock = lambda: datetime.now(UTC) + later
        workspace.enrichment.put(leads(count))
        for _ in range(8):
            workspace.enrichment.work(None)
            later += timedelta(minutes=10)
        stats = workspace.enrichment.stats(days=1)
        asked = len(providers.asked())
        failed = sum(call.fault != "ok" for call in providers.asked())
    print(f"\n{count} leads, {failed} of {asked} calls failed: {stats.success_rate:.2%} completed,")
    print(f"{stats.partial} of them partial")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--leads", type=int, default=500)
    asked = parser.parse_args()
    print("ten leads, each call takes 1 s")
    for name, rules in (("within the plans of prices.toml", PLANS), ("without limits", "")):
        runs = [alone(partial(ten_leads, rules)) for _ in range(asked.rounds)]
        seconds = statistics.median(run.answer for run in runs)
        peak = statistics.median(run.peak_mb for run in runs)
        print(f"| {name} | {seconds:.2f} s | {peak:.0f} MB at the peak |")
    cost(asked.leads)
    cost(asked.leads, for_batch=True)
    success(asked.leads)


if __name__ == "__main__":
    main()
