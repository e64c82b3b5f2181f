"""What the command line writes: data on standard output, everything else on standard error."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Row = Mapping[str, Any]

ROWS_SHOWN = 20
"""Rows shown of a table that is part of a summary; JSON has them all."""

KEY_WIDTH = 24
"""A name in the first column that is no longer than this stays whole on a narrow screen."""

SMALL_DIGITS = 4
"""Significant digits of a fraction below 1: two decimals would make 0.0068 a hundredth."""

SMALLEST = 1e-9
"""Below this, zeros before the digits are as good as unreadable."""

MAX_WIDTH = 10_000
"""Characters of a line that goes into a file or a pipe."""


def note(text: str) -> None:
    """Say something to the person at the terminal; what reads the output never sees it."""
    _console(stderr=True).print(_harmless(text), soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error while the block runs, gone at its end.

    Yields what moves it: call it with a step in words, what is done of it, and what there is.
    """
    from rich.progress import Progress

    console = _console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task("", total=None)
        yield lambda step, done, total: bars.update(
            task, description=step, completed=done, total=total
        )


def write(value: object, *, as_json: bool) -> None:
    """Write a result as JSON, or for people: rows as a table, a summary as its facts and tables."""
    plain = _plain(value)
    if as_json:
        print(json.dumps(_jsonable(plain), ensure_ascii=False, indent=2))
    elif isinstance(plain, Mapping) and all(isinstance(v, Mapping) for v in plain.values()):
        _print(_rows(_catalog(plain)))
    elif isinstance(plain, Mapping):
        _write_summary(plain)
    elif plain == []:
        note("No rows.")
    elif isinstance(plain, list):
        _print(_rows(plain))
    else:
        print(_cell(plain))


def _write_summary(summary: Row) -> None:
    """The plain values as one pair a line, then each inner table under its name."""
    facts = {name: value for name, value in summary.items() if not _is_table(value)}
    _print(_facts(facts))
    for name, value in summary.items():
        if _is_table(value) and value:
            rows = value if isinstance(value, list) else _counts(value)
            console = _console()
            console.print(f"\n{_harmless(_words(name))}", style="bold")
            _print(_rows(rows[:ROWS_SHOWN]))
            if len(rows) > ROWS_SHOWN:
                note(f"… and {len(rows) - ROWS_SHOWN} more; --json has all of them.")


def _is_table(value: object) -> bool:
    has_rows = isinstance(value, list) and all(isinstance(each, Mapping) for each in value)
    return isinstance(value, Mapping) or (has_rows and value != [])


def _catalog(entries: Mapping[str, Row]) -> list[Row]:
    """Entries by name as rows of one shape."""
    columns = dict.fromkeys(column for entry in entries.values() for column in entry)
    return [{"name": name} | {c: e.get(c) for c in columns} for name, e in entries.items()]


def _counts(counts: Row) -> list[Row]:
    return [{"name": name, "value": value} for name, value in counts.items()]


def _rows(rows: Sequence[Row]) -> "Table":
    """Rows of one shape; figures are set flush right, what names a row is not cut."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    columns = []
    for number, name in enumerate(rows[0] if rows else ()):
        values = [row[name] for row in rows]
        is_figure = all(map(_is_figure, values))
        is_key = number == 0 and all(map(_is_key, values))
        header, *cells = _flush_right(name, values) if is_figure else [name, *map(_cell, values)]
        table.add_column(header, no_wrap=is_figure or is_key)
        columns.append(cells)
    for line in zip(*columns, strict=True):
        table.add_row(*line)
    return table


def _flush_right(name: str, values: Sequence[object]) -> list[str]:
    """A column's name and figures, of one width; points stand one below the other."""
    cells = [_cell(value) for value in values]
    after = [len(cell) - len(cell.split(".")[0]) for cell in cells]
    most = max(after)
    set_by_point = [
        cell if value is None else cell + " " * (most - own)
        for cell, own, value in zip(cells, after, values, strict=True)
    ]
    width = max(map(len, (name, *set_by_point)))
    return [each.rjust(width) for each in (name, *set_by_point)]


def _is_figure(value: object) -> bool:
    return value is None or (
        isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    )


def _is_key(value: object) -> bool:
    return isinstance(value, str) and len(value) <= KEY_WIDTH and len(value.split()) == 1


def _facts(facts: Row) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, value in facts.items():
        table.add_row(_words(name), _cell(value))
    return table


def _print(table: "Table") -> None:
    console = _console()
    if not console.is_terminal:
        # A pipe has no width: what reads it gets whole lines.
        unbounded = console.options.update(max_width=MAX_WIDTH)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case float() | Decimal():
            return _fraction(value)
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case list() | tuple():
            return ", ".join(map(_cell, value)) or "–"
        case Mapping():
            return ", ".join(f"{name}: {_cell(each)}" for name, each in value.items())
    return _harmless(str(value))


def _fraction(value: float | Decimal) -> str:
    """Two decimals; below 1 as many as its digits need, for money comes in parts of a cent."""
    size = abs(float(value))
    if not 0 < size < 1:
        return f"{value:,.2f}"
    short = f"{float(value):.{SMALL_DIGITS}g}"
    if size < SMALLEST:
        return short
    plain = f"{Decimal(short):f}"
    return plain if len(plain.partition(".")[2]) > 2 else f"{float(plain):.2f}"


def _harmless(text: str) -> str:
    """Names come from events that anybody can send: no escape sequence reaches the terminal."""
    return text.replace("\x1b", "␛")


def _plain(value: object) -> object:
    """Frames as lists of rows, dataclasses as mappings; what they hold likewise."""
    if hasattr(value, "to_dicts"):
        return value.to_dicts()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def _jsonable(value: object) -> object:
    """`value` in what JSON has; times are in UTC, as those without an offset are taken to be."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Decimal():
            return float(value)
        case datetime():
            utc = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return f"{utc.isoformat()}Z"
        case date():
            return value.isoformat()
        case Mapping():
            return {str(name): _jsonable(each) for name, each in value.items()}
        case list() | tuple():
            return [_jsonable(each) for each in value]
    return str(value)


def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)
