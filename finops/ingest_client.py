"""Sending events to a Farthing over HTTP: batches in flight together, retried until acknowledged.

Ids make every retry safe: what was already stored is reported as a duplicate.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TypeVar

import httpx
import msgspec

from ingest.client.retries import RETRIED, pause

EVENTS_PATH = "/api/v1/events"
HEALTH_PATH = "/healthz"
CONNECT_SECONDS = 10.0
NDJSON = "application/x-ndjson"
JSON = "application/json"


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
    unknown_fields: int = 0
    unknown_field_names: list[str] = []


class ServerAway(Exception):
    """Nothing acknowledged the batch for as long as the client's patience."""


class KeyRefused(Exception):
    """The key is unknown, revoked or may not do this."""


class BodyRefused(Exception):
    """The server cannot read the batch; sending it again would not help."""


@dataclass(slots=True)
class IngestClient:
    """`patience_seconds` bounds how long one batch is retried."""

    url: str
    key: str
    patience_seconds: float = 300.0
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60.0))

    def send(self, body: bytes, content_type: str = NDJSON) -> Receipt:
        """Raises ServerAway, KeyRefused or BodyRefused; each message is a sentence for people."""
        if not body:
            return Receipt(accepted=0, duplicates=0)
        started = time.monotonic()
        for attempt in count():
            response, trouble = self.attempt(body, content_type)
            if response is not None and response.is_success:
                return msgspec.json.decode(response.content, type=Receipt)
            if response is not None and response.status_code not in RETRIED:
                raise refusal(response)
            if time.monotonic() - started > self.patience_seconds:
                raise ServerAway(f"{self.url} did not take the events: {trouble}.")
            asked = "" if response is None else response.headers.get("Retry-After", "")
            time.sleep(pause(asked, attempt, datetime.now(UTC)))
        raise AssertionError("unreachable")

    def check_reachable(self) -> None:
        """Raises ServerAway in seconds where nothing listens, before anything is sent."""
        try:
            self.http.get(self.url + HEALTH_PATH, timeout=CONNECT_SECONDS)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ServerAway(
                f"Nothing answers at {self.url} ({error}). Start Farthing, or name its --url."
            ) from None

    def attempt(self, body: bytes, content_type: str) -> tuple[httpx.Response | None, str]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": content_type}
        try:
            response = self.http.post(self.url + EVENTS_PATH, content=body, headers=headers)
        except httpx.TransportError as error:
            return None, str(error) or type(error).__name__
        return response, f"it answers {response.status_code}"


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


Batch = TypeVar("Batch")


def send_all(
    batches: Iterable[Batch], send: Callable[[Batch], Receipt], connections: int
) -> Iterator[tuple[Batch, Receipt]]:
    """Every batch with its receipt, in the order given, `connections` of them in flight."""
    waiting: deque[tuple[Batch, Future[Receipt]]] = deque()
    with ThreadPoolExecutor(connections) as pool:
        try:
            for batch in batches:
                waiting.append((batch, pool.submit(send, batch)))
                if len(waiting) > connections:
                    first, receipt = waiting.popleft()
                    yield first, receipt.result()
            while waiting:
                first, receipt = waiting.popleft()
                yield first, receipt.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
