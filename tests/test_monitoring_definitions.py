"""The limits of the watch: an overlay changes them, and no score's version."""

import json
from pathlib import Path

import pytest

from mi_core.definitions import definitions_from_config, load_definitions
from mi_core.errors import DefinitionError


def overlaid(folder: Path, text: str):
    (folder / "overlay.toml").write_text(text)
    return load_definitions(folder / "overlay.toml")


def test_an_overlay_changes_a_limit_and_not_the_version(tmp_path: Path):
    changed = overlaid(tmp_path, "[monitoring.events]\nwarning = 3.0\n")
    assert (changed.monitoring.events.warning, changed.monitoring.events.alert) == (3, 48)
    assert changed.version == load_definitions().version


def test_what_was_stored_without_limits_has_those_of_the_package():
    known = load_definitions()
    stored = known.config()
    del stored["monitoring"]
    assert definitions_from_config(json.dumps(stored)) == known


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[monitoring.events]\nalert = 12.0\n",
            "overlay.toml: monitoring.events must have its alert above its warning, but has "
            "warning = 24, alert = 12.",
        ),
        (
            "[monitoring.coverage]\nalert = 0.99\n",
            "monitoring.coverage must have its alert below its warning, but has warning = 0.98",
        ),
        (
            "[monitoring.event]\nalert = 12.0\n",
            "monitoring.event is no key that is known here; did you mean 'events'?",
        ),
        ("[monitoring.inbox]\nalert = -1.0\n", "monitoring.inbox.alert is -1.0, but should be"),
        ("[monitoring.inbox]\nleast = 0\n", "monitoring.inbox.least is 0, but should be"),
        ("[monitoring.scores]\nalert = inf\n", "monitoring.scores.alert"),
    ],
)
def test_a_limit_that_can_not_be_is_refused(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(DefinitionError) as caught:
        overlaid(tmp_path, text)
    assert sentence in str(caught.value)


def test_every_limit_says_why():
    assert all(len(limit.why) > 20 for limit in load_definitions().monitoring.limits().values())
