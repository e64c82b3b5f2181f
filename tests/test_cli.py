"""The command line: help, JSON, one sentence for an error, and what goes to which stream."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import partialmethod
from pathlib import Path
from unittest.mock import Mock

import pytest
import typer.main
from exports import event, write_export
from stores import new_workspace
from typer.core import TyperGroup
from typer.testing import CliRunner, Result

from mi_core.cli import app
from mi_core.errors import ReportError
from mi_core.reports import Difference
from mi_core.workspace import Workspace

OVERLAY = """
[events]
compare = { signal = "comparison_view", engagement = true }

[signals.page_view]
points = 2
"""

KNOWN_PERSON = "user-000000001"


def commands() -> list[list[str]]:
    root = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():
        inner = command.commands if isinstance(command, TyperGroup) else [None]
        found += [[name, each] if each else [name] for each in inner]
    return found


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def as_json(*arguments: str | Path) -> object:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def complaint(*arguments: str | Path) -> str:
    """The error of a command that must fail: one line on standard error, nothing else."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that tests only read."""
    path = tmp_path_factory.mktemp("empty")
    run("init", "--workspace", path)
    return path


@pytest.fixture
def workspace(empty: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty workspace, as the one that every command takes."""
    monkeypatch.setenv("MI_WORKSPACE", str(empty))
    return empty


@pytest.fixture
def own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that a test may change."""
    path = tmp_path / "own"
    new_workspace(path).close()
    monkeypatch.setenv("MI_WORKSPACE", str(path))
    return path


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_and_the_common_options(command: list[str]):
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert {"--workspace", "--json"} <= set(result.stdout.split())


def test_help_loads_nothing_heavy():
    script = (
        "import sys; from mi_core.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"altair", "duckdb", "nbconvert", "numpy", "papermill", "polars", "scipy", "sklearn"}

    assert (heavy | {"sqlalchemy"}) & set(ran.stderr.split()) == set()


def test_values_are_bound_without_pandas(workspace: Path):
    """DuckDB would load it, though nobody has use for it; who imports it has it all the same."""
    script = (
        "import sys; from mi_core import open_workspace\n"
        "with open_workspace() as w: assert w.sql('select $x as x', x=7).item() == 7\n"
        "assert 'pandas' not in sys.modules\n"
        "import pandas\n"
        "with open_workspace() as w: assert w.duckdb.sql('select 1').df().shape == (1, 1)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_init_makes_a_workspace_and_keeps_one_that_is_there(tmp_path: Path):
    new = tmp_path / "new"
    first = as_json("init", "--workspace", new)

    assert (new / "catalog.sqlite").exists()
    assert as_json("init", "--workspace", new) == first


def test_sql_reads_lake_and_state(workspace: Path):
    query = (
        "select timestamp '2024-06-30 12:00' as at_noon, count(*) as people from lake.user_event"
    )

    assert as_json("sql", query) == [{"at_noon": "2024-06-30T12:00:00Z", "people": 0}]
    assert as_json("sql", "select count(*) as waiting from state.inbox") == [{"waiting": 0}]


def test_sql_for_people_is_a_whole_table_even_in_a_pipe(workspace: Path):
    text = "x" * 200
    result = run("sql", f"select '{text}' as long, 1.5 as points, null as nothing")

    header, row = result.stdout.splitlines()
    assert header.split() == ["long", "points", "nothing"]
    assert row.split() == [text, "1.50", "–"]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("0.0068", "0.0068"),
        ("-0.041", "-0.041"),
        ("0.000068::double", "0.000068"),
        ("0.500000::decimal(18, 6)", "0.50"),
        ("1 / 3", "0.3333"),
        ("0.99999", "1.00"),
        ("1e-20", "1e-20"),
        ("0.0::double", "0.00"),
        ("1.0068", "1.01"),
        ("1234.5", "1,234.50"),
    ],
)
def test_small_fractions_keep_their_digits(workspace: Path, number: str, shown: str):
    assert run("sql", f"select {number} as n").stdout.split()[1] == shown


def test_the_points_of_a_column_stand_one_below_the_other(workspace: Path):
    query = "select unnest([0.0068, 12.5, null, 1234.5]::double[]) as usd, 'a.b.c' as name"
    rows = run("sql", query).stdout.splitlines()[1:]

    assert [row.split()[0] for row in rows] == ["0.0068", "12.50", "–", "1,234.50"]
    assert len({row.index(".") for row in rows if "–" not in row}) == 1


def test_no_escape_sequence_reaches_the_terminal(workspace: Path):
    assert "\x1b" not in run("sql", "select chr(27) || '[31mred' as name").stdout


def test_values_that_json_lacks_are_null(workspace: Path):
    assert as_json("sql", "select 'inf'::double as a, 'nan'::double as b") == [
        {"a": None, "b": None}
    ]


@pytest.mark.parametrize("command", [["sql", "select 1"], ["doctor"]])
def test_reading_makes_no_workspace(command: list[str], tmp_path: Path):
    missing = tmp_path / "missing"
    result = run(*command, "--workspace", missing)

    assert result.exit_code == 1
    assert "mi init" in result.output
    assert not missing.exists()


@pytest.mark.parametrize(
    "query", ["select nothing_such", "selct 1", "select name::integer from (select 'a' as name)"]
)
def test_a_failed_query_is_one_sentence(workspace: Path, query: str):
    assert complaint("sql", query).startswith("mi: The query failed: ")


@pytest.mark.parametrize("query", ["", "select 1; drop table lake.user_event"])
def test_a_query_is_one_statement(workspace: Path, query: str):
    assert complaint("sql", query).startswith("mi: A query is one statement")


def test_a_query_without_rows_says_so(workspace: Path):
    result = run("sql", "from lake.user_event")

    assert (result.stdout, result.stderr) == ("", "No rows.\n")
    assert as_json("sql", "from lake.user_event") == []


def test_a_query_gives_columns_of_one_name_and_spans_of_time(workspace: Path):
    query = "select 1 as a, 2 as a, interval 1 day as span, [interval 1 day] as spans"

    assert as_json("sql", query) == [{"a": 1, "a_1": 2, "span": "1 day", "spans": "[1 day]"}]


def test_a_workspace_that_can_be_none_is_one_sentence(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()

    assert complaint("init", "--workspace", file) == f"mi: {file}: File exists."


def test_every_report_is_listed(workspace: Path):
    shown = {each["report"] for each in as_json("report", "--list")}
    notebooks = (Path(__file__).parent.parent / "notebooks").glob("report-*.ipynb")

    for notebook in notebooks:
        name = notebook.stem.removeprefix("report-")
        assert name in shown
        assert f"did you mean '{name}'" in complaint("report", name[:-1])


def test_a_report_takes_its_own_parameters_only(workspace: Path):
    said = complaint("report", "--by", "channel")
    assert "no report parameter 'by'. Allowed: as_of, config, days" in said


def test_a_report_before_the_first_scoring_is_one_sentence(workspace: Path):
    assert complaint("report").startswith("mi: Nobody has been scored yet")
    assert "Nobody has been scored yet" in (workspace / "reports" / "index.html").read_text()
    assert not (workspace / "reports" / "acquisition.html").exists()


def test_a_history_begins_before_its_end(workspace: Path):
    result = run("score", "--as-of", "2024-06-30", "--since", "2024-07-01")

    assert result.exit_code == 2
    assert "--since must not be after --as-of" in result.stderr


def test_a_path_that_is_not_there_is_one_sentence(workspace: Path):
    assert "nowhere.parquet" in complaint("ingest", "nowhere.parquet")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("Query interrupted")])
