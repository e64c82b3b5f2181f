"""Sentences about who gets the credit: none says more than the intervals allow."""

from html import escape
from typing import TYPE_CHECKING, Any

from mi_core import words
from mi_core.stories.attribution import comparing, naming

if TYPE_CHECKING:
    import polars as pl

    from mi_core.stories.attribution.crediting import Credit

AGREED, EQUAL = 0.01, 1e-9
"""Models whose shares are no further apart agree; are the same."""


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
    said = _one_first(credit, names[0]) if len(names) == 1 else _several_first(credit, names)
    if naming.NONE not in credit.shown:
        return said
    return f"{said} {_of_credit(credit, naming.NONE)} has no known {credit.noun()}."


def what_is_clear(credit: "Credit") -> str:
    """How many pairs differ whatever the model, and how many under none."""
    if len(credit.named) < 2 or not credit.conversions or not credit.has_intervals:
        return ""
    if not credit.can_tell:
        return f"<strong>{too_few(credit)}</strong> to tell {credit.noun(2)} apart."
    ends = credit.apart.select("ahead", "behind").iter_rows()
    ever = len({frozenset(pair) for pair in ends})
    if not ever:
        return (
            f"<strong>No difference between {credit.noun(2)} is clear</strong> under any model: "
            "all are within noise."
        )
    pairs, always = comparing.pairs(len(credit.named)), credit.always_apart
    are = "is" if always.height == 1 else "are"
    said = [(ever - always.height, "some models only"), (pairs - ever, "none")]
    rest = words.listed([f"{words.number(some)} under {which}" for some, which in said if some])
    rest = f"; of the others, {rest}" if rest else ""
    return (
        f"<strong>{words.number(always.height) if always.height else 'None'} of "
        f"{words.count(pairs, 'difference')} between {credit.noun(2)} {are} clear under every "
        f"model</strong>{_ahead(credit)}{rest}. "
        '<a href="#which-differences-are-clear">See which</a>.'
    )


def cannot_tell(credit: "Credit") -> str:
    """Why nothing is said of what differs."""
    if not credit.conversions:
        return "There is no credit to compare."
    if len(credit.named) < 2:
        return f"There is one {credit.noun()} alone, so that there is nothing to compare."
    if not credit.has_intervals:
        return "No intervals were computed, so nothing says what is noise."
    return f"{too_few(credit)} to tell a difference from noise."


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
        "<strong>Against last touch</strong>, which many tools show, "
        f"{naming.phrase(model)} {moved_by(credit, model, each=1)}. "
        '<a href="#what-each-model-would-move">See each model</a>.'
    )


def moved_by(credit: "Credit", model: str, *, each: int = 2) -> str:
    """What one model would move, the `each` largest clear moves up and down: a predicate."""
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
    more = clear.filter(move > 0).sort("move", descending=True).head(each)
    less = clear.filter(move < 0).sort("move").head(each)
    said = [_given(credit, row, "more") for row in more.iter_rows(named=True)]
    said += [_given(credit, row, "less") for row in less.iter_rows(named=True)]
    rest = clear.height - len(said)
    are = "is" if rest == 1 else "are"
    others = f"; {words.count(rest, 'smaller move')} {are} clear too" if rest else ""
    return f"would give {words.listed(said)}{others}"


def where_models_part(credit: "Credit") -> str:
    """What models disagree about most."""
    band = credit.band.filter(credit.band["key"] != naming.NONE)
    if band.height < 2 or len(credit.models) < 2:
        return ""
    ranked = band.sort("spread", descending=True).head(2).rows(named=True)
    widest, second = ranked
    if widest["spread"] <= AGREED:
        apart = words.points(widest["spread"])
        same = f"no {credit.noun()}'s share differs by more than {apart} between them"
        same = (
            same
            if widest["spread"] > EQUAL
            else f"each {credit.noun()} has the same share under all"
        )
        return f"<strong>All models agree</strong>: {same}."
    lead = f"<strong>Models disagree most about {escape(widest['label'])}</strong>"
    if (widest["key"], widest["lowest_model"]) != ("direct", "last_non_direct"):
        return f"{lead}: {_from_to(widest)}."
    # That one passes it over is no finding; what comes next is.
    return (
        f"{lead}, which {naming.phrase('last_non_direct')} passes over by its rule; next about "
        f"{escape(second['label'])}: {_from_to(second)}."
    )


