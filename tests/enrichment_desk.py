"""Workspaces whose leads are enriched by the fakes of paid providers, over loopback HTTP."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provider_fakes import Providers
from stores import new_workspace

from mi_core.enrichment.intake import Entry
from mi_core.settings import Settings, load_settings
from mi_core.workspace import Workspace

KEYS = {
    "rapidapi_key": "rapid-key-for-tests",
    "perplexity_api_key": "pplx-key-for-tests",
    "openai_api_key": "sk-key-for-tests",
}


def overlay(providers: Providers, rules: str = "") -> str:
    """An overlay that sends the enrichment to the fakes, as fast as they answer, with `rules`.

    `rules` is TOML; what it says goes before what is said here.
    """
    document: dict[str, Any] = {
        "enrichment": {
            "providers": {
                name: {"url": url, "calls": 1_000_000, "timeout_seconds": 5.0}
                for name, url in providers.urls.items()
            }
        }
    }
    return "\n".join(_lines((), _merged(document, tomllib.loads(rules))))


def desk(
    folder: Path, providers: Providers, rules: str = "", settings: Settings | None = None
) -> Workspace:
    """A workspace in `folder` with keys for all three fakes; see `overlay` for `rules`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "overlay.toml").write_text(overlay(providers, rules), encoding="utf-8")
    return new_workspace(folder, (settings or load_settings()).model_copy(update=_keys()))


def leads(count: int, *, companies: int = 3) -> list[Entry]:
    """`count` leads with searchable names, at so many companies in turn."""
    return [
        Entry(f"{first_name(number)}.roe@company-{number % companies}.com", f"lead-{number}")
        for number in range(count)
    ]


def settle_by_bills(workspace: Workspace, providers: Providers) -> None:
    """Settle what nobody knows the cost of, when all bills are there."""
    enrichment, clock = workspace.enrichment, workspace.enrichment.clock
    enrichment.clock = lambda: datetime(2100, 1, 1, tzinfo=UTC)
    try:
        for provider in providers.urls:
            bill = {str(each.call_id): each.cost_micros for each in providers.bill(provider)}
            with workspace.state.reading() as transaction:
                query = "select 1 from enrichment_call where provider = :provider"
                was_asked = transaction.rows(query, provider=provider)
            if was_asked:
                enrichment.settle(provider, bill)
    finally:
        enrichment.clock = clock


def _keys() -> dict[str, Any]:
    loaded = load_settings(**KEYS)
    return {name: getattr(loaded, name) for name in KEYS}


def first_name(number: int) -> str:
    """A first name of letters alone, another for each number."""
    letters = ""
    number += 26
    while number:
        number, rest = divmod(number, 26)
        letters += chr(ord("a") + rest)
    return f"jo{letters}"


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        merged[key] = _merged(below[key], value) if both else value
    return merged


def _lines(path: tuple[str, ...], table: dict[str, Any]) -> list[str]:
    """A document of tables, texts, numbers and booleans as TOML."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    lines = [f"[{'.'.join(path)}]"] if plain and path else []
    lines += [f"{key} = {_toml(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += _lines((*path, key), value)
    return lines


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