def test_an_interrupted_command_ends_in_a_sentence(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
):
    monkeypatch.setattr(Workspace, "score", Mock(side_effect=error))
    result = run("score")

    assert result.exit_code == 130
    assert result.stderr == "mi: Interrupted; run it again to finish.\n"


def test_an_unknown_option_is_a_usage_error(workspace: Path):
    assert run("init", "--colour").exit_code == 2


def test_definitions_name_the_nearest_table(workspace: Path):
    assert "did you mean 'signals'?" in complaint("definitions", "show", "signal")


def test_definitions_in_force_include_the_overlay(own_workspace: Path):
    before = as_json("definitions", "show", "signals")["page_view"]["points"]
    (own_workspace / "overlay.toml").write_text(OVERLAY)

    assert before == 1
    assert as_json("definitions", "show", "signals")["page_view"]["points"] == 2
    assert run("definitions", "show").exit_code == 0


def test_spend_is_taken_in_once(own_workspace: Path, tmp_path: Path):
    file = tmp_path / "spend.csv"
    file.write_text("date,channel,spend\n2024-06-01,google_ads,12.50\n2024-06-02,google_ads,7\n")
    shown = run("ingest-spend", file)
    again = as_json("ingest-spend", file)
    file.write_text("date,channel,spend\n2024-06-01,google_ads,13\n")

    assert shown.stdout.splitlines()[0].split() == ["spend", "19.50"]
    assert (again["cents"], again["unchanged"], again["until"]) == (1950, 2, "2024-06-02")
    assert "spend.csv, line 2: google_ads on 2024-06-01 is 12.50 in the lake, and 13.00 here" in (
        complaint("ingest-spend", file)
    )
    assert as_json("ingest-spend", file, "--replace")["replaced"] == 1


