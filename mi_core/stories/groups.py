"""What the people of one group did against all others, in a sentence."""

from typing import TYPE_CHECKING

from mi_core import words
from mi_core.stories import comparing
from mi_core.tables import Html, sentence

if TYPE_CHECKING:
    import polars as pl


def apart(groups: "pl.DataFrame", did: str) -> Html:
    """How many of the last group `did` something, against all others, in a sentence.

    Of a frame as `charts.shares` takes it: `label`, `people` and, of these, `part`.
    """
    if groups.height < 2:
        return sentence("There is one group only, so there is nothing to compare.")
    *others, (label, people, part) = groups.select("label", "people", "part").rows()
    rest, rest_part = (sum(each[place] for each in others) for place in (1, 2))
    change = comparing.of_shares(part, people, rest_part, rest)
    whole = words.count(people, "person", "people")
    return sentence(
        f"Of {whole} in “{label}”, {words.percent(change.value)} {did}; of the "
        f"{words.number(rest)} others {words.percent(change.before)}: {comparing.said(change)}."
    )
