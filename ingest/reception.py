"""What is done at every door: let in by key, read, refuse event by event, store, answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import psycopg

from ingest.batches import Outcome, Submission
from ingest.bodies import Receive, ReceiveBudget, decompress, receive_body
from ingest.configuration import RELOAD_SECONDS, Configuration
from ingest.corrections import Settlement, settlement_of
from ingest.doors.door import Answer, Decoded, Door, Format, Headers, Remarks, format_of
from ingest.examples import Sample, printable
from ingest.facts import Fact, Reader, Window
from ingest.keys import KnownKey, presented
from ingest.limits import Limited, Refused
from ingest.metrics import Metrics
from ingest.problems import Problem, unavailable
from ingest.rejections import Rejected, Rejection
from ingest.writer import Writer

# Larger bodies are read in a thread, so that pages and health checks need not wait for them.
READ_INLINE_BYTES = 32 * 1024
READERS = 2
CLIENT_CHARACTERS = 40
LONGEST_AGENT = 200  # bytes of it that are looked at
STARTING = {
    "prices": "Farthing is starting: prices are not loaded yet. Send this again.",
    "the database": "Farthing is starting: the database is not reached yet. Send this again.",
    "the key of user names": "This process has another key for the names of users than those "
    "stored were hashed with. Send this again when FARTHING_USER_HASH_KEY is set right.",
}
LOOSE = "What this rests on, sent at the same time, was not stored. Send this again."
UNCHECKED = "The database is away, so this key cannot be checked. Send this again."


class Reception:
    """Serves every door, from headers and body to the answer."""

    def __init__(
        self,
        configuration: Configuration,
        writer: Writer,
        metrics: Metrics,
        *,
        retention: timedelta,
        budget: ReceiveBudget,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._configuration = configuration
        self._writer = writer
        self._metrics = metrics
        self._retention = retention
        self._budget = budget
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")

    def close(self) -> None:
        self._readers.shutdown()

    async def serve(self, door: Door, headers: Headers, receive: Receive) -> Answer:
        """The answer to one request, once its events are durable; Problem otherwise."""
        key = await self._admit(headers)
        try:
            if key.allowance:
                key.allowance.require_any(self._clock())
            return await self._store(door, key, headers, receive)
        except Limited as refusal:
            self._metrics.limited.labels(refusal.span).inc()
            self._configuration.keys.refusals.add(key.scope.key_id, Refused(1, refusal.events))
            raise

    async def _store(self, door: Door, key: KnownKey, headers: Headers, receive: Receive) -> Answer:
        content_type, form = format_of(door, headers)
        body = await receive_body(receive, headers, self._budget)
        size = len(body)
        try:
            if size <= READ_INLINE_BYTES and not _encoding(headers):
                submission, remarks = self._read(key, form, headers, body)
            else:
                loop = asyncio.get_running_loop()
                submission, remarks = await loop.run_in_executor(
                    self._readers, self._read, key, form, headers, body
                )
            del body
            submission.client = client_of(headers)
            if remarks.samples:
                self._note(submission, remarks.samples)
            outcome = await self._submit(key, submission, remarks)
        finally:
            self._budget.give_back(size)
        self._count(outcome, submission)
        if remarks.ties and not await remarks.ties.keep(
            {each.index for each in remarks.rejections}
        ):
            raise unavailable(LOOSE)
        return door.answer(outcome, remarks, content_type)

    async def _submit(self, key: KnownKey, submission: Submission, remarks: Remarks) -> Outcome:
        if not (submission.facts or submission.settlements or remarks.rejections):
            return Outcome(0, 0)
        try:
            return await self._writer.submit(submission)
        except BaseException as error:
            if key.allowance and isinstance(error, Problem):  # its client will send the same again
                key.allowance.give_back(submission.events)
            if remarks.ties:
                remarks.ties.forget()
            raise

    async def _admit(self, headers: Headers) -> KnownKey:
        if lacks := self._configuration.lacks:
            raise unavailable(STARTING[lacks])
        digest = presented(headers)
        if not self._configuration.keys.knows(digest):
            await self._learn_key(digest)
        return self._configuration.keys.admitted(digest, self._clock())

    async def _learn_key(self, digest: bytes) -> None:
        """Returns when the key is known, or surely unknown: a 401 makes clients give up."""
        arrived = time.monotonic()
        try:
            was_asked = await asyncio.to_thread(self._configuration.look_up_key, digest)
        except psycopg.Error:
            raise unavailable(UNCHECKED) from None
        if not was_asked:
            await asyncio.sleep(2 * RELOAD_SECONDS)
            if self._configuration.keys_as_of < arrived:
                raise unavailable(UNCHECKED)

    def _read(
        self, key: KnownKey, form: Format, headers: Headers, body: bytes
    ) -> tuple[Submission, Remarks]:
        now = datetime.now(UTC)
        plain = decompress(body, _encoding(headers))
        decoded = form.decode(plain, headers, key.scope.source)
        if key.allowance:
            try:
                key.allowance.take(decoded.total, self._clock())
            except Limited:
                if decoded.ties:
                    decoded.ties.forget()
                raise
        decisions = self._configuration.decisions
        retention = min(self._retention, decisions.retention)
        window = _window(int(now.timestamp()), retention, decisions.dropped_before)
        reader = Reader(
            key.scope, window, self._configuration.tiers, self._configuration.activated_tags
        )
        facts, rejections, samples = _facts(reader, decoded)
        settlements: Sequence[Settlement] = ()
        if decoded.corrections:
            settlements = _settlements(reader, decoded, now, rejections, samples)
        return Submission(
            scope=key.scope,
            format=form.name,
            received_at=now,
            facts=facts,
            rejected=Counter(each.reason for each in rejections) if rejections else {},
            unknown_fields=decoded.unknown_fields,
            size_bytes=len(plain),
            unknown_names=decoded.unknown_names,
            settlements=settlements,
        ), Remarks(rejections, decoded.unknown_fields, decoded.unknown_names, samples, decoded.ties)

    def _note(self, submission: Submission, samples: Sequence[Sample]) -> None:
        self._configuration.notebook.refused(
            submission.scope.key_id,
            submission.received_at,
            submission.format,
            submission.client,
            samples,
        )

    def _count(self, outcome: Outcome, submission: Submission) -> None:
        events = self._metrics.events
        if outcome.accepted:
            events("accepted", "").inc(outcome.accepted)
        if outcome.settlements:
            events("settlement", "").inc(outcome.settlements)
        if outcome.duplicates:
            events("duplicate", "").inc(outcome.duplicates)
        for reason, count in submission.rejected.items():
            events("rejected", reason).inc(count)
        if submission.unknown_fields:
            self._metrics.unknown_fields.inc(submission.unknown_fields)


@lru_cache(maxsize=2)
def _window(second: int, retention: timedelta, dropped_before: date) -> Window:
    """The same for every body of a second, as it takes as long as reading an event."""
    return Window.at(datetime.fromtimestamp(second, UTC), retention, dropped_before)


def _encoding(headers: Headers) -> str:
    """The Content-Encoding; "" where the body is as it is."""
    given = headers.get(b"content-encoding")
    if given is None:
        return ""
    encoding = given.decode("latin-1").strip().lower()
    return "" if encoding == "identity" else encoding


def client_of(headers: Headers) -> str:
    """The program that sends, as it names itself: python-httpx/0.28; '' where it does not."""
    return _client(headers.get(b"user-agent", b"")[:LONGEST_AGENT])


@lru_cache(maxsize=1024)
def _client(agent: bytes) -> str:
    return printable(agent.decode("latin-1").partition("(")[0].strip()[:CLIENT_CHARACTERS])


def _facts(reader: Reader, decoded: Decoded) -> tuple[list[Fact], list[Rejection], list[Sample]]:
    """Facts, every rejection in order, and of each reason a sample."""
    facts: list[Fact] = []
    samples: dict[str, Sample] = {}
    rejections = decoded.rejections
    read = reader.read
    for index, event in zip(decoded.indexes, decoded.events, strict=True):
        try:
            facts.append(read(event))
        except Rejected as error:
            rejection = Rejection(index, event.id, error.reason, error.detail)
            rejections.append(rejection)
            samples.setdefault(error.reason, Sample(rejection, event))
    rejections.sort(key=lambda rejection: rejection.index)
    return facts, rejections, [*decoded.samples, *samples.values()]


def _settlements(
    reader: Reader,
    decoded: Decoded,
    now: datetime,
    rejections: list[Rejection],
    samples: list[Sample],
) -> list[Settlement]:
    """The body's settlements; what is refused of them goes to the other rejections."""
    found = []
    for index, event in decoded.corrections:
        try:
            found.append(settlement_of(reader, event, now))
        except Rejected as error:
            rejections.append(Rejection(index, event.id, error.reason, error.detail))
            samples.append(Sample(rejections[-1], event))
    rejections.sort(key=lambda rejection: rejection.index)
    return found
