"""What every part of the workspace stands on: the stores, the definitions, queries."""

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mi_core.definitions import definitions_from_config
from mi_core.errors import BadValue
from mi_core.ingest.classify import Progress, keep_classified, silent
from mi_core.inlet import Inlet
from mi_core.instants import in_utc, moment_of
from mi_core.settings import Settings

if TYPE_CHECKING:
    import polars as pl
    from duckdb import DuckDBPyConnection


class Base(Inlet):
    """The stores of a workspace, and queries over them."""

    def __init__(self, path: Path, settings: Settings) -> None:
        super().__init__(path, settings, is_alone=False)
        self._is_classified = False
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            self.warehouse.load_definitions(self.definitions)
            self._register_definitions()
            self._goes_by = self.configs.newest()
            on_failure.pop_all()

    @property
    def is_outdated(self) -> bool:
        """Whether other definitions were put in force since it was opened."""
        return self.configs.newest() != self._goes_by

    def __repr__(self) -> str:
        return f"Workspace({str(self.path)!r})"

    def sql(self, query: str, **values: object) -> "pl.DataFrame":
        """The rows of a query over `lake.…` and `state.…`; the prefixes may be left out.

        It only reads: a statement that would change what is stored is refused. `$name` in the query
        stands for the value of that name::

            workspace.sql("select count(*) from user_event where channel = $channel", channel="ads")
        """
        return self.warehouse.ask(query, values)

    @cached_property
    def duckdb(self) -> "DuckDBPyConnection":
        """A DuckDB connection of its own to the lake and the state, for relations; it only reads.

        A relation is a query that runs when it is looked at::

            touches = workspace.duckdb.sql("from touchpoint")
            touches.filter("channel = 'email'").aggregate("campaign_id, count(*) as touches")
            touches.df()  # a pandas frame; `pl.DataFrame(touches)` is a Polars one

        It is closed with the workspace.
        """
        reader = self.warehouse.reader()
        self._beside.callback(reader.close)
        reader.load_definitions(self.definitions)
        return reader.connection

    def scoring(self, as_of: datetime | str | None = None) -> datetime:
        """The instant of the newest scoring at or before `as_of`, which may be as "2024-06-30".

        Raises
        ------
        BadValue
            `as_of` is no instant, or nothing was scored at it or before.
        """
        until = moment_of("as_of", as_of or datetime.max).replace(tzinfo=None)
        span = "select max(as_of) filter (as_of <= $until), min(as_of) from lake.score_run"
        [(found, first)] = self.warehouse.sql(span, {"until": until}).fetchall()
        if isinstance(found, datetime):
            return found.replace(tzinfo=UTC)
        said = f"the first scoring is as of {first:%Y-%m-%d}" if first else "run `mi score`"
        raise BadValue(f"Nothing was scored as of {as_of or 'any time'} or before; {said}.")

    def scored_as_of(self) -> datetime | None:
        """The instant of the newest scoring; None before the first."""
        row = self.warehouse.sql("select max(as_of) from lake.score_run").fetchone()
        return row[0].replace(tzinfo=UTC) if row and row[0] else None

    def look_back(self, snapshot: int | None, config: str | None) -> None:
        """See `open_workspace`: what is None stays as it is."""
        if config is not None and config != self.definitions.version:
            self.definitions = definitions_from_config(self.state.config(config))
            self._is_classified = True
        if snapshot is not None:
            self.warehouse.look_back(snapshot)
            # The events were typed then, by what was in force.
            self._is_classified = True
        self.warehouse.load_definitions(self.definitions)

    def _moment(self, as_of: datetime | None) -> datetime:
        """`as_of`; where nobody says, that of the newest scoring, or now."""
        if as_of is None:
            return self.scored_as_of() or datetime.now(UTC)
        in_utc("as_of", as_of)
        return as_of

    def _keep_classified(self, progress: Progress = silent) -> None:
        """Type the events by this workspace's definitions, once: those don't change under it."""
        if not self._is_classified:
            keep_classified(self.warehouse, self.definitions, progress=progress)
            self._is_classified = True

    def _register_definitions(self) -> None:
        """Keep the definitions in force where scores and assignments can refer to them."""
        definitions = self.definitions
        if self.state.meta("definitions") == definitions.version:
            return
        self.state.seed_personas(
            {
                "slug": slug,
                "position": persona.position,
                "label": persona.label,
                "description": persona.description,
                "intent_level": persona.intent_level,
                "traits": list(persona.traits),
            }
            for slug, persona in definitions.personas.items()
        )
        body = json.dumps(definitions.config(), sort_keys=True)
        self.state.register_config(definitions.version, body, created_at=datetime.now(UTC))
        self.state.set_meta("definitions", definitions.version)
