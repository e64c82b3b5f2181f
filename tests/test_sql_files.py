"""What every relation under mi_core/sql keeps to, so that one can be read like any other."""

import re
from pathlib import Path

import pytest

SQL = Path(__file__).resolve().parents[1] / "mi_core" / "sql"
RELATIONS = sorted(p for p in SQL.glob("*/*.sql") if p.parent.name != "migrations")


def code(path: Path) -> str:
    """The statement without comments and texts."""
    return re.sub(r"'(?:[^']|'')*'|--.*", "", path.read_text())


@pytest.fixture(params=RELATIONS, ids=lambda path: str(path.relative_to(SQL)))
def relation(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_relation_says_its_grain_first(relation: Path):
    assert relation.read_text().startswith("-- One row")


def test_relation_is_one_select_that_creates_nothing(relation: Path):
    text = code(relation)

    assert re.match(r"\s*(with|select|from)\b", text)
    assert ";" not in text
    assert not re.search(r"\b(create|insert|update|delete|drop|attach)\b", text)


def test_relation_is_short_and_indented_in_fours(relation: Path):
    lines = relation.read_text().splitlines()
    indents = {len(line) - len(line.lstrip(" ")) for line in lines if line.strip()}

    assert len([line for line in code(relation).splitlines() if line.strip()]) <= 120
    assert not any("\t" in line for line in lines)
    assert {width for width in indents if width % 4} == set()
