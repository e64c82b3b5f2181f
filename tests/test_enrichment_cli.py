"""`mi enrich`: leads, the queue, money; offline, and with the fakes of paid providers."""

import json
import re
import signal
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer.main
from enrichment_desk import KEYS, overlay
from provider_fakes import Providers
from typer.testing import CliRunner, Result

from mi_core.cli import app
from mi_core.cli import enrich_in_short as in_short
from mi_core.enrichment import queue
from mi_core.enrichment.batches import Batched
from mi_core.enrichment.ledger import Budget
from mi_core.enrichment.listing import Left
from mi_core.enrichment.service import Status
from mi_core.enrichment.worker import Worked
from mi_core.synthetic.generator import END
from mi_core.workspace import open_workspace

ROOT = Path(__file__).resolve().parents[1]
EMAIL = "joanna.roe@company-1.com"
NOON = datetime(2024, 6, 30, 12, tzinfo=UTC)


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


# ---- what is said beside the figures


def test_a_run_without_leads_says_so(offline: Path):
    result = run(offline, "run")
    assert (result.exit_code, result.stderr) == (0, "Nothing was due.\n")
    assert result.stdout.split() == ["completed", "0"]


def test_a_run_says_what_is_left(offline: Path, paid: Providers, tmp_path: Path):
    paid.faults["openai"] = ["cut_after"]
    run(offline, "file", leads_file(tmp_path, EMAIL, "ann.roe@company-2.com"))

    result = run(offline, "run", "--most", "1")

    assert result.exit_code == 0
    assert "1 lead is still due. 1 lead is due later, the next at " in result.stderr
    assert "The cost of 1 call to openai is unknown: mi enrich settle openai." in result.stderr
    assert "lost" not in result.stdout


def test_ctrl_c_leaves_the_rest_and_says_so(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lease = queue.lease

    def interrupted(*told: Any, **more: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return lease(*told, **more)

    emails = [f"{letter * 2}oe.roe@gmail.com" for letter in "abcdefghijklmnopqrstuvwxyz"]
    run(offline, "file", leads_file(tmp_path, *emails))
    monkeypatch.setattr(queue, "lease", interrupted)

    result = run(offline, "run", "--all")

    left = as_json(offline, "status")["leads"]["pending"]
    assert result.exit_code == 130
    assert 0 < left < 26
    assert f"Stopped; {left} leads are left." in result.stderr


def test_a_cap_ends_a_run_with_1(offline: Path, paid: Providers, tmp_path: Path):
    rules = "[enrichment.budget]\ndaily_usd = 0\nmonthly_usd = 1\n"
    (offline / "overlay.toml").write_text(overlay(paid, rules))
    run(offline, "file", leads_file(tmp_path, EMAIL))

    result = run(offline, "run", "--all")
    assert result.exit_code == 1
    assert "Stopped: The daily budget" in result.stderr
    assert "1 lead is still due." in result.stderr
    assert "Nothing more may be spent today" in run(offline, "status").stderr


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (
            Left(0, 0, None, 1, NOON, 0, {}),
            "may have died; its lease ends at 2024-06-30 12:00 UTC.",
        ),
        (Left(0, 0, None, 0, None, 2, {}), "2 leads wait for a batch; run again to take it in."),
        (Left(0, 2, NOON, 0, None, 0, {}), "2 leads are due later, the next at 2024-06-30 12:00"),
        (Left(0, 0, None, 0, None, 0, {"openai": 2}), "The cost of 2 calls to openai is unknown"),
    ],
)
def test_what_is_left_is_said_in_sentences(left: Left, said: str):
    [sentence] = in_short.left(left, Worked(completed=1))
    assert said in sentence


def test_batches_are_named_where_there_is_something():
    assert in_short.worked(Worked(batches=Batched())) == {"completed": 0}
    told = in_short.worked(Worked(2, waiting_for_batch=3, batches=Batched(sent=3, under_way=5)))
    assert told == {
        "completed": 2,
        "waiting_for_batch": 3,
        "batch_leads_sent": 3,
        "batch_leads_under_way": 5,
    }


