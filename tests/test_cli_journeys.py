"""`mi funnel`, `mi retention`, `mi lifecycle`, `mi stickiness`: tables, JSON, and errors."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenWorkspace
from exports import event, write_export
from stores import new_workspace
from typer.testing import CliRunner, Result

from mi_core.cli import app
from mi_core.workspace import Workspace

COMMANDS = ("funnel", "retention", "lifecycle", "stickiness")
STEPS = ("feature_used", "trial_started", "purchase")
MONDAY = ("--as-of", "2024-05-20")

JOURNEYS = [
    event("feature_used", "ann", "05-06 10:00"),
    event("trial_started", "ann", "05-07 10:00"),
    event("purchase", "ann", "05-09 10:00"),
    event("feature_used", "ann", "05-13 10:00"),
    event("feature_used", "bob", "05-06 10:00"),
    event("trial_started", "bob", "05-06 16:00"),
    event("feature_used", "eve", "05-13 10:00"),
    event("app_crash", "eve", "05-13 11:00"),
]
"""The weeks begin on 6 and 13 May."""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def as_json(*arguments: str | Path) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def shown(*arguments: str | Path) -> list[list[str]]:
    """The words of each line."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def complaint(*arguments: str | Path) -> str:
    """The error of a command that must fail: one line on standard error, nothing else."""
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def rows_of(command: str, *options: str | Path) -> list[dict[str, Any]]:
    """The first table of a result."""
    found = as_json(command, *options, *MONDAY)
    return found if isinstance(found, list) else next(iter(found.values()))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    path = tmp_path_factory.mktemp("journeys")
    with new_workspace(path / "workspace") as opened:
        opened.ingest([write_export(path / "journeys.jsonl", JOURNEYS)])
        yield opened


@pytest.fixture
def opened_empty(fresh: OpenWorkspace) -> Workspace:
    return fresh()