def test_an_overlay_to_check_that_is_not_there_is_one_sentence(workspace: Path):
    assert str(workspace / "overlay.toml") in complaint("definitions", "check")
    assert "nowhere.toml" in complaint("definitions", "check", "nowhere.toml")


def test_checking_an_overlay_shows_what_it_changes(workspace: Path, tmp_path: Path):
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(OVERLAY)
    changes = as_json("definitions", "check", overlay)["changes"]

    found = {change.pop("definition"): change for change in changes}
    assert found["events.compare.signal"] == {"is": "comparison_view", "was": None}
    assert found["signals.page_view.points"] == {"is": 2, "was": 1}
    assert {name.rpartition(".")[0] for name in found} == {"events.compare", "signals.page_view"}
    assert all(change["is"] != change["was"] for change in found.values())


def test_checking_an_overlay_shows_each_value_that_changed_and_no_other(
    workspace: Path, tmp_path: Path
):
    overlay = tmp_path / "overlay.toml"
    overlay.write_text(
        '[enrichment.providers.openai]\nurl = "http://localhost:1"\n'
        "[enrichment.providers.rapidapi]\nper_call_usd = 0.00000125\n"
    )
    shown = run("definitions", "check", overlay).stdout

    lines = [line.split() for line in shown.splitlines() if "enrichment." in line]
    assert lines == [
        ["enrichment.providers.rapidapi.per_call_usd", "1.25e-06", "0.001"],
        [
            "enrichment.providers.openai.url",
            '"http://localhost:1"',
            '"https://api.openai.com/v1"',
        ],
    ]


def test_checking_an_overlay_cuts_long_values_but_not_in_json(workspace: Path, tmp_path: Path):
    overlay = tmp_path / "overlay.toml"
    steps = "".join(f'{{ name = "Step {n}", events = ["purchase"] }},\n' for n in range(20))
    overlay.write_text(f"[funnel]\nsteps = [\n{steps}]\n")
    shown = run("definitions", "check", overlay).stdout
    [change] = as_json("definitions", "check", overlay)["changes"]

    assert "…" in shown
    assert "Step 19" not in shown
    assert (change["definition"], len(change["is"])) == ("funnel.steps", 20)


def test_an_overlay_that_changes_nothing_says_so(workspace: Path, tmp_path: Path):
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[signals.page_view]\npoints = 1\n")

    assert run("definitions", "check", overlay).stderr == "It changes nothing.\n"


