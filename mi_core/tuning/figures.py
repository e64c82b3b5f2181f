"""How well a score ranks and a probability fits: ROC AUC, lift, kappa, as arrays.

With counts by score in place of cases, so that they are the same for a sample and for each of its
bootstrap draws; tests hold them to scikit-learn's.
"""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def auc(scores: FloatArray, happened: BoolArray) -> float:
    """The share of pairs, one with the outcome and one without, in which the first scores higher.

    Ties count half (Hanley & McNeil 1982, Radiology 143:29–36). NaN where there are no pairs.
    """
    return auc_at(places(scores), happened)


def places(scores: FloatArray) -> IntArray:
    """The place of each score among all, from 0 for the lowest; equal ones share theirs."""
    place: IntArray = np.unique(scores, return_inverse=True)[1]
    return place


def auc_at(place: IntArray, happened: BoolArray) -> float:
    """As `auc`, of scores by their places: for many outcomes of the same scores."""
    size = int(place.max(initial=0)) + 1
    counts = np.bincount(2 * place + happened, minlength=2 * size)
    return float(auc_of(counts.astype(np.float64).reshape(size, 2)))


def auc_of(counts: FloatArray) -> FloatArray:
    """The same of counts by score, from low to high: `[…, scores, (didn't, did)]`."""
    without, having = counts[..., 0], counts[..., 1]
    below = np.cumsum(without, axis=-1) - without / 2
    won = np.sum(having * below, axis=-1)
    pairs = np.asarray(without.sum(axis=-1) * having.sum(axis=-1))
    found: FloatArray = np.full(pairs.shape, np.nan)
    np.divide(won, pairs, out=found, where=pairs > 0)
    return found


def lift_at(scores: FloatArray, happened: BoolArray, share: float) -> float:
    """The outcome's rate among the `share` of cases that score highest, times that among all.

    Of cases that tie at the edge, the part that still fits is taken at their own rate.
    """
    if not len(scores) or not happened.any() or not share:
        return float("nan")
    levels, place = np.unique(-scores, return_inverse=True)
    size = np.bincount(place, minlength=len(levels)).astype(np.float64)
    having = np.bincount(place, weights=happened, minlength=len(levels))
    room = share * len(scores)
    taken = np.clip(room - (np.cumsum(size) - size), 0, size)
    return float(np.sum(having * taken / size) / room / np.mean(happened))


def kappa_of(tables: FloatArray) -> FloatArray:
    """Cohen's kappa of tables `[…, P, K]` of two namings, whose first P names are the same.

    NaN where chance alone would agree on everything.
    """
    total = tables.sum(axis=(-1, -2))[..., np.newaxis, np.newaxis]
    shares = np.divide(tables, total, out=np.full(tables.shape, np.nan), where=total > 0)
    rows, columns = shares.sum(axis=-1), shares.sum(axis=-2)
    agreed = np.trace(shares, axis1=-2, axis2=-1)
    by_chance = np.sum(rows * columns[..., : rows.shape[-1]], axis=-1)
    left = np.asarray(1 - by_chance)
    is_defined = left > 1e-12
    found: FloatArray = np.full(left.shape, np.nan)
    np.divide(agreed - by_chance, left, out=found, where=is_defined)
    return found