def test_all_and_most_are_two_different_things(offline: Path):
    result = run(offline, "run", "--all", "--most", "3")
    assert result.exit_code == 2
    assert "Give --all or --most, one of the two." in result.stderr


def provider(**more: Any) -> dict[str, Any]:
    well = {"provider": "perplexity", "is_down": False, "is_shut": False, "held_micros": 0}
    return well | {"reason": None, "shut_until": None, "down_until": None} | more


def states(*providers: dict[str, Any]) -> list[str]:
    budget = Budget(6100, 10_000_000, 6100, 100_000_000, 0.8)
    shown = in_short.status(Status({}, {}, providers, budget), {})
    assert shown["today"] == "$0.0061 of $10.00"
    return [each["state"] for each in shown["providers"]]  # type: ignore[attr-defined]


def test_a_provider_is_down_until_a_time_and_named_once():
    reason = "Perplexity: perplexity: the service fails (503)."
    down = provider(is_down=True, down_until=NOON, reason=reason)
    assert states(provider(), down) == [
        "well",
        "down until 2024-06-30 12:00 UTC: the service fails (503)",
    ]


def test_a_provider_that_is_shut_says_how_to_reopen_it_on_a_screen():
    shut = provider(is_shut=True, shut_until=NOON, reason=f"Perplexity: {'no money ' * 9}")
    [state] = states(shut)
    assert state.startswith("shut until 2024-06-30 12:00 UTC: no")
    assert state.endswith("…; mi enrich reopen perplexity")
    assert len(state) <= 66


def test_a_provider_can_be_reopened(offline: Path):
    assert as_json(offline, "reopen", "openai") == {"reopened": "openai"}
    assert "did you mean 'openai'" in complaint(offline, "reopen", "openia")


def test_a_held_call_is_shown_with_the_lead(offline: Path, paid: Providers):
    paid.faults["openai"] = ["cut_after"]
    shown = run(offline, "lead", EMAIL, "--user", "user-1").stdout
    assert " held" in shown
    assert "next try at" in shown

    steps = in_short.lead(as_json(offline, "status", "user-1"))["steps"]
    assert [each["step"] for each in steps] == ["social", "company"]  # type: ignore[attr-defined]


def test_a_search_that_kept_nothing_says_so(offline: Path, paid: Providers):
    shown = run(offline, "lead", "joanna.roe@gmail.com", "--user", "user-1").stdout
    assert "none sure enough" in shown
    assert "next try at" not in shown


def test_leads_are_listed_newest_first_and_without_address(offline: Path, tmp_path: Path):
    assert run(offline, "list").stderr == "No rows.\n"
    for email in (EMAIL, "nope"):
        run(offline, "file", leads_file(tmp_path, email))

    rows = as_json(offline, "list")
    assert [each["status"] for each in rows] == ["failed_permanent", "pending"]
    assert rows[1]["domain"] == "company-1.com"
    assert EMAIL not in str(rows)
    assert [each["next_try_or_end"] for each in in_short.leads(rows)] == [
        rows[0]["ended_at"],
        rows[1]["next_try_at"],
    ]
    assert as_json(offline, "list", "--limit", "1") == rows[:1]
    assert as_json(offline, "list", "--status", "pending") == rows[1:]
    assert "did you mean 'pending'" in complaint(offline, "list", "--status", "pendin")


def test_a_retry_of_nothing_says_why(offline: Path, tmp_path: Path):
    run(offline, "file", leads_file(tmp_path, EMAIL))
    assert "It is in the queue already: pending." in run(offline, "retry", EMAIL).stderr
    run(offline, "run")
    assert "It is completed" in run(offline, "retry", EMAIL).stderr
    assert "lacks nothing" in run(offline, "retry", EMAIL, "--partial").stderr
    run(offline, "file", leads_file(tmp_path, "nope"))
    assert "It was dead at once" in run(offline, "retry", "nope").stderr
    assert "No dead letter is there" in run(offline, "retry").stderr


