"""The writer: requests that arrive together are committed together, and answered after that.

Submissions wait in a bounded queue. Each of a few threads owns a connection; whenever one is
free it takes all that waits, up to a commit's size, so commits grow with the load by themselves
and while PostgreSQL works on one the next is being prepared. Small commits wait for each other:
what a commit costs beside its rows is then shared by more requests.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import errors

from ingest.attribution import Register
from ingest.batches import Outcome, Submission
from ingest.commits import Committer
from ingest.metrics import Metrics
from ingest.problems import unavailable
from ingest.rating import RateCard
from ingest.waiting import UNCERTAIN, Waiting, give_up, settle

log = logging.getLogger(__name__)

ROWS_PER_COMMIT = 10_000
BYTES_PER_COMMIT = 32 * 2**20  # of memory
QUEUED_ROWS = 60_000
QUEUED_ROWS_OF_A_KEY = 40_000  # so that one key leaves room for others
THREADS = 2
# With less than this waiting, a commit begins when the other thread's has ended, or soon.
ROWS_WORTH_A_COMMIT = 500
LONGEST_WAIT_SECONDS = 0.02
ANSWER_SECONDS = 30.0
RACES_RETRIED = 5
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "application_name": "farthing ingest",
    "options": (
        # A statement that takes longer is given up: its requests have been told to retry.
        "-c statement_timeout=25s -c timezone=UTC"
    ),
}

# Lost against another transaction; the same commit again will do.
RACES = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
AWAY = "The database is away; nothing of this request was written. Send it again."


class Writer:
    """Start it, submit to it from an event loop, close it: what was queued is written first."""

    def __init__(
        self,
        dsn: str,
        register: Register,
        card: Callable[[], RateCard | None],
        metrics: Metrics,
    ) -> None:
        self._dsn = dsn
        self._card = card
        self._commit_seconds = metrics.commit_seconds
        metrics.queued_events.set_function(lambda: self.queued_rows)
        self._register = register
        self.loop: asyncio.AbstractEventLoop
        self._queue: deque[Waiting] = deque()
        self.queued_rows = 0
        self._rows_of: Counter[int] = Counter()  # by key
        self.unanswered: set[asyncio.Future[Outcome]] = set()
        self._woken = threading.Condition()
        self._gathering = threading.Lock()  # one thread at a time
        self._committing: set[threading.Thread] = set()
        self.away = 0  # threads without a connection
        self._closing = False
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"writer-{number}", daemon=True)
            for number in range(THREADS)
        ]

    def start(self) -> None:
        """In the event loop that will submit."""
        self.loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Write what is queued, then end. Nothing may be submitted from here on."""
        with self._woken:
            self._closing = True
            self._woken.notify_all()
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    async def submit(self, submission: Submission) -> Outcome:
        """Returns once the submission is durable; Problem 503 when it is not, or not surely."""
        future: asyncio.Future[Outcome] = self.loop.create_future()
        waiting = Waiting(submission, future)
        self._enqueue(waiting)
        late = self.loop.call_later(ANSWER_SECONDS, give_up, future)
        self.unanswered.add(future)
        try:
            return await future
        except BaseException:
            self._withdraw(waiting)
            raise
        finally:
            self.unanswered.discard(future)
            late.cancel()
            # What is refused holds its exception, which holds this frame: until the next search for
            # cycles, which is rare, all that the request brought would stay in memory.
            del future, waiting

    def rows_of(self, key_id: int) -> int:
        """Events of one key that wait."""
        return self._rows_of[key_id]

    def give_up(self) -> None:
        """Refuse what is not committed by now, in the event loop: it has to end."""
        for future in list(self.unanswered):
            give_up(future)

    def _enqueue(self, waiting: Waiting) -> None:
        rows = waiting.submission.rows
        with self._woken:
            if self._closing:
                raise unavailable("Farthing is stopping. Send this again.")
            if self.away == THREADS:
                raise unavailable(AWAY)
            if self._queue and self.queued_rows + rows > QUEUED_ROWS:
                raise unavailable("More events wait than can be written. Send this again later.")
            key = waiting.submission.scope.key_id
            if self._queue and self._rows_of[key] + rows > QUEUED_ROWS_OF_A_KEY:
                raise unavailable("More events of this key wait than one may have. Send it later.")
            self._queue.append(waiting)
            self._count(waiting)
            # Whoever gathers waits for the first, and then for enough.
            if len(self._queue) == 1 or self.queued_rows >= ROWS_WORTH_A_COMMIT:
                self._woken.notify()

    def _withdraw(self, waiting: Waiting) -> None:
        """What is answered holds no memory by the count of it, so it must not wait any longer."""
        with self._woken:
            if waiting in self._queue:
                self._queue.remove(waiting)
                self._count(waiting, -1)

    def _count(self, waiting: Waiting, sign: int = 1) -> None:
        submission = waiting.submission
        rows = sign * submission.rows
        self.queued_rows += rows
        self._rows_of[submission.scope.key_id] += rows

    def _forget_counts(self) -> None:
        self.queued_rows = 0
        self._rows_of.clear()

    def _take(self, gathered: list[Waiting]) -> bool:
        """Wait for submissions and gather up to a commit's size; False when it is time to end."""
        with self._woken:
            self._committing.discard(threading.current_thread())
            self._woken.notify()
        with self._gathering, self._woken:
            while True:
                self._woken.wait_for(lambda: self._queue or self._closing)
                self._woken.wait_for(self._is_worth_it, LONGEST_WAIT_SECONDS)
                if self._queue or self._closing:  # and not withdrawn meanwhile
                    break
            rows = size = 0
            while self._queue:
                submission = self._queue[0].submission
                rows, size = rows + submission.rows, size + submission.size_bytes
                if gathered and (rows > ROWS_PER_COMMIT or size > BYTES_PER_COMMIT):
                    break
                gathered.append(self._queue.popleft())
            for waiting in gathered:
                self._count(waiting, -1)
            if not self._queue:
                self._forget_counts()
            self._committing.add(threading.current_thread())
            return bool(gathered)

    def _is_worth_it(self) -> bool:
        enough = self.queued_rows >= ROWS_WORTH_A_COMMIT
        return enough or not self._committing or self._closing

    def _work(self) -> None:
        """One thread: connect, serve until the connection is lost, connect again.

        A connection lost to a restart is replaced at once, and what was not yet sent to be
        committed is tried again on the new one; only then are requests refused.
        """
        pause = 0.0
        gathered: list[Waiting] = []
        while True:
            has_tried = bool(gathered)
            try:
                with psycopg.connect(self._dsn, **CONNECTION) as connection:
                    self._register.load(connection)
                    committer = Committer(connection, self._register)
                    while gathered or self._take(gathered):
                        self._commit(committer, gathered)
                        gathered.clear()
                        pause = 0.0
                    return
            except psycopg.Error as error:
                log.warning("No database to write to: %s", str(error).strip())
            except Exception:
                log.exception("A writer failed and starts again.")
            # What came after the connection was made is tried on another one first.
            if pause and (has_tried or not gathered):
                self._refuse(gathered, AWAY)
                if self._stay_away(pause):
                    return
            pause = min(max(pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)

    def _stay_away(self, seconds: float) -> bool:
        """Wait without a connection, refusing what comes; returns whether it is time to end."""
        with self._woken:
            self._committing.discard(threading.current_thread())
            self.away += 1
            refused: list[Waiting] = []
            if self.away == THREADS:
                refused, self._queue = list(self._queue), deque()
                self._forget_counts()
        self._refuse(refused, AWAY)
        self._stopped.wait(seconds)
        with self._woken:
            if not self._closing:
                self.away -= 1
            return self._closing

    def _commit(self, committer: Committer, gathered: list[Waiting]) -> None:
        """Commit and answer. Raises psycopg.Error, with what may be tried again in `gathered`."""
        started = time.monotonic()
        try:
            outcomes = self._commit_through_races(committer, gathered)
        except psycopg.OperationalError as error:
            if not committer.connection.closed:
                log.warning("Commit given up: %s", str(error).strip())
                self._refuse(gathered, "The database is overloaded. Send this again later.")
                return
            if committer.is_committing:
                self._refuse(gathered, UNCERTAIN)
            raise
        except Exception as error:
            self._commit_alone(committer, gathered, error)
            return
        self._commit_seconds.observe(time.monotonic() - started)
        answers = [waiting.answer for waiting in gathered]
        self.loop.call_soon_threadsafe(settle, list(zip(answers, outcomes, strict=True)))

    def _commit_through_races(
        self, committer: Committer, gathered: Sequence[Waiting]
    ) -> list[Outcome]:
        submissions = [waiting.submission for waiting in gathered]
        for _ in range(RACES_RETRIED):
            try:
                return committer.commit(submissions, self._card())
            except RACES as error:
                log.info("Commit lost a race and is tried again: %s", str(error).strip())
            except errors.CheckViolation:
                committer.forget_partitions()
        return committer.commit(submissions, self._card())

    def _commit_alone(
        self, committer: Committer, gathered: list[Waiting], error: Exception
    ) -> None:
        """After a commit failed by its content: what cannot be stored spoils no other request."""
        if len(gathered) == 1:
            log.error("One request's events cannot be stored.", exc_info=error)
            self._refuse(gathered, "These events cannot be stored; the server's log says why.")
        while gathered:
            one = [gathered.pop(0)]
            try:
                self._commit(committer, one)
            except psycopg.Error:
                gathered[:0] = one
                raise

    def _refuse(self, gathered: list[Waiting], reason: str) -> None:
        refusals = [(waiting.answer, unavailable(reason)) for waiting in gathered]
        self.loop.call_soon_threadsafe(settle, refusals)
        gathered.clear()