def test_checking_a_wrong_overlay_names_the_key(workspace: Path, tmp_path: Path):
    overlay = tmp_path / "overlay.toml"
    overlay.write_text('[events]\ncompare = { signal = "comparision_view" }\n')

    assert "events.compare" in complaint("definitions", "check", overlay)


def test_doctor_finds_a_new_workspace_well(workspace: Path):
    assert {check["is_well"] for check in as_json("doctor")} == {True}


def test_doctor_finds_keys_that_others_can_read(own_workspace: Path):
    (own_workspace / "hash.keys").chmod(0o644)
    result = run("doctor", "--json")

    assert result.exit_code == 1
    unwell = [check for check in json.loads(result.stdout) if not check["is_well"]]
    assert [check["name"] for check in unwell] == ["hash keys"]
    assert "chmod 600" in unwell[0]["finding"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        # Of all reports one: test_report_page.py renders each.
        patch.setattr(Workspace, "report_all", partialmethod(Workspace.report_all, ["acquisition"]))
        return run("demo", "--events", "2000", "--workspace", folder, "--json")


def test_demo_ends_by_naming_the_index_of_its_reports(demo: Result):
    index = json.loads(demo.stdout)["index"]

    assert demo.exit_code == 0
    assert demo.stderr.split()[-1] == index
    assert 'href="acquisition.html"' in Path(index).read_text()


def test_a_report_is_made_again_from_its_page(demo: Result):
    where = ("--workspace", json.loads(demo.stdout)["workspace"])
    page = Path(json.loads(demo.stdout)["index"]).with_name("acquisition.html")

    again = run("report", "--manifest", page, *where)

    assert again.exit_code == 0, again.stderr
    assert "Both say the same: every figure, and how it was made." in again.stderr
    assert as_json("report-diff", page, page.parent / "again" / "acquisition.html") == []


@pytest.mark.parametrize(("is_of_state", "code"), [(True, 0), (False, 1)])
def test_what_is_of_the_state_is_shown_apart_and_makes_no_exit_code(
    monkeypatch, tmp_path, is_of_state: bool, code: int
):
    moved = Difference("budget.spent", 4, 5, is_of_state=is_of_state)
    made = (tmp_path / "again.html", [moved])
    monkeypatch.setattr(Workspace, "report_again", lambda *_, **__: made)
    asked = ("report", "--manifest", "page.html", "--workspace", tmp_path)

    told, listed = run(*asked), run(*asked, "--json")

    assert (told.exit_code, listed.exit_code) == (code, code)
    assert "budget.spent" in told.stdout
    assert ("every figure that the lake has" in told.stderr) == is_of_state
    assert ("1 figure of the state, which keeps no history" in told.stderr) == is_of_state
    assert json.loads(listed.stdout)[0]["is_of_state"] == is_of_state


def test_all_reports_are_made_those_that_fail_are_named(demo: Result, monkeypatch, tmp_path):
    where = ("--workspace", json.loads(demo.stdout)["workspace"])
    failures = {"acquisition": tmp_path / "acquisition.html", "costs": ReportError("No leads.")}
    monkeypatch.setattr(Workspace, "report_all", lambda *_, **__: failures)

    result = run("report", "--all", *where)

    assert result.exit_code == 1
    assert "acquisition.html" in result.stdout
    assert "No leads." in result.stderr


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("acquisition", "--all"), "One of a report's name, --all and --manifest"),
        (("--all", "--out", "page.html"), "--all goes with --as-of alone"),
        (("--manifest", "page.html", "--days", "7"), "--manifest goes with --out alone"),
    ],
)
def test_a_report_asked_for_in_two_ways_is_refused(workspace: Path, asked, expected):
    assert expected in complaint("report", *asked)


def test_a_person_is_shown_with_reasons_and_advice(demo: Result):
    made = json.loads(demo.stdout)
    where = ("--workspace", made["workspace"], "--as-of", made["scored"]["as_of"])
    shown = run("user", KNOWN_PERSON, *where)
    person = as_json("user", KNOWN_PERSON, *where)

    assert {"intent", "persona", "churn risk", "points by signal", "what to do"} <= {
        line.split("  ")[0] for line in shown.stdout.splitlines()
    }
    assert person["user_id"] in shown.stdout
    assert KNOWN_PERSON not in shown.stdout
    assert all(
        one["sentence"] in shown.stdout for one in person["magnetism"]["30d"]["recommendations"]
    )


