"""Charts of the personas report: the mix then and now, what each kind does, how sure that is."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.charts.acquisition import BANDS
from mi_core.charts.ranges import bars_with_ticks, ranges
from mi_core.drawing import BLUE, GREEN, ORANGE, bars, finish, legend, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.drawing import Chart

SOURCES = {"behaviour": BLUE, "enrichment": ORANGE, "by hand": GREEN}
"""What says which persona somebody has."""

SOURCE_OF = {
    "behavior_analysis": "behaviour",
    "ai_enrichment": "enrichment",
    "manual": "by hand",
}

_DID = {
    "trials": ("How many started a trial", "started a trial"),
    "buyers": ("How many bought", "bought"),
}
_PEOPLE = Column("People", words.number, is_figure=True)
_SHARE = Column("Share", words.percent, is_figure=True)


def persona_mix(mix: "pl.DataFrame") -> "Chart":
    """Bars of the share of each persona, with a tick for the share then, of `mixing.mix`."""
    import polars as pl

    if not mix["people"].sum():
        return nothing("Nobody has been scored, so there are no personas to show.")
    is_compared = mix["people_then"].sum() > 0
    mix = mix.filter((pl.col("people") > 0) | (pl.col("people_then") > 0)).sort(
        "people", descending=True, maintain_order=True
    )
    texts = [
        f"{words.percent(share)}, was {words.percent(then)}"
        if is_compared
        else words.percent(share)
        for share, then in mix.select("share", "share_then").iter_rows()
    ]
    said = "; ".join(f"{name}: {text}" for name, text in zip(mix["label"], texts, strict=True))
    chart = (
        bars_with_ticks(mix, texts, "share", "share_then")
        if is_compared
        else bars(mix, "label", texts)
    )
    then = {
        "people_then": Column("People then", words.number, is_figure=True),
        "share_then": Column("Share then", words.percent, is_figure=True),
    }
    return finish(
        chart,
        "People by persona",
        "share of people · tick: at the earlier scoring" if is_compared else "share of people",
        description=f"Bar chart of the share of people by persona. {said}.",
        figures=mix,
        columns={
            "label": Column("Persona"),
            "people": _PEOPLE,
            "share": _SHARE,
            **(then if is_compared else {}),
        },
    )


def persona_rates(rates: "pl.DataFrame", name: str) -> "Chart":
    """The share of each persona who tried (`trials`) or bought (`buyers`), with its interval.

    Of `PersonasReport.rates`.
    """
    title, did = _DID[name]
    if not rates["part"].sum():
        return nothing(f"Nobody of those looked at {did}.")
    texts = [words.percent(value) for value in rates["value"]]
    said = "; ".join(
        f"{label}: {words.percent(value)} ({words.between(low, high, words.percent)})"
        for label, value, low, high in rates.select("label", "value", "low", "high").iter_rows()
    )
    mark = "others" if rates.height > 1 else None
    return finish(
        ranges(rates, texts, mark=mark),
        title,
        "bar: how far chance could move it" + (" · tick: all others" if mark else ""),
        description=f"Shares of people who {did}, by persona, with 95 % intervals. {said}.",
        figures=rates,
        columns={
            "label": Column("Persona"),
            "people": _PEOPLE,
            "part": Column(did.capitalize(), words.number, is_figure=True),
            "value": _SHARE,
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
            "others": Column("All others", words.percent, is_figure=True),
        },
    )


def persona_bands(bands: "pl.DataFrame", names: "dict[str, str]") -> "Chart":
    """Bars of the magnetism bands of each persona, from `reports/persona_band`."""
    import altair as alt
    import polars as pl

    if not bands["people"].sum():
        return nothing("Nobody has been scored, so there are no bands to show.")
    whole = pl.col("people").sum().over("persona")
    shown = bands.with_columns(
        pl.col("persona").replace(names).alias("name"),
        pl.when(whole > 0).then(pl.col("people") / whole).alias("share"),
        whole.alias("whole"),
        pl.col("band").replace_strict({b: n for n, b in enumerate(BANDS)}).alias("order"),
    ).filter(pl.col("whole") > 0)
    rows = shown["name"].n_unique()
    base = alt.Chart(shown, height=44 * rows).encode(y=alt.Y("name:N", sort=None, axis=None))
    bar = base.mark_bar(height=14, yOffset=11).encode(
        x=alt.X("share:Q", stack="zero", axis=None, scale=alt.Scale(domain=[0, 1])),
        color=legend("band", BANDS),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("name:N", title="Persona"),
            alt.Tooltip("band:N", title="Band"),
            alt.Tooltip("people:Q", title="People", format=","),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )
    drawn = (
        shown.filter(pl.col("band").is_in(["warm", "hot"]))
        .group_by("name", maintain_order=True)
        .agg(pl.col("share").sum())
    )
    texts = drawn.with_columns(
        pl.col("share").map_elements(words.percent, return_dtype=pl.String).alias("text")
    )
    label = alt.Chart(texts).encode(y=alt.Y("name:N", sort=None, axis=None))
    name = label.mark_text(align="left", dy=-8).encode(x=alt.value(0), text="name:N")
    figure = label.mark_text(align="right", dy=-8, fontWeight="bold").encode(
        x=alt.value("width"), text="text:N"
    )
    said = "; ".join(f"{n}: {t}" for n, t in texts.select("name", "text").iter_rows())
    return finish(
        alt.layer(bar, name, figure),
        "Magnetism by persona",
        "share of each persona in each band; the figure: warm or hot together",
        description=f"Stacked bars of magnetism bands by persona. Warm or hot: {said}.",
        figures=shown,
        columns={
            "name": Column("Persona"),
            "band": Column("Band"),
            "people": _PEOPLE,
            "share": _SHARE,
        },
    )


def persona_confidence(tenths: "pl.DataFrame") -> "Chart":
    """Bars of people by the confidence of their persona, from `reports/persona_confidence`."""
    import altair as alt
    import polars as pl

    if not tenths["people"].sum():
        return nothing("Nobody has been scored, so there is no confidence to show.")
    shown = tenths.with_columns(
        pl.col("source").replace_strict(SOURCE_OF).alias("by"),
        pl.format("{}–{}", pl.col("tenth") * 10, pl.col("tenth") * 10 + 10).alias("range"),
    )
    chart = (
        alt.Chart(shown, height=180)
        .mark_bar()
        .encode(
            x=alt.X(
                "range:N",
                title="Confidence, of 100",
                scale=alt.Scale(domain=[f"{n}–{n + 10}" for n in range(0, 100, 10)]),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y("people:Q", title="People"),
            color=legend("by", {by: SOURCES[by] for by in SOURCES if by in set(shown["by"])}),
            tooltip=[
                alt.Tooltip("range:N", title="Confidence"),
                alt.Tooltip("by:N", title="By"),
                alt.Tooltip("people:Q", title="People", format=","),
            ],
        )
    )
    said = "; ".join(
        f"{words.number(people)} at {span} by {by}"
        for span, by, people in shown.select("range", "by", "people").iter_rows()
    )
    return finish(
        chart,
        "Confidence of the personas",
        "people by the confidence of their persona, and what says it",
        description=f"Bar chart of people by confidence. {said}.",
        figures=shown,
        columns={"range": Column("Confidence"), "by": Column("By"), "people": _PEOPLE},
    )
