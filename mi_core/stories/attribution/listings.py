"""The attribution report's tables: shares, moves, spend and paths; what the words mean."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.stories.attribution import naming, sentences
from mi_core.tables import Column, Html, definitions, heat, sentence, table

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.attribution.crediting import Credit
    from mi_core.stories.attribution.figures import AttributionReport

ENDS_SHOWN = 8
"""First and last channels that have a row and a column of their own."""

NOTHING = Html("")

_RATIOS = {"cpa": "Spend for a conversion (CPA)", "roas": "Value for 1 spent (ROAS)"}
_DRIVEN = "◆ data-driven, from all paths together; the others share out path by path"


def shares(credit: "Credit") -> Html:
    """Share of credit by channel and model, on a stronger ground where it is more."""
    if not credit.conversions:
        return NOTHING
    most = max(credit.rows["share"].to_list())

    def cell(row: dict[str, Any]) -> Html:
        return heat(words.percent(row["share"]), row["share"] / most)

    return _by_model(credit, credit.rows, cell, f"Share of credit by model. {_DRIVEN}")


def differences(credit: "Credit") -> Html:
    """For each channel that is clearly ahead of others whatever the model, of which."""
    import polars as pl

    if not credit.can_tell:
        return sentence(sentences.cannot_tell(credit))
    always = credit.always_apart
    if not always.height:
        return sentence(f"No two {credit.noun(2)} differ clearly under every model.")
    rows = [
        {
            "name": credit.label(key),
            "behind": _among(credit, always.filter(pl.col("ahead") == key)["behind"]),
        }
        for key in credit.shown
        if key in always["ahead"]
    ]
    columns = {
        "name": Column(credit.noun().capitalize()),
        "behind": Column("Clearly has more credit than"),
    }
    caption = "Differences that are clear under every model; any other may be noise"
    return table(pl.DataFrame(rows), columns, caption=caption, kind="cards plain")


def moves(credit: "Credit") -> Html:
    """Points that each model would move against last touch, bold where that is clear."""
    if not credit.moves.height or not credit.can_tell:
        return NOTHING
    largest = max(*(abs(move) for move in credit.moves["move"]), 0.01)

    def cell(row: dict[str, Any]) -> Html:
        move = row["move"]
        if not row["is_clear"]:
            return heat(_signed_points(move), 0)
        shade = heat(_signed_points(move), abs(move) / largest, is_less=move < 0)
        return Html(f"<strong>{shade}</strong>")

    caption = (
        "Points of credit more (+) or less (−) than by last touch: bold on a coloured ground where "
        f"that is clear, plain where it is within noise. {_DRIVEN}"
    )
    return _by_model(credit, credit.moves, cell, caption)


def budget(credit: "Credit") -> Html:
    """What would move if the same spend followed credit, over all models."""
    import polars as pl

    if not credit.budget.height:
        return NOTHING
    rows = [
        {
            "name": row["label"],
            "spend": row["spend"],
            "shift": _range(row["lowest_shift"], row["highest_shift"], _signed_price),
            "clear": "more" if row["is_more"] else "less" if row["is_less"] else "no",
            "cpa": _range(row["lowest_cpa"], row["highest_cpa"], words.about),
            "roas": _range(row["lowest_roas"], row["highest_roas"], words.price),
        }
        for row in credit.budget.iter_rows(named=True)
    ]
    columns = {
        "name": Column(credit.noun().capitalize()),
        "spend": Column("Spend", words.price, is_figure=True),
        "shift": Column("Would change by", is_figure=True),
        "clear": Column("Clear under every model"),
        "cpa": Column("Spend for a conversion", is_figure=True),
        "roas": Column("Value for 1 spent", is_figure=True),
    }
    caption = "If the same spend followed credit: from the lowest to the highest of the models"
    return table(pl.DataFrame(rows), columns, caption=caption, kind="cards plain")


def ratios(credit: "Credit", ratio: str) -> Html:
    """The `cpa` or the `roas` of what has spend, by model, with its range."""
    import polars as pl

    write = words.about if ratio == "cpa" else words.price
    paid = credit.rows.filter(pl.col("spend").fill_null(0) > 0)
    if not paid.height:
        return NOTHING

    def cell(row: dict[str, Any]) -> Html:
        ends = [row[f"{ratio}_low"], row[f"{ratio}_high"]]
        range_ = "–".join(write(end) for end in ends if end is not None)
        return Html(f"{write(row[ratio])}<small>{range_}</small>")

    return _by_model(credit, paid, cell, f"{_RATIOS[ratio]} by model, and its range. {_DRIVEN}")


def first_and_last(report: "AttributionReport") -> Html:
    """Conversions by where their path began (rows) and ended (columns)."""
    import polars as pl

    if not report.ends.height:
        return NOTHING
    credit = report.credit
    kept = {key: credit.label(key) for key in credit.shown[:ENDS_SHOWN]}
    ends = report.ends.with_columns(
        pl.col("first_key", "last_key").replace_strict(kept, default="Others")
    )
    counts = ends.group_by("first_key", "last_key").agg(pl.col("conversions").sum())
    found = {(first, last): number for first, last, number in counts.iter_rows()}
    others = ["Others"] if any("Others" in pair for pair in found) else []
    names, most = [*kept.values(), *others], max(found.values())

    def cell(first: str, last: str) -> Html:
        number = found.get((first, last), 0)
        return heat(words.number(number), number / most)

    rows = [{"": first} | {last: cell(first, last) for last in names} for first in names]
    columns = {"": Column(f"First {credit.noun()}")} | {
        last: Column(last, Html, is_figure=True) for last in names
    }
    caption = f"Conversions by the first {credit.noun()} of their path (row) and the last (column)"
    return table(pl.DataFrame(rows), columns, caption=caption, kind="heatmap")


def glossary(report: "AttributionReport") -> Html:
    """What the words of the report mean."""
    lookback = report.lookback
    level = words.percent(report.attribution.level)
    return definitions(
        [
            ("Conversion", "An event that is being explained, such as a purchase or a trial."),
            (
                "Touchpoint",
                "A marketing contact that we saw: a visit from an ad, a search or a link, an email "
                "that was opened or clicked, an ad that was shown.",
            ),
            ("Path", f"A person's touchpoints in the {lookback} before a conversion, in order."),
            (
                "Credit",
                "A model shares each conversion out over the touchpoints before it; the shares add "
                "up to one. It is a way of counting, not a proof of effect.",
            ),
            ("Credited to nobody", f"Without any touchpoint in the {lookback} before it."),
            (
                "Clear",
                f"More than chance would make of the same people: the {level} ranges don't overlap "
                "or, for a move, the range doesn't reach zero.",
            ),
            ("Within noise", "Not clear: another such period might well show the opposite."),
            ("Point", "One hundredth of all credit: from 20% to 23% is 3 points."),
            ("CPA", "Spend for a conversion: spend divided by the conversions credited."),
            ("ROAS", "Value for 1 spent: the value credited divided by spend."),
        ]
    )


def how_computed(report: "AttributionReport") -> list[tuple[str, str]]:
    """For the foot: how the intervals were drawn."""
    found = report.attribution
    groups = words.count(found.groups, "group")
    drawn = f"{words.number(found.draws)} over {groups} of people, seed {found.seed}"
    return [("Draws", drawn)]


def _by_model(
    credit: "Credit",
    frame: "pl.DataFrame",
    cell: Callable[[dict[str, Any]], Html],
    caption: str,
) -> Html:
    """A table with a row per channel and a column per model, `cell` of each row of `frame`."""
    import polars as pl

    models = frame["model"].unique(maintain_order=True).to_list()
    cells = frame.with_columns(
        pl.Series("cell", [cell(row) for row in frame.iter_rows(named=True)], pl.String)
    )
    wide = cells.pivot("model", index=["key", "label"], values="cell", maintain_order=True)
    columns = {"label": Column(credit.noun().capitalize())} | {
        model: Column(naming.heading(model), lambda markup: Html(markup or "–"), is_figure=True)
        for model in models
    }
    return table(wide, columns, caption=caption, kind="heatmap")


def _among(credit: "Credit", keys: "pl.Series") -> str:
    return words.listed([credit.label(key) for key in credit.shown if key in set(keys)])


def _range(low: float | None, high: float | None, write: Callable[[float | None], str]) -> str:
    return "–" if low is None or high is None else words.between(low, high, write)


def _signed_points(move: float) -> str:
    written = f"{100 * abs(move):.1f}"
    return written if written == "0.0" else _sign(move) + written


def _signed_price(amount: float | None) -> str:
    return _sign(amount or 0) + words.about(abs(amount or 0))


def _sign(value: float) -> str:
    return "+" if value > 0 else "−" if value < 0 else ""
