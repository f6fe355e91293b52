"""One commit: the events of many requests and their batches, in one transaction or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from psycopg import Connection
from psycopg.errors import UniqueViolation

from ingest import partitions, staging
from ingest.aliases import Claims
from ingest.attribution import Register
from ingest.batches import Batch, Outcome, Submission, as_json, tally
from ingest.facts import Attribution, Fact
from ingest.rating import RateCard, Rates
from ingest.usage import INPUT_BUCKETS

_SQL = Path(__file__).parent / "sql"
INSERT_NEW_EVENTS = (_SQL / "insert_events.sql").read_text()
INSERT_EVENTS = INSERT_NEW_EVENTS + (_SQL / "skip_known_events.sql").read_text()
INSERT_BATCHES = (_SQL / "insert_batches.sql").read_text()
NEW_EVENT_KEYS = (_SQL / "new_event_keys.sql").read_text()
_BATCH_IDS = """
    SELECT nextval(pg_get_serial_sequence('ingest_batch', 'id')) FROM generate_series(1, 100)
"""
_FIRST_DAY = date(2000, 1, 1)
# Looking for each event first takes a fifth of an insert's time, and hardly any event is there
# already, except after an outage or in a load that is sent again.
_CAREFUL_COMMITS = 200


class Committer:
    """Commits submissions over one connection of its own; belongs to one thread.

    Errors of psycopg pass through, and then nothing is written, except that a lost connection
    may have committed: sending the same events again is safe either way.
    """

    def __init__(self, connection: Connection, register: Register) -> None:
        self.connection = connection
        self.register = register
        self.is_committing = False  # whether a connection lost now may have committed
        self._batch_ids: Iterator[int] = iter(())
        self._careful = 0  # commits left that expect events which are there already
        self._days = {_day_number(day) for day in partitions.existing(connection)}
        connection.execute(staging.CREATE)

    def commit(self, submissions: Sequence[Submission], card: RateCard | None) -> list[Outcome]:
        """Store every fact that is new and one batch per key and format; returns when durable."""
        self.is_committing = False
        batches, batch_of = self._batches(submissions)
        staged = _distinct(submissions)
        claims = Claims(staged, submissions)
        self._make_partitions({fact.day for _, fact in staged} | claims.days)
        rows = self._rows(staged, batch_of, card)
        if not self._careful:
            try:
                with self.connection.transaction():
                    fresh, fresh_rows = _untold(staged, rows, claims.take(self.connection))
                    self._insert_events(fresh_rows, INSERT_NEW_EVENTS)
                    return self._finish(submissions, batches, batch_of, _counted(fresh))
            except UniqueViolation:
                self._careful = _CAREFUL_COMMITS
        with self.connection.transaction():
            fresh, fresh_rows = _untold(staged, rows, claims.take(self.connection))
            inserted = self._insert_events(fresh_rows, INSERT_EVENTS)
            if inserted == len(fresh):
                self._careful -= 1
                accepted = _counted(fresh)
            else:
                self._careful = _CAREFUL_COMMITS
                new = self._new_keys([fact for _, fact in fresh], batches)
                accepted = _counted(each for each in fresh if _key(each[1]) in new)
            return self._finish(submissions, batches, batch_of, accepted)

    def _finish(
        self,
        submissions: Sequence[Submission],
        batches: Sequence[Batch],
        batch_of: Sequence[Batch],
        accepted: Counter[int],
    ) -> list[Outcome]:
        """What became of each submission, also written into its batch."""
        outcomes = [
            Outcome(accepted[number], len(submission.facts) - accepted[number])
            for number, submission in enumerate(submissions)
        ]
        tally(submissions, batch_of, outcomes)
        self._insert_batches(batches)
        self.is_committing = True
        return outcomes

    def _batches(self, submissions: Sequence[Submission]) -> tuple[list[Batch], list[Batch]]:
        """The distinct batches, and the batch of each submission."""
        batches: dict[tuple[int, str], Batch] = {}
        batch_of: list[Batch] = []
        for submission in submissions:
            name = (submission.scope.key_id, submission.format)
            if name not in batches:
                batches[name] = Batch(self._next_batch_id(), submission)
            batch_of.append(batches[name])
        return list(batches.values()), batch_of

    def _next_batch_id(self) -> int:
        number = next(self._batch_ids, None)
        if number is None:
            rows = self.connection.execute(_BATCH_IDS).fetchall()
            self._batch_ids = iter([id for (id,) in rows])
            number = next(self._batch_ids)
        return number

    def _make_partitions(self, days: set[int]) -> None:
        missing = days - self._days
        if missing:
            partitions.make(self.connection, [_FIRST_DAY + timedelta(days=n) for n in missing])
            self._days |= missing

    def _rows(
        self,
        staged: Sequence[tuple[int, Fact]],
        batch_of: Sequence[Batch],
        card: RateCard | None,
    ) -> list[bytes]:
        attributions, users = self._numbers([fact for _, fact in staged])
        rated = {
            attribution: (number, _rates(card, attribution) if card else None)
            for attribution, number in attributions.items()
        }
        rows = []
        for number, fact in staged:
            attribution_id, rates = rated[fact.attribution]
            rate = rates.at(fact.started_at, sum(fact.tokens[:INPUT_BUCKETS])) if rates else None
            row = staging.row(fact, batch_of[number].id, attribution_id, users[fact.user], rate)
            rows.append(row)
        return rows

    def _numbers(self, facts: Sequence[Fact]) -> tuple[dict[Attribution, int], dict[str, int]]:
        """The numbers of these facts' attributions and users."""
        register = self.register
        attributions = {fact.attribution for fact in facts}
        users = {fact.user for fact in facts}
        known = {a: n for a in attributions if (n := register.attribution_ids.get(a)) is not None}
        known_users = {u: n for u in users if (n := register.user_ids.get(u)) is not None}
        missing = attributions - known.keys()
        missing_users = users - known_users.keys()
        if missing or missing_users:
            made, made_users = register.intern(self.connection, missing, missing_users)
            known |= made
            known_users |= made_users
        return known, known_users

    def _insert_events(self, rows: Sequence[bytes], statement: str) -> int:
        """Insert what `rows` stage; returns how many of them are new."""
        if not rows:
            return 0
        with self.connection.cursor() as cursor:
            with cursor.copy(staging.COPY) as copy:
                copy.write(staging.HEADER + b"".join(rows) + staging.TRAILER)
            cursor.execute(statement)
            return cursor.rowcount

    def _new_keys(self, facts: Sequence[Fact], batches: Sequence[Batch]) -> set[tuple[bytes, int]]:
        days = [_FIRST_DAY + timedelta(days=number) for number in {fact.day for fact in facts}]
        cursor = self.connection.execute(
            NEW_EVENT_KEYS,
            {"days": days, "batch_ids": [batch.id for batch in batches]},
            binary=True,
        )
        return set(cursor.fetchall())

    def _insert_batches(self, batches: Sequence[Batch]) -> None:
        def column(value: Callable[[Batch], object]) -> list[object]:
            return [value(batch) for batch in batches]

        self.connection.execute(
            INSERT_BATCHES,
            {
                "id": column(lambda batch: batch.id),
                "key_id": column(lambda batch: batch.first.scope.key_id),
                "source": column(lambda batch: batch.first.scope.source),
                "format": column(lambda batch: batch.first.format),
                "received_at": column(lambda batch: batch.first.received_at),
                "accepted": column(lambda batch: batch.accepted),
                "duplicates": column(lambda batch: batch.duplicates),
                "rejected": column(lambda batch: as_json(batch.rejected)),
                "unknown_fields": column(lambda batch: batch.unknown_fields),
                "unknown_names": column(lambda batch: as_json(list(batch.unknown_names))),
                "clients": column(lambda batch: as_json(batch.clients)),
                "first_started_at": column(lambda batch: batch.first_started_at),
                "last_started_at": column(lambda batch: batch.last_started_at),
            },
        )

    def forget_partitions(self) -> None:
        """After an insert found no partition: retention may have dropped it."""
        self._days = {_day_number(day) for day in partitions.existing(self.connection)}


