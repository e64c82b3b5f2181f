"""What the state keeps of erasures, and what it lets go of when one begins.

The record, the hashes that stay erased, and the end of the person's rows are one transaction: from
then on nothing of theirs is taken in, and whatever comes of the process, the erasure is known to be
unfinished until it is finished.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mi_core.enrichment.ledger import NOBODY
from mi_core.erasure.receipt import Receipt, read
from mi_core.erasure.vacuum import vacuum_postgresql, vacuum_sqlite
from mi_core.errors import WorkspaceError
from mi_core.ingest.erased import LINKED, OWN
from mi_core.state import INBOX_KEY, LEDGER_KEY, QUEUE_KEY, State, Transaction
from mi_core.warehouse import Warehouse

_STAGE = (
    "drop table if exists forgotten",
    "create temporary table forgotten (id_hash varchar(36) primary key)",
)
_THEIRS = "user_id in (select id_hash from forgotten)"
_OTHERS = "user_id not in (select id_hash from forgotten)"
_DOMAINS = (
    "select email_domain from user_identity where email_domain is not null and {whose}"
    " union select company_domain from user_identity where company_domain is not null and {whose}"
)
_LET_GO = {
    "enrichment_step": "delete from enrichment_step where lead_id in"
    f" (select lead_id from user_identity where {_THEIRS}"
    f" union select lead_id from enrichment_call where {_THEIRS})",
    # A company that nobody else's lead is of may be the person's own.
    "company_profile": "delete from company_profile"
    f" where domain in ({_DOMAINS.format(whose=_THEIRS)})"
    f" and domain not in ({_DOMAINS.format(whose=_OTHERS)})",
    # What was spent stays spent: by day and provider, and the call's own id for the bill.
    "enrichment_call": "update enrichment_call set user_id = :nobody, lead_id = null,"
    f" request_id = null, error = null where {_THEIRS}",
    "user_persona": f"delete from user_persona where {_THEIRS}",
    "churn_notice": f"delete from churn_notice where {_THEIRS}",
    "user_identity": f"delete from user_identity where {_THEIRS}",
}
TABLES = ("inbox", *_LET_GO)
"""Of the state, with rows of people; `places.STATE` says what they hold."""


def begin(state: State, receipt: Receipt, hashes: Iterable[str], seen: "Inbox") -> Receipt:
    """Write an erasure down and let the state's rows go; returns the receipt with their counts."""
    ids = [{"id_hash": each, "erasure_id": receipt.erasure_id} for each in hashes]
    with state.writing() as transaction:
        gone = _let_go(transaction, ids, seen)
        rows = dict(receipt.rows) | {f"state.{table}": count for table, count in gone.items()}
        receipt = replace(receipt, rows=rows)
        transaction.change(
            "insert into erasure (erasure_id, begun_at, receipt) values (:id, :at, :receipt)",
            id=receipt.erasure_id,
            at=receipt.begun_at,
            receipt=receipt.as_text(),
        )
        transaction.change_each(
            "insert into erased_id (id_hash, erasure_id) values (:id_hash, :erasure_id)"
            " on conflict (id_hash) do nothing",
            ids,
        )
    return receipt


def sweep(state: State, hashes: Iterable[str], seen: "Inbox") -> None:
    """Let go of what a transaction that had begun before the erasure wrote all the same."""
    with state.writing() as transaction:
        _let_go(transaction, [{"id_hash": each} for each in hashes], seen)


def _let_go(transaction: Transaction, ids: list[dict[str, str]], seen: "Inbox") -> dict[str, int]:
    """Returns how many rows it were, by table."""
    for key in (QUEUE_KEY, LEDGER_KEY, INBOX_KEY):
        transaction.one_at_a_time(key)
    for statement in _STAGE:
        transaction.change(statement)
    transaction.change_each("insert into forgotten (id_hash) values (:id_hash)", ids)
    gone = {"inbox": _empty_inbox(transaction, ids, seen)}
    for table, statement in _LET_GO.items():
        bound = {"nobody": NOBODY} if ":nobody" in statement else {}
        gone[table] = transaction.change(statement, **bound)
    transaction.change("drop table forgotten")
    return gone


