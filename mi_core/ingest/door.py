"""The privacy door: the one way in for every event, whatever brought it.

`sql/staging/door.sql` says what passes; this binds it to the definitions and the keys. It reads
`raw_event` (row_no, uuid, event, distinct_id, person_id, properties, occurred_at, received_at), a
table or view of the connection.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mi_core.definitions import Definitions, load_definitions
from mi_core.ingest.erased import ERASED, stage_erased
from mi_core.ingest.keys import HashKeys
from mi_core.relations import relation_sql
from mi_core.warehouse import Warehouse

WITHHELD = "consent_analytics is false"

# Every value that a screen of the package finds holds one of these; it spares most rows the closer
# look. An overlay's own screens may find others, so with them all rows get it.
_SUSPICIOUS = r"[@?#]|%40|%2B|[0-9]\.[0-9]{1,3}\.[0-9]|:[{\[]|(?:[0-9][ ().\-/]{0,2}){7}"
_ANYTHING = ""
_NOT_PROPERTIES = ("$anon_distinct_id", "alias", "$session_id", "distinct_id", "token")


@dataclass(frozen=True)
class Door:
    """The door of one workspace."""

    definitions: Definitions
    keys: HashKeys

    @property
    def version(self) -> str:
        """12 hex digits that change when the same row might pass differently."""
        relations = (relation_sql(name) for name in ("staging/event_shape", "staging/door"))
        parts = (self.definitions.version, *self.keys.fingerprints(), *relations)
        return hashlib.sha256("".join(parts).encode()).hexdigest()[:12]

    def open(self, warehouse: Warehouse) -> Mapping[str, object]:
        """Get ready for the rows of `raw_event`; returns the parameters of `staging/door`."""
        warehouse.load_rows("property_whitelist", self._whitelist())
        stage_erased(warehouse)
        warehouse.stage("event_shape", "staging/event_shape", **self.shapes())
        return {
            **self._patterns(),
            "suspicious": self._suspicious,
            "refused_ids": list(self.definitions.privacy.refused_ids),
            "withheld": WITHHELD,
            "erased": ERASED,
            **self.keys.pads(),
        }

    def shapes(self) -> Mapping[str, object]:
        """The parameters of `staging/event_shape`."""
        return {**self._patterns(), "not_properties": list(_NOT_PROPERTIES)}

    def _patterns(self) -> dict[str, object]:
        prefixes = map(_literal, self.definitions.privacy.experiment_prefixes)
        return {
            "experiment": "^(?:" + "|".join(prefixes) + ")",
            "personal": personal_pattern(self.definitions, None),
        }

    @cached_property
    def _suspicious(self) -> str:
        own = load_definitions().privacy.screens
        return _SUSPICIOUS if self.definitions.privacy.screens == own else _ANYTHING

    def _whitelist(self) -> list[dict[str, object]]:
        whitelist = self.definitions.whitelist_rows()
        return [
            row | {"pattern": personal_pattern(self.definitions, row["stored_name"])}
            for row in whitelist
        ]


def personal_pattern(definitions: Definitions, stored_name: str | None) -> str:
    """One pattern of all screens that a property isn't exempt from; it may match nothing."""
    privacy = definitions.privacy
    groups = {group for group, names in privacy.whitelist.items() if stored_name in names}
    patterns = [
        screen.pattern
        for screen in privacy.screens.values()
        if stored_name not in screen.exempt and not groups.intersection(screen.exempt)
    ]
    return "|".join(f"(?:{pattern})" for pattern in patterns) or r"[^\s\S]"


def _literal(text: str) -> str:
    return "".join(f"[{c}]" if not c.isalnum() and c not in "_/" else c for c in text)
