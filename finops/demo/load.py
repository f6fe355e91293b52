"""The demo's days sent through the HTTP door, as any service would send them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import NamedTuple

import httpx
import msgspec

from finops.demo.events import DemoEvent, days_until, events_on
from finops.demo.setup import DemoState
from finops.ingest_client import JSON, IngestClient, Receipt, Rejected, send_all

SEED = 7
DAYS = 30
REQUESTS = 340_000
CONNECTIONS = 4
BATCH_EVENTS = 4_000

encode = msgspec.json.Encoder(decimal_format="number").encode


class ServiceBatch(NamedTuple):
    service: str
    events: int
    body: bytes


class Sent(NamedTuple):
    accepted: int
    duplicates: int
    rejected: list[Rejected]


def due_days(state: DemoState, now: datetime, days: int) -> list[date]:
    """The days to send: all of the window at first, later those since the last load."""
    every = days_until(now, days)
    last = state.loaded_until
    return [day for day in every if last is None or day >= last.date()]


def batches(
    days: list[date], *, anchor: date, seed: int, scale: float, until: datetime
) -> Iterator[ServiceBatch]:
    waiting: defaultdict[str, list[DemoEvent]] = defaultdict(list)
    for day in days:
        found = events_on(day, anchor=anchor, seed=seed, scale=scale, until=until)
        for service, events in found.items():
            held = waiting[service]
            held += events
            while len(held) >= BATCH_EVENTS:
                yield batch_of(service, held[:BATCH_EVENTS])
                del held[:BATCH_EVENTS]
    for service, events in waiting.items():
        if events:
            yield batch_of(service, events)


def batch_of(service: str, events: list[DemoEvent]) -> ServiceBatch:
    return ServiceBatch(service, len(events), encode(events))


def send(
    url: str,
    state: DemoState,
    due: list[date],
    *,
    scale: float,
    until: datetime,
    advance: Callable[[int], None],
) -> Sent:
    """Send every event of the due days before `until`. Sending one again adds nothing."""
    with httpx.Client(timeout=60.0) as http:
        clients = {name: IngestClient(url, key, http=http) for name, key in state.keys.items()}

        def deliver(batch: ServiceBatch) -> Receipt:
            return clients[batch.service].send(batch.body, JSON)

        waiting = batches(due, anchor=state.anchor, seed=SEED, scale=scale, until=until)
        accepted = duplicates = 0
        rejected: list[Rejected] = []
        for batch, receipt in send_all(waiting, deliver, CONNECTIONS):
            accepted += receipt.accepted
            duplicates += receipt.duplicates
            rejected += receipt.rejected
            advance(batch.events)
    return Sent(accepted, duplicates, rejected)
