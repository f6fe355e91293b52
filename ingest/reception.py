"""What is done at every door: let in by key, read, refuse event by event, store, answer."""

from __future__ import annotations

import asyncio
import mmap
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import psycopg

from ingest.batches import Outcome, Submission
from ingest.bodies import Receive, receive_body
from ingest.buffers import Body
from ingest.compression import decompress, inflated
from ingest.configuration import RELOAD_SECONDS, Configuration
from ingest.doors.door import Answer, Door, Format, Headers, Remarks, format_of
from ingest.examples import Sample, printable
from ingest.facts import Reader, Window
from ingest.keys import KnownKey, presented
from ingest.limits import Limited, Refused
from ingest.memory import Memory, Share, give_to_system
from ingest.metrics import Metrics
from ingest.problems import Problem, unavailable
from ingest.reading import Taken, take, take_large, weigh
from ingest.writer import Writer

# Larger bodies are read in a thread, so that pages and health checks need not wait for them.
READ_INLINE_BYTES = 32 * 1024
READERS = 2
GIVE_AFTER_SECONDS = 0.5
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
        memory: Memory,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._configuration = configuration
        self._writer = writer
        self._metrics = metrics
        self._retention = retention
        self.memory = memory
        self._clock = clock
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._large_reader = ThreadPoolExecutor(1, thread_name_prefix="large-reader")
        self._giving: asyncio.TimerHandle | None = None

    def close(self) -> None:
        if self._giving:
            self._giving.cancel()
        self._readers.shutdown()
        self._large_reader.shutdown()

    async def serve(self, door: Door, headers: Headers, receive: Receive) -> Answer:
        """The answer to one request, once its events are durable; Problem otherwise."""
        key = await self.admit(headers)
        try:
            if key.allowance:
                key.allowance.require_any(self._clock())
            with self.memory.share(key.scope.key_id) as share:
                try:
                    return await self._store(door, key, headers, receive, share)
                finally:
                    if share.was_large:
                        self._give_to_system_soon()
        except Limited as refusal:
            self.note_limited(key, refusal)
            raise

    def note_limited(self, key: KnownKey, refusal: Limited) -> None:
        self._metrics.limited.labels(refusal.span).inc()
        self._configuration.keys.refusals.add(key.scope.key_id, Refused(1, refusal.events))

    async def _store(
        self, door: Door, key: KnownKey, headers: Headers, receive: Receive, share: Share
    ) -> Answer:
        content_type, form = format_of(door, headers)
        body = await receive_body(receive, headers, share)
        submission, remarks = await self._read(key, form, headers, body, share)
        del body
        submission.client = client_of(headers)
        if remarks.samples:
            self._note(submission, remarks.samples)
        outcome = await self._submit(key, submission, remarks)
        self._count(outcome, submission)
        if remarks.ties and not await remarks.ties.keep(
            {each.index for each in remarks.rejections}
        ):
            raise unavailable(LOOSE)
        return door.answer(outcome, remarks, content_type)

    def _give_to_system_soon(self) -> None:
        """Once for all large requests of a moment, when they have let go of what they held."""
        if self._giving is None:
            loop = asyncio.get_running_loop()
            self._giving = loop.call_later(GIVE_AFTER_SECONDS, self._give_to_system)

    def _give_to_system(self) -> None:
        self._giving = None
        self._readers.submit(give_to_system)

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

    async def admit(self, headers: Headers) -> KnownKey:
        """The key that a request shows, in use; Problem 401, 403 or 503 otherwise."""
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

    async def _read(
        self, key: KnownKey, form: Format, headers: Headers, body: Body, share: Share
    ) -> tuple[Submission, Remarks]:
        """In a thread where it takes long; of large bodies one after another."""
        encoding = _encoding(headers)
        if isinstance(body, bytes) and len(body) <= READ_INLINE_BYTES and not encoding:
            return self._read_small(key, form, headers, body, share)
        loop = asyncio.get_running_loop()
        if isinstance(body, bytes) or encoding:
            read = await loop.run_in_executor(
                self._readers, self._decompress_and_read, key, form, headers, body, share
            )
            if isinstance(read, tuple):
                return read
            share.dismiss()
            await share.wait_for(read)
            body = await loop.run_in_executor(self._readers, inflated, body, encoding, read)
            share.hold(len(body))
        return await loop.run_in_executor(
            self._large_reader, self._read_large, key, form, headers, body, share
        )

    def _decompress_and_read(
        self, key: KnownKey, form: Format, headers: Headers, body: Body, share: Share
    ) -> tuple[Submission, Remarks] | int:
        """What is read of a small body; of a large one its bytes, once it is decompressed."""
        plain = decompress(body, _encoding(headers), share)
        if isinstance(plain, bytes):
            return self._read_small(key, form, headers, plain, share)
        return plain if isinstance(plain, int) else len(plain)

    def _read_small(
        self, key: KnownKey, form: Format, headers: Headers, plain: bytes, share: Share
    ) -> tuple[Submission, Remarks]:
        now = datetime.now(UTC)
        taken = self._decoded(key, form, headers, plain, now, share)
        return self._submission(key, form, taken, now, share)

    def _read_large(
        self, key: KnownKey, form: Format, headers: Headers, body: mmap.mmap, share: Share
    ) -> tuple[Submission, Remarks]:
        now = datetime.now(UTC)
        if form.stream is None:
            taken = self._decoded(key, form, headers, body, now, share)
        else:
            reads = form.stream(body, headers)
            taken = take_large(self._reader(key, now), reads, len(body), now, share)
            if key.allowance:
                key.allowance.take(taken.total, self._clock())
        return self._submission(key, form, taken, now, share)

    def _decoded(
        self,
        key: KnownKey,
        form: Format,
        headers: Headers,
        plain: Body,
        now: datetime,
        share: Share,
    ) -> Taken:
        decoded = form.decode(plain, headers, key.scope.source)
        try:
            taken = take(self._reader(key, now), decoded, now)
            share.hold(weigh(taken, plain))
            if key.allowance:
                key.allowance.take(taken.total, self._clock())
        except BaseException:
            if decoded.ties:
                decoded.ties.forget()
            raise
        return taken

    def _reader(self, key: KnownKey, now: datetime) -> Reader:
        decisions = self._configuration.decisions
        retention = min(self._retention, decisions.retention)
        window = _window(int(now.timestamp()), retention, decisions.dropped_before)
        return Reader(
            key.scope, window, self._configuration.tiers, self._configuration.activated_tags
        )

    def _submission(
        self, key: KnownKey, form: Format, taken: Taken, now: datetime, share: Share
    ) -> tuple[Submission, Remarks]:
        return Submission(
            scope=key.scope,
            format=form.name,
            received_at=now,
            facts=taken.facts,
            rejected=taken.rejected,
            unknown_fields=taken.unknown_fields,
            size_bytes=share.held,
            unknown_names=taken.unknown_names,
            settlements=taken.settlements,
        ), taken.remarks

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
