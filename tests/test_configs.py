"""Versions of the definitions: proposed, put in force, taken back; never half, never lost."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from stores import new_workspace
from typer.testing import CliRunner

from mi_core import open_workspace
from mi_core.cli import app
from mi_core.configs import Configs
from mi_core.definitions import load_definitions
from mi_core.errors import BadValue, DefinitionError, UnknownName
from mi_core.state import State

LOWER = {"personas": {"automation_pro": {"rule": {"purchase_intent_above": 24}}}}
HIGHER = {"personas": {"automation_pro": {"rule": {"engagement_above": 25}}}}
WHY = {"author": "Ada", "reason": "More of them buy."}
WHO = {"by": "Grace", "reason": "Agreed."}
AT = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture
def configs(any_workspace) -> Configs:
    return any_workspace.configs


def limit(definitions, name: str = "purchase_intent_above") -> float | None:
    return getattr(definitions.personas["automation_pro"].rule, name)


def test_the_defaults_are_those_of_the_contract():
    """spec/scoring.md, and the formulas' golden pairs, are about these."""
    rules = {
        slug: persona.rule.model_dump(exclude_none=True)
        for slug, persona in load_definitions().personas.items()
    }
    assert rules == {
        "automation_pro": {"purchase_intent_above": 30, "engagement_above": 20},
        "tech_entrepreneur": {"top_signal": "trial_start"},
        "creative_transition": {"engagement_above": 25, "purchase_intent_below": 15},
        "corporate_executive": {"company_size_above": 500},
        "networking_enthusiast": {"score_below": 40, "frequency_above": 10},
        "student_early_career": {},
    }


def test_a_proposal_is_kept_and_changes_nothing(configs: Configs):
    before = configs.in_force()
    made = configs.propose(LOWER, **WHY, evidence={"seed": 1}, at=AT)

    assert configs.in_force().version == before.version
    assert configs.proposals() == [made]
    assert (made.based_on, made.author, made.evidence) == (before.version, "Ada", {"seed": 1})
    assert [(each.definition, each.before, each.now) for each in configs.diff(made.version)] == [
        ("personas.automation_pro.rule.purchase_intent_above", 30, 24)
    ]


def test_what_is_activated_is_in_force_for_whoever_opens_next(tmp_path: Path):
    with new_workspace(tmp_path) as workspace:
        made = workspace.configs.propose(LOWER, **WHY)
        now = workspace.configs.activate(made.version, **WHO)
        assert limit(workspace.definitions) == 30

    with open_workspace(tmp_path) as again:
        assert again.definitions.version == now.version == made.version
        assert limit(again.definitions) == 24
        assert again.state.config(made.version)


def test_proposals_build_on_what_is_in_force(configs: Configs):
    first = configs.propose(LOWER, **WHY)
    configs.activate(first.version, **WHO)
    second = configs.propose(HIGHER, **WHY)
    configs.activate(second.version, **WHO)

    now = configs.in_force()
    assert (limit(now), limit(now, "engagement_above")) == (24, 25)
    assert second.based_on == first.version


def test_activations_are_taken_back_one_by_one(configs: Configs):
    files = configs.in_force().version
    versions = []
    for overlay in (LOWER, HIGHER):
        versions.append(configs.propose(overlay, **WHY).version)
        configs.activate(versions[-1], **WHO)

    assert configs.roll_back(**WHO).version == versions[0]
    assert configs.roll_back(**WHO).version == files
    with pytest.raises(BadValue, match="nothing to take back"):
        configs.roll_back(**WHO)
    assert [each.version for each in configs.activations()] == [*versions, versions[0], None]


def test_the_files_alone_are_put_in_force(configs: Configs):
    files = configs.in_force().version
    configs.activate(configs.propose(LOWER, **WHY).version, **WHO)

    assert configs.activate("files", **WHO).version == files


def test_the_overlay_goes_on_below_what_is_in_force(tmp_path: Path):
    with new_workspace(tmp_path) as workspace:
        configs = workspace.configs
        configs.activate(configs.propose(LOWER, **WHY).version, **WHO)
        rule = "[personas.automation_pro]\nrule = { engagement_above = 22 }\n"
        (tmp_path / "overlay.toml").write_text(rule)

        now = configs.in_force()

    assert (limit(now), limit(now, "engagement_above")) == (24, 22)


