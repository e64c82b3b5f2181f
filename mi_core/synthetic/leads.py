"""Leads of a sample: addresses for the first people who gave one.

Two of five have free mail, and ten work at each company. Nobody has these addresses: companies are
under `.example`, which is nobody's, and of free mail nothing is ever sent or looked up by a demo.
"""

from pathlib import Path

import numpy as np
import polars as pl

from mi_core.synthetic.truth import Truth

LEADS = 50
_STREAM = 4  # beside those of a block (0, 1, 2) and of spend (3)
_FREE_MAIL = 2 / 5
_PER_COMPANY = 10
_FIRST = ("ada", "ben", "chloe", "dario", "emma", "farid", "grace", "hugo", "ines", "jonas")
_LAST = ("abel", "brandt", "costa", "dubois", "egger", "fischer", "greco", "hansen", "ivanov")


def write_leads(truth: Truth, path: Path, count: int = LEADS) -> int:
    """Writes up to `count` leads as CSV (email, user_id, trigger); returns how many there are."""
    given = truth.persons().filter(pl.col("captured_at").is_not_null()).sort("captured_at")
    ids = given.head(count)["distinct_id"]
    rng = np.random.default_rng([truth.seed, 0, _STREAM])
    is_free = rng.random(len(ids)) < _FREE_MAIL
    company = (np.cumsum(~is_free) - 1) // _PER_COMPANY
    first, last = (rng.choice(names, len(ids)) for names in (_FIRST, _LAST))
    emails = [
        f"{one}.{other}@" + ("gmail.com" if free else f"company-{number}.example")
        for one, other, free, number in zip(first, last, is_free, company, strict=True)
    ]
    rows = pl.DataFrame({"email": emails, "user_id": ids})
    rows.with_columns(trigger=pl.lit("email_submitted")).write_csv(path)
    return len(rows)
