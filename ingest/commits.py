"""One commit: the events of many requests and their batches, in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from psycopg import Connection
from psycopg.errors import UniqueViolation

from ingest import partitions, rows, settlements
from ingest.aliases import Claims
from ingest.attribution import Register
from ingest.batches import Batch, Outcome, Submission, as_json, tally
from ingest.costs import Tariff
from ingest.facts import Attribution, Fact
from ingest.rating import Rate, RateCard, Rates
from ingest.usage import INPUT_BUCKETS

_SQL = Path(__file__).parent / "sql"
COPY_EVENTS = (_SQL / "copy_events.sql").read_text()
STAGED_EVENT = (_SQL / "staged_event.sql").read_text()
STAGE_EVENTS = COPY_EVENTS.replace("COPY usage_event", "COPY staged_event")
INSERT_STAGED_EVENTS = (_SQL / "insert_staged_events.sql").read_text()
INSERT_BATCHES = (_SQL / "insert_batches.sql").read_text()
_BATCH_IDS = """
    SELECT nextval(pg_get_serial_sequence('ingest_batch', 'id')) FROM generate_series(1, 100)
"""
_FIRST_DAY = date(2000, 1, 1)
# Staging events and looking for each of them doubles an insert's time, and hardly any event is
# there already, except after an outage or in a load that is sent again.
_CAREFUL_COMMITS = 200
# libpq keeps a buffer as large as the largest portion for as long as its connection.
_PORTION_BYTES = 256 * 1024


class _Registered(NamedTuple):
    """By the place in memory of an attribution its number and rates; the numbers of users."""

    rated: Mapping[int, tuple[int, Rates | None]]
    users: Mapping[str, int]
    card: RateCard | None


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
        connection.execute(STAGED_EVENT)

    def commit(self, submissions: Sequence[Submission], card: RateCard | None) -> list[Outcome]:
        """Store every fact that is new and one batch per key and format; returns when durable."""
        self.is_committing = False
        batches, batch_of = self._batches(submissions)
        facts = [submission.facts for submission in submissions]
        claims = Claims(facts, submissions)
        self._make_partitions({fact.day for portion in facts for fact in portion} | claims.days)
        if not self._careful:
            register = self._registered(facts, card)
            try:
                with self.connection.transaction():
                    fresh = _untold(facts, claims.take(self.connection))
                    self._copy(COPY_EVENTS, _rows(fresh, batch_of, register))
                    return self._finish(submissions, batches, batch_of, list(map(len, fresh)))
            except UniqueViolation:
                self._careful = _CAREFUL_COMMITS
        distinct = _distinct(facts)
        register = self._registered(distinct, card)
        with self.connection.transaction():
            fresh = _untold(distinct, claims.take(self.connection))
            new = self._insert_staged(_rows(fresh, batch_of, register))
            is_all = len(new) == sum(map(len, fresh))
            self._careful = self._careful - 1 if is_all else _CAREFUL_COMMITS
            accepted = [sum(_key(fact) in new for fact in portion) for portion in fresh]
            return self._finish(submissions, batches, batch_of, accepted)

    def _finish(
        self,
        submissions: Sequence[Submission],
        batches: Sequence[Batch],
        batch_of: Sequence[Batch],
        accepted: Sequence[int],
    ) -> list[Outcome]:
        """What became of each submission, also written into its batch."""
        outcomes = [
            Outcome(count, len(submission.facts) - count)
            for submission, count in zip(submissions, accepted, strict=True)
        ]
        settlements.keep(self.connection, submissions, outcomes, self.register.naming)
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

    def _registered(self, portions: Sequence[Sequence[Fact]], card: RateCard | None) -> _Registered:
        """The numbers and rates of what these facts name."""
        # Facts of one body share the objects of their attributions, which is quicker to see than
        # that two are equal.
        attributions = {
            id(fact.attribution): fact.attribution for facts in portions for fact in facts
        }
        numbers, users = self._numbers(
            set(attributions.values()), {fact.user for facts in portions for fact in facts}
        )
        rated = {
            place: (numbers[attribution], _rates(card, attribution) if card else None)
            for place, attribution in attributions.items()
        }
        return _Registered(rated, users, card)

    def _numbers(
        self, attributions: set[Attribution], users: set[str]
    ) -> tuple[dict[Attribution, int], dict[str, int]]:
        """The numbers of these attributions and users."""
        register = self.register
        known = {a: n for a in attributions if (n := register.attribution_ids.get(a)) is not None}
        known_users = {u: n for u in users if (n := register.user_ids.get(u)) is not None}
        missing = attributions - known.keys()
        missing_users = users - known_users.keys()
        if missing or missing_users:
            made, made_users = register.intern(self.connection, missing, missing_users)
            known |= made
            known_users |= made_users
        return known, known_users

    def _copy(self, statement: str, written: Iterator[bytes]) -> None:
        """In portions, as they are made: rows take as much memory as what they are made of."""
        portions = _portions(written)
        portion = next(portions, None)
        if portion is None:
            return
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(rows.HEADER)
            copy.write(portion)
            for portion in portions:
                copy.write(portion)
            copy.write(rows.TRAILER)

    def _insert_staged(self, written: Iterator[bytes]) -> set[tuple[bytes, int]]:
        """Insert those of these rows that are new; returns their keys."""
        self._copy(STAGE_EVENTS, written)
        return set(self.connection.execute(INSERT_STAGED_EVENTS, binary=True).fetchall())

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


def _distinct(portions: Sequence[Sequence[Fact]]) -> list[list[Fact]]:
    """The facts of each portion, of equal ones only the first."""
    seen: set[tuple[bytes, int]] = set()
    distinct = []
    for facts in portions:
        own = []
        for fact in facts:
            if (key := _key(fact)) not in seen:
                seen.add(key)
                own.append(fact)
        distinct.append(own)
    return distinct


def _untold(
    portions: Sequence[Sequence[Fact]], told: Collection[tuple[bytes, int]]
) -> Sequence[Sequence[Fact]]:
    """Those facts that tell of no call which is counted already."""
    if not told:
        return portions
    return [[fact for fact in facts if _key(fact) not in told] for facts in portions]


def _rows(
    portions: Sequence[Sequence[Fact]], batch_of: Sequence[Batch], register: _Registered
) -> Iterator[bytes]:
    """Every fact as a row of the COPY; a portion of facts for each batch of `batch_of`."""
    rated, users, card = register
    priced: dict[Rate | None, tuple[bytes, Tariff] | None] = {None: None}
    for batch, facts in zip(batch_of, portions, strict=True):
        for fact in facts:
            number, rates = rated[id(fact.attribution)]
            rate = None
            if rates:
                rate = rates.at(fact.started_at, sum(fact.tokens[:INPUT_BUCKETS]))
            if rate and card and rate not in priced:
                priced[rate] = rows.ledger_lines(rate), card.tariff(rate)
            yield rows.row(fact, batch.id, number, users[fact.user], priced[rate])


def _portions(written: Iterator[bytes]) -> Iterator[bytes]:
    """Rows of some hundred kilobytes together."""
    portion: list[bytes] = []
    size = 0
    for row in written:
        portion.append(row)
        size += len(row)
        if size >= _PORTION_BYTES:
            yield b"".join(portion)
            portion, size = [], 0
    if portion:
        yield b"".join(portion)


def _key(fact: Fact) -> tuple[bytes, int]:
    return fact.event_key, fact.day


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
