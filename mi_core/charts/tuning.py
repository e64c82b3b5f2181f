"""Charts of tuning: what thresholds do, who moves, how often confidence holds, what earns."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.charts.ranges import ranges
from mi_core.drawing import BLUE, ORANGE, SKY, finish, legend, nothing
from mi_core.tables import Column

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

    from mi_core.drawing import Chart
    from mi_core.tuning import Moves, Proposal, Weights
    from mi_core.tuning.rules import Personas

_PARTS = {"searched in": BLUE, "judged on": ORANGE}
_CASES = Column("Cases", words.number, is_figure=True)
_SHARE = Column("Share", words.percent, is_figure=True)


def threshold_curve(found: "Proposal", threshold: str) -> "Chart":
    """The objective by the value of one threshold, of `Proposal.curves`.

    Where the two lines part, the search has learnt what doesn't hold elsewhere.
    """
    import altair as alt
    import polars as pl

    from mi_core.tuning.rules import find_threshold

    find_threshold(found.in_force, threshold)  # says which there are
    curve = found.curves.filter(pl.col("threshold") == threshold)
    own = found.thresholds.filter(pl.col("threshold") == threshold)
    in_force, proposed = own.select("in_force", "proposed").row(0)
    shown = curve.rename(dict(zip(("train", "test"), _PARTS, strict=True))).unpivot(
        list(_PARTS), index=["value"], variable_name="part", value_name="objective"
    )
    line = (
        alt.Chart(shown.fill_nan(None), height=220)
        .mark_line(point=True)
        .encode(
            x=alt.X("value:Q", title=threshold, scale=alt.Scale(zero=False)),
            y=alt.Y("objective:Q", title=found.objective.name, scale=alt.Scale(zero=False)),
            color=legend("part", _PARTS),
            tooltip=["value:Q", "part:N", alt.Tooltip("objective:Q", format=".3")],
        )
    )
    marked = pl.DataFrame({"value": [in_force, proposed], "is": ["in force", "proposed"]})
    base = alt.Chart(marked.unique("value", keep="last", maintain_order=True)).encode(x="value:Q")
    rule = base.mark_rule(color="currentColor", opacity=0.5, strokeDash=[4, 3])
    name = base.mark_text(align="left", dx=4, baseline="top", fontSize=11).encode(
        y=alt.value(0), text="is:N"
    )
    return finish(
        alt.layer(line, rule, name),
        f"What {threshold} does",
        f"{found.objective.name} by its value, the other thresholds as proposed",
        description=f"Lines of {found.objective.name} by the value of {threshold}, on the cases"
        f" searched in and on those judged on; in force is {in_force:g}, proposed {proposed:g}.",
        figures=curve,
        columns={
            "value": Column("Value", "{:g}".format, is_figure=True),
            "train": Column("Searched in", _short, is_figure=True),
            "test": Column("Judged on", _short, is_figure=True),
        },
    )


def persona_moves(found: "Moves", names: Mapping[str, str] | None = None) -> "Chart":
    """A cell for each pair of personas, before and after; `names` by slug, where there are any."""
    import altair as alt
    import polars as pl

    if found.counts.is_empty():
        return nothing("There is nobody, so nobody moves.")
    share = pl.col("cases") / pl.col("cases").sum().over("before")
    shown = found.counts.with_columns(
        pl.col("before", "after").replace(dict(names or {})), share.alias("share")
    )
    order = list(dict.fromkeys([*shown["before"], *shown["after"]]))
    base = alt.Chart(shown, height=34 * shown["before"].n_unique()).encode(
        x=alt.X("after:N", sort=order, title="After", axis=alt.Axis(orient="top", labelAngle=-20)),
        y=alt.Y("before:N", sort=order, title="Before", axis=alt.Axis(labelLimit=200)),
        tooltip=[
            alt.Tooltip("before:N", title="Before"),
            alt.Tooltip("after:N", title="After"),
            alt.Tooltip("cases:Q", title="Cases", format=","),
            alt.Tooltip("share:Q", title="Of those before", format=".1%"),
        ],
    )
    strength = alt.Scale(domain=[0, 1], range=[0.04, 0.6])
    fill = alt.FillOpacity("share:Q", scale=strength, legend=None)
    cell = base.mark_rect(color=BLUE).encode(fill)
    moved = shown.filter(pl.col("before") != pl.col("after"))
    said = "; ".join(f"{b} to {a}: {words.number(n)}" for b, a, n, _ in moved.iter_rows())
    return finish(
        alt.layer(cell, base.mark_text(fontSize=11).encode(text=alt.Text("cases:Q", format=","))),
        "Who would have another persona",
        "cases by persona before and after; the stronger, the more of those before",
        description=f"Grid of cases by persona before and after. {said or 'Nobody moves'}.",
        figures=shown,
        columns={
            "before": Column("Before"),
            "after": Column("After"),
            "cases": _CASES,
            "share": Column("Of those before", words.percent, is_figure=True),
        },
    )


def persona_calibration(
    found: "pl.DataFrame", basis: str = "stayed", names: Mapping[str, str] | None = None
) -> "Chart":
    """How often each persona held, with a tick at the stated confidence, of `tuning.calibration`.

    `basis` is `label` or `stayed`.
    """
    import polars as pl

    rows = found.filter((pl.col("basis") == basis) & (pl.col("people") > 0)).with_columns(
        pl.col("persona").replace(dict(names or {})).alias("label"), pl.col("share").alias("value")
    )
    held = "a label agreed" if basis == "label" else "it was still the same a horizon later"
    if rows.is_empty():
        return nothing(f"Of nobody is it known whether {held}.")
    texts = [
        f"{words.percent(share)} of {words.number(people)}, stated {words.percent(stated)}"
        for share, people, stated in rows.select("share", "people", "stated").iter_rows()
    ]
    said = "; ".join(f"{name}: {text}" for name, text in zip(rows["label"], texts, strict=True))
    return finish(
        ranges(rows, texts, mark="stated"),
        "How often a persona holds",
        f"share of people of whom {held}; the tick: the stated confidence",
        description=f"Shares with 95 % intervals, by persona. {said}.",
        figures=rows,
        columns={
            "label": Column("Persona"),
            "people": Column("People", words.number, is_figure=True),
            "share": _SHARE,
            "low": Column("At least", words.percent, is_figure=True),
            "high": Column("At most", words.percent, is_figure=True),
            "stated": Column("Stated", words.percent, is_figure=True),
            "verdict": Column("Stated is"),
        },
    )


def points_earned(found: "Weights") -> "Chart":
    """What the ranking loses or gains without each name's points, with intervals."""
    import polars as pl

    rows = found.verdicts.sort("change").with_columns(
        pl.col("name").alias("label"), pl.col("change").alias("value"), pl.lit(0.0).alias("zero")
    )
    texts = [f"{c:+.3f}, {verdict}" for c, verdict in rows.select("change", "verdict").rows()]
    said = "; ".join(f"{name}: {text}" for name, text in zip(rows["label"], texts, strict=True))
    return finish(
        ranges(rows, texts, mark="zero", shape="+.3f"),
        f"What {found.score} loses without these points",
        f"change of ROC AUC for {found.outcome}, now {found.auc.value:.3f}; left of the tick: less",
        description=f"Changes of ROC AUC with intervals that hold together. {said}.",
        figures=rows,
        columns={
            "label": Column("Of"),
            "points": Column("Points", "{:g}".format, is_figure=True),
            "given_share": Column("Cases with any", words.percent, is_figure=True),
            "change": Column("Change", _signed, is_figure=True),
            "low": Column("At least", _signed, is_figure=True),
            "high": Column("At most", _signed, is_figure=True),
            "verdict": Column("Verdict"),
        },
    )


