"""Reservations: what is held of budgets for calls that are under way.

A reservation is a row that names what it waits for, with a hold for each budget it touches. What is
reserved is always added up from holds that have not expired, never counted, so nothing can leak.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from ingest.aliases import response_alias
from ingest.enforcement.questions import Settling
from ingest.enforcement.terms import Place
from ingest.facts import event_key
from ingest.response_ids import response_name

# The event of a call that is over comes soon; if it never does, the hold ends all the same.
SETTLED_FOR = timedelta(minutes=10)


class Hold(NamedTuple):
    """USD of one budget, of one period. `limit` is its amount where that may not be passed."""

    place: Place
    period: datetime
    amount: Decimal
    limit: Decimal | None


class Reservation(NamedTuple):
    """`event_key` is that of the call's event, if it is known already; `source` the service whose
    keys may settle it."""

    id: UUID
    key_id: int
    source: str
    created_at: datetime
    expires_at: datetime
    holds: tuple[Hold, ...]
    event_key: UUID | None = None


class Settlement(NamedTuple):
    """The call is over: what is held waits for its event, or is its cost from now on."""

    id: UUID
    source: str
    at: datetime
    event_key: UUID | None
    alias_key: UUID | None
    cost: Decimal | None

    @property
    def until(self) -> datetime:
        return self.at + SETTLED_FOR


class Release(NamedTuple):
    """The call never was, or cost nothing."""

    id: UUID
    source: str
    at: datetime


def settlement(id: UUID, source: str, settling: Settling, at: datetime) -> Settlement:
    key = alias = None
    if settling.response_id:
        # Some clients take the response's id for the event's own.
        name = response_name(settling.response_id)
        key, alias = key_of(source, name), UUID(bytes=response_alias(source, name))
    if settling.event_id:
        key = key_of(source, settling.event_id)
    return Settlement(id, source, at, key, alias, settling.cost)


def key_of(source: str, event_id: str) -> UUID:
    return UUID(bytes=event_key(source, event_id))
