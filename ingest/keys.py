"""Ingest keys: made once, shown once, kept as a digest, checked on every request."""

from __future__ import annotations

import secrets
import string
import time
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from psycopg import Connection

from ingest.facts import Scope
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


class KeyRing:
    """Every key in memory; reloaded and added to by whoever holds the ring, one at a time."""

    def __init__(self) -> None:
        self._keys: dict[bytes, KnownKey] = {}
        self._used: set[int] = set()
        self._lookups: deque[float] = deque(maxlen=LOOKUPS_PER_SECOND)

    def reload(self, connection: Connection) -> None:
        rows = connection.execute(
            "SELECT digest, id, service, team, environment, revoked_at FROM ingest_key"
        )
        self._keys = {bytes(digest): _known(*row) for digest, *row in rows}

    def look_up(self, connection: Connection, digest: bytes) -> None:
        """Learn one key that was made after the last reload."""
        row = connection.execute(
            "SELECT id, service, team, environment, revoked_at FROM ingest_key WHERE digest = %s",
            [digest],
        ).fetchone()
        if row:
            self._keys = {**self._keys, digest: _known(*row)}

    def knows(self, digest: bytes) -> bool:
        return digest in self._keys

    def may_look_up(self) -> bool:
        """Whether the database may be asked about one more unknown key now."""
        moment = time.monotonic()
        if len(self._lookups) == LOOKUPS_PER_SECOND and moment - self._lookups[0] < 1.0:
            return False
        self._lookups.append(moment)
        return True

    def scope(self, digest: bytes) -> Scope:
        """What the key may write; Problem 401 for an unknown key, 403 for a revoked one."""
        key = self._keys.get(digest)
        if key is None:
            raise Problem(401, "This ingest key is not known here.", www_authenticate=CHALLENGE)
        if key.is_revoked:
            raise Problem(403, "This ingest key is revoked.")
        self._used.add(key.scope.key_id)
        return key.scope

    def save_last_used(self, connection: Connection, now: datetime) -> None:
        used, self._used = self._used, set()
        if used:
            connection.execute(
                "UPDATE ingest_key SET last_used_at = %s WHERE id = ANY(%s)", [now, list(used)]
            )


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


def _known(key_id: int, service: str, team: str, environment: str, revoked_at: Any) -> KnownKey:
    return KnownKey(Scope(key_id, service, service, team, environment), revoked_at is not None)
