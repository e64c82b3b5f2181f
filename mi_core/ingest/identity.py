"""Which ids are one person.

Links between ids (`sql/identity/delivered_edge.sql`) are kept, so that a person is a function of
all events and not of their order: a late `$identify` joins what came before it, and takes apart
what should not have been joined. Only the people around new ids and links are worked out again.
"""

from mi_core.ingest.erased import leave_out_links
from mi_core.warehouse import Warehouse


def resolve(warehouse: Warehouse) -> int:
    """Bring `lake.identity_alias` up to what `staged` tells; returns how many ids changed person.

    Runs inside a publish. Events of moved ids follow them; `moved` (distinct_id_hash, user_id,
    previous_user_id) tells which these are.
    """
    warehouse.stage("delivered_id", "identity/delivered_id")
    warehouse.stage("delivered_edge", "identity/delivered_edge")
    leave_out_links(warehouse)
    warehouse.stage("scope_node", "identity/scope_node")
    warehouse.stage("scope_edge", "identity/scope_edge")
    _label(warehouse)
    warehouse.stage("alias_next", "identity/alias_next")
    _store(warehouse)
    moved = warehouse.stage("moved", "identity/moved")
    if moved:
        _follow(warehouse)
    return moved


def _label(warehouse: Warehouse) -> None:
    """Spread the least label over each person's ids: a round for each link in the longest chain."""
    warehouse.stage("label", "identity/label")
    spreading = True
    while spreading:
        warehouse.stage("label", "identity/label_round")
        row = warehouse.sql("select bool_or(is_new) from label").fetchone()
        spreading = bool(row and row[0])


def _store(warehouse: Warehouse) -> None:
    for table, key, rows in (
        ("identity_edge", "from_hash, to_hash, kind", "delivered_edge"),
        ("identity_alias", "distinct_id_hash", "alias_next"),
    ):
        warehouse.sql(f"delete from lake.{table} where ({key}) in (select ({key}) from {rows})")
    warehouse.sql("insert into lake.identity_edge from delivered_edge")
    warehouse.sql(
        "insert into lake.identity_alias"
        " select distinct_id_hash, user_id, first_seen_at from alias_next"
    )


def _follow(warehouse: Warehouse) -> None:
    """Give the events of moved ids to the people that these belong to now."""
    warehouse.sql(
        "update lake.user_event as u set user_id = m.user_id, user_bucket = bucket_of(m.user_id)"
        " from moved as m"
        " join lake.analytics_events as e on e.distinct_id_hash = m.distinct_id_hash"
        " where u.event_id = e.event_id"
    )
    warehouse.sql(
        "update lake.analytics_events as e set user_id = m.user_id"
        " from moved as m where e.distinct_id_hash = m.distinct_id_hash"
    )
