"""Ingest keys: made once, shown once, kept as a digest, checked on every request."""

from __future__ import annotations

import secrets
import string
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from psycopg import Connection, Error

from ingest.facts import Scope
from ingest.limits import ASK, SEND, Allowance, Limits, Refusals
from ingest.problems import Problem

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH = 8
_SECRET_LENGTH = 40
# A key made a moment ago works at once: what is not in memory is looked up in the database, but
# no more often than this, so that guessing keys does not keep the database busy.
LOOKUPS_PER_SECOND = 20


class NewKey(NamedTuple):
    """A key as it is shown once (`text`) and as it is kept (`prefix` and `digest`)."""

    text: str
    prefix: str
    digest: bytes


def generate() -> NewKey:
    """fk_ + 8 characters that identify the key + _ + a secret of 40 characters (238 bits)."""
    prefix = "fk_" + _random(_PREFIX_LENGTH)
    text = f"{prefix}_{_random(_SECRET_LENGTH)}"
    return NewKey(text, prefix, digest_of(text))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def digest_of(text: str) -> bytes:
    """Keys are random and long, so a fast digest without salt keeps them as well as a slow one."""
    return sha256(text.encode()).digest()


class KnownKey(NamedTuple):
    scope: Scope
    is_revoked: bool
    stops_at: float | None  # Unix time; where it is rotated out
    allowance: Allowance | None  # where it has limits
    questions: Allowance | None  # then it may ask about as many calls as it may send


_READ_KEYS = """
    SELECT digest, id, service, team, environment, revoked_at, extract(epoch FROM stops_at)::float8,
           events_per_minute, events_per_day
    FROM ingest_key
"""
_SAVE_REFUSALS = """
    INSERT INTO ingest_key_refusal (key_id, hour, requests, events)
    SELECT id, date_trunc('hour', %(now)s, 'UTC'), refused.requests, refused.events
    FROM unnest(%(keys)s::int[], %(requests)s::bigint[], %(events)s::bigint[])
         AS refused (key_id, requests, events)
    JOIN ingest_key ON ingest_key.id = refused.key_id
    ON CONFLICT (key_id, hour) DO UPDATE SET
        requests = ingest_key_refusal.requests + excluded.requests,
        events = ingest_key_refusal.events + excluded.events
"""
_FORGET_REFUSALS = """
    DELETE FROM ingest_key_refusal WHERE hour < %(now)s - interval '2 days'
"""


class KeyRing:
    """Every key in memory; reloaded and added to by whoever holds the ring, one at a time."""

    def __init__(self) -> None:
        self.refusals = Refusals()
        self._keys: dict[bytes, KnownKey] = {}
        self._allowances: dict[int, Allowance] = {}
        self._questions: dict[int, Allowance] = {}
        self._used: set[int] = set()
        self._lookups: deque[float] = deque(maxlen=LOOKUPS_PER_SECOND)

    def reload(self, connection: Connection) -> None:
        rows = connection.execute(_READ_KEYS).fetchall()
        self._keys = {bytes(digest): self._known(*row) for digest, *row in rows}

    def look_up(self, connection: Connection, digest: bytes) -> None:
        """Learn one key that was made after the last reload."""
        row = connection.execute(_READ_KEYS + "WHERE digest = %s", [digest]).fetchone()
        if row:
            self._keys = {**self._keys, digest: self._known(*row[1:])}

    def _known(
        self,
        key_id: int,
        service: str,
        team: str,
        environment: str,
        revoked_at: datetime | None,
        stops_at: float | None,
        *limits: int | None,
    ) -> KnownKey:
        scope = Scope(key_id, service, service, team, environment)
        wanted = Limits(*limits)
        return KnownKey(
            scope,
            revoked_at is not None,
            stops_at,
            _counting(self._allowances, key_id, wanted, SEND),
            _counting(self._questions, key_id, wanted, ASK),
        )

    def used(self, at: float) -> dict[int, float]:
        """Key → the share of its limit that is spent, of keys with limits."""
        return {key_id: allowance.used(at) for key_id, allowance in [*self._allowances.items()]}

    def knows(self, digest: bytes) -> bool:
        return digest in self._keys

    def may_look_up(self) -> bool:
        """Whether the database may be asked about one more unknown key now."""
        moment = time.monotonic()
        if len(self._lookups) == LOOKUPS_PER_SECOND and moment - self._lookups[0] < 1.0:
            return False
        self._lookups.append(moment)
        return True

    def admitted(self, digest: bytes, at: float) -> KnownKey:
        """The key, in use at this moment (Unix time); Problem 401 for an unknown key, 403 for one
        that is revoked or has stopped."""
        key = self._keys.get(digest)
        if key is None:
            raise Problem(401, "This ingest key is not known here.", www_authenticate=CHALLENGE)
        if key.is_revoked:
            raise Problem(403, "This ingest key is revoked.")
        if key.stops_at is not None and at >= key.stops_at:
            raise Problem(403, "This ingest key was replaced and has stopped. Use the new one.")
        self._used.add(key.scope.key_id)
        return key

    def save_refusals(self, connection: Connection, now: datetime) -> None:
        counted = self.refusals.drain()
        if not counted:
            return
        try:
            given = {
                "now": now,
                "keys": list(counted),
                "requests": [refused.requests for refused in counted.values()],
                "events": [refused.events for refused in counted.values()],
            }
            connection.execute(_SAVE_REFUSALS, given)
            connection.execute(_FORGET_REFUSALS, {"now": now})
        except Error:
            for key_id, refused in counted.items():
                self.refusals.add(key_id, refused)
            raise

    def save_last_used(self, connection: Connection, now: datetime) -> None:
        used, self._used = self._used, set()
        if used:
            connection.execute(
                "UPDATE ingest_key SET last_used_at = %s WHERE id = ANY(%s)", [now, list(used)]
            )


def _counting(
    kept: dict[int, Allowance], key_id: int, wanted: Limits, deed: str
) -> Allowance | None:
    """The one that counts already, unless the key's limits are others now."""
    if wanted == Limits():
        return None
    counting = kept.get(key_id)
    if counting is None or counting.limits != wanted:
        counting = kept[key_id] = Allowance(wanted, deed)
    return counting


CHALLENGE = 'Bearer realm="farthing"'


def presented(headers: Mapping[bytes, bytes]) -> bytes:
    """The digest of the key a request shows; Problem 401 when it shows none."""
    scheme, _, text = headers.get(b"authorization", b"").partition(b" ")
    key = text.strip() if scheme.lower() == b"bearer" else headers.get(b"x-api-key", b"").strip()
    if not key:
        raise Problem(
            401,
            "Send an ingest key: Authorization: Bearer <key>, or X-API-Key: <key>.",
            www_authenticate=CHALLENGE,
        )
    return sha256(key).digest()