def threshold_explorer(
    effects: "pl.DataFrame", personas: "Personas", outcome: str = "outcome"
) -> "Chart":
    """Sliders over thresholds, and at once how often the outcome followed by persona and how many
    there are, of `tuning.effects`. It works in a report too, without Python or a network.
    """
    import polars as pl

    from mi_core.tuning.rules import find_threshold

    names = effects.columns[: effects.columns.index("persona")]
    in_force = [find_threshold(personas, name).value(personas) for name in names]
    labels = {slug: each.label for slug, each in personas.items()}
    values = [f"value_{number}" for number in range(len(names))]
    shown = effects.select(
        *(pl.col(name).alias(value) for name, value in zip(names, values, strict=True)),
        pl.col("persona").replace(labels).alias("label"),
        *("cases", "share", "rate", "base_rate"),
    )
    shown = shown.with_columns(_explained(shown, outcome))
    sliders = [
        _slider(shown[value], name, start)
        for value, name, start in zip(values, names, in_force, strict=True)
    ]
    chart = _explored(shown, sliders, values, len(personas))
    now = shown.filter(*(pl.col(v) == start for v, start in zip(values, in_force, strict=True)))
    said = "; ".join(f"{label}: {text}" for label, text in now.select("label", "text").rows())
    return finish(
        chart.add_params(*sliders),
        f"What thresholds do, by {outcome}",
        "share with the outcome by persona; the tick: among all. Move a slider",
        description=f"Bars by persona that follow {' and '.join(names)}. As in force: {said}.",
        figures=now,
        columns={
            "label": Column("Persona, thresholds as in force"),
            "cases": _CASES,
            "share": _SHARE,
            "rate": Column(f"With {outcome}", words.percent, is_figure=True),
        },
    )


