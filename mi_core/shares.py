"""The interval of a share, wherever one is told."""

from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95


def wilson(part: float, whole: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The ends of the interval of the share part / whole; of nothing, 0 and 1.

    Wilson (1927), Journal of the American Statistical Association 22:209–212.
    """
    if not whole:
        return 0.0, 1.0
    z, share = NormalDist().inv_cdf((1 + confidence) / 2), part / whole
    scale = 1 + z**2 / whole
    middle = (share + z**2 / (2 * whole)) / scale
    reach = z / scale * sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    # Of none and of all, rounding would leave a speck.
    return middle - reach if part else 0.0, middle + reach if part < whole else 1.0
