"""Charts of who gets the credit: channels (or campaigns, …) as rows, models as marks."""

from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.drawing import BLUE, GREEN, ORANGE, SKY, bars, finish, nothing
from mi_core.stories.attribution.crediting import Credit
from mi_core.tables import Column

if TYPE_CHECKING:
    import polars as pl

    from mi_core.attribution import Attribution
    from mi_core.drawing import Chart

MARKS = {
    "first_touch": (BLUE, "triangle-left"),
    "last_touch": (BLUE, "triangle-right"),
    "last_non_direct": (BLUE, "triangle-up"),
    "linear": (ORANGE, "circle"),
    "position_based": (ORANGE, "square"),
    "w_shaped": (ORANGE, "cross"),
    "time_decay": (ORANGE, "triangle-down"),
    "markov": (GREEN, "diamond"),
    "shapley": (GREEN, "M0,-1.3L.42,-.42L1.3,0L.42,.42L0,1.3L-.42,.42L-1.3,0L-.42,-.42Z"),
}
"""Colour and shape of each model: one touch gets all, a rule shares out, all paths decide."""

PATHS_SHOWN = 10

_NAME, _STEP = 24, 10  # pixels of a row's name, and of each mark below it


def credit(found: "Attribution | Credit") -> "Chart":
    """A row per channel (campaign, …), in it a mark per model with its interval.

    Of `Workspace.attribution()`, or with names that people know, `AttributionReport.credit`.
    """
    told = _told(found)
    credits, noun = told.rows, told.noun()
    if not credits["conversions"].sum():
        return nothing("No conversion of this period has touchpoints, so there is no credit.")
    models = credits["model_label"].unique(maintain_order=True).to_list()
    chance = "; its line: how far chance could move it" if told.has_intervals else ""
    return finish(
        _grouped_marks(credits, len(told.shown), _NAME + _STEP * len(models)),
        f"Conversions credited to each {noun}",
        f"a mark for each model, from top to bottom as in the legend{chance}",
        description=f"Marks of credited conversions by {noun}, from the lowest to the highest "
        f"of {words.count(len(models), 'model')}. {_ranges(credits)}.",
        figures=_wide(credits),
        columns={
            "label": Column(noun.capitalize()),
            **{name: Column(name, is_figure=True) for name in models},
        },
    )


def disagreement(found: "Attribution | Credit") -> "Chart":
    """A row per channel (campaign, …), in it a bar from the lowest to the highest share.

    Of the same as `credit`.
    """
    told = _told(found)
    band, noun = told.band, told.noun()
    if not band.height:
        return nothing("No conversion of this period has touchpoints, so there are no shares.")
    ends = band.select("lowest_share", "highest_share").iter_rows()
    texts = [words.between(low, high, words.percent) for low, high in ends]
    said = "; ".join(f"{name}: {text}" for name, text in zip(band["label"], texts, strict=True))
    return finish(
        _spans(band, texts, "lowest_share", "highest_share"),
        f"Share of credit of each {noun}",
        "from the model that gives it least to the model that gives it most",
        description=f"Bars from the lowest to the highest share of credit by {noun}. {said}.",
        figures=band,
        columns={
            "label": Column(noun.capitalize()),
            "lowest_share": Column("Lowest share", words.percent, is_figure=True),
            "lowest_label": Column("by"),
            "highest_share": Column("Highest share", words.percent, is_figure=True),
            "highest_label": Column("by"),
            "spread": Column("Apart", words.points, is_figure=True),
        },
    )


def spend_and_credit(found: "Attribution | Credit") -> "Chart":
    """A row per channel (campaign, …) with spend: a bar for its credit, a tick for its spend.

    Of the same as `credit`.
    """
    import altair as alt

    told = _told(found)
    budget, noun = told.budget, told.noun()
    if not budget.height:
        return nothing("There is no spend of this period to set beside credit.")
    texts = [
        f"{words.percent(spend)} · {words.between(low, high, words.percent)}"
        for spend, low, high in budget.select(
            "spend_share", "lowest_share", "highest_share"
        ).iter_rows()
    ]
    said = "; ".join(f"{name}: {text}" for name, text in zip(budget["label"], texts, strict=True))
    tick = (
        alt.Chart(budget)
        .mark_tick(color=ORANGE, opacity=1, thickness=4, height=22, yOffset=11)
        .encode(x="spend_share:Q", y=alt.Y("label:N", sort=None, axis=None))
    )
    return finish(
        _spans(budget, texts, "lowest_share", "highest_share", tick),
        "Share of spend and share of credit",
        f"of each {noun}: spend is the tick · credit the bar, from lowest to highest model",
        description=f"Share of spend and share of credit over the models, by {noun}. {said}.",
        figures=budget,
        columns={
            "label": Column(noun.capitalize()),
            "spend_share": Column("Share of spend", words.percent, is_figure=True),
            "lowest_share": Column("Lowest share of credit", words.percent, is_figure=True),
            "highest_share": Column("Highest share of credit", words.percent, is_figure=True),
        },
    )


