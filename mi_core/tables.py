"""A frame as an HTML table for a person: on a screen, on paper, or read aloud."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


class Html(str):
    """Markup that a notebook shows as such."""

    def _repr_html_(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Column:
    """How one column is headed and written; a column of figures is set flush right."""

    title: str
    write: Callable[[Any], str] = str
    is_figure: bool = False


def table(
    frame: "pl.DataFrame", columns: Mapping[str, Column], *, caption: str, kind: str = ""
) -> Html:
    """The rows of `frame` under a caption; the first column names the row.

    Parameters
    ----------
    columns
        Column of the frame → how to show it, in order; what is not named is not shown.
    kind
        A CSS class, such as `cards` for rows that a phone stacks.
    """
    head = "".join(
        _cell("th", each, escape(each.title), 'scope="col"') for each in columns.values()
    )
    rows = "".join(_row(row, columns) for row in frame.iter_rows(named=True))
    said = escape(caption)
    # Whoever has no mouse scrolls a wide table by keys, for which it must take the focus.
    return Html(
        f'<div class="scroll" tabindex="0" role="region" aria-label="{said}">'
        f'<table class="{escape(kind)}"><caption>{said}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def definitions(terms: Iterable[tuple[str, str]]) -> Html:
    """Pairs of a term and its meaning as a definition list."""
    pairs = (f"<div><dt>{escape(term)}</dt><dd>{escape(said)}</dd></div>" for term, said in terms)
    return Html(f"<dl>{''.join(pairs)}</dl>")


def tiles(shown: Sequence[tuple[str, str, str | None]]) -> Html:
    """Headline figures: each a label, the figure as written, and perhaps a note below it."""
    columns = len(shown) if len(shown) <= 4 else ceil(len(shown) / 2)
    each = [_tile(*tile) for tile in shown]
    return Html(f'<dl class="tiles" style="--columns: {columns}">{"".join(each)}</dl>')


def points(said: Iterable[str]) -> Html:
    """Sentences, in markup, as a list of main points."""
    items = "".join(f"<li>{each}</li>" for each in said)
    return Html(f'<ul class="summary">{items}</ul>')


def sentence(text: str) -> Html:
    """One paragraph, where there is nothing to tabulate."""
    return Html(f'<p class="nothing">{escape(text)}</p>')


def heat(text: str, strength: float, *, is_less: bool = False) -> Html:
    """A cell's text on a ground as strong as `strength`, 0-1; of another colour if `is_less`.

    For a table of the kind `heatmap`. The colour repeats what the text says.
    """
    kind = "heat less" if is_less else "heat"
    return Html(f'<span class="{kind}" style="--heat: {strength:.2f}">{escape(text)}</span>')


def _tile(label: str, written: str, note: str | None) -> str:
    below = f'<dd class="note">{note}</dd>' if note else ""
    return f"<div><dt>{label}</dt><dd>{written}</dd>{below}</div>"


def _row(row: Mapping[str, Any], columns: Mapping[str, Column]) -> str:
    cells = []
    for position, (name, column) in enumerate(columns.items()):
        text = _written(column, row[name])
        label = f'data-label="{escape(column.title)}"'
        cells.append(
            _cell("td", column, text, label)
            if position
            else _cell("th", column, text, f'scope="row" {label}')
        )
    return f"<tr>{''.join(cells)}</tr>"


def _written(column: Column, value: Any) -> str:
    """The cell's markup: whatever is not already markup is escaped."""
    text = column.write(value)
    return text if isinstance(text, Html) else escape(text)


def _cell(tag: str, column: Column, content: str, attributes: str) -> str:
    figure = ' class="figure"' if column.is_figure else ""
    return f"<{tag}{figure} {attributes}>{content}</{tag}>"
