"""The people of two scorings, now and near the beginning of the period, and what kinds are called.

They are staged as `person_now` and `person_then`, which relations of `sql/reports/` compare.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mi_core import words
from mi_core.magnetism import AT_RISK

if TYPE_CHECKING:
    from mi_core.definitions import Definitions
    from mi_core.stories.period import Edition
    from mi_core.workspace import Workspace


@dataclass(frozen=True)
class Then:
    """The scoring that the newest one is compared with.

    Attributes
    ----------
    as_of
        None where there is no scoring of anybody in the first half of the period or before it.
    is_alike
        Whether both scorings were made with the same definitions.
    """

    as_of: datetime | None
    is_alike: bool

    def __str__(self) -> str:
        return words.day(self.as_of)


def stage_people(workspace: "Workspace", edition: "Edition") -> Then:
    """Put the people of both scorings into `person_now` and `person_then`."""
    lake, period = workspace.warehouse, edition.period
    latest = period.since + (period.until - period.since) / 2
    found = lake.relation("reports/scoring_near", since=period.since, latest=latest).rows()
    as_of, version = found[0] if found else (None, edition.config_version)
    lake.stage("person_now", "reports/person_scored", as_of=period.until, risk=AT_RISK)
    if not lake.stage("person_then", "reports/person_scored", as_of=as_of, risk=AT_RISK):
        as_of = None
    return Then(as_of, version in (None, edition.config_version))


def kinds(definitions: "Definitions") -> dict[str, str]:
    """Persona → a name short enough for a chart: of `Tech Entrepreneur / …` the first."""
    ordered = sorted(definitions.personas.values(), key=lambda each: each.position)
    labels = {each.slug: each.label for each in ordered}
    short = {slug: label.split(" / ")[0] for slug, label in labels.items()}
    names = list(short.values())
    return {slug: name if names.count(name) == 1 else labels[slug] for slug, name in short.items()}