def paths(found: "Attribution | Credit") -> "Chart":
    """Bars of the most frequent paths by their conversions. Of the same as `credit`."""
    import polars as pl

    told = _told(found)
    most = told.found.paths.head(PATHS_SHOWN)
    if not most["conversions"].sum():
        return nothing("No conversion of this period has touchpoints, so there are no paths.")
    written = pl.Series([" → ".join(map(told.label, keys)) for keys in most["path"]])
    shown = most.with_columns(written.alias("label"), pl.col("conversions").alias("people"))
    texts = [
        f"{words.number(conversions)} · {words.percent(rate)}"
        for conversions, rate in most.select("conversions", "conversion_rate").iter_rows()
    ]
    said = "; ".join(f"{name}: {text}" for name, text in zip(written, texts, strict=True))
    value = {"value": Column("Value", words.price, is_figure=True)} if told.found.value else {}
    return finish(
        bars(shown, "label", texts),
        "The most frequent paths",
        f"{shown.height} of {words.number(told.found.paths_in_all)}: conversions, and their share "
        "of all such paths, which says little where these are few",
        description=f"Bar chart of conversions by path. {said}.",
        figures=shown,
        columns={
            "label": Column("Path"),
            "conversions": Column("Conversions", words.number, is_figure=True),
            "nulls": Column("Didn't convert", words.number, is_figure=True),
            "conversion_rate": Column("Converted", words.percent, is_figure=True),
            **value,
        },
    )


def _told(found: "Attribution | Credit") -> Credit:
    return found if isinstance(found, Credit) else Credit(found, {})


def _grouped_marks(credits: "pl.DataFrame", rows: int, step: int) -> "Chart":
    import altair as alt

    scale = alt.Scale(paddingInner=0, paddingOuter=0)
    base = alt.Chart(credits, height=rows * step).encode(
        y=alt.Y("label:N", sort=None, axis=None, scale=scale)
    )
    # Below the name, which stands at the top of its row.
    offset = alt.YOffset(
        "model_label:N", sort=None, scale=alt.Scale(type="point", range=[_NAME, step - 4])
    )
    axis = alt.Axis(
        orient="top", format=",.0f", tickMinStep=1, tickCount=5, domain=False, grid=True
    )
    x = alt.X("conversions:Q", title="Conversions credited", axis=axis)
    line = base.mark_rule(strokeWidth=1.5).encode(
        x=alt.X("low:Q"), x2="high:Q", yOffset=offset, color=_by_model(credits, "color")
    )
    mark = base.mark_point(filled=True, opacity=1, size=65).encode(
        x=x,
        yOffset=offset,
        color=_by_model(credits, "color"),
        shape=_by_model(credits, "shape"),
        tooltip=[
            alt.Tooltip("label:N", title=" "),
            alt.Tooltip("model_label:N", title="Model"),
            alt.Tooltip("written:N", title="Conversions"),
            alt.Tooltip("share:Q", title="Share of credit", format=".1%"),
        ],
    )
    heads = alt.Chart(credits.select("label").unique(maintain_order=True)).encode(
        y=alt.Y("label:N", sort=None, axis=None, scale=scale, bandPosition=0)
    )
    names = heads.mark_text(align="left", baseline="top", dy=5, fontWeight="bold").encode(
        x=alt.value(0), text="label:N"
    )
    rule = heads.mark_rule(color="currentColor", opacity=0.25).encode(
        x=alt.value(0), x2=alt.value("width")
    )
    lines = [line] if credits["low"].count() else []
    return alt.layer(*lines, mark, names, rule)


def _by_model(credits: "pl.DataFrame", channel: str) -> Any:
    """Colour or shape by model; both of one scale, so that there is one legend."""
    import altair as alt

    names = dict(credits.select("model_label", "model").unique(maintain_order=True).iter_rows())
    marks = [MARKS.get(model, (SKY, "circle"))[channel == "shape"] for model in names.values()]
    scale = alt.Scale(domain=list(names), range=marks)
    key = alt.Legend(columns=3, symbolOpacity=1, symbolType="circle")
    of = alt.Shape if channel == "shape" else alt.Color
    return of("model_label:N", title=None, sort=None, scale=scale, legend=key)


def _spans(
    frame: "pl.DataFrame", texts: list[str], low: str, high: str, *others: "Chart"
) -> "Chart":
    """Bars from `low` to `high` under the row's name, on a scale from 0 of all of them."""
    import altair as alt
    import polars as pl

    shown = frame.with_columns(pl.Series("text", texts, dtype=pl.String))
    base = alt.Chart(shown, height=44 * frame.height).encode(
        y=alt.Y("label:N", sort=None, axis=None)
    )
    axis = alt.Axis(format="%", tickCount=5, grid=True)
    scale = alt.Scale(zero=True, nice=False)
    bar = base.mark_bar(height=12, yOffset=11, cornerRadius=2, color=SKY).encode(
        x=alt.X(f"{low}:Q", title=None, axis=axis, scale=scale), x2=f"{high}:Q"
    )
    # A bar whose ends meet has no width.
    ends = [
        base.mark_tick(color=BLUE, opacity=1, thickness=3, height=12, yOffset=11).encode(
            x=f"{end}:Q"
        )
        for end in (low, high)
    ]
    name = base.mark_text(align="left", dy=-7).encode(x=alt.value(0), text="label:N")
    figure = base.mark_text(align="right", dy=-7, fontWeight="bold").encode(
        x=alt.value("width"), text="text:N"
    )
    return alt.layer(bar, *ends, *others, name, figure)


def _wide(credits: "pl.DataFrame") -> "pl.DataFrame":
    """A row per channel, a column per model, in the order of the rows."""
    return credits.pivot(
        "model_label", index=["key", "label"], values="written", maintain_order=True
    )


def _ranges(credits: "pl.DataFrame") -> str:
    import polars as pl

    spans = credits.group_by("label", maintain_order=True).agg(
        pl.col("conversions").min().alias("low"), pl.col("conversions").max().alias("high")
    )
    return "; ".join(
        f"{label}: {words.between(low, high, words.amount)}"
        for label, low, high in spans.iter_rows()
    )