def _explained(shown: "pl.DataFrame", outcome: str) -> "pl.Series":
    import polars as pl

    texts = [
        f"{words.percent(rate)} {outcome} · {words.number(cases)} cases ({words.percent(share)})"
        for rate, cases, share in shown.select("rate", "cases", "share").iter_rows()
    ]
    return pl.Series("text", texts, dtype=pl.String)


def _slider(values: "pl.Series", name: str, start: float) -> "alt.Parameter":
    import altair as alt

    steps = values.unique().sort()
    low, high = float(steps[0]), float(steps[-1])
    step = (high - low) / (len(steps) - 1) if len(steps) > 1 else 1.0
    bound = alt.binding_range(min=low, max=high, step=step, name=f"{name} ")
    return alt.param(name=values.name, value=start, bind=bound)


def _explored(
    shown: "pl.DataFrame", sliders: "list[alt.Parameter]", values: list[str], personas: int
) -> "Chart":
    """Bars of the rows that the sliders stand at."""
    import altair as alt
    import polars as pl

    base: Any = alt.Chart(shown, height=44 * personas)
    for slider, value in zip(sliders, values, strict=True):
        base = base.transform_filter(alt.datum[value] == slider)
    base = base.encode(y=alt.Y("label:N", sort=None, axis=None))
    most = shown.select(pl.max_horizontal(pl.col("rate", "base_rate").max())).item() or 1
    scale = alt.Scale(domain=[0, most], nice=False)
    bar = base.mark_bar(height=12, yOffset=11, cornerRadiusEnd=2, color=SKY).encode(
        x=alt.X("rate:Q", axis=None, scale=scale)
    )
    tick = base.mark_tick(color=ORANGE, opacity=1, thickness=4, height=20, yOffset=11).encode(
        x="base_rate:Q"
    )
    name = base.mark_text(align="left", dy=-7).encode(x=alt.value(0), text="label:N")
    figure = base.mark_text(align="right", dy=-7, fontWeight="bold").encode(
        x=alt.value("width"), text="text:N"
    )
    return alt.layer(bar, tick, name, figure)


def _short(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3g}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"
