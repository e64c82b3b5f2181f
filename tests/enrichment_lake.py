"""The lake and the state in memory, with the tables of the enrichment."""

import re
from collections.abc import Iterator
from pathlib import Path

from retention_lake import retention_warehouse

from mi_core import migrations
from mi_core.warehouse import Warehouse

TABLES = ("state.user_identity", "state.enrichment_call", "state.enrichment_step")


def enrichment_warehouse(path: Path) -> Warehouse:
    """What relations of the enrichment read, without rows; columns may be left null."""
    warehouse = retention_warehouse(path)
    warehouse.sql("drop table state.user_identity")
    warehouse.sql("use state")
    for statement in _state_tables():
        warehouse.sql(statement)
    warehouse.sql("use memory")
    warehouse.stage("lead", "enrichment/lead")
    return warehouse


def _state_tables() -> Iterator[str]:
    for step in migrations.STATE.steps:
        script = re.sub(r"--.*| not null|,\s*primary key \([^)]*\)| primary key", "", step.sql)
        for statement in script.split(";"):
            if re.match(r"\s*(create|alter) table (user_identity|enrichment_\w+)", statement):
                yield statement
