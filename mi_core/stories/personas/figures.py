"""The figures of the personas report, read once, from one snapshot of the lake."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from mi_core.stories import terms
from mi_core.stories.comparing import Change, share_range
from mi_core.stories.people import Then, kinds, stage_people
from mi_core.stories.period import Edition, edition
from mi_core.stories.personas import mixing

if TYPE_CHECKING:
    import polars as pl

    from mi_core.definitions import Definitions
    from mi_core.workspace import Workspace


@dataclass(frozen=True)
class PersonasReport:
    """The figures of one period, each frame a relation of `sql/reports/`.

    Attributes
    ----------
    about
        What the definitions say of each persona, in their order: `description, traits`.
    names
        Persona → a short name.
    ahead
        `persona_conversion` by the persona of then, from then on; of now and the whole period where
        there is no scoring to look back to. Personas go by trials and prices looked at, so that
        only what came after says anything.
    result
        `persona_conversion` of the people of now, in the whole period.
    """

    edition: Edition
    then: Then
    about: "pl.DataFrame"
    names: Mapping[str, str]
    channel_names: Mapping[str, str]
    terms: tuple[terms.Term, ...]
    standing: "pl.DataFrame"
    moves: "pl.DataFrame"
    bands: "pl.DataFrame"
    ahead: "pl.DataFrame"
    result: "pl.DataFrame"
    channels: "pl.DataFrame"
    sources: "pl.DataFrame"
    confidence: "pl.DataFrame"

    @classmethod
    def read(
        cls, workspace: "Workspace", *, as_of: str | datetime | None = None, days: int = 90
    ) -> "PersonasReport":
        """Read the figures of the `days` days before a scoring, from one snapshot of the lake.

        Parameters
        ----------
        as_of
            The instant of a scoring, UTC, as a datetime or ISO 8601; default: the newest scoring.

        Raises
        ------
        ReportError
            Nothing has been scored, or nothing as of that instant.
        """
        lake, definitions = workspace.warehouse, workspace.definitions
        bands = definitions.magnetism.band_names
        with edition(workspace, as_of, days) as found:
            then, span = stage_people(workspace, found), found.span
            table = "person_now" if then.as_of is None else "person_then"
            since = then.as_of or span["since"]
            return cls(
                edition=found,
                then=then,
                about=_about(definitions),
                names=kinds(definitions),
                channel_names={n: each.label for n, each in definitions.channels.names.items()},
                terms=(terms.intent(definitions), terms.magnetism(definitions)),
                standing=lake.relation("reports/persona_standing"),
                moves=lake.relation("reports/persona_move"),
                bands=lake.relation("reports/persona_band", bands=bands),
                ahead=lake.relation(
                    "reports/persona_conversion", people=table, **span | {"since": since}
                ),
                result=lake.relation("reports/persona_conversion", people="person_now", **span),
                channels=lake.relation("reports/persona_channel", **span),
                sources=lake.relation("reports/persona_source"),
                confidence=lake.relation("reports/persona_confidence"),
            )

    @property
    def people(self) -> int:
        return int(self.standing["people"].sum())

    @cached_property
    def mix(self) -> "pl.DataFrame":
        """Shares then and now; see `mixing.mix`."""
        return mixing.mix(self.moves, self.names)

    def moved(self, slug: str) -> Change:
        """The change of a persona's share."""
        return mixing.change(self.moves, self.names, slug)

    def rates(self, name: str) -> "pl.DataFrame":
        """One row per persona with anybody: the share of `trials` or `buyers` in `ahead`.

        `label, people, part, value, low, high, others`; the interval is of the share by itself.
        """
        import polars as pl

        rows = [
            (self.names[slug], size, part, part / size, *share_range(part, size), change.before)
            for slug, (part, size, change) in mixing.compared(self.ahead, name).items()
            if size
        ]
        columns = ("label", "people", "part", "value", "low", "high", "others")
        return pl.DataFrame(rows, schema=columns, orient="row")


def _about(definitions: "Definitions") -> "pl.DataFrame":
    import polars as pl

    ordered = sorted(definitions.personas.values(), key=lambda each: each.position)
    rows = [(each.slug, each.description, list(each.traits)) for each in ordered]
    return pl.DataFrame(rows, schema=("persona", "description", "traits"), orient="row")