def test_a_person_with_a_lead_is_shown_where_there_is_more_of_it(demo: Result):
    where = ("--workspace", json.loads(demo.stdout)["workspace"])
    person = as_json("user", KNOWN_PERSON, *where)
    shown = run("user", KNOWN_PERSON, *where).stdout

    assert f"completed; see mi enrich status {person['user_id']}" in shown
    assert {"company", "enrichment"} & set(person) == set()


def test_a_person_without_a_lead_is_shown_without_one(own_workspace: Path, tmp_path: Path):
    as_json("ingest", write_export(tmp_path / "a.jsonl", [event("app_open", "bob", "05-01 10:00")]))
    shown = run("user", "bob")

    assert shown.exit_code == 0
    assert "enrichment" not in shown.stdout


def test_a_company_is_shown_by_name_and_size():
    from mi_core.cli.people import _enriched

    lead = {
        "user_id": "1",
        "status": "completed",
        "company_name": "Acme",
        "company_domain": "acme.example",
        "company_size": 1200,
        "enriched_at": datetime(2024, 7, 1, tzinfo=UTC),
    }
    assert _enriched(lead)["company"] == "Acme, 1,200 people, known since 2024-07-01"
    unnamed = lead | {"company_name": None, "company_size": None}
    assert _enriched(unnamed)["company"] == "acme.example, known since 2024-07-01"
    nothing = unnamed | {"company_domain": None, "enriched_at": None}
    assert _enriched(nothing) == {"enrichment": "completed; see mi enrich status 1"}


def test_a_journey_is_shown_with_credit_by_touchpoint(demo: Result):
    made = json.loads(demo.stdout)
    where = ("--workspace", made["workspace"])
    trial = (
        "select user_id::varchar as id from lake.user_event where etype = 'trial_started' limit 1"
    )
    [row] = as_json("sql", trial, *where)
    journey = as_json("journey", row["id"], *where)
    shown = run("journey", row["id"], *where)

    reached = journey["milestones"]["trial_started"]["reached_at"]
    assert f"credit for trial started at {reached[:16].replace('T', ' ')}" in shown.stdout
    assert all(each["channel"] in shown.stdout for each in journey["credits"])
    assert "First touch gives all of it to the first row" in shown.stderr


def test_attribution_puts_all_models_side_by_side(demo: Result):
    where = ("--workspace", json.loads(demo.stdout)["workspace"], "--draws", "20")
    found = as_json("attribution", *where)
    shown = run("attribution", *where)

    totals = {
        model: sum(row["conversions"] for row in found["credits"] if row["model"] == model)
        for model in {row["model"] for row in found["credits"]}
    }
    assert totals == pytest.approx(dict.fromkeys(totals, found["conversions"]))
    assert {"first_touch", "linear", "time_decay"} <= set(totals)
    assert {"conversions by channel", "CPA by channel"} <= set(shown.stdout.splitlines())
    assert re.search(r"^google_ads +[0-9.]+ ±[0-9.]+ ", shown.stdout, flags=re.MULTILINE)
    assert "time decay: A touchpoint 7 days earlier has half the weight." in shown.stderr
    assert all(
        f"{model.replace('_', ' ')} abstains: " in shown.stderr for model in found["abstained"]
    )


def test_help_of_attribution_names_every_model_and_column():
    from mi_core.attribution import BY, MODELS
    from mi_core.cli.attribution import _MODELS

    assert ", ".join(MODELS) == _MODELS
    shown = " ".join(run("attribution", "--help").stdout.replace("│", " ").split())
    assert all(column in shown for column in BY)


