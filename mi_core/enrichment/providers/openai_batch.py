"""Persona questions in batches: half the price, for an answer within a day.

A batch carries a key of ours. Where the answer to `submit` is lost, `find` says whether there is
one under this key, so that no batch is paid for twice.
"""

from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mi_core.definitions import OpenAIPrice, Persona
from mi_core.enrichment.batch_lines import ENDPOINT, MOST_LINES, batch_file, batch_replies
from mi_core.enrichment.calls import PersonaAnswer, PersonaQuestion, Reply, Request
from mi_core.enrichment.providers.openai_persona import persona_body
from mi_core.enrichment.providers.persona_reply import SERVICE
from mi_core.enrichment.providers.transport import heard, openai_client, whole
from mi_core.enrichment.providers.wire import Heard, at_most, identifier, turned_down, unreadable
from mi_core.enrichment.untrusted import json_object, mapping
from mi_core.errors import BadValue

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_READ = ("output_file_id", "error_file_id")
_KEY = "mi_batch"
_PAGES, _PER_PAGE = 20, 100
_FILE_SECONDS = 120.0
_MOST_ERRORS = 100


@dataclass(frozen=True, slots=True)
class BatchState:
    """How far a batch is; replies to all its calls once it has ended, none before.

    `files` are those that it left with OpenAI, `error` says why it failed as a whole.
    """

    status: str
    replies: Mapping[str, Reply[PersonaAnswer]]
    files: tuple[str, ...] = ()
    error: str | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def is_undone(self) -> bool:
        """Whether it failed as a whole, so that none of its calls was made."""
        replies = self.replies.values()
        return self.status == "failed" and all(
            each.outcome == "unavailable" and each.cost_micros == 0 for each in replies
        )