class Inbox:
    """What the inbox held of the staged person when it was looked at: bodies by number."""

    def __init__(self, warehouse: Warehouse) -> None:
        row = warehouse.sql("select coalesce(max(seq), 0) from state.inbox").fetchone()
        self.newest = row[0] if row else 0
        self.bodies: Mapping[int, str] = dict(
            warehouse.sql("select seq, body from subject_inbox").fetchall()
        )


def _empty_inbox(transaction: Transaction, ids: list[dict[str, str]], seen: Inbox) -> int:
    """Delete events of the person; those of others lose the link to them. Returns how many went."""
    hashes = {each["id_hash"] for each in ids}
    later = transaction.rows("select seq, body from inbox where seq > :newest", newest=seen.newest)
    bodies = dict(seen.bodies) | {row["seq"]: row["body"] for row in later}
    gone = 0
    for seq, body in bodies.items():
        event = json.loads(body)
        if hashes.intersection(event.get(name) for name in OWN):
            gone += transaction.change("delete from inbox where seq = :seq", seq=seq)
        elif hashes.intersection(event.get(name) for name in LINKED):
            apart = json.dumps(event | dict.fromkeys(LINKED))
            transaction.change(
                "update inbox set body = :body where seq = :seq", seq=seq, body=apart
            )
    return gone


def finish(state: State, receipt: Receipt) -> None:
    """Write down that an erasure is finished."""
    with state.writing() as transaction:
        transaction.change(
            "update erasure set finished_at = :at, receipt = :receipt where erasure_id = :id",
            id=receipt.erasure_id,
            at=receipt.finished_at,
            receipt=receipt.as_text(),
        )


def unfinished(state: State) -> list[tuple[Receipt, list[str]]]:
    """The erasures that are half done, oldest first, each with the hashes of its person."""
    with state.reading() as transaction:
        half = transaction.rows(
            "select receipt from erasure where finished_at is null order by begun_at, erasure_id"
        )
        return [(each := read(row["receipt"]), _hashes(transaction, each)) for row in half]


def _hashes(transaction: Transaction, receipt: Receipt) -> list[str]:
    query = "select id_hash from erased_id where erasure_id = :id order by id_hash"
    return [row["id_hash"] for row in transaction.rows(query, id=receipt.erasure_id)]


def lift(state: State, hashes: Iterable[str]) -> int:
    """Let people in again by all their hashes, who were erased by one of `hashes`; how many."""
    rows = [{"id_hash": each} for each in hashes]
    of = "select erasure_id from erased_id where id_hash in (select id_hash from forgotten)"
    with state.writing() as transaction:
        for statement in _STAGE:
            transaction.change(statement)
        transaction.change_each("insert into forgotten (id_hash) values (:id_hash)", rows)
        lifted = transaction.change(f"delete from erased_id where erasure_id in ({of})")
        transaction.change("drop table forgotten")
    return lifted


def vacuum(warehouse: Warehouse) -> None:
    """Clear the state's database of what it let go of.

    Raises
    ------
    WorkspaceError
        A query that reads it didn't end in time.
    """
    patience = warehouse.settings.lock_timeout_seconds
    if warehouse.settings.state_url:
        url = warehouse.settings.state_url.get_secret_value()
        vacuum_postgresql(url, "public", TABLES, patience)
    else:
        vacuum_sqlite(warehouse.path / "state.sqlite", patience)


def check_nothing_left(rows: Mapping[str, int]) -> None:
    """Raise WorkspaceError where rows of an erased person are there all the same."""
    left = [f"{table} ({count:,})" for table, count in rows.items() if count]
    if left:
        raise WorkspaceError(
            f"Rows of an erased person came in meanwhile, in {', '.join(left)}; run mi maintain."
        )
