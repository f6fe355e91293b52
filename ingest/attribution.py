"""Attribution and users interned: a combination or a name is stored once and is a number then.

Ids are read or made in short transactions of their own, committed before the events that use
them: a number is remembered only when it is sure to be there, and a failed commit of events
leaves nothing but an unused row. Several processes may do this at once.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from sys import intern
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from ingest.cardinality import OVERFLOW, USER, USERS_LIMIT, Cardinality
from ingest.facts import Attribution
from ingest.remembered import Remembered
from ingest.user_names import Naming

# Some 45,000 combinations, and 100,000 users with names of 20 characters; of others it remembers
# those that came last; the first in are the first out.
ATTRIBUTION_BYTES = 14 * 2**20
USER_BYTES = 20 * 2**20
# libpq keeps a buffer as large as the largest statement for as long as its connection.
NAMES_AT_ONCE = 500
ATTRIBUTIONS_AT_ONCE = 100
NO_USER = 0
# Held by whoever makes or renames users while their names change from clear to hashed.
USERS_LOCK = 0x_FA27_000A


class Register:
    """Numbers of attributions and users, as this process remembers them. Used by many threads."""

    def __init__(
        self, cardinality: Cardinality | None = None, users_limit: int = USERS_LIMIT
    ) -> None:
        self.cardinality = cardinality or Cardinality()
        self.attribution_ids = _no_attributions()
        self.user_ids = _no_users()  # by the name as it is sent
        self.naming = Naming()
        self._users_limit = users_limit
        self._users = 0
        self._loaded = False
        self._lock = threading.Lock()

    def limit(self, limits: Mapping[str, int]) -> None:
        """Let these hold for what is new from now on; all of cardinality.DEFAULT_LIMITS."""
        self.cardinality.limit(limits)
        self._users_limit = limits[USER]

    def load(self, connection: Connection) -> None:
        """Everything known at start; a few hundred milliseconds at the limits, and only once."""
        with self._lock:
            if self._loaded:
                return
            known = _attributions(connection.execute(_ALL_ATTRIBUTIONS))
            self.cardinality.know(known)
            self.attribution_ids.note(known)
            [(self._users,)] = connection.execute("SELECT count(*) FROM end_user")
            self._loaded = True

    def forget(self) -> None:
        """Look every number up anew: names in the database are not what they were."""
        with self._lock:
            self.attribution_ids = _no_attributions()
            self.user_ids = _no_users()

    def name_users(self, naming: Naming) -> None:
        """From now on, look users up in this way."""
        with self._lock:
            self.naming = naming
            self.user_ids = _no_users()

    def intern(
        self, connection: Connection, attributions: Iterable[Attribution], users: Iterable[str]
    ) -> tuple[dict[Attribution, int], dict[str, int]]:
        """Numbers for combinations and names this process has none for.

        `connection` must be in no transaction. What is past a limit gets the number of what it
        is folded into, and is not remembered: there may be no end of it.
        """
        with self._lock:
            return (
                self._intern_attributions(connection, set(attributions)),
                self._intern_all_users(connection, set(users)),
            )

    def _intern_attributions(
        self, connection: Connection, wanted: set[Attribution]
    ) -> dict[Attribution, int]:
        folded = {attribution: self.cardinality.fold(attribution) for attribution in wanted}
        numbers = self._find(connection, set(folded.values()))
        coarser = {
            attribution: self.cardinality.fold_combination(attribution)
            for attribution in set(folded.values()) - numbers.keys()
        }
        missing = set(coarser.values()) - numbers.keys()
        numbers |= self._find(connection, missing - set(folded.values()))
        missing -= numbers.keys()
        if missing:
            made: dict[Attribution, int] = {}
            several = iter(missing)
            while portion := set(islice(several, ATTRIBUTIONS_AT_ONCE)):
                made |= self._learn(_insert_attributions(connection, portion))
            numbers |= made | self._find(connection, missing - made.keys())
        return {attribution: numbers[coarser.get(to, to)] for attribution, to in folded.items()}

    def _find(self, connection: Connection, wanted: set[Attribution]) -> dict[Attribution, int]:
        """Those of `wanted` that exist; another process may have made them."""
        known = {a: self.attribution_ids[a] for a in wanted if a in self.attribution_ids}
        fingerprints = [fingerprint(attribution) for attribution in wanted - known.keys()]
        if not fingerprints:
            return known
        return known | self._learn(connection.execute(_FIND_ATTRIBUTIONS, [fingerprints]))

    def _learn(self, rows: Iterable[tuple[Any, ...]]) -> dict[Attribution, int]:
        found = _attributions(rows)
        self.cardinality.know(found)
        self.attribution_ids.note(found)
        return found

    def _intern_all_users(self, connection: Connection, wanted: set[str]) -> dict[str, int]:
        numbers: dict[str, int] = {}
        names = iter(wanted)
        while portion := set(islice(names, NAMES_AT_ONCE)):
            numbers |= self._intern_users(connection, portion)
        return numbers

    def _intern_users(self, connection: Connection, wanted: set[str]) -> dict[str, int]:
        known = {name: self.user_ids[name] for name in wanted if name in self.user_ids}
        unknown = wanted - known.keys()
        if not unknown:
            return known
        if not self.naming.has_right_key:
            raise LookupError("Names of users are hashed with another key than this process has.")
        if self.naming.is_changing:
            # A name is the same user's whether it is stored in the clear or hashed, so that
            # nobody may look while another process stores one or the other.
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", [USERS_LOCK])
                found, folded = self._learn_users(connection, unknown)
        else:
            found, folded = self._learn_users(connection, unknown)
        self.user_ids.note(found)
        return known | found | folded

    def _learn_users(
        self, connection: Connection, unknown: set[str]
    ) -> tuple[dict[str, int], dict[str, int]]:
        """Numbers of these names, made where they are missing; and of those past the limit, the
        number of what they are folded into."""
        forms = {name: self.naming.forms(name) for name in unknown}
        numbers = _find_users(connection, forms)
        room = max(self._users_limit - self._users, 0)
        missing = sorted(unknown - numbers.keys())
        overflowing = missing[room:]
        if overflowing:
            self.cardinality.overflow(USER, "", times=len(overflowing))
            missing = [*missing[:room], OVERFLOW]
        if missing:
            # Ids of conflicting rows would be used up as well, so only missing names come here.
            stored = {self.naming.stored(name): name for name in missing}
            made = connection.execute(_INSERT_USERS, [list(stored)])
            numbers |= {stored[name]: number for name, number in made}
            # What another process has made meanwhile.
            others = {name: self.naming.forms(name) for name in missing if name not in numbers}
            numbers |= _find_users(connection, others) if others else {}
            self._users += len(missing)
        if not overflowing:
            return numbers, {}
        overflow = numbers[OVERFLOW] if OVERFLOW in unknown else numbers.pop(OVERFLOW)
        return numbers, dict.fromkeys(overflowing, overflow)


def _no_attributions() -> Remembered[Attribution]:
    return Remembered(ATTRIBUTION_BYTES, _weight_of_attribution)


def _no_users() -> Remembered[str]:
    users = Remembered(USER_BYTES, _weight_of_user)
    users.note({"": NO_USER})
    return users


def _weight_of_attribution(attribution: Attribution) -> int:
    """Its values are shared with others; the tuples and its place are not."""
    return 320 + 80 * len(attribution.tags)


def _weight_of_user(name: str) -> int:
    return 130 + sys.getsizeof(name)


def fingerprint(attribution: Attribution) -> UUID:
    return UUID(bytes=blake2b(msgspec.json.encode(attribution), digest_size=16).digest())


_COLUMNS = """
    id, provider, model, operation, service, feature, team, environment, region,
    latency_tier, service_tier, status, cache, fleet, variant, tags