def test_a_cancelled_lead_comes_again_where_somebody_says_so(offline: Path, tmp_path: Path):
    file = leads_file(tmp_path, EMAIL)
    run(offline, "file", file)
    run(offline, "cancel", EMAIL)
    assert "It was cancelled" in run(offline, "retry", EMAIL).stderr

    skipped = run(offline, "file", file)
    assert "1: 1 cancelled" in skipped.stdout
    assert "--again" in skipped.stderr
    assert as_json(offline, "file", file, "--again")["queued"] == 1
    run(offline, "cancel", EMAIL)
    assert "--again" in run(offline, "lead", EMAIL).stderr
    found = as_json(offline, "lead", EMAIL, "--again", "--trigger", "webinar")
    assert (found["status"], found["trigger"]) == ("completed", "webinar")


def test_a_file_says_what_it_left_alone(offline: Path, tmp_path: Path):
    file = tmp_path / "leads.csv"
    file.write_text(f"email,Owner,Deal stage\n{EMAIL},x,y\nnope,x,y\n{EMAIL},x,y\n")
    found = run(offline, "file", file)
    assert "Not read: the columns owner, deal_stage." in found.stderr
    assert "1: 1 given twice" in found.stdout
    assert as_json(offline, "file", file)["problems"][0]["line"] == 3


@pytest.mark.parametrize("command", ["stats", "costs"])
def test_what_is_still_to_come_has_no_figures(offline: Path, command: str):
    said = complaint(offline, command, "--as-of", "2100-01-01")
    assert said == "mi: 2100-01-01 00:00 UTC is still to come."


def test_both_rates_of_success_are_shown_where_they_differ(offline: Path, tmp_path: Path):
    run(offline, "lead", EMAIL)
    assert "success with refused" not in run(offline, "stats").stdout
    run(offline, "file", leads_file(tmp_path, "nope"))
    shown = run(offline, "stats").stdout
    assert "success with refused" in shown
    assert "50.0%" in shown


def test_nothing_is_settled_where_nothing_was_asked(offline: Path, paid: Providers):
    said = complaint(offline, "settle", "openai", "--as-held")
    assert said == "mi: openai has no calls to settle."
    as_json(offline, "lead", EMAIL, "--user", "user-1")
    result = run(offline, "settle", "openai", "--as-held")
    assert (result.exit_code, result.stderr) == (0, "openai has no calls to settle.\n")


def test_decoys_are_told_in_percent_and_dollars(offline: Path, paid: Providers):
    shown = run(offline, "decoys", "--count", "5").stdout
    assert "0.0% (95 % interval 0.0%–43.4%)" in shown
    assert "$0.0050" in shown


def test_an_address_that_serves_as_an_id_may_be_written_otherwise(offline: Path, tmp_path: Path):
    run(offline, "file", leads_file(tmp_path, "Joanna.Roe@COMPANY-1.com"))
    assert as_json(offline, "status", "Joanna.Roe@COMPANY-1.com")["status"] == "pending"
    assert as_json(offline, "retry", EMAIL.upper()) == {"queued": 0}
    assert as_json(offline, "cancel", EMAIL.upper()) == {"cancelled": True}


def test_the_demo_says_when_its_leads_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    counts = {"accepted": 1, "users_scored": 1, "completed": 1}
    made = SimpleNamespace(workspace=tmp_path, reports={}, ended_on=END.date())
    made.ingested = made.scored = made.enriched = SimpleNamespace(**counts)
    monkeypatch.setattr("mi_core.demo.run_demo", lambda *_, **__: made)
    said = CliRunner().invoke(app, ["demo", "--workspace", str(tmp_path)]).stderr
    assert "mi enrich stats --as-of 2024-07-02," in said


EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_example_of_the_guide_runs(
    offline: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    [example] = EXAMPLE.findall((ROOT / "docs" / "enrichment.md").read_text())
    monkeypatch.chdir(offline.parent)
    exec(example.replace('"data"', repr(offline.name)), {})
    assert capsys.readouterr().out.splitlines() == ["2 {} []", "2", "completed"]


def test_the_guide_names_every_command():
    group = typer.main.get_command(app).commands["enrich"]  # type: ignore[attr-defined]
    told = [(ROOT / page).read_text() for page in ("README.md", "docs/enrichment.md")]
    missing = [
        name
        for text in told
        for name in group.commands
        if not re.search(rf"mi enrich {name}\b", text)
    ]
    assert missing == []