def where_budget_would_go(credit: "Credit") -> str:
    """What would clearly get more or less of the same spend, if it followed credit."""
    if credit.budget.height < 2:
        return ""
    if gaps := credit.found.spend_gaps:
        return f"<strong>Not all that was spent is known</strong>: {' '.join(gaps)}"
    lead = f"<strong>If the {words.price(credit.spend)} spent followed credit</strong>"
    said = [
        f"{_shift(row)} {way}"
        for way in ("more", "less")
        for row in credit.budget.filter(f"is_{way}").iter_rows(named=True)
    ]
    if not said:
        return f"{lead}, no {credit.noun()} would clearly get more or less of it under every model."
    return (
        f"{lead}, every model would give {words.listed(said)}. That goes by what a conversion cost "
        'on average, not by what more spend would bring. <a href="#spend-and-credit">See more</a>.'
    )


def _one_first(credit: "Credit", key: str) -> str:
    said = (
        f"<strong>{escape(credit.label(key))} gets most credit under {_under(credit)}</strong>, "
        f"{_of_credit(credit, key)} of it"
    )
    if not credit.can_tell:
        return said + "."
    clear = len(credit.leads_clearly(key))
    if clear == len(credit.models):
        return said + f", clearly more than any other {credit.noun()}."
    if not clear:
        return said + ", though its lead is within noise."
    return said + f"; its lead is clear under {clear} of them, else within noise."


def _several_first(credit: "Credit", names: list[str]) -> str:
    if all(len(tied) == len(names) for tied in credit.firsts.values()):
        tied = words.listed([escape(credit.label(key)) for key in names])
        return f"<strong>{tied} share first place</strong> under {_under(credit)}."
    alone = [tied[0] for tied in credit.firsts.values() if len(tied) == 1]
    counts = {key: alone.count(key) for key in names if key in alone}
    most = sorted(counts, key=lambda key: -counts[key])[:3]
    each = [
        f"{escape(credit.label(key))} ({_of_credit(credit, key)} of it) under "
        f"{words.number(counts[key])}"
        for key in most
    ]
    said = (
        f"<strong>Which {credit.noun()} gets most credit depends on the model</strong>: of "
        f"{words.count(len(credit.firsts), 'model')}, {words.listed(each or ['none has one'])}"
    )
    if each and (ties := len(credit.firsts) - len(alone)):
        said += f"; {words.count(ties, 'model')} {'has' if ties == 1 else 'have'} a tie"
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


def _under(credit: "Credit") -> str:
    models = credit.models
    return f"all {len(models)} models" if len(models) > 1 else naming.phrase(models[0])


def _of_credit(credit: "Credit", key: str) -> str:
    shares = credit.rows.filter(credit.rows["key"] == key)["share"].to_list()
    return words.between(min(shares), max(shares), words.percent)


def _ahead(credit: "Credit") -> str:
    """`: Email gets more than 7 others, Direct than 2`, of the three that are ahead of most."""
    beaten = credit.always_apart.group_by("ahead").len()
    ranked = beaten.sort("len", "ahead", descending=[True, False]).rows()
    if not ranked:
        return ""
    (first, most), *others = ranked[:3]
    said = [f"{escape(credit.label(first))} gets more than {words.count(most, 'other')}"]
    said += [f"{escape(credit.label(key))} than {words.number(number)}" for key, number in others]
    return f": {words.listed(said)}" if len(ranked) < 4 else f": {', '.join(said)} and so on"


def _from_to(row: dict[str, Any]) -> str:
    lowest, highest = (
        f"{words.percent(row[f'{end}_share'])} by {naming.phrase(row[f'{end}_model'])}"
        for end in ("lowest", "highest")
    )
    return f"from {lowest} to {highest}"


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
    return f"{escape(row['label'])} {words.between(low, high, words.roughly)}"
