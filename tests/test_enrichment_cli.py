"""`mi enrich`: leads, the queue, money; offline, and with the fakes of paid providers."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from enrichment_desk import KEYS, overlay
from provider_fakes import Providers
from typer.testing import CliRunner, Result

from mi_core.cli import app
from mi_core.workspace import open_workspace

EMAIL = "joanna.roe@company-1.com"


@pytest.fixture
def offline(tmp_path: Path) -> Path:
    """A workspace without a key."""
    open_workspace(tmp_path / "workspace").close()
    return tmp_path / "workspace"


@pytest.fixture
def paid(offline: Path, providers: Providers, monkeypatch: pytest.MonkeyPatch) -> Providers:
    """The fakes that the workspace `offline` now has keys for."""
    (offline / "overlay.toml").write_text(overlay(providers))
    for name, key in KEYS.items():
        monkeypatch.setenv(f"MI_{name.upper()}", key)
    return providers


def run(workspace: Path, *arguments: str | Path, given: str | None = None) -> Result:
    words = ["enrich", *(str(each) for each in arguments), "--workspace", str(workspace)]
    return CliRunner().invoke(app, words, input=given)


def as_json(workspace: Path, *arguments: str | Path) -> Any:
    result = run(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def complaint(workspace: Path, *arguments: str | Path) -> str:
    """The one line that a command that must fail ends with."""
    result = run(workspace, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    return line


def leads_file(tmp_path: Path, *emails: str) -> Path:
    file = tmp_path / "leads.csv"
    file.write_text("\n".join(["email", *emails]))
    return file


# ---- one lead


def test_a_lead_is_enriched_offline_and_shown_step_by_step(offline: Path):
    result = run(offline, "lead", EMAIL, "--user", "user-1")

    assert result.exit_code == 0, result.output
    assert "completed" in result.stdout
    assert "company-1.com" in result.stdout
    assert "student_early_career, 50% sure" in result.stdout
    assert EMAIL not in result.output


def test_the_address_may_come_by_standard_input(offline: Path):
    result = run(offline, "lead", "-", "--json", given=f"{EMAIL}\n")
    assert json.loads(result.stdout)["email_domain"] == "company-1.com"


def test_a_lead_that_was_enriched_lately_is_shown_and_not_paid_again(
    offline: Path, paid: Providers
):
    first = as_json(offline, "lead", EMAIL)
    bill = paid.total_micros()
    again = as_json(offline, "lead", EMAIL)

    assert again == first
    assert paid.total_micros() == bill == first["cost_micros"] > 0


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("not-an-address", "mi: That is no e-mail address: it has no @."),
        (
            "a\udcff@acme.com",
            "mi: That is no e-mail address: what stands before the @ can't stand there.",
        ),
        (
            "a@mailinator.com",
            "mi: The address is of a disposable domain; such leads are not enriched.",
        ),
    ],
)
def test_what_cannot_be_enriched_is_said_in_a_sentence(offline: Path, email: str, said: str):
    assert complaint(offline, "lead", email) == said
    assert run(offline, "status", "--json").stdout.count(email) == 0


def test_a_lead_of_nobody_is_not_queued(offline: Path):
    said = complaint(offline, "lead", " ", "--user", " ")
    assert said == "mi: The lead has neither an id nor an address."
    assert sum(as_json(offline, "status")["leads"].values()) == 0


def test_a_paid_lead_shows_who_said_what_and_its_price(offline: Path, paid: Providers):
    result = run(offline, "lead", EMAIL, "--user", "user-1")

    assert result.exit_code == 0, result.output
    for word in ("perplexity", "openai", "rapidapi", "Company 1"):
        assert word in result.stdout
    assert f"${paid.total_micros() / 1e6:.4f}" in result.stdout
    for key in KEYS.values():
        assert key not in result.output


# ---- the queue


def test_a_file_waits_in_the_queue_until_it_is_worked(offline: Path, tmp_path: Path):
    queued = run(offline, "file", leads_file(tmp_path, EMAIL, "nope"))
    assert queued.exit_code == 0
    assert "That is no e-mail address: it has no @." in queued.stdout
    assert "mi enrich run --all" in queued.stderr
    assert as_json(offline, "status")["leads"]["pending"] == 1

    assert as_json(offline, "run")["completed"] == 1
    assert as_json(offline, "status")["leads"]["completed"] == 1


def test_a_file_may_be_worked_at_once(offline: Path, tmp_path: Path):
    emails = [f"{letter}oe.roe@gmail.com" for letter in "abcdefghijklmno"]
    done = as_json(offline, "file", leads_file(tmp_path, *emails), "--run")
    assert done["worked"]["completed"] == 15


def test_a_run_takes_ten_leads_unless_told_otherwise(offline: Path, tmp_path: Path):
    emails = [f"{letter}oe.roe@gmail.com" for letter in "abcdefghijklmno"]
    run(offline, "file", leads_file(tmp_path, *emails))

    assert as_json(offline, "run")["completed"] == 10
    assert as_json(offline, "run", "--most", "2")["completed"] == 2
    assert as_json(offline, "run", "--all")["completed"] == 3
    assert as_json(offline, "run", "--all")["completed"] == 0


def test_status_says_who_answers_and_what_may_be_spent(offline: Path, paid: Providers):
    as_json(offline, "lead", EMAIL)
    result = run(offline, "status")

    assert "social: rapidapi, company: perplexity, persona: openai" in result.stdout
    assert "of $10.00" in result.stdout


def test_a_dead_letter_is_explained_and_tried_again(offline: Path, paid: Providers):
    (offline / "overlay.toml").write_text(overlay(paid, "[enrichment]\ntries = 1\n"))
    paid.faults["openai"] = ["server_error"]
    failed = run(offline, "lead", EMAIL, "--user", "user-1")
    assert "failed_permanent" in failed.stdout
    assert "mi enrich retry" in failed.stderr
    assert as_json(offline, "stats")["top_errors"] != []

    assert as_json(offline, "retry", "user-1") == {"queued": 1}
    assert as_json(offline, "run")["completed"] == 1
    calls = {call["step"]: call["status"] for call in as_json(offline, "status", "user-1")["calls"]}
    assert calls == {"social": "ok", "company": "ok", "persona": "ok"}
    assert len(paid.asked("perplexity")) == 1


def test_a_lead_can_be_taken_out_of_the_queue(offline: Path, tmp_path: Path):
    run(offline, "file", leads_file(tmp_path, EMAIL))

    assert as_json(offline, "cancel", EMAIL) == {"cancelled": True}
    assert as_json(offline, "run")["completed"] == 0
    assert "wasn't in the queue" in run(offline, "cancel", EMAIL).stderr


@pytest.mark.parametrize("command", ["status", "cancel", "retry"])
def test_an_id_without_a_lead_is_said(offline: Path, command: str):
    assert complaint(offline, command, "stranger") == "mi: No lead was queued with that id."


# ---- money


def test_costs_add_up_to_the_bill_and_stand_beside_others(offline: Path, paid: Providers):
    as_json(offline, "lead", EMAIL)
    costs = as_json(offline, "costs")

    assert costs["spent_usd"] == pytest.approx(paid.total_micros() / 1e6)
    assert {each["name"] for each in costs["comparisons"]} >= {"replaced_system", "clay"}
    shown = run(offline, "costs").stdout
    assert f"${paid.total_micros() / 1e6:.4f}" in shown
    assert "clay" in shown


def test_costs_of_no_lead_say_where_the_leads_are(offline: Path):
    as_json(offline, "lead", EMAIL)
    result = run(offline, "costs", "--as-of", "2020-01-01")
    assert "No lead ended in these days; the last one did on" in result.stderr


def test_a_cap_stops_the_run_with_a_sentence(offline: Path, paid: Providers):
    rules = "[enrichment.budget]\ndaily_usd = 0.002\n"
    (offline / "overlay.toml").write_text(overlay(paid, rules))

    result = run(offline, "lead", EMAIL, "--user", "user-1")

    assert "Stopped: The daily budget of $0.00" in result.stderr
    assert as_json(offline, "status", "user-1")["status"] == "pending"
    assert paid.total_micros() <= 2000


def test_a_call_of_unknown_cost_is_settled_by_the_bill(
    offline: Path, paid: Providers, tmp_path: Path
):
    paid.faults["openai"] = ["cut_after"]
    run(offline, "lead", EMAIL, "--user", "user-1")
    [held] = [
        each for each in as_json(offline, "status")["providers"] if each["provider"] == "openai"
    ]
    assert held["open_calls"] == 1

    bill = tmp_path / "bill.csv"
    charges = paid.bill("openai")
    lines = [f"{each.call_id},{each.cost_micros / 1e6:.6f}" for each in charges]
    bill.write_text("\n".join(["call_id,usd", *lines]))
    before = ("--before", datetime.now(UTC).isoformat())
    settled = as_json(offline, "settle", "openai", "--bill", bill, *before)

    assert settled == {
        "billed": 1,
        "not_billed": 0,
        "dollars": f"{paid.total_micros('openai') / 1e6:.6f}",
    }
    budget = as_json(offline, "status")["budget"]
    assert budget["day_micros"] == paid.total_micros()


def test_a_bill_that_is_none_is_refused_whole(offline: Path, tmp_path: Path):
    bill = tmp_path / "bill.csv"
    bill.write_text("call_id,usd\nx,many\n")
    said = complaint(offline, "settle", "openai", "--bill", bill, "--before", "2024-01-01")
    assert said == "mi: bill.csv, line 2: usd is 'many'; it is a number, such as 0.0123."


def test_a_bill_that_is_not_there_is_said(offline: Path, tmp_path: Path):
    bill = tmp_path / "bill.csv"
    said = complaint(offline, "settle", "openai", "--bill", bill, "--before", "2024-01-01")
    assert said == "mi: bill.csv can't be read: No such file or directory."


def test_no_bill_goes_into_the_future(offline: Path, tmp_path: Path):
    bill = tmp_path / "bill.csv"
    bill.write_text("call_id,usd\nx,1\n")
    said = complaint(offline, "settle", "openai", "--bill", bill, "--before", "2100-01-01")
    assert said == "mi: The calls before 2100-01-01 00:00 UTC are still to come; no bill has them."


def test_settling_needs_a_bill_or_a_word(offline: Path):
    assert run(offline, "settle", "openai").exit_code == 2
    assert "one of the two" in run(offline, "settle", "openai").stderr


def test_decoys_need_somebody_to_search(offline: Path):
    said = complaint(offline, "decoys")
    assert said == "mi: Decoys need the provider of profiles: set MI_RAPIDAPI_KEY."


def test_decoys_tell_the_rate_with_its_interval_and_are_booked(offline: Path, paid: Providers):
    found = as_json(offline, "decoys", "--count", "5")

    assert (found["asked"], found["answered"], found["matched"]) == (5, 5, 0)
    assert found["low"] == 0
    assert 0.4 < found["high"] < 0.5
    assert found["cost_micros"] == paid.total_micros() == 5000
