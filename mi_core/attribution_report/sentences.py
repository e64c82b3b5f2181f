"""Sentences about who gets the credit: none says more than the intervals allow."""

from html import escape
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.attribution_report import comparing, naming

if TYPE_CHECKING:
    import polars as pl

    from mi_core.attribution_report.crediting import Credit

AGREED = 0.01
"""Models whose shares are no further apart agree."""


def who_gets_credit(credit: "Credit") -> str:
    """What comes first under which models, and whether that lead is clear."""
    if not credit.firsts:
        return ""
    if credit.keys.len() == 1:
        name = escape(credit.label(credit.keys[0]))
        return (
            f"<strong>All credit goes to {name}</strong>: no other {credit.noun()} was on a path."
        )
    names = list(dict.fromkeys(key for tied in credit.firsts.values() for key in tied))
    return _one_first(credit, names[0]) if len(names) == 1 else _several_first(credit, names)


def what_is_clear(credit: "Credit") -> str:
    """How many pairs differ whatever the model, and how many under none."""
    if credit.keys.len() < 2 or not credit.conversions or not credit.has_intervals:
        return ""
    if not credit.can_tell:
        return f"<strong>{too_few(credit)}</strong> to tell {credit.noun(2)} apart."
    pairs = comparing.pairs(len(credit.shown))
    always = credit.apart.filter(credit.apart["models"] == len(credit.models)).height
    ends = credit.apart.select("ahead", "behind").iter_rows()
    ever = len({frozenset(pair) for pair in ends})
    if not ever:
        return (
            f"<strong>No difference between {credit.noun(2)} is clear</strong> under any model: "
            "all are within noise."
        )
    said = [f"{words.number(ever - always)} under some models only"] if ever > always else []
    said += [f"{words.number(pairs - ever)} under none, so within noise"] if pairs > ever else []
    first = words.number(always) if always else "None"
    return (
        f"<strong>{first} of {words.count(pairs, 'pair')} of {credit.noun(2)} "
        f"{'differs' if always == 1 else 'differ'} clearly under every model</strong>"
        f"{''.join(f', {each}' for each in said)}. "
        '<a href="#which-differences-are-clear">See which</a>.'
    )


def too_few(credit: "Credit") -> str:
    are = "is" if credit.conversions == 1 else "are"
    return f"{words.count(credit.conversions, 'conversion')} with touchpoints {are} too few"


def what_would_move(credit: "Credit") -> str:
    """What a data-driven model would give, against last touch."""
    others = credit.moves["model"].unique().to_list()
    if not others or not credit.can_tell:
        return ""
    driven = [name for name in naming.DATA_DRIVEN if name in others]
    model = driven[0] if driven else naming.in_order(others)[0]
    return (
        "<strong>Against last touch</strong>, which most tools show, "
        f"{naming.phrase(model)} {moved_by(credit, model)}."
    )


def moved_by(credit: "Credit", model: str) -> str:
    """What one model would move, the two largest clear moves up and down: a predicate."""
    import polars as pl

    move = pl.col("move")
    moved = credit.moves.filter((pl.col("model") == model) & (move.abs() > 1e-9))
    clear = moved.filter("is_clear")
    if not moved.height:
        return f"gives each {credit.noun()} the same credit"
    if not clear.height:
        return "makes no clear move: all are within noise"
    if moved.height == clear.height == 2:
        return f"would move {_exchange(credit, clear.sort('move'))}"
    more = clear.filter(move > 0).sort("move", descending=True).head(2)
    less = clear.filter(move < 0).sort("move").head(2)
    said = [_given(credit, row, "more") for row in more.iter_rows(named=True)]
    said += [_given(credit, row, "less") for row in less.iter_rows(named=True)]
    rest = clear.height - len(said)
    are = "is" if rest == 1 else "are"
    others = f"; {words.count(rest, 'smaller move')} {are} clear too" if rest else ""
    return f"would give {words.listed(said)}{others}"


