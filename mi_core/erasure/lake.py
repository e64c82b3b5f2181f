"""A person out of the lake: rows, the files that held them, history, and the catalog's notes.

A deleted row stays in its Parquet file, in the lake's history, as a bound in the catalog, and in
the free pages of the catalog's database. Each step here leaves nothing to do where it was done
before, so that an erasure that was interrupted goes through them again.
"""

from contextlib import ExitStack

from mi_core.erasure.places import LAKE
from mi_core.erasure.vacuum import vacuum_postgresql, vacuum_sqlite
from mi_core.warehouse import Warehouse

_SCHEMA = "lake"
_CATALOG = "__ducklake_metadata_lake"
_NAMES_THEM = "list_has_any(former_ids, (select list(id_hash::varchar) from subject_id))"
_NOTES = {
    "data_file": "ducklake_data_file",
    "file_bound": "ducklake_file_column_stats",
    "column_type": "ducklake_column",
}


def delete_rows(warehouse: Warehouse) -> None:
    """Delete the rows of the staged person, in one transaction."""
    warehouse.stage("kept_edge", "erasure/kept_edge")
    with warehouse.publish("erase"):
        warehouse.sql("insert into lake.identity_edge from kept_edge")
        for place in LAKE:
            warehouse.sql(f"delete from lake.{place.table} where {place.condition}")
        # Somebody else's features may name an id that was theirs once: they are computed again.
        warehouse.sql(f"delete from lake.user_feature where {_NAMES_THEM}")


def drop_history(warehouse: Warehouse) -> int:
    """Leave the lake as it is now, and nothing of how it was; returns how many files went.

    Queries that see it as it was are waited for, so that none of them looks for a file in vain.

    Raises
    ------
    WorkspaceError
        Such a query didn't end in time.
    """
    # Files with any deleted row: a person's rows were also deleted where ids of theirs changed.
    warehouse.sql("call ducklake_rewrite_data_files('lake', delete_threshold => 0)")
    _narrow_bounds(warehouse)
    _seal(warehouse)
    newest = warehouse.snapshot()
    past = warehouse.sql(
        "select snapshot_id from lake.snapshots() where snapshot_id <> $newest", {"newest": newest}
    ).fetchall()
    if past:
        versions = [row[0] for row in past]
        warehouse.sql(f"call ducklake_expire_snapshots('lake', versions => {versions})")
    _vacuum(warehouse)
    gone = 0
    # Orphans are what a process that was killed had written and not published.
    for call in ("ducklake_cleanup_old_files", "ducklake_delete_orphaned_files"):
        gone += len(warehouse.sql(f"call {call}('lake', cleanup_all => true)").fetchall())
    return gone


def snapshots(warehouse: Warehouse) -> dict[str, int]:
    """How many states the lake remembers, the first and the last of them."""
    row = warehouse.sql(
        "select count(*), min(snapshot_id), max(snapshot_id) from lake.snapshots()"
    ).fetchone()
    count, first, last = row or (0, 0, 0)
    return {"count": count, "first": first, "last": last}


def _narrow_bounds(warehouse: Warehouse) -> None:
    catalog = f"{_CATALOG}.{_SCHEMA}" if warehouse.settings.catalog_url else _CATALOG
    with ExitStack() as views:
        for name, table in _NOTES.items():
            views.enter_context(warehouse.view(name, f"from {catalog}.{table}"))
        warehouse.stage("bound", "erasure/bound")
    warehouse.sql(
        f"update {catalog}.ducklake_table_column_stats as noted"
        " set min_value = bound.min_value, max_value = bound.max_value from bound"
        " where noted.table_id = bound.table_id and noted.column_id = bound.column_id"
        " and (noted.min_value, noted.max_value)"
        " is distinct from (bound.min_value, bound.max_value)"
    )


def _seal(warehouse: Warehouse) -> None:
    """Write a file that says nothing new: others then read the catalog's bounds anew.

    They remember them as of the newest file, and would write the old ones back.
    """
    version = warehouse.sql("select version from lake.schema_version").fetchall()
    with warehouse.publish("erased"):
        warehouse.sql("delete from lake.schema_version")
        for row in version:
            warehouse.sql("insert into lake.schema_version values ($1)", list(row))


def _vacuum(warehouse: Warehouse) -> None:
    patience = warehouse.settings.lock_timeout_seconds
    if warehouse.settings.catalog_url:
        url = warehouse.settings.catalog_url.get_secret_value()
        vacuum_postgresql(url, _SCHEMA, (), patience)
    else:
        vacuum_sqlite(warehouse.path / "catalog.sqlite", patience)