def test_what_no_longer_goes_with_the_files_can_be_taken_back(tmp_path: Path):
    overlay = tmp_path / "overlay.toml"
    with new_workspace(tmp_path) as workspace:
        overlay.write_text('[signals.demo]\npoints = 9\nwhy = "A demo."\n')
        configs = workspace.configs
        made = configs.propose({"signals": {"demo": {"points": 4}}}, **WHY)
        configs.activate(made.version, **WHO)
        overlay.unlink()

        with pytest.raises(DefinitionError, match=rf"proposal {made.version}.*demo.*\n.*rollback"):
            configs.in_force()
        assert configs.roll_back(**WHO).version == load_definitions().version


def test_where_the_files_are_broken_they_are_what_is_named(tmp_path: Path):
    with new_workspace(tmp_path) as workspace:
        configs = workspace.configs
        configs.activate(configs.propose(LOWER, **WHY).version, **WHO)
        (tmp_path / "overlay.toml").write_text('[signals.demo]\npoints = "many"\n')

        with pytest.raises(DefinitionError, match=r"overlay\.toml") as caught:
            configs.in_force()
        assert "rollback" not in str(caught.value)
        assert "proposal" not in str(caught.value)


@pytest.mark.parametrize(
    ("overlay", "complaint"),
    [
        ({"personas": {"automation_pro": {"confidence": 2}}}, "proposal: personas.automation_pro"),
        ({"personas": {"automaton_pro": {"confidence": 0.5}}}, "proposal: personas.automaton_pro"),
        ({"signals": {"page_view": {"pionts": 2}}}, "did you mean 'points'"),
    ],
)
def test_a_proposal_that_is_not_allowed_is_not_kept(configs: Configs, overlay, complaint):
    with pytest.raises(DefinitionError, match=complaint):
        configs.propose(overlay, **WHY)
    assert configs.proposals() == []


def test_a_proposal_of_nothing_or_by_nobody_is_refused(configs: Configs):
    same = {"personas": {"automation_pro": {"rule": {"purchase_intent_above": 30}}}}
    with pytest.raises(BadValue, match="changes nothing"):
        configs.propose(same, **WHY)
    with pytest.raises(BadValue, match="`reason` must say something"):
        configs.propose(LOWER, author="Ada", reason=" ")
    made = configs.propose(LOWER, **WHY)
    with pytest.raises(BadValue, match=f"{made.version} was proposed already"):
        configs.propose(LOWER, **WHY)


def test_what_is_not_there_or_in_force_already_is_not_activated(configs: Configs):
    made = configs.propose(LOWER, **WHY)
    configs.activate(made.version[:5], **WHO)

    with pytest.raises(BadValue, match="in force already"):
        configs.activate(made.version, **WHO)
    with pytest.raises(UnknownName, match="no proposal 'ffff'"):
        configs.activate("ffff", **WHO)
    with pytest.raises(BadValue, match="`by` must say something"):
        configs.activate("files", by="", reason="x")
    assert len(configs.activations()) == 1