def test_attribution_by_one_model_has_its_costs(demo: Result):
    where = ("--workspace", json.loads(demo.stdout)["workspace"], "--draws", "0")
    shown = run("attribution", "--model", "linear", "--by", "campaign", *where)

    assert "credit by linear" in shown.stdout.splitlines()
    assert "conversions by campaign" not in shown.stdout
    header = next(line for line in shown.stdout.splitlines() if line.startswith("campaign"))
    assert header.split() == ["campaign", "conversions", "share", "value", "spend", "CPA", "ROAS"]


@pytest.fixture
def path_table(tmp_path: Path) -> Path:
    file = tmp_path / "paths.csv"
    file.write_text("path,conversions,nulls,value\nads > email,3,2,30\nads,1,5,10\nemail,2,1,20\n")
    return file


def test_attribution_of_a_path_table_needs_no_workspace(path_table: Path, tmp_path: Path):
    missing = tmp_path / "missing"
    models = ("--model", "first_touch", "--model", "linear")
    table = ("--paths", path_table, "--workspace", missing, "--draws", "0")
    found = as_json("attribution", *models, *table)

    credits = {(row["model"], row["channel"]): row["conversions"] for row in found["credits"]}
    assert credits["first_touch", "ads"] == 4
    assert credits["linear", "email"] == pytest.approx(3.5)
    assert found["value"] == 60
    shown = run("attribution", *models, *table).stdout
    assert ["ads", "4", "2.5"] in [line.split() for line in shown.splitlines()]
    assert not missing.exists()


def test_a_path_table_has_its_own_paths(path_table: Path):
    result = run("attribution", "--paths", path_table, "--by", "campaign")

    assert result.exit_code == 2
    assert "--by is not for --paths" in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--model", "markv"], "did you mean 'markov'?"),
        (["--by", "chanel"], "did you mean 'channel'?"),
        (["--conversion", "purchas"], "did you mean 'purchase'?"),
        (["--transform", "uniqe"], "did you mean 'unique'?"),
        (["--direct", "drop"], "Allowed: keep, remove, remove_last."),
        (["--order", "7"], "is 7, but should be"),
        (["--paths", "none.csv"], "none.csv"),
    ],
)
def test_what_attribution_cannot_do_is_one_sentence(workspace: Path, options: list[str], told: str):
    assert told in complaint("attribution", *options)


def test_attribution_of_nothing_says_so(workspace: Path):
    shown = run("attribution")

    assert shown.exit_code == 0
    assert ["conversions", "0"] in [line.split() for line in shown.stdout.splitlines()]
    assert "markov abstains: " in shown.stderr


def test_a_journey_without_marketing_says_so(own_workspace: Path, tmp_path: Path):
    acts = [event("trial_started", "ann", f"05-0{day} 10:00") for day in range(1, 6)]
    app_open = event("app_open", "bob", "05-01 10:00")
    as_json("ingest", write_export(tmp_path / "a.jsonl", [*acts, app_open]))
    ann, bob = run("journey", "ann"), run("journey", "bob")

    assert (ann.exit_code, bob.exit_code) == (0, 0)
    assert "No marketing has touched this person" in ann.stderr
    assert "No touchpoint led to the trial started at 2024-05-05 10:00" in ann.stderr
    assert "and 2 earlier conversions; --json has all of them" in ann.stderr
    assert len(as_json("journey", "ann")["conversions"]) == 5
    assert "There is no conversion yet" in bob.stderr
    assert "No event" in complaint("journey", "carol")


def test_a_stranger_is_one_sentence(workspace: Path):
    assert "No event" in complaint("user", "nobody@example.com")
    assert "nobody" not in complaint("user", "nobody@example.com")


@pytest.mark.parametrize("command", ["score", "report"])
def test_a_wrong_time_is_a_usage_error(command: str, workspace: Path):
    result = run(command, "--as-of", "30 June")

    assert result.exit_code == 2
    assert "2024-06-30" in result.stderr


def test_scores_say_their_instant(workspace: Path):
    summary = as_json("score", "--as-of", "2024-06-30T02:00:00+02:00")

    assert summary["as_of"] == "2024-06-30T00:00:00Z"
