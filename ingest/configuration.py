"""What people set up and ingest obeys: keys, prices, latency tiers, activated tags, decisions.

Reloaded every RELOAD_SECONDS by a thread, so that a revoked key or a new price acts within five
seconds. While the database is away the last known configuration holds.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import psycopg

from ingest import partitions
from ingest.decisions import DEFAULTS, Decisions
from ingest.facts import LatencyTiers
from ingest.keys import KeyRing
from ingest.notebook import Notebook
from ingest.rating import RateCard, RateCardLoader
from ingest.user_names import Naming

log = logging.getLogger(__name__)

RELOAD_SECONDS = 1.5
SAVE_USE_SECONDS = 30.0
MAKE_PARTITIONS_SECONDS = 3600.0
# Another row when a user's erasure begins, and again when it is finished.
_ERASURES = "SELECT max(id), count(finished_at) FROM erasure"
_WRONG_KEY = "the key of user names"


class Notes(Protocol):
    """What is noted in memory beside the requests, for people to read."""

    def save(self, connection: psycopg.Connection, now: datetime) -> None: ...


class Configuration:
    """Read by the event loop and by writers, written by one thread; values are replaced."""

    def __init__(self, dsn: str, load_card: RateCardLoader | None, user_hash_key: str = "") -> None:
        self.keys = KeyRing()
        self.notebook = Notebook()
        self.kept: list[Notes] = [self.notebook]  # saved beside the reloading
        self.card: RateCard | None = None
        self.tiers = LatencyTiers()
        self.activated_tags: frozenset[str] = frozenset()
        self.forget: Callable[[], None] = lambda: None  # called when names are not what they were
        self.name_users: Callable[[Naming], None] = lambda naming: None  # when that changes
        self.naming = Naming(user_hash_key)
        self._erasures: tuple[object, ...] | None = None
        self.decisions = DEFAULTS
        self.obeying: list[Callable[[Decisions], None]] = []  # told when decisions change
        self.keys_as_of = -math.inf  # by the monotonic clock: every key made before is known
        self._dsn = dsn
        self.lacks = "the database"  # what serving waits for; '' once everything was loaded
        self._load_card = load_card
        self._connection: psycopg.Connection | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._loaded = threading.Event()
        self._thread = threading.Thread(target=self._run, name="configuration", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_until_loaded(self, seconds: float) -> bool:
        return self._loaded.wait(seconds)

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()

    def card_in_force(self) -> RateCard | None:
        """The card to rate with; None only where no loader is. LookupError before the first one:
        events stored without a price would have to be rated again."""
        if self._load_card and self.card is None:
            raise LookupError("No prices are loaded yet.")
        return self.card

    def look_up_key(self, digest: bytes) -> bool:
        """Ask the database about a key unknown here; blocks. Raises psycopg.Error.

        Returns whether it was asked: guessers may not ask too often.
        """
        with self._lock:
            if self.keys.knows(digest):  # by another request that asked meanwhile
                return True
            if not self.keys.may_look_up():
                return False
            try:
                self.keys.look_up(self._connected(), digest)
            except psycopg.OperationalError:  # lost since its last use, as after a restart
                self.keys.look_up(self._connected(), digest)
            return True

    def reload(self) -> None:
        """Raises psycopg.Error, and whatever the loader of rate cards raises.

        Whether prices can be loaded or not, a revoked key is learnt; nothing is served before
        both were once.
        """
        with self._lock:
            self._connected()
        try:
            self._reload_card()
        finally:
            self._reload_settings()
        if not self.naming.has_right_key:
            self.lacks = _WRONG_KEY
            self._loaded.set()  # nothing that is waited for will change it
        elif self.card or not self._load_card:
            self.lacks = ""
            self._loaded.set()

    def _reload_card(self) -> None:
        if self._load_card is None:
            return
        if self.card is None:
            self.lacks = "prices"
        self.card = self._load_card(self.card.version if self.card else None) or self.card
        if self.card and self.lacks:
            self.lacks = "the database"

    def _reload_settings(self) -> None:
        with self._lock:
            connection = self._connected()
            moment = time.monotonic()
            self.keys.reload(connection)
            self.keys_as_of = moment
            self.tiers = LatencyTiers(
                connection.execute("SELECT name, max_latency_ms FROM latency_tier").fetchall()
            )
            self.activated_tags = frozenset(
                key for (key,) in connection.execute("SELECT key FROM activated_tag")
            )
            stored = connection.execute("SELECT name, value FROM setting").fetchall()
            # Under the lock too, so that what was read last holds last.
            self._decide(Decisions.of(stored))
            erasures = connection.execute(_ERASURES).fetchone()
            if self._erasures not in {None, erasures}:
                self.forget()
            self._erasures = erasures
            self._name_users(naming_in_force(connection, self.naming.key))

    def _decide(self, decisions: Decisions) -> None:
        if decisions != self.decisions:
            for obey in self.obeying:
                obey(decisions)
            self.decisions = decisions

    def _name_users(self, naming: Naming) -> None:
        if naming == self.naming:
            return
        self.naming = naming
        self.name_users(naming)
        if not naming.has_right_key:
            log.error(
                "Names of users are hashed with another key than this process has. Set "
                "FARTHING_USER_HASH_KEY as where that was turned on; until then nothing is taken."
            )

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=5,
                application_name="farthing ingest configuration",
                options="-c statement_timeout=10s",
            )
        return self._connection

    def _run(self) -> None:
        saved = made = -MAKE_PARTITIONS_SECONDS
        while True:
            try:
                self.reload()
                moment = time.monotonic()
                now = datetime.now(UTC)
                self.save_notes(now)
                if moment - saved > SAVE_USE_SECONDS:
                    saved = moment
                    self.save_use(now)
                if moment - made > MAKE_PARTITIONS_SECONDS:
                    made = moment
                    with self._lock:
                        partitions.make_ahead(self._connected(), now.date())
            except Exception as error:
                # Whatever went wrong, the last configuration holds and the next try may succeed.
                log.warning("Configuration not reloaded: %s", str(error).strip())
            if self._stopped.wait(RELOAD_SECONDS):
                break
        self._end()

    def _end(self) -> None:
        if self._connection and not self._connection.closed:
            try:
                self.save_notes(datetime.now(UTC))
                self.save_use(datetime.now(UTC))
            except psycopg.Error as error:
                log.warning("Use of keys not saved: %s", str(error).strip())
            self._connection.close()

    def save_notes(self, now: datetime) -> None:
        """What people want to know of what was refused or folded away. Raises psycopg.Error."""
        for each in self.kept:
            with self._lock:
                each.save(self._connected(), now)

    def save_use(self, now: datetime) -> None:
        """When keys were last used, and what their limits refused. Raises psycopg.Error."""
        with self._lock:
            self.keys.save_last_used(self._connected(), now)
            self.keys.save_refusals(self._connected(), now)


def naming_in_force(connection: psycopg.Connection, key: str) -> Naming:
    """How names of users are stored now, for a process that has this key."""
    state = connection.execute("SELECT state, key_check FROM name_hashing").fetchone()
    return Naming(key, *(state or ()))
