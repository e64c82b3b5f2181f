"""Amounts in millionths of a dollar, as the ledger counts them: added and written as integers."""

from fractions import Fraction


def usd(micros: int | Fraction | None) -> str:
    """`$0.0123`, `$0.05`, from a dollar on `$1,234.50`, half up; a dash where there is none."""
    if micros is None:
        return "–"
    sign, size = ("−", -micros) if micros < 0 else ("", micros)
    if not size or size >= 1_000_000:
        cents = _rounded(size, 10_000)
        return f"{sign}${cents // 100:,}.{cents % 100:02d}"
    tenths = _rounded(size, 100)
    if not tenths:
        return f"{sign}under $0.0001"
    whole, parts = divmod(tenths, 10_000)
    digits = f"{parts:04d}".rstrip("0")
    return f"{sign}${whole}.{digits:0<2}"


def of_each(micros: int, number: int) -> Fraction | None:
    """What one of `number` costs; None of nothing."""
    return Fraction(micros, number) if number else None


def _rounded(value: int | Fraction, unit: int) -> int:
    """How many units, half up."""
    return int((Fraction(value) / unit + Fraction(1, 2)) // 1)