class PersonaBatch:
    """Batches of persona questions. Each method replies as a call does; none costs anything."""

    name = "openai"

    def __init__(self, price: OpenAIPrice, key: str, personas: Mapping[str, Persona]) -> None:
        self._price = price
        self._personas = personas
        self._client = openai_client(SERVICE, price, key)

    def request(self, question: PersonaQuestion) -> Request:
        """A line's call, with the most that it can cost in a batch."""
        body = persona_body(question, self._price, self._personas)
        return Request(body, at_most(body, self._price, self._price.batch_share), self._price.model)

    async def submit(self, requests: Mapping[str, Request], batch_key: str) -> Reply[str]:
        """Send the calls by their ids; the answer is OpenAI's id of the batch."""
        if not 1 <= len(requests) <= MOST_LINES:
            raise BadValue(f"A batch has 1 to {MOST_LINES} calls, not {len(requests)}.")
        uploaded = await self._said(self._upload(batch_file(requests), batch_key), _FILE_SECONDS)
        if isinstance(uploaded, Reply):
            # A file alone is never billed, so nothing of it can be lost.
            is_lost = uploaded.outcome in ("lost", "invalid")
            return Reply("unavailable", 0, error=uploaded.error) if is_lost else uploaded
        created = await self._said(self._create(identifier(uploaded.get("id")) or "", batch_key))
        if not isinstance(created, Reply):
            return _id_of(created)
        # An error of the service doesn't say that there is no batch.
        is_unsure = created.outcome == "unavailable"
        return replace(created, outcome="lost", cost_micros=None) if is_unsure else created

    async def find(self, batch_key: str) -> Reply[str]:
        """OpenAI's id of the batch under `batch_key`; no answer where there is none."""
        after: dict[str, Any] = {}
        for _ in range(_PAGES):
            page = await self._said(self._list(after))
            if isinstance(page, Reply):
                return page
            batches = [mapping(each) for each in page.get("data") or []]
            for each in batches:
                if mapping(each.get("metadata")).get(_KEY) == batch_key:
                    return _id_of(each)
            last = identifier(batches[-1].get("id")) if batches else None
            if not page.get("has_more") or last is None:
                return Reply("ok", 0)
            after = {"after": last}
        return Reply("unavailable", 0, error=f"{SERVICE}: there are too many batches to look at.")

    async def collect(self, batch_id: str, call_ids: Collection[str]) -> Reply[BatchState]:
        """The state of a batch, with a reply for each of `call_ids` once it has ended."""
        batch = await self._said(self._retrieve(batch_id))
        if isinstance(batch, Reply):
            return batch
        status = identifier(batch.get("status")) or "unknown"
        if status not in ENDED:
            return Reply("ok", 0, BatchState(status, {}))
        read = await self._read(batch)
        if isinstance(read, Reply):
            return read
        replies = batch_replies(read, call_ids, self._price, self._personas)
        names = ("input_file_id", *_READ)
        files = tuple(each for name in names if (each := identifier(batch.get(name))))
        return Reply("ok", 0, BatchState(status, replies, files, _failure(batch)))

    async def _read(self, batch: Mapping[str, Any]) -> list[bytes] | Reply[Any]:
        """The files of answers and of errors."""
        files = []
        for file_id in filter(None, (identifier(batch.get(name)) for name in _READ)):
            said = await heard(SERVICE, self._content(file_id), _FILE_SECONDS)
            if isinstance(said, Reply) or said.status != 200:
                return said if isinstance(said, Reply) else turned_down(SERVICE, said)
            files.append(said.content)
        return files

    async def forget(self, batch: BatchState) -> None:
        """Delete a batch's files, if it is known what each call cost.

        One that can't be deleted expires by itself, after 30 days.
        """
        if all(reply.cost_micros is not None for reply in batch.replies.values()):
            for file_id in batch.files:
                await heard(SERVICE, self._delete(file_id), self._price.timeout_seconds)

    async def close(self) -> None:
        await self._client.close()

    async def _said(
        self, call: Awaitable[Heard], seconds: float | None = None
    ) -> Mapping[str, Any] | Reply[Any]:
        said = await heard(SERVICE, call, seconds or self._price.timeout_seconds)
        if isinstance(said, Reply):
            return said
        if said.status != 200:
            return turned_down(SERVICE, said)
        body = json_object(said.content)
        return unreadable(SERVICE, said) if body is None else body

    async def _upload(self, lines: bytes, batch_key: str) -> Heard:
        create = self._client.files.with_raw_response.create
        file = (f"{batch_key}.jsonl", lines, "application/jsonl")
        made = await create(file=file, purpose="batch", timeout=_FILE_SECONDS)
        return whole(made.http_response)

    async def _create(self, file_id: str, batch_key: str) -> Heard:
        made = await self._client.batches.with_raw_response.create(
            input_file_id=file_id,
            endpoint=ENDPOINT,
            completion_window="24h",
            metadata={_KEY: batch_key},
        )
        return whole(made.http_response)

    async def _list(self, after: dict[str, Any]) -> Heard:
        listed = self._client.batches.with_raw_response.list
        return whole((await listed(limit=_PER_PAGE, **after)).http_response)

    async def _retrieve(self, batch_id: str) -> Heard:
        return whole(
            (await self._client.batches.with_raw_response.retrieve(batch_id)).http_response
        )

    async def _delete(self, file_id: str) -> Heard:
        return whole((await self._client.files.with_raw_response.delete(file_id)).http_response)

    async def _content(self, file_id: str) -> Heard:
        got = await self._client.files.with_raw_response.content(file_id, timeout=_FILE_SECONDS)
        return whole(got.http_response)


def _id_of(batch: Mapping[str, Any]) -> Reply[str]:
    batch_id = identifier(batch.get("id"))
    if batch_id is None:
        return Reply("invalid", None, error=f"{SERVICE}: the answer has no id of the batch.")
    return Reply("ok", 0, batch_id)


def _failure(batch: Mapping[str, Any]) -> str | None:
    """Why OpenAI did not take a batch, by the short names of what is wrong with it."""
    errors = mapping(batch.get("errors")).get("data")
    if batch.get("status") != "failed" or not isinstance(errors, list):
        return None
    codes = {identifier(mapping(each).get("code")) for each in errors[:_MOST_ERRORS]} - {None}
    said = ", ".join(sorted(map(str, codes))) or "it doesn't say why"
    return f"{SERVICE} did not take the batch ({said})."
