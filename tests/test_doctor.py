"""What the doctor says of the enrichment: who answers, how they fare, what they cost."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from enrichment_desk import KEYS

from mi_core.doctor import Check, examine
from mi_core.enrichment.calls import Reply
from mi_core.enrichment.ledger import Budget, note_health
from mi_core.enrichment.service import Enrichment, Status
from mi_core.workspace import Workspace

PRICED_ON = date(2026, 6, 30)
NEW_PRICES = PRICED_ON + timedelta(days=30)

Changed = Callable[..., None]


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    return workspace.path


@pytest.fixture
def paid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a key for every provider, whose prices are all of one day."""
    for name, key in KEYS.items():
        monkeypatch.setenv(f"MI_{name.upper()}", key)
    prices = (
        f"[enrichment.providers.{name}]\npriced_on = {PRICED_ON}\n"
        for name in ("rapidapi", "perplexity", "openai")
    )
    (folder / "overlay.toml").write_text("".join(prices))
    return folder


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Changed:
    """Changes what the status says: of one provider, or with `budget` of that."""
    status = Enrichment.status

    def change(provider: str = "", budget: Budget | None = None, **told: Any) -> None:
        def changed(self: Enrichment) -> Status:
            true = status(self)
            rows = [r | told if r["provider"] == provider else r for r in true.providers]
            return replace(true, providers=rows, budget=budget or true.budget)

        monkeypatch.setattr(Enrichment, "status", changed)

    return change


def checks(folder: Path, today: date = NEW_PRICES) -> dict[str, Check]:
    return {check.name: check for check in examine(folder, today=today)}


def test_without_a_key_there_is_nothing_to_look_after(folder: Path):
    seen = checks(folder, date(2100, 1, 1))

    assert seen["enrichment"].finding == "social: local, company: local, persona: local"
    assert {"providers", "enrichment money", "prices"} & set(seen) == set()
    assert all(check.is_well for check in seen.values())


def test_keys_are_seen_and_not_told(paid: Path):
    seen = checks(paid)

    assert seen["enrichment"].finding == "social: rapidapi, company: perplexity, persona: openai"
    assert all(check.is_well for check in seen.values())
    assert not any(key in check.finding for check in seen.values() for key in KEYS.values())


def test_a_shut_provider_is_something_to_mend(workspace: Workspace, paid: Path):
    refused: Reply[Any] = Reply("key_refused", 0, error="The key is wrong.")
    rules = workspace.definitions.enrichment
    with workspace.state.writing() as transaction:
        note_health(transaction, "openai", refused, now=datetime.now(UTC), rules=rules)
    check = checks(paid)["providers"]

    assert not check.is_well
    assert check.finding.startswith("openai is shut: The key is wrong; mend")
    assert "mi enrich reopen openai" in check.finding


def test_a_provider_that_is_down_comes_back_by_itself(paid: Path, found: Changed):
    found("rapidapi", is_down=True, reason="It didn't answer.")
    assert checks(paid)["providers"] == Check(
        "providers", True, "rapidapi is down: It didn't answer"
    )


def test_a_shut_provider_that_is_asked_no_more_is_nothing_to_mend(folder: Path, found: Changed):
    found("openai", is_down=True, is_shut=True, reason="The key is wrong.")
    assert "providers" not in checks(folder)


def test_what_is_held_is_told_even_without_a_key(folder: Path, found: Changed):
    found("openai", open_calls=3, held_micros=6_800)
    check = checks(folder)["enrichment money"]

    assert check.is_well
    assert "3 calls whose cost isn't known hold $0.0068" in check.finding


def test_a_budget_that_is_nearly_spent_is_told(paid: Path, found: Changed):
    found(budget=Budget(9_000_000, 10_000_000, 9_000_000, 100_000_000, alert_share=0.8))
    check = checks(paid)["enrichment money"]

    assert check.is_well
    assert check.finding == "90% of the daily budget is spent or held: $9.00 of $10.00"


@pytest.mark.parametrize(
    ("days", "is_well", "told"),
    [
        (183, True, "of 2026-06-30 or later"),
        (184, True, "openai of 2026-06-30"),
        (365, True, "openai of 2026-06-30"),
        (366, False, "openai of 2026-06-30"),
    ],
)
def test_prices_grow_old(paid: Path, days: int, is_well: bool, told: str):
    check = checks(paid, PRICED_ON + timedelta(days=days))["prices"]

    assert check.is_well == is_well
    assert told in check.finding


def test_only_prices_of_providers_that_are_asked_count(paid: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MI_OPENAI_API_KEY")
    assert "openai" not in checks(paid, date(2100, 1, 1))["prices"].finding


def test_the_doctor_loads_no_provider(paid: Path):
    script = (
        "import sys; from pathlib import Path; from mi_core.doctor import examine\n"
        "examine(Path(sys.argv[1])); print(*sys.modules)"
    )
    command = [sys.executable, "-c", script, str(paid)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)

    assert {"openai", "httpx"} & set(ran.stdout.split()) == set()
