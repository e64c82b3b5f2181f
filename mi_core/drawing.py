"""How every chart looks, and how a notebook is handed one.

The theme serves light and dark pages: letters and lines take the colour of the text around them,
and marks have colours that stand out on white and on near-black, told apart without red and green.
The renderer hands notebooks a Vega-Lite specification, drawn offline by JupyterLab itself and by
the report's page; Altair's own renderers load their drawing code from the network.
"""

import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from mi_core.tables import Column, sentence, table

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

# jsonschema, which Altair and nbformat load, would read a grammar of IRIs for over a second, for a
# format that neither of them checks; without the package that has it, it leaves that out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# JupyterLab draws v5, and v6 reads the same for what is used here; nbformat wants `+json`.
VEGA_LITE = "application/vnd.vegalite.v5+json"

BLUE, SKY, ORANGE, RED, GREEN = "#2b6cb0", "#4d97c9", "#d08312", "#c8452f", "#2a8c6e"

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif"


@cache
def enable() -> None:
    """Use the theme and the renderer for every chart of this process."""
    import altair as alt

    alt.theme.register("mi", enable=True)(_theme)
    alt.renderers.register("mi", _render)
    alt.renderers.enable("mi")


def bars(
    frame: "pl.DataFrame", label: str, texts: list[str], colours: list[str] | None = None
) -> "Chart":
    """Horizontal bars of `people`, with the words above each, so that long names fit on a phone."""
    import altair as alt
    import polars as pl

    shown = frame.with_columns(
        pl.Series("text", texts, dtype=pl.String),
        pl.Series("colour", colours or [BLUE] * frame.height, dtype=pl.String),
    )
    base = alt.Chart(shown, height=44 * frame.height).encode(
        y=alt.Y(f"{label}:N", sort=None, axis=None)
    )
    bar = base.mark_bar(height=12, yOffset=11, cornerRadiusEnd=2).encode(
        x=alt.X("people:Q", axis=None, scale=alt.Scale(nice=False, zero=True)),
        color=alt.Color("colour:N", scale=None),
    )
    name = base.mark_text(align="left", dy=-7).encode(x=alt.value(0), text=f"{label}:N")
    figure = base.mark_text(align="right", dy=-7, fontWeight="bold").encode(
        x=alt.value("width"), text="text:N"
    )
    return alt.layer(bar, name, figure)


def histogram(
    frame: "pl.DataFrame", step: int, kind: str, colours: Mapping[str, str], axis: str
) -> "Chart":
    """Bars of `people` by `start`, each `step` wide, on a scale of 0-100, stacked by `kind`."""
    import altair as alt

    scale, ticks = alt.Scale(domain=[0, 100]), alt.Axis(values=list(range(0, 101, 20)))
    chart: Chart = (
        alt.Chart(frame, height=200)
        .transform_calculate(until=f"datum.start + {step}")
        .mark_bar()
        .encode(
            x=alt.X("start:Q", bin="binned", title=axis, scale=scale, axis=ticks),
            x2="until:Q",
            y=alt.Y("people:Q", title="People"),
            color=legend(kind, colours),
            tooltip=[
                alt.Tooltip("range:N", title=axis),
                alt.Tooltip(f"{kind}:N", title="Group"),
                alt.Tooltip("people:Q", title="People", format=","),
            ],
        )
    )
    return chart


def columns(frame: "pl.DataFrame", label: str, amount: str, axis: str, title: str) -> "Chart":
    """Upright bars of the column `amount` by the text `label`, in the order of the rows."""
    import altair as alt

    labels = alt.Axis(labelAngle=0, labelOverlap=True)
    chart: Chart = (
        alt.Chart(frame, height=180)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(f"{label}:N", sort=None, title=axis, axis=labels),
            y=alt.Y(f"{amount}:Q", title=title, axis=alt.Axis(tickMinStep=1, tickCount=5)),
            tooltip=[
                alt.Tooltip(f"{label}:N", title=axis),
                alt.Tooltip(f"{amount}:Q", title=title, format=","),
            ],
        )
    )
    return chart