"""
_ALL_ATTRIBUTIONS = f"SELECT {_COLUMNS} FROM attribution "
_FIND_ATTRIBUTIONS = _ALL_ATTRIBUTIONS + "WHERE fingerprint = ANY(%s)"
# Sorted, so that two processes that insert the same rows wait for each other in one direction.
_INSERT_ATTRIBUTIONS = f"""
    INSERT INTO attribution (
        fingerprint, provider, model, operation, service, feature, team, environment, region,
        latency_tier, service_tier, status, cache, fleet, variant, tags
    )
    SELECT * FROM unnest(
        %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::jsonb[]
    ) AS row (fingerprint)
    ORDER BY row.fingerprint
    ON CONFLICT (fingerprint) DO NOTHING
    RETURNING {_COLUMNS}
"""
_INSERT_USERS = """
    INSERT INTO end_user (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING
    RETURNING name, id
"""


def _attributions(rows: Iterable[tuple[Any, ...]]) -> dict[Attribution, int]:
    """Rows of `id, …dimensions, tags` as numbers by combination."""
    found = {}
    for number, *values, tags in rows:
        pairs = tuple(sorted((intern(key), intern(value)) for key, value in tags.items()))
        found[Attribution._make([*map(intern, values), pairs])] = number
    return found


def _insert_attributions(
    connection: Connection, missing: Iterable[Attribution]
) -> Iterable[tuple[Any, ...]]:
    """The rows made; none of those that another process has made meanwhile."""
    rows = [(fingerprint(a), *a[:-1], Jsonb(dict(a.tags))) for a in missing]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return connection.execute(_INSERT_ATTRIBUTIONS, columns)


def _find_users(connection: Connection, forms: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Numbers of names, each of which may be stored in one of several forms."""
    wanted = [form for each in forms.values() for form in each]
    rows = connection.execute("SELECT name, id FROM end_user WHERE name = ANY(%s)", [wanted])
    stored: dict[str, int] = dict(rows.fetchall())
    found = {}
    for name, each in forms.items():
        number = next((stored[form] for form in each if form in stored), None)
        if number is not None:
            found[name] = number
    return found
