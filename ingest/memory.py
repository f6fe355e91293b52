"""How much memory requests take together: bounded, so that no number of them fills the process.

Each request holds a share: the bytes of its body as they come, then those of what is read of it,
until it is answered. What does not fit is refused with 503 before it is there. Large bodies wait
for room before they are received, first come, first served, and leave some of it to small ones.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import threading
from collections import Counter, deque
from types import TracebackType

from ingest.problems import Problem, unavailable

# Beside these the process takes some 105 MB by itself, 40 for what its register remembers, and 50
# for what is being decoded and written at a moment, and not yet given back: 300 in all
# (bench/pressure.py attacks it).
MEMORY_BYTES = 88 * 2**20
LARGE_BYTES = 68 * 2**20
WAITING = 64
WAITING_OF_ONE = 16
WAIT_SECONDS = 10.0
_LOOK_SECONDS = 0.05
TOO_MUCH = "What this request holds is too large to read at once. Send less."
FULL = "As much as fits into memory is being taken in. Send this again."


class Memory:
    """Bytes held by requests. Used by the event loop and by reading threads."""

    def __init__(self, limit: int = MEMORY_BYTES, large: int = LARGE_BYTES) -> None:
        self.limit = limit
        self.large = large
        self.held = 0
        self.largest_held = 0
        self.held_by_large = 0
        self._waiting: deque[_Ticket] = deque()
        self._large_of: Counter[int] = Counter()  # by owner
        self._lock = threading.Lock()

    def share(self, owner: int = 0) -> Share:
        """For one request; of one owner not all may wait."""
        return Share(self, owner)

    @property
    def waiting(self) -> int:
        """Large bodies that wait for room."""
        return len(self._waiting)

    def take_largest_held(self) -> int:
        """The most that was held since this was last asked."""
        with self._lock:
            largest, self.largest_held = self.largest_held, self.held
            return largest

    def change(self, count: int, *, alone: bool = False) -> None:
        """Hold so many bytes more, or fewer. Problem 503 where they do not fit; 413 where they
        would not even `alone`."""
        with self._lock:
            if count > 0 and self.held + count > self.limit:
                if alone:
                    raise Problem(413, TOO_MUCH)
                raise unavailable(FULL, retry_after_seconds=2)
            self.held += count
            self.largest_held = max(self.largest_held, self.held)

    def _admit(self, count: int, owner: int) -> bool:
        with self._lock:
            fits = self.held + count <= self.limit and self.held_by_large + count <= self.large
            if fits:
                self.held += count
                self.held_by_large += count
                self._large_of[owner] += count
                self.largest_held = max(self.largest_held, self.held)
            return fits

    def dismiss(self, count: int, owner: int) -> None:
        """So many bytes are no longer those of large bodies."""
        with self._lock:
            self.held_by_large -= count
            self._large_of[owner] -= count
            if not self._large_of[owner]:
                del self._large_of[owner]

    async def wait_for(self, count: int, owner: int, *, has_some: bool = False) -> None:
        """Hold so many bytes of a large body once there is room; Problem 503 after a while.

        A body that has some already goes before the others: until it is whole nobody gains.
        """
        if (has_some or not self._waiting) and self._admit(count, owner):
            return
        of_owner = sum(ticket.owner == owner for ticket in self._waiting)
        if not has_some and (len(self._waiting) >= WAITING or of_owner >= WAITING_OF_ONE):
            raise unavailable(FULL, retry_after_seconds=5)
        ticket = _Ticket(owner)
        self._waiting.append(ticket)
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        try:
            while asyncio.get_running_loop().time() < deadline:
                if (has_some or self._next() is ticket) and self._admit(count, owner):
                    return
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self._waiting.remove(ticket)
        raise unavailable(FULL, retry_after_seconds=5)

    def _next(self) -> _Ticket:
        """The first in the line of an owner that holds nothing large yet, else the first."""
        others = (ticket for ticket in self._waiting if ticket.owner not in self._large_of)
        return next(others, self._waiting[0])


class _Ticket:
    def __init__(self, owner: int) -> None:
        self.owner = owner


class Share:
    """What one request holds of the memory; all of it is given back at the end of its `with`."""

    def __init__(self, memory: Memory, owner: int) -> None:
        self._memory = memory
        self._owner = owner
        self._held = 0
        self._large = 0  # as much was waited for
        self.was_large = False

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hold(0)
        self.dismiss()

    @property
    def held(self) -> int:
        return self._held

    def hold(self, count: int) -> None:
        """Hold so many bytes in all from now on. Problem as of Memory.change."""
        alone = self._memory.held <= self._held
        self._memory.change(count - self._held, alone=alone)
        self._held = count

    def add(self, count: int) -> None:
        self.hold(self._held + count)

    async def wait_for(self, count: int) -> None:
        """Hold so many bytes more, of a large body. Problem 503 as of Memory.wait_for."""
        if self._held + count > self._memory.limit:
            raise Problem(413, TOO_MUCH)
        await self._memory.wait_for(count, self._owner, has_some=self._large > 0)
        self._held += count
        self._large += count
        self.was_large = True

    def dismiss(self, count: int | None = None) -> None:
        """So many bytes of what was waited for, or all, are no longer those of a large body."""
        count = self._large if count is None else count
        if count:
            self._memory.dismiss(count, self._owner)
            self._large -= count

    @property
    def keeps_others_waiting(self) -> bool:
        return self._memory.waiting > 0


def tune() -> None:
    """Have freed memory go back to the system. Of glibc; elsewhere this does nothing.

    Blocks of a megabyte and more are mapped by themselves, which glibc otherwise unlearns as they
    are freed; and threads share two arenas.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for option, value in ((_MMAP_THRESHOLD, 2**20), (_TRIM_THRESHOLD, 2**20), (_ARENA_MAX, 2)):
        mallopt(option, value)


_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8


def give_to_system() -> None:
    """Free what only holds itself, and pages within the heap, as after a large request; takes some
    ten milliseconds."""
    # An exception and the frames that it passed through often hold each other, and with them all
    # that a request brought.
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
