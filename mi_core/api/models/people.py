"""What is held of a person, and what erasing it came to."""

from typing import Any

from pydantic import Field

from mi_core.api.models.analytics import Count
from mi_core.api.models.base import Answer, Utc, example
from mi_core.api.models.marketing import AS_OF, PERSON

TABLE = {
    "holds": "personas assigned, now and earlier, and by whom",
    "rows": [{"user_id": PERSON, "slug": "tech_entrepreneur", "assigned_at": AS_OF}],
}


class TableHeld(Answer):
    """What a table holds of somebody: what its rows say, and the rows."""

    model_config = example(**TABLE)

    holds: str
    rows: list[dict[str, Any]]


FILES = {"reports": ["reports/acquisition.html"], "quarantine": []}


class FilesHeld(Answer):
    """Pages that show somebody, and lines of quarantine files about their events."""

    model_config = example(**FILES)

    reports: list[str]
    quarantine: list[dict[str, Any]]


class PersonHeld(Answer):
    """All that is held of somebody."""

    model_config = example(
        format="mi-person/1",
        made_at=AS_OF,
        lake_snapshot=118,
        is_known=True,
        user_ids=[PERSON],
        tables={"state.user_persona": TABLE},
        files=FILES,
    )

    format: str = Field(description="Changes where a program that reads this would have to.")
    made_at: Utc
    lake_snapshot: int
    is_known: bool
    user_ids: list[str]
    tables: dict[str, TableHeld] = Field(description="Every table that may hold something.")
    files: FilesHeld


class Erased(Answer):
    """The receipt of an erasure: counts by place, and nothing that says whose it was."""

    model_config = example(
        erasure_id="7d0c0f3a-2c5f-4b0e-9d3e-1f6a2b8c9d0e",
        was_known=True,
        begun_at=AS_OF,
        finished_at="2024-06-30T00:00:04Z",
        rows={"lake.user_event": 41, "state.user_persona": 2},
        files={"quarantine_lines": 0},
        reports=["acquisition.html"],
        snapshots={"expired": 118},
        hashes=2,
        remains=["keyed hashes of the ids, so that no later delivery brings the person back"],
    )

    erasure_id: str
    was_known: bool = Field(description="Whether anything was held; kept out is anybody.")
    begun_at: Utc
    finished_at: Utc | None
    rows: dict[str, Count] = Field(description="By table.")
    files: dict[str, Count] = Field(description="By kind.")
    reports: list[str] = Field(description="Pages that showed the person, and are gone.")
    snapshots: dict[str, Any] = Field(description="Past states of the lake, of which none is left.")
    hashes: Count = Field(description="By how many hashes the person is kept out from now on.")
    remains: list[str] = Field(description="What stays of everybody who is forgotten.")
