"""The ways to set the project up agree, and no tracked file leads back to one machine."""

import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "bootstrap.lock")

# Put together here, so that this file doesn't match itself.
HOSTS = [
    r"pypi\." + "org",
    r"python" + r"hosted\.org",
    r"registry\." + "npmjs",
    r"anaconda\." + "org",
]
MACHINE_PATHS = [
    "/" + top + "/" for top in ("root", "home", "Users", "work", "opt/pypi", "opt/wheels")
]
LEAKS = re.compile("|".join(HOSTS + [rf"(?<![\w.]){path}" for path in MACHINE_PATHS]))


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared() -> list[Requirement]:
    spec = project()
    return [
        Requirement(text) for text in spec["dependencies"] + spec["optional-dependencies"]["dev"]
    ]


def pins(lock: str = "requirements.lock") -> list[Requirement]:
    """Each pin of the lock, with the marker that says where it applies."""
    lines = (ROOT / lock).read_text().splitlines()
    return [Requirement(line.rstrip(" \\")) for line in lines if not line.startswith((" ", "#"))]


def tracked_text_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8192]]


def test_conda_environment_installs_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, from_pip = environment["dependencies"]

    assert from_pip == {"pip": ["-r requirements.lock"]}
    assert pip == "pip>=24"  # older ones refuse the lock's extras in hash mode
    version = python.removeprefix("python=")
    assert Requirement(f"python{project()['requires-python']}").specifier.contains(version)


def test_lock_pins_every_declared_dependency_within_its_bounds():
    locked = {canonicalize_name(pin.name): pin for pin in pins()}
    for requirement in declared():
        version = next(iter(locked[canonicalize_name(requirement.name)].specifier)).version
        assert requirement.specifier.contains(version), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_installed_versions_are_the_locked_ones(lock):
    here = [pin for pin in pins(lock) if pin.marker is None or pin.marker.evaluate()]
    different = {
        pin.name: metadata.version(pin.name)
        for pin in here
        if not pin.specifier.contains(metadata.version(pin.name), prereleases=True)
    }
    assert not different


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_hashed_and_name_no_host(lock):
    text = (ROOT / lock).read_text()

    assert text.count("\n    --hash=sha256:") >= len(pins(lock))
    assert not re.search(r"://|--(extra-)?index|--find-links|\bfile:", text)


def test_no_tracked_file_names_a_registry_host_or_a_machine_path():
    leaks = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_text_files()
        if (match := LEAKS.search(path.read_text(encoding="utf-8", errors="replace")))
    ]
    assert not leaks