def take(opened: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a workspace the one that every command takes, open already: opening takes most time."""
    monkeypatch.setenv("MI_WORKSPACE", str(opened.path))
    monkeypatch.setattr("mi_core.workspace.open_workspace", lambda _: nullcontext(opened))
    return opened.path


@pytest.fixture
def workspace(opened: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    return take(opened, monkeypatch)


@pytest.fixture
def nothing(opened_empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace without events."""
    return take(opened_empty, monkeypatch)


# --- funnel


def test_a_funnel_is_a_table_of_its_steps(workspace: Path):
    lines = shown("funnel", *STEPS, *MONDAY)

    assert ["since", "2024-02-20", "00:00:00"] in lines
    assert ["until", "2024-05-20", "00:00:00"] in lines
    assert ["window", "14.0", "days"] in lines
    assert lines[-3:] == [
        ["feature_used", "3", "–", "100%", "–", "–", "1"],
        ["trial_started", "2", "67%", "67%", "15.0", "h", "10.5", "h", "to", "19.5", "h", "1"],
        ["purchase", "1", "50%", "33%", "2.0", "days", "2.0", "days", "0"],
    ]
    assert "Times are from the step before." in run("funnel", *STEPS, *MONDAY).stderr


def test_a_funnel_as_json_is_everything(workspace: Path):
    found = as_json("funnel", *STEPS, "--exclude", "app_crash", *MONDAY)

    assert [row["people"] for row in found["steps"]] == [2, 2, 1]
    assert [row["step"] for row in found["steps"]] == [*STEPS]
    assert found["times"] == [{"bucket_from_days": 0, "bucket_to_days": 3, "people": 1}]
    assert (found["excluded"], found["exclusions"]) == (1, ["app_crash:1-3"])
    assert (found["since"], found["until"]) == ("2024-02-20T00:00:00Z", "2024-05-20T00:00:00Z")


def test_a_funnel_without_steps_is_that_of_the_definitions(workspace: Path):
    found = as_json("funnel", *MONDAY)

    assert [row["step"] for row in found["steps"]] == [
        "Landed",
        "Left an email",
        "Started a trial",
        "Purchased",
    ]
    assert ["Landed", "0", "–", "–", "–", "–", "0"] in shown("funnel", *MONDAY)


def test_a_funnel_may_be_narrower_shorter_and_stricter(workspace: Path):
    def people(*options: str) -> list[int]:
        return [row["people"] for row in as_json("funnel", *STEPS, *options, *MONDAY)["steps"]]

    assert people("--window", "0.5") == [3, 1, 0]
    assert people("--window", "inf") == [3, 2, 1]
    assert people("--days", "7") == [2, 0, 0]
    assert people("--order", "strict") == [3, 2, 1]
    assert people("--exclude", "app_crash:2-3") == [3, 2, 1]
    assert people("--exclude", "app_crash", "--exclude", "purchase_completed:1-2") == [2, 2, 1]


@pytest.mark.parametrize(
    ("window", "words"), [("0.25", "6.0 h"), ("1", "1.0 days"), ("inf", "inf")]
)
def test_a_window_is_shown_as_a_time(workspace: Path, window: str, words: str):
    result = run("funnel", "--window", window, *MONDAY)

    assert result.exit_code == 0
    assert f"window  {words}" in result.stdout


def test_a_funnel_in_any_order_says_what_a_step_is(workspace: Path):
    result = run("funnel", "purchase", "feature_used", "--order", "any", *MONDAY)

    assert "any 1 of 2       3" in result.stdout
    assert "any 2 of 2       1" in result.stdout
    assert "A step stands for so many of the steps, whichever they are." in result.stderr


def test_a_funnel_says_who_is_left_out(workspace: Path):
    exclusions = ("--exclude", "app_crash", "--exclude", "purchase:1-2")
    result = run("funnel", "feature_used", "trial_started", "app_open", *exclusions, *MONDAY)

    assert "left out  1 " in result.stdout
    assert (
        "Left out: who did app_crash:1-3 and purchase:1-2 (between these steps)." in result.stderr
    )
    assert "left out" not in run("funnel", *MONDAY).stdout


def test_a_funnel_by_campaign_has_rows_for_each(
    opened_empty: Workspace, nothing: Path, tmp_path: Path
):
    acts = [
        event("ad_click", "ann", "05-06 09:00", {"utm_campaign": "spring_sale"}),
        event("ad_click", "bob", "05-06 09:00", {"utm_campaign": "sp\x1b[31mring"}),
        *(event("feature_used", who, "05-06 10:00") for who in ("ann", "bob", "eve")),
        event("purchase", "ann", "05-06 11:00"),
    ]
    opened_empty.ingest([write_export(tmp_path / "touched.jsonl", acts)])
    asked = ("feature_used", "purchase", "--by", "campaign", "--as-of", "2024-05-07")
    lines = shown("funnel", *asked)

    assert lines[-7][:3] == ["campaign", "step", "people"]
    assert ["spring_sale", "purchase", "1", "100%", "100%", "1.0", "h", "1.0", "h", "0"] in lines
    assert ["(none)", "feature_used", "1", "–", "100%", "–", "–", "1"] in lines
    # Anybody can name a campaign.
    assert "\x1b" not in run("funnel", *asked).stdout
    near = run("funnel", "\x1b[31mad_clicks", "purchase")
    assert "\x1b" not in near.stderr
    assert "ad_click" in near.stderr
    assert len(as_json("funnel", *asked)["steps"]) == 6


def test_a_funnel_by_channel_of_nobody_has_no_table(workspace: Path):
    result = run("funnel", *STEPS, "--by", "channel", "--as-of", "2020-01-01")

    assert result.exit_code == 0
    assert "steps" not in result.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["purchase"], "A funnel has 2 steps or more, not 1."),
        (["purchase", "feature_usd"], "did you mean 'feature_used'?"),
        ([*STEPS, "--order", "stric"], "did you mean 'strict'?"),
        ([*STEPS, "--by", "campain"], "did you mean 'campaign'?"),
        ([*STEPS, "--window", "0"], "A window is longer than 0 days, not 0."),
        ([*STEPS, "--window", "nan"], "A window is longer than 0 days, not nan."),
        ([*STEPS, "--exclude", "app_crash:3-2"], "as in app_crash:1-3."),
        ([*STEPS, "--exclude", "purchase"], "'purchase' takes step 3 of the funnel"),
        (
            [*STEPS, "--days", "10000000"],
            "A period of 10000000 days would begin before the year 1.",
        ),
        (["purchase", "purchase", "--order", "any"], "each step is another event."),
    ],
)
def test_what_a_funnel_cannot_do_is_one_sentence(workspace: Path, options: list[str], told: str):
    assert told in complaint("funnel", *options)


