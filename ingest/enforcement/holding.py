"""The queue to the one connection that reservations go through: what waits goes together.

Figures are read over another, beside it: who waits for a decision need not wait for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import errors

from ingest.enforcement import books
from ingest.enforcement.books import Figures, Reading, Work

log = logging.getLogger(__name__)

AT_ONCE = 500
# So long what nobody waits for is gathered.
GATHER_SECONDS = 0.05
MOST_WAITING = 20_000
CLOSE_SECONDS = 3.0


class Away(Exception):
    """The database does not do it now, or did not say that it did."""


@dataclass(slots=True, eq=False)
class _Waiting:
    work: Work | None  # None reads the figures
    answer: asyncio.Future[Any]


class Holder:
    """Does what it is asked in order, over one thread and one connection.

    A reading of the figures begins in that order too, so it holds exactly the reservations that
    were done before it, however long it takes.
    """

    def __init__(self, dsn: str, clock: Callable[[], float]) -> None:
        self._dsn = dsn
        self._clock = clock
        self._connection: psycopg.Connection | None = None
        self._reader: psycopg.Connection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._queue: deque[_Waiting] = deque()
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reservations")
        self._reading_thread = ThreadPoolExecutor(1, thread_name_prefix="figures")
        self._task: asyncio.Task[None] | None = None
        self.figures = Figures()
        self.before_reading: Callable[[], None] = lambda: None  # called in the event loop

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """What waits is done, unless that takes long."""
        if self._task:
            with suppress(Away, TimeoutError):
                await asyncio.wait_for(self.ask(None), CLOSE_SECONDS)
            self._task.cancel()
        while self._queue:
            _refuse(self._queue.popleft())
        for thread in (self._thread, self._reading_thread):
            await asyncio.to_thread(thread.shutdown)
        for connection in (self._connection, self._reader):
            if connection:
                connection.close()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def ask(self, work: Work | None, *, is_urgent: bool = True) -> asyncio.Future[Any]:
        """What books.work says of it, or, of None, the figures. Raises Away when it is awaited."""
        waiting = _Waiting(work, asyncio.get_running_loop().create_future())
        if len(self._queue) >= MOST_WAITING:
            _refuse(waiting)
        else:
            self._queue.append(waiting)
            if is_urgent:
                self._woken.set()
            elif len(self._queue) == 1:
                asyncio.get_running_loop().call_later(GATHER_SECONDS, self._woken.set)
        return waiting.answer

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._queue:
                await self._do(self._taken())

    def _taken(self) -> list[_Waiting]:
        """The next ones; a reading goes by itself."""
        taken = [self._queue.popleft()]
        while taken[0].work and self._queue and self._queue[0].work and len(taken) < AT_ONCE:
            taken.append(self._queue.popleft())
        return taken

    async def _do(self, taken: list[_Waiting]) -> None:
        works = [each.work for each in taken if each.work]
        with _refusing(taken):
            if works:
                done = await self._in(self._thread, self._work, works)
                for each, result in zip(taken, done, strict=True):
                    _answer(each, result)
                await asyncio.sleep(0)  # whoever waits knows it before the next thing is done
            else:
                if self._reading:
                    await self._reading
                self.before_reading()
                reading = await self._in(self._thread, self._begin_reading)
                self._reading = asyncio.create_task(self._read_on(taken, reading))

    async def _read_on(self, taken: list[_Waiting], reading: Reading) -> None:
        with _refusing(taken):
            self.figures = await self._in(self._reading_thread, self._read, reading)
            self.figures.complete()
            for each in taken:
                _answer(each, self.figures)

    async def _in(self, thread: ThreadPoolExecutor, do: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(thread, do, *given)

    def _work(self, works: list[Work]) -> list[Any]:
        try:
            return list(books.work(self._connected(), works, self._now()))
        # With whoever removes what is over, or another process decides on the same budget for long:
        # given up at once, everybody who asks near a limit would be let past it.
        except (errors.DeadlockDetected, errors.LockNotAvailable):
            return list(books.work(self._connected(), works, self._now()))
        except psycopg.OperationalError:
            if self._connection and not self._connection.closed:
                raise
            # Lost since its last use, as after a restart. What had been committed unheard
            # violates its key now, is refused, and expires.
            return list(books.work(self._connected(), works, self._now()))

    def _begin_reading(self) -> Reading:
        """Over a connection of its own, made anew where the last reading failed on it."""
        if self._reader and not self._reader.closed:
            with suppress(psycopg.OperationalError):  # lost since its last use
                return books.begin_reading(self._reader)
            self._reader.close()
        self._reader = books.connected(self._dsn)
        return books.begin_reading(self._reader)

    def _read(self, reading: Reading) -> Figures:
        assert self._reader
        try:
            return books.read(self._reader, reading, self.figures, self._now())
        except BaseException:
            self._reader.close()
            raise

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = books.connected(self._dsn)
        return self._connection


@contextmanager
def _refusing(taken: Sequence[_Waiting]) -> Iterator[None]:
    """Whatever goes wrong, those who wait are told so."""
    try:
        yield
    except psycopg.Error as error:
        log.warning("Reservations wait for the database: %s", str(error).strip())
        for each in taken:
            _refuse(each)
    except Exception:
        log.exception("Reservations failed.")
        for each in taken:
            _refuse(each)


def _answer(waiting: _Waiting, result: object) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(result)


def _refuse(waiting: _Waiting) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(Away())
        waiting.answer.exception()  # looked at: nobody may be waiting for it