def while_another_begins(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """`act` goes first, once, where the next transaction that writes is about to begin."""
    writing, waits = State.writing, [act]

    def begin(state: State):
        if waits:
            waits.pop()()
        return writing(state)

    monkeypatch.setattr(State, "writing", begin)


def test_two_roll_backs_at_once_take_two_activations_back(
    configs: Configs, monkeypatch: pytest.MonkeyPatch
):
    files = configs.in_force().version
    for overlay in (LOWER, HIGHER):
        configs.activate(configs.propose(overlay, **WHY).version, **WHO)

    while_another_begins(monkeypatch, lambda: configs.roll_back(**WHO))

    assert configs.roll_back(**WHO).version == files
    with pytest.raises(BadValue, match="nothing to take back"):
        configs.roll_back(**WHO)


def test_a_proposal_is_of_what_is_in_force_as_it_is_kept(
    configs: Configs, monkeypatch: pytest.MonkeyPatch
):
    first = configs.propose(LOWER, **WHY)
    while_another_begins(monkeypatch, lambda: configs.activate(first.version, **WHO))

    second = configs.propose(HIGHER, **WHY)

    assert second.based_on == first.version
    assert second.changes == {
        "personas": {
            "automation_pro": {"rule": {"purchase_intent_above": 24, "engagement_above": 25}}
        }
    }


def test_what_several_versions_begin_with_is_none_of_them(configs: Configs):
    many = [
        configs.propose({"personas": {"automation_pro": {"confidence": each / 100}}}, **WHY)
        for each in range(50, 67)
    ]
    # Seventeen versions, sixteen digits to begin with.
    first = [each.version[0] for each in many]
    [shared, *_] = [each for each in first if first.count(each) > 1]
    both = [each.version for each in many if each.version[0] == shared]

    with pytest.raises(BadValue, match=f"several begin so: {', '.join(both)}"):
        configs.activate(shared, **WHO)


def test_the_files_in_force_are_told_so(configs: Configs):
    with pytest.raises(BadValue, match=r"^The files alone are in force already\.$"):
        configs.activate("files", **WHO)


def run(*arguments: object):
    return CliRunner().invoke(app, ["config", *map(str, arguments)])


def test_from_proposal_to_rollback_at_the_command_line(tmp_path: Path, monkeypatch):
    new_workspace(tmp_path / "w").close()
    monkeypatch.setenv("MI_WORKSPACE", str(tmp_path / "w"))
    (tmp_path / "lower.json").write_text(json.dumps(LOWER))
    (tmp_path / "evidence.json").write_text('{"lift": 1.4}')
    files = json.loads(run("list", "--json").stdout)["in_force"]

    asked = ("--reason", "Lower", "--evidence", tmp_path / "evidence.json")
    made = json.loads(run("propose", tmp_path / "lower.json", *asked, "--json").stdout)
    refused = CliRunner().invoke(app, ["config", "activate", made["version"], "--reason", "x"])
    assert refused.exit_code == 1
    assert "without a terminal, give --yes" in refused.stderr
    assert "Aborted" not in refused.stderr
    assert json.loads(run("list", "--json").stdout)["in_force"] == files
    assert run("activate", made["version"], "--reason", "Agreed", "--yes").exit_code == 0

    listed = json.loads(run("list", "--json").stdout)
    shown = json.loads(run("show", made["version"], "--json").stdout)
    definitions = CliRunner().invoke(app, ["definitions", "show", "--json"]).stdout
    assert listed["in_force"] == made["version"]
    assert [each["status"] for each in listed["proposals"]] == ["in force"]
    assert shown["evidence"] == {"lift": 1.4}
    assert limit_of(json.loads(definitions)) == 24
    assert json.loads(run("rollback", "--reason", "No", "--json").stdout) == {"in_force": files}


def limit_of(config) -> float:
    return config["personas"]["automation_pro"]["rule"]["purchase_intent_above"]


def test_a_file_that_is_no_overlay_is_named(tmp_path: Path, monkeypatch):
    new_workspace(tmp_path / "w").close()
    monkeypatch.setenv("MI_WORKSPACE", str(tmp_path / "w"))
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "bad.toml").write_text("a = = 1")

    said = run("propose", tmp_path / "list.json", "--reason", "x").stderr
    assert "list.json must hold a table of values, not a list" in said
    assert "bad.toml can't be read" in run("propose", tmp_path / "bad.toml", "--reason", "x").stderr


@pytest.mark.parametrize("option", [False, True])
def test_a_file_that_can_not_be_read_is_a_sentence(tmp_path: Path, monkeypatch, option: bool):
    new_workspace(tmp_path / "w").close()
    monkeypatch.setenv("MI_WORKSPACE", str(tmp_path / "w"))
    (tmp_path / "good.json").write_text(json.dumps(LOWER))
    (tmp_path / "latin.toml").write_bytes('a = "Käse"'.encode("latin-1"))

    def said(name: str) -> str:
        bad = tmp_path / name
        given = (tmp_path / "good.json", "--evidence", bad) if option else (bad,)
        return run("propose", *given, "--reason", "x").stderr.strip()

    assert said("latin.toml").endswith("latin.toml can't be read: it isn't UTF-8.")
    assert said("none.json").endswith("none.json can't be read: No such file or directory.")
    assert said(".").endswith("can't be read: Is a directory.")


def test_the_files_are_shown(tmp_path: Path, monkeypatch):
    with new_workspace(tmp_path / "w") as workspace:
        files = workspace.configs.in_force().version
        configs = workspace.configs
        configs.activate(configs.propose(LOWER, **WHY).version, **WHO)
    monkeypatch.setenv("MI_WORKSPACE", str(tmp_path / "w"))

    shown = json.loads(run("show", "files", "--json").stdout)

    assert shown["version"] == files
    assert [(each["was"], each["is"]) for each in shown["changes"]] == [(24, 30)]
