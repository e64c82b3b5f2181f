"""What the docs name is what there is, and the other way round."""

import re
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from mi_core.cli import app
from mi_core.definitions import load_definitions
from mi_core.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "data" / "README.md"])
GUIDE = "\n".join(page.read_text() for page in PAGES if page.name != "CHANGELOG.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def commands() -> list[str]:
    """Each command as it is typed, such as `mi definitions show`."""
    root = typer.main.get_command(app)
    found = []
    for name, command in root.commands.items():
        inner = command.commands if isinstance(command, TyperGroup) else {"": None}
        found += [f"mi {name} {each}".strip() for each in inner]
    return found


def make_targets() -> list[str]:
    return re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def modules() -> set[str]:
    """The modules of mi_core, a package as one."""
    files = {path.name for path in (ROOT / "mi_core").glob("*.py")} - {"__init__.py"}
    return files | {f"{path.parent.name}/" for path in (ROOT / "mi_core").glob("*/__init__.py")}


def documented_modules() -> list[str]:
    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| (`[^|]+`) \|", text, flags=re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([a-z_]+(?:\.py|/))`", row)]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_guide(command: str):
    assert re.search(rf"{command}\b", GUIDE)


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_is_in_the_guide(target: str):
    assert f"make {target}" in GUIDE


def test_every_command_that_the_guide_names_exists():
    named = {" ".join(match.split()[:2]) for match in re.findall(r"`(mi [a-z]+)", GUIDE)}
    assert named <= {" ".join(command.split()[:2]) for command in commands()}


@pytest.mark.parametrize("setting", Settings.model_fields)
def test_every_setting_is_in_the_guide(setting: str):
    assert f"`MI_{setting.upper()}`" in GUIDE


def test_module_table_is_complete_and_has_nothing_else():
    documented = documented_modules()
    assert sorted(documented) == sorted(modules())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    targets = [t for t in LINK.findall(page.read_text()) if "://" not in t]
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_glossary_has_the_values_of_the_definitions():
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    definitions = load_definitions()
    signals = [f"`{name}` {rule.points:g}" for name, rule in definitions.signals.items()]
    personas = [
        rf"| `{slug}` |.*| {each.confidence:.2f} |" for slug, each in definitions.personas.items()
    ]

    assert [signal for signal in signals if signal not in glossary] == []
    assert [row for row in personas if not re.search(row.replace("|", r"\|"), glossary)] == []