def grid(
    frame: "pl.DataFrame",
    row: str,
    column: str,
    share: str,
    axis: str,
    order: list[str] | None = None,
) -> "Chart":
    """Cells with the column `text`, the stronger the greater their share; rows as they come.

    Beside `share`, the first column doesn't count for what is strong: it is all people. Where there
    is a column `is_complete`, a cell of which it is false has a dashed edge.
    """
    import altair as alt
    import polars as pl

    later = frame.filter(pl.col(column) != frame[column][0])[share].drop_nulls()
    most = max(later, default=1) or 1
    marked = frame.with_columns(
        (pl.col("is_complete") if "is_complete" in frame.columns else pl.lit(True)).alias("whole")
    )
    labels = alt.Axis(orient="top", labelAngle=0, labelOverlap=True)
    base = alt.Chart(marked, height=26 * frame[row].n_unique()).encode(
        x=alt.X(f"{column}:O", title=axis or None, sort=order, axis=labels),
        y=alt.Y(f"{row}:N", sort=None, title=None, axis=alt.Axis(labelLimit=200)),
        tooltip=[
            alt.Tooltip(f"{row}:N", title=" "),
            alt.Tooltip(f"{column}:O", title=axis or "Step"),
            alt.Tooltip("people:Q", title="People", format=","),
            alt.Tooltip(f"{share}:Q", title="Share", format=".1%"),
        ],
    )
    # No darker than letters of either page stand out on.
    strength = alt.Scale(domain=[0, most], range=[0.04, 0.6], clamp=True)
    fill = alt.FillOpacity(f"{share}:Q", scale=strength, legend=None)
    whole, running = (
        base.transform_filter(f"{no}datum.whole").mark_rect(color=BLUE, **edge).encode(fill)
        for no, edge in (
            ("", {"strokeWidth": 0}),
            ("!", {"stroke": "currentColor", "strokeOpacity": 0.6, "strokeDash": [3, 2]}),
        )
    )
    return alt.layer(whole, running, base.mark_text(fontSize=11).encode(text="text:N"))


def legend(field: str, colours: Mapping[str, str]) -> "alt.Color":
    """Colours by the value of `field`, in the order given."""
    import altair as alt

    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", title=None, sort=None, scale=scale)


def finish(
    chart: "Chart",
    title: str,
    subtitle: str,
    *,
    description: str,
    figures: "pl.DataFrame",
    columns: Mapping[str, Column],
) -> "Chart":
    """The chart with its title, what it says in words, and its figures as a table."""
    enable()
    finished: Chart = chart.properties(
        title={"text": title, "subtitle": subtitle},
        description=description,
        width=640,
        usermeta={"table": table(figures, columns, caption=title)},
    )
    return finished


def nothing(text: str) -> "Chart":
    """A chart of no rows: a notebook shows the sentence in its place."""
    import altair as alt

    enable()
    return alt.Chart(mark="point", description=text, usermeta={"nothing": text})


def _theme() -> "alt.theme.ThemeConfig":
    text = {"labelColor": "currentColor", "titleColor": "currentColor", "labelFontSize": 12}
    grid = {"gridColor": "currentColor", "gridOpacity": 0.12}
    line = {"grid": False, "domain": True, "domainColor": "currentColor", "domainOpacity": 0.4}
    title = {"titleFontSize": 12, "titleFontWeight": "normal"}
    config: Any = {
        "font": FONT,
        "background": "transparent",
        "padding": {"left": 0, "right": 0, "top": 5, "bottom": 5},
        "view": {"stroke": None},
        "range": {"category": [BLUE, ORANGE, GREEN, RED, SKY]},
        "bar": {"color": BLUE},
        "text": {"color": "currentColor", "fontSize": 13},
        "axis": {**text, **grid, **title, "domain": False, "ticks": False, "labelPadding": 6},
        "axisX": line,
        "legend": {**text, "orient": "top", "direction": "horizontal", "symbolSize": 80},
        "title": {
            "color": "currentColor",
            "subtitleColor": "currentColor",
            "anchor": "start",
            "offset": 8,
        },
    }
    return {"config": config}


def _render(spec: dict[str, Any], **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a notebook stores of a chart: the drawing and it in words; as metadata, the table.

    As another form of output, JupyterLab would show the table in place of the drawing.
    """
    meta = spec.pop("usermeta", {})
    if "nothing" in meta:
        return {"text/html": sentence(meta["nothing"]), "text/plain": meta["nothing"]}, {}
    # On JupyterLab's default, a canvas, the colour of the text around is black whatever it is.
    meta["embed_options"] = {"renderer": "svg", "actions": False}
    return {VEGA_LITE: spec, "text/plain": spec.get("description", "Chart")}, {VEGA_LITE: meta}
