"""OpenAI's files and batches over the wire: a day's work at half the price, in any order."""

import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from provider_answers import Json
from provider_wire import Answer, openai_error

DONE = ("completed", "expired", "failed", "cancelled")
LOST = {
    "expired": "This request could not be executed before the completion window expired.",
    "cancelled": "This request was not executed because the batch was cancelled.",
}


def parts_of(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """Fields of a multipart form: file name and content by name."""
    boundary = content_type.split("boundary=", 1)[1].strip('"')
    parts = {}
    for piece in body.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        words = head.decode().replace(";", "\r\n").split("\r\n")
        named = {
            key.strip(): value.strip(' "') for key, _, value in (w.partition("=") for w in words)
        }
        parts[named["name"]] = (named.get("filename", ""), content.removesuffix(b"\r\n"))
    return parts


class Batches:
    """Files and batches. Each look at a batch lets it go a step on, unless `is_automatic` is off.

    `steps` are the statuses that it goes through; `done_share` of its lines are done if the last is
    `expired`, or when it is cancelled. `advance` goes on without a look.
    """

    def __init__(self, run_line: Callable[[Json], Answer], seed: int = 0) -> None:
        self.steps = ["in_progress", "finalizing", "completed"]
        self.done_share = 0.5
        self.is_automatic = True
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Json] = {}
        self._named: dict[str, Json] = {}
        self._run_line = run_line
        self._rng = random.Random(seed)
        self._lock = threading.RLock()

    # --- Files ----------------------------------------------------------------------------------

    def upload(self, content_type: str, body: bytes) -> Answer:
        parts = parts_of(content_type, body)
        if "purpose" not in parts or "file" not in parts:
            return openai_error(400, "Missing required parameter: 'purpose'.", None, "purpose")
        purpose = parts["purpose"][1].decode()
        name, content = parts["file"]
        if purpose != "batch":
            return openai_error(400, f"Invalid value: '{purpose}'.", "invalid_value", "purpose")
        if not name.endswith(".jsonl"):
            said = "Invalid file format. Batch API only supports .jsonl files."
            return openai_error(400, said, "invalid_file_format", "file")
        return Answer.of(200, self._named[self._keep(name, purpose, content)])

    def _keep(self, name: str, purpose: str, content: bytes) -> str:
        with self._lock:
            number = f"file-{uuid.uuid4().hex[:22]}"
            self.files[number] = content
            self._named[number] = {
                "id": number,
                "object": "file",
                "bytes": len(content),
                "created_at": int(time.time()),
                "filename": name,
                "purpose": purpose,
                "status": "processed",
                "expires_at": None,
                "status_details": None,
            }
            return number

    def file(self, number: str, *, content: bool = False, delete: bool = False) -> Answer:
        with self._lock:
            if number not in self.files:
                return openai_error(404, f"No such File object: {number}", None, "id")
            if delete:
                del self.files[number], self._named[number]
                return Answer.of(200, {"object": "file", "id": number, "deleted": True})
            if content:
                kind = {"content-type": "application/octet-stream"}
                return Answer(200, self.files[number], kind)
            return Answer.of(200, self._named[number])

    # --- Batches --------------------------------------------------------------------------------

    def create(self, request: Mapping[str, Any]) -> Answer:
        number, now = f"batch_{uuid.uuid4().hex}", int(time.time())
        if request.get("input_file_id") not in self.files:
            said = f"No such File object: {request.get('input_file_id')}"
            return openai_error(404, said, None, "input_file_id")
        for name, value in (("endpoint", "/v1/responses"), ("completion_window", "24h")):
            if request.get(name) != value:
                said = f"Invalid value: '{request.get(name)}'. Value must be '{value}'."
                return openai_error(400, said, "invalid_value", name)
        times = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling")
        batch = {
            "id": number,
            "object": "batch",
            "endpoint": request["endpoint"],
            "model": None,
            "errors": None,
            "input_file_id": request["input_file_id"],
            "completion_window": request["completion_window"],
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": now,
            "expires_at": now + 86_400,
            **{f"{status}_at": None for status in (*times, "cancelled")},
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "usage": None,
            "metadata": request.get("metadata"),
        }
        with self._lock:
            self.batches[number] = batch
            return Answer.of(200, batch)

    def look(self, number: str) -> Answer:
        with self._lock:
            if number not in self.batches:
                return openai_error(404, f"No batch found with id '{number}'.")
            if self.is_automatic:
                self._step(self.batches[number])
            return Answer.of(200, self.batches[number])

    def listed(self, limit: int, after: str | None) -> Answer:
        """Newest first; a look at the list lets none go on."""
        with self._lock:
            numbers = list(reversed(self.batches))
            numbers = numbers[numbers.index(after) + 1 if after in numbers else 0 :]
            data = [self.batches[number] for number in numbers[:limit]]
            ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
            more = len(numbers) > limit
            ends = {"first_id": None, "last_id": None} | ends | {"has_more": more}
            return Answer.of(200, {"object": "list", "data": data, **ends})

    def cancel(self, number: str) -> Answer:
        with self._lock:
            if number not in self.batches:
                return openai_error(404, f"No batch found with id '{number}'.")
            status = self.batches[number]["status"]
            if status in DONE:
                return openai_error(409, f"Cannot cancel a batch with status '{status}'.")
            self._reach(self.batches[number], "cancelling")
            return Answer.of(200, self.batches[number])

    def advance(self, number: str | None = None) -> None:
        """Bring one batch, or all, to their end."""
        with self._lock:
            for each in [number] if number else list(self.batches):
                while self.batches[each]["status"] not in DONE:
                    self._step(self.batches[each])

    def _step(self, batch: Json) -> None:
        status, steps = batch["status"], ["validating", *self.steps]
        if status in DONE:
            return
        if status == "cancelling":
            self._finish(batch, "cancelled")
            return
        step = steps[steps.index(status) + 1] if status in steps else steps[-1]
        if status == "validating" and (errors := self._errors(batch["input_file_id"])):
            batch["errors"] = {"object": "list", "data": errors}
            step = "failed"
        if step in DONE and step != "failed":
            self._finish(batch, step)
        else:
            self._reach(batch, step)

    def _reach(self, batch: Json, status: str) -> None:
        batch |= {"status": status, f"{status}_at": int(time.time())}
        if status == "in_progress":
            lines = self._lines(batch["input_file_id"])
            batch["request_counts"]["total"] = len(lines)
            batch["model"] = lines[0]["body"].get("model")

    def _lines(self, number: str) -> list[Json]:
        return [json.loads(line) for line in self.files[number].splitlines() if line.strip()]

    def _errors(self, number: str) -> list[Json]:
        """What is wrong with a file of questions, which fails the whole batch."""

        def error(code: str, message: str, line: int | None, param: str | None = None) -> Json:
            return {"code": code, "message": message, "line": line, "param": param}

        found, seen, models = [], set(), set()
        for at, text in enumerate(self.files[number].splitlines(), 1):
            try:
                line = json.loads(text)
            except json.JSONDecodeError:
                found.append(error("invalid_json_line", "This line is not parseable as JSON.", at))
                continue
            for name in ("custom_id", "method", "url", "body"):
                if name not in line:
                    said = f"Missing required parameter: '{name}'."
                    found.append(error("missing_required_parameter", said, at, name))
            if line.get("url", "/v1/responses") != "/v1/responses":
                said = "The URL provided for this request does not match the batch endpoint."
                found.append(error("mismatched_url", said, at, "url"))
            if line.get("custom_id") in seen:
                said = f"The custom_id '{line['custom_id']}' is used more than once."
                found.append(error("duplicate_custom_id", said, at, "custom_id"))
            seen.add(line.get("custom_id"))
            models.add(line.get("body", {}).get("model"))
        if len(models) > 1:
            said = "The batch has requests of more than one model."
            found.append(error("mismatched_model", said, None, "body.model"))
        if not seen and not found:
            found.append(error("empty_file", "The batch input file is empty.", None))
        return found

    def _finish(self, batch: Json, status: str) -> None:
        """Do the lines, or some if it ends early, in any order, and write the two files."""
        lines = self._lines(batch["input_file_id"])
        self._rng.shuffle(lines)
        done = len(lines) if status == "completed" else int(len(lines) * self.done_share)
        if status == "cancelled" and batch["in_progress_at"] is None:
            done = 0
        answered, failed = [], []
        for line in lines[:done]:
            answer = self._run_line(line)
            number = answer.headers.get("x-request-id", f"req_{uuid.uuid4().hex}")
            response = {"status_code": answer.status, "request_id": number}
            response |= {"body": json.loads(answer.body)}
            row = {"custom_id": line["custom_id"], "response": response, "error": None}
            (answered if answer.status == 200 else failed).append(row)
        for line in lines[done:]:
            error = {"code": f"batch_{status}", "message": LOST[status]}
            failed.append({"custom_id": line["custom_id"], "response": None, "error": error})
        for name, rows in (("output", answered), ("error", failed)):
            texts = [json.dumps({"id": f"batch_req_{uuid.uuid4().hex}", **row}) for row in rows]
            self._rng.shuffle(texts)
            content = "".join(f"{text}\n" for text in texts).encode()
            file = self._keep(f"{batch['id']}_{name}.jsonl", "batch_output", content)
            batch[f"{name}_file_id"] = file if rows else None
        counts = {"total": len(lines), "completed": len(answered), "failed": len(failed)}
        batch["request_counts"] = counts
        batch["usage"] = _sum([row["response"]["body"]["usage"] for row in answered])
        batch |= {"status": status, f"{status}_at": int(time.time())}


def _sum(usages: list[Json]) -> Json:
    def total(*path: str) -> int:
        found = 0
        for usage in usages:
            value: Any = usage
            for step in path:
                value = value[step]
            found += value
        return found

    return {
        "input_tokens": total("input_tokens"),
        "input_tokens_details": {"cached_tokens": total("input_tokens_details", "cached_tokens")},
        "output_tokens": total("output_tokens"),
        "output_tokens_details": {
            "reasoning_tokens": total("output_tokens_details", "reasoning_tokens")
        },
        "total_tokens": total("total_tokens"),
    }