def _distinct(submissions: Sequence[Submission]) -> list[tuple[int, Fact]]:
    """Facts with the number of their submission; of equal ones the first."""
    staged: dict[tuple[bytes, int], tuple[int, Fact]] = {}
    for number, submission in enumerate(submissions):
        for fact in submission.facts:
            staged.setdefault(_key(fact), (number, fact))
    return list(staged.values())


def _untold(
    staged: list[tuple[int, Fact]], rows: list[bytes], told: Collection[tuple[bytes, int]]
) -> tuple[list[tuple[int, Fact]], list[bytes]]:
    """Those facts and their rows that tell of no call which is counted already."""
    if not told:
        return staged, rows
    kept = [number for number, (_, fact) in enumerate(staged) if _key(fact) not in told]
    return [staged[number] for number in kept], [rows[number] for number in kept]


def _key(fact: Fact) -> tuple[bytes, int]:
    return fact.event_key, fact.day


def _counted(staged: Iterable[tuple[int, Fact]]) -> Counter[int]:
    """Submission number → its facts among these."""
    return Counter(number for number, _ in staged)


def _rates(card: RateCard, attribution: Attribution) -> Rates:
    return card.rates(
        provider=attribution.provider,
        model=attribution.model,
        service_tier=attribution.service_tier,
        cache=attribution.cache,
        fleet=attribution.fleet,
    )


def _day_number(day: date) -> int:
    return (day - _FIRST_DAY).days