# --- retention


def test_retention_is_a_triangle_with_its_mean(workspace: Path):
    lines = shown("retention", "feature_used", "--periods", "2", *MONDAY)

    assert ["start", "feature_used"] in lines
    assert ["people", "first", "time,", "counted", "on"] in lines
    assert lines[-5:] == [
        ["cohort", "people", "1", "2"],
        ["2024-04-29", "0", "–", "–"],
        ["2024-05-06", "2", "50%"],
        ["2024-05-13", "1"],
        ["mean", "3", "50%", "–"],
    ]


def test_a_period_still_going_on_has_a_star(workspace: Path):
    friday = ("--as-of", "2024-05-17")
    lines = shown("retention", "feature_used", "--periods", "1", *friday)
    result = run("retention", "feature_used", "--periods", "1", *friday)

    assert lines[-3:] == [["2024-05-06", "2", "50%*"], ["2024-05-13", "1*"], ["mean", "3", "–"]]
    assert "* The week was still going on; the mean leaves it out." in result.stderr


def test_retention_as_json_has_every_cohort(workspace: Path):
    returning = ("--returning", "trial_started", "--every", "day", "--periods", "14")
    found = as_json("retention", "feature_used", *returning, *MONDAY)
    cells = {(row["cohort"], row["period"]): row["people"] for row in found["cohorts"]}

    assert (cells["2024-05-06", 0], cells["2024-05-06", 1]) == (2, 1)
    assert (found["start"], found["returning"], found["every"]) == (
        "feature_used",
        "trial_started",
        "day",
    )
    assert found["as_of"] == "2024-05-20T00:00:00Z"


def test_retention_may_be_recurring_and_rolling(workspace: Path):
    def people(*options: str) -> list[tuple[str, int]]:
        week = ("--periods", "1", *options, *MONDAY)
        found = as_json("retention", "feature_used", *week)
        return [(row["cohort"], row["people"]) for row in found["cohorts"]]

    assert people() == [("2024-05-06", 2), ("2024-05-06", 1), ("2024-05-13", 1)]
    assert people("--kind", "recurring")[-1] == ("2024-05-13", 2)
    assert people("--counting", "on_or_after") == people()


def test_retention_by_channel_has_the_means(workspace: Path):
    result = run("retention", "feature_used", "--by", "channel", "--periods", "1", *MONDAY)

    assert [line.split() for line in result.stdout.splitlines()][-1] == ["(none)", "3", "50%"]
    assert "--json has each cohort." in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["feature_usd"], "did you mean 'feature_used'?"),
        (["--returning", "purchas"], "did you mean 'purchase'?"),
        (["--every", "weak"], "did you mean 'week'?"),
        (["--kind", "first"], "There is no kind"),
        (["--counting", "onn"], "did you mean 'on'?"),
        (["--by", "campaign"], "There is no breakdown 'campaign'"),
        (["--periods", "0"], "1 to 126 periods, not 0"),
    ],
)
def test_what_retention_cannot_do_is_one_sentence(workspace: Path, options: list[str], told: str):
    assert told in complaint("retention", *options)


# --- lifecycle and stickiness


