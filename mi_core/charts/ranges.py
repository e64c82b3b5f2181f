"""Rows with a range each: how far chance could move a figure, and what to compare it with."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.drawing import BLUE, ORANGE, SKY, finish, nothing
from mi_core.stories import comparing
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.drawing import Chart


def ranges(
    frame: "pl.DataFrame", texts: list[str], *, mark: str | None = None, shape: str = "%"
) -> "Chart":
    """Bars from `low` to `high` under each row's `label`, with a dot at `value`.

    Parameters
    ----------
    texts
        What stands at the right of each label.
    mark
        The column of a tick to compare with, such as the share of all others.
    shape
        How the axis writes a figure, as D3 does.
    """
    import altair as alt
    import polars as pl

    shown = frame.with_columns(pl.Series("text", texts, dtype=pl.String))
    base = alt.Chart(shown, height=40 * frame.height).encode(
        y=alt.Y("label:N", sort=None, axis=None)
    )
    axis = alt.Axis(format=shape, tickCount=5, grid=True)
    bar = base.mark_bar(height=12, yOffset=11, cornerRadius=2, color=SKY, opacity=0.5).encode(
        x=alt.X("low:Q", title=None, axis=axis, scale=alt.Scale(zero=True, nice=False)), x2="high:Q"
    )
    dot = base.mark_point(filled=True, size=70, opacity=1, color=BLUE, yOffset=11).encode(
        x="value:Q"
    )
    name = base.mark_text(align="left", dy=-7).encode(x=alt.value(0), text="label:N")
    figure = base.mark_text(align="right", dy=-7, fontWeight="bold").encode(
        x=alt.value("width"), text="text:N"
    )
    ticks = [_ticks(base, mark)] if mark else []
    return alt.layer(bar, *ticks, dot, name, figure)


def shares(groups: "pl.DataFrame", did: str, title: str) -> "Chart":
    """The share of each group who `did` something, with its 95 % interval; the tick: all others.

    Of any frame with the columns `label`, `people` and, of these, `part`; such as
    `shares(frame, "bought", "Who bought, by intent")`.
    """
    import polars as pl

    shown = groups.filter(pl.col("people") > 0)
    if not shown["part"].sum():
        return nothing(f"Nobody of those looked at {did}.")
    ends = [comparing.share_range(*each) for each in shown.select("part", "people").iter_rows()]
    part, people = pl.col("part"), pl.col("people")
    shown = shown.with_columns(
        (part / people).alias("value"),
        ((part.sum() - part) / (people.sum() - people)).alias("others"),
        pl.Series("low", [low for low, _ in ends]),
        pl.Series("high", [high for _, high in ends]),
    )
    texts = [
        f"{words.percent(share)} of {words.number(people)}"
        for share, people in shown.select("value", "people").iter_rows()
    ]
    said = "; ".join(f"{label}: {text}" for label, text in zip(shown["label"], texts, strict=True))
    return finish(
        ranges(shown, texts, mark="others" if shown.height > 1 else None),
        title,
        f"share who {did}; the bar: how far chance could move it · the tick: all others",
        description=f"Shares who {did}, with 95 % intervals. {said}.",
        figures=shown,
        columns={
            "label": Column("Group"),
            "people": Column("People", words.number, is_figure=True),
            "part": Column(did.capitalize(), words.number, is_figure=True),
            "value": Column("Share", words.percent, is_figure=True),
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
            "others": Column("All others", words.percent, is_figure=True),
        },
    )


def bars_with_ticks(frame: "pl.DataFrame", texts: list[str], value: str, mark: str) -> "Chart":
    """Bars of the column `value` from 0 under each row's `label`, with a tick at `mark`."""
    import altair as alt
    import polars as pl

    shown = frame.with_columns(pl.Series("text", texts, dtype=pl.String))
    base = alt.Chart(shown, height=40 * frame.height).encode(
        y=alt.Y("label:N", sort=None, axis=None)
    )
    bar = base.mark_bar(height=12, yOffset=11, cornerRadiusEnd=2, color=BLUE).encode(
        x=alt.X(f"{value}:Q", axis=None, scale=alt.Scale(nice=False, zero=True))
    )
    name = base.mark_text(align="left", dy=-7).encode(x=alt.value(0), text="label:N")
    figure = base.mark_text(align="right", dy=-7, fontWeight="bold").encode(
        x=alt.value("width"), text="text:N"
    )
    return alt.layer(bar, _ticks(base, mark), name, figure)


def _ticks(base: "Chart", column: str) -> "Chart":
    ticks: Chart = base.mark_tick(
        color=ORANGE, opacity=1, thickness=4, height=20, yOffset=11
    ).encode(x=f"{column}:Q")
    return ticks
