"""The SQL files of the package, and SQL's own ways of writing things."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from mi_core.errors import UnknownName

_JSON_TYPES = {bool: "boolean", int: "bigint", float: "double", str: "varchar", list: "json"}


@cache
def relation_sql(name: str) -> str:
    """The text of `sql/<name>.sql`."""
    folder = resources.files("mi_core") / "sql"
    file = folder.joinpath(f"{name}.sql")
    if not file.is_file():
        raise UnknownName("relation", name, _relation_names())
    return file.read_text(encoding="utf-8")


def _relation_names() -> list[str]:
    root = Path(str(resources.files("mi_core") / "sql"))
    names = (file.relative_to(root).with_suffix("").as_posix() for file in root.rglob("*.sql"))
    return [name for name in names if not name.startswith("migrations/")]


def quoted(value: str) -> str:
    """A text as SQL writes it, for the few places that take no parameter."""
    return "'" + value.replace("'", "''") + "'"


def literal(value: object) -> str:
    """A text, some bytes, a list of these or None, as DuckDB writes it where none can be bound."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::blob"
    return quoted(str(value))


def identifier(name: str) -> str:
    """A table's name, refused where it could be anything else."""
    if not name.replace("_", "").isalnum():
        raise ValueError(f"Not a table name: {name!r}")
    return name


def shape(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """The column types of rows of plain values; a column without any value is text."""
    columns: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            kind = "varchar" if value is None else _JSON_TYPES[type(value)]
            if columns.get(name, "varchar") == "varchar" or kind == "double":
                columns[name] = kind
    return columns