def where_models_part(credit: "Credit") -> str:
    """What models disagree about most."""
    band = credit.band
    if band.height < 2 or len(credit.models) < 2:
        return ""
    widest = band.sort("spread", descending=True).row(0, named=True)
    if widest["spread"] <= AGREED:
        return (
            f"<strong>All models agree</strong>: no {credit.noun()}'s share differs by more than "
            f"{words.points(widest['spread'])} between them."
        )
    lowest, highest = (
        f"{words.percent(widest[f'{end}_share'])} by {naming.phrase(widest[f'{end}_model'])}"
        for end in ("lowest", "highest")
    )
    return (
        f"<strong>Models disagree most about {escape(widest['label'])}</strong>: from "
        f"{lowest} to {highest}."
    )


def where_budget_would_go(credit: "Credit") -> str:
    """What would clearly get more or less of the same spend, if it followed credit."""
    if credit.budget.height < 2:
        return ""
    lead = f"<strong>If the {words.price(credit.spend)} spent followed credit</strong>"
    said = [
        f"{words.listed([_shift(row) for row in rows.iter_rows(named=True)])} {way}"
        for way in ("more", "less")
        if (rows := credit.budget.filter(f"is_{way}")).height
    ]
    if not said:
        return f"{lead}, no {credit.noun()} would clearly get more or less of it under every model."
    return (
        f"{lead}, every model would give {words.listed(said)}. That is what a conversion cost on "
        'average, not what more spend would bring. <a href="#spend-and-credit">See more</a>.'
    )


def _one_first(credit: "Credit", key: str) -> str:
    shares = credit.rows.filter(credit.rows["key"] == key)["share"].to_list()
    models = credit.models
    under = f"all {len(models)} models" if len(models) > 1 else naming.phrase(models[0])
    said = (
        f"<strong>{escape(credit.label(key))} gets most credit under {under}</strong>, "
        f"{words.between(min(shares), max(shares), words.percent)} of it"
    )
    if not credit.can_tell:
        return said + "."
    clear = len(credit.leads_clearly(key))
    if clear == len(models):
        return said + f", clearly more than any other {credit.noun()}."
    if not clear:
        return said + ", though its lead is within noise."
    return said + f"; its lead is clear under {clear} of them, else within noise."


def _several_first(credit: "Credit", names: list[str]) -> str:
    counts = {key: sum(key in tied for tied in credit.firsts.values()) for key in names}
    most = sorted(names, key=lambda key: -counts[key])[:4]
    each = [f"{escape(credit.label(key))} under {words.number(counts[key])}" for key in most]
    said = (
        f"<strong>Which {credit.noun()} gets most credit depends on the model</strong>: of "
        f"{words.count(len(credit.firsts), 'model')}, {words.listed(each)}"
    )
    if not credit.can_tell:
        return said + "."
    leads = [
        f"{escape(credit.label(key))} under {words.listed([naming.phrase(m) for m in models])}"
        for key in names
        if (models := credit.leads_clearly(key))
    ]
    if not leads:
        return said + ". No lead is clear: all are within noise."
    return said + f". A lead is clear only for {words.listed(leads)}."


def _exchange(credit: "Credit", ends: "pl.DataFrame") -> str:
    """Two rows, the loser and the gainer of all that moves."""
    source, target = ends.iter_rows(named=True)
    return (
        f"{words.points(target['move'])} of credit from {escape(source['label'])} to "
        f"{escape(target['label'])} ({_interval(credit, target)})"
    )


def _given(credit: "Credit", row: dict[str, Any], way: str) -> str:
    return f"{escape(row['label'])} {words.points(row['move'])} {way} ({_interval(credit, row)})"


def _interval(credit: "Credit", row: dict[str, Any]) -> str:
    between = words.points_between(row["move_low"], row["move_high"])
    return f"{words.percent(credit.found.level)}: {between}"


def _shift(row: dict[str, Any]) -> str:
    low, high = sorted((abs(row["lowest_shift"]), abs(row["highest_shift"])))
    return f"{escape(row['label'])} {words.between(low, high, words.about)}"
