"""Sending events to a Farthing over HTTP: batches in flight together, retried until acknowledged.

Ids make every retry safe: what was already stored is reported as a duplicate.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol, TypeVar

import httpx
import msgspec

EVENTS_PATH = "/api/v1/events"
NDJSON = "application/x-ndjson"
JSON = "application/json"
RETRIED = frozenset({429, 500, 502, 503, 504})
LONGEST_PAUSE_SECONDS = 30.0
# Ingest learns of a new key within this time.
NEW_KEY_GRACE_SECONDS = 10.0


class Rejected(msgspec.Struct, frozen=True):
    index: int
    reason: str
    id: str | None = None
    detail: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """What the server says it did with one batch, after it was committed."""

    accepted: int
    duplicates: int
    rejected: list[Rejected] = []


class ServerAway(Exception):
    """Nothing acknowledged the batch for as long as the client's patience."""


class KeyRefused(Exception):
    """The key is unknown, revoked or may not do this."""


class BodyRefused(Exception):
    """The server cannot read the batch; sending it again would not help."""


@dataclass(slots=True)
class IngestClient:
    """`patience_seconds` bounds how long one batch is retried. A key that was made a moment ago
    (`new_key`) may be unknown to the server for a little while, which is waited out."""

    url: str
    key: str
    patience_seconds: float = 300.0
    new_key: bool = False
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60.0))

    def send(self, body: bytes, content_type: str = NDJSON) -> Receipt:
        """Raises ServerAway, KeyRefused or BodyRefused; each message is a sentence for people."""
        started = time.monotonic()
        for attempt in range(1_000_000):
            response, trouble = self.attempt(body, content_type)
            if response is not None and response.is_success:
                return msgspec.json.decode(response.content, type=Receipt)
            waited = time.monotonic() - started
            if response is not None and not self.worth_retrying(response, waited):
                raise refusal(response)
            if waited > self.patience_seconds:
                raise ServerAway(f"{self.url} did not take the events: {trouble}.")
            time.sleep(pause(response, attempt, datetime.now(UTC)))
        raise AssertionError("unreachable")

    def attempt(self, body: bytes, content_type: str) -> tuple[httpx.Response | None, str]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": content_type}
        try:
            response = self.http.post(self.url + EVENTS_PATH, content=body, headers=headers)
        except httpx.TransportError as error:
            return None, str(error) or type(error).__name__
        return response, f"it answers {response.status_code}"

    def worth_retrying(self, response: httpx.Response, waited: float) -> bool:
        if self.new_key and response.status_code in (401, 403):
            return waited < NEW_KEY_GRACE_SECONDS
        return response.status_code in RETRIED


def refusal(response: httpx.Response) -> KeyRefused | BodyRefused:
    detail = problem_detail(response)
    if response.status_code in (401, 403):
        return KeyRefused(f"The server refuses the key ({response.status_code}): {detail}")
    return BodyRefused(f"The server refuses the batch ({response.status_code}): {detail}")


def problem_detail(response: httpx.Response) -> str:
    """The sentence of an RFC 9457 problem, or the beginning of whatever came instead."""
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, object])
    except msgspec.DecodeError:
        return response.text[:200]
    return str(problem.get("detail") or problem.get("title") or response.reason_phrase)


def pause(response: httpx.Response | None, attempt: int, now: datetime) -> float:
    """Seconds to wait: what the server asks for, else doubling from 0.25 s, with jitter."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    if asked.isdigit():
        return min(float(asked), LONGEST_PAUSE_SECONDS)
    if asked:
        try:
            until = parsedate_to_datetime(asked)
        except ValueError:
            asked = ""
        else:
            return min(max((until - now).total_seconds(), 0.0), LONGEST_PAUSE_SECONDS)
    return min(0.25 * 2.0 ** min(attempt, 10), LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)


class Batch(Protocol):
    @property
    def body(self) -> bytes: ...


AnyBatch = TypeVar("AnyBatch", bound=Batch)


def send_all(
    client: IngestClient,
    batches: Iterable[AnyBatch],
    connections: int,
    content_type: str = NDJSON,
) -> Iterator[tuple[AnyBatch, Receipt]]:
    """Every batch with its receipt, in the order given, `connections` of them in flight."""
    waiting: deque[tuple[AnyBatch, Future[Receipt]]] = deque()
    with ThreadPoolExecutor(connections) as pool:
        try:
            for batch in batches:
                waiting.append((batch, pool.submit(client.send, batch.body, content_type)))
                if len(waiting) > connections:
                    first, receipt = waiting.popleft()
                    yield first, receipt.result()
            while waiting:
                first, receipt = waiting.popleft()
                yield first, receipt.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