def test_lifecycle_is_a_row_for_each_period(workspace: Path):
    whole = shown("lifecycle", "feature_used", "--days", "14", *MONDAY)
    friday = run("lifecycle", "feature_used", "--days", "11", "--as-of", "2024-05-17")

    assert whole == [
        ["period", "new", "returning", "resurrecting", "dormant"],
        ["2024-05-06", "2", "0", "0", "0"],
        ["2024-05-13", "1", "1", "0", "1"],
    ]
    assert "2024-05-13*" in friday.stdout
    assert "* The week was still going on." in friday.stderr


def test_lifecycle_as_json_says_which_periods_are_complete(workspace: Path):
    found = as_json("lifecycle", "--days", "11", "--as-of", "2024-05-17")

    assert [(row["period"], row["new"], row["is_complete"]) for row in found] == [
        ("2024-05-06", 2, True),
        ("2024-05-13", 1, False),
    ]


def test_stickiness_is_how_many_were_active_how_often(workspace: Path):
    weeks = ("--every", "week", "--days", "14", *MONDAY)

    assert shown("stickiness", "feature_used", *weeks) == [
        ["active_periods", "people", "share"],
        ["1", "2", "67%"],
        ["2", "1", "33%"],
    ]
    assert as_json("stickiness", "feature_used", *weeks)[1]["people"] == 1


@pytest.mark.parametrize("command", ["lifecycle", "stickiness"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["feature_usd"], "did you mean 'feature_used'?"),
        (["--every", "days"], "did you mean 'day'?"),
        (["--days", "0"], "At least 1 day is looked at, not 0."),
        (["--every", "day", "--days", "999"], "At most 126 days are looked at"),
    ],
)
def test_what_activity_cannot_be_is_one_sentence(
    workspace: Path, command: str, options: list[str], told: str
):
    assert told in complaint(command, *options)


# --- all of them


@pytest.mark.parametrize(
    "options",
    [
        ["--as-of", "30 June"],
        ["--colour"],
        ["funnel", "--days", "0"],
        ["funnel", "--window", "two"],
        ["retention", "--periods", "many"],
        ["retention", "purchase", "feature_used"],
        ["lifecycle", "--days", "1.5"],
        ["stickiness", "purchase", "feature_used"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_is_a_usage_error(workspace: Path, options: list[str]):
    for command in [options] if options[0] in COMMANDS else [[each, *options] for each in COMMANDS]:
        result = run(*command)
        assert result.exit_code == 2
        assert result.stdout == ""


def test_of_an_empty_workspace_all_is_nothing(nothing: Path):
    for command in COMMANDS:
        assert run(command, *MONDAY).exit_code == 0
        assert {row.get("people", row.get("new")) for row in rows_of(command)} == {0}


def test_zeros_of_a_period_without_events_say_where_events_lie(opened: Workspace):
    for command in ("attribution", "funnel", "retention", "lifecycle"):
        said = run(command, "--workspace", opened.path, "--as-of", "2030-01-01").stderr
        assert "No event is in this period: they are of 2024-" in said, command
        assert "Look at them with --as-of 2024-" in said


def test_of_an_empty_workspace_it_is_said(nothing: Path):
    assert "There is no event here yet" in run("funnel").stderr


def test_what_people_only_receive_makes_nobody_active(
    opened_empty: Workspace, nothing: Path, tmp_path: Path
):
    acts = [event("app_open", "ann", "05-06 10:00"), event("email_sent", "bob", "05-06 10:00")]
    opened_empty.ingest([write_export(tmp_path / "acts.jsonl", acts)])
    week = ("--as-of", "2024-05-13")
    assert sum(row["new"] for row in as_json("lifecycle", *week)) == 1
    assert sum(row["new"] for row in as_json("lifecycle", "any", *week)) == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_workspace_that_is_not_there_is_not_made(command: str, tmp_path: Path):
    missing = tmp_path / "missing"

    assert "mi init" in complaint(command, "--workspace", missing)
    assert not missing.exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_workspace_may_be_named(command: str, opened: Workspace):
    assert len(rows_of(command, "--workspace", opened.path)) > 3
