"""What a process remembers of the spans that it counted lately, so that none is counted again.

What one body says is kept once its calls are stored, and forgotten when they are not: a parent is
passed over only for children that are there. Bodies that are read at the same time see each other,
and whoever passed a call over for one that is not stored after all has to be sent again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

from ingest.doors.otlp.calls import SpanId
from ingest.problems import unavailable

REMEMBERED = 20_000  # spans of each kind
REMEMBERED_CHILDREN = 30_000
MOST_CHILDREN = 64
# Calls of bodies that are not stored yet; as bodies wait within bounds, so do these.
MOST_UNSTORED = 30_000
LONGEST_WAIT_SECONDS = 30.0
REMEMBERED_BEFORE = -1  # the index of a call that another body brought

Totals = tuple[int, int] | None
# A span in a trace of a source; a usage; both as one number, which takes a quarter of the memory.
_Key = int
_Usage = int | None
_Children = tuple[tuple[_Key, _Usage, int], ...]  # span, usage, index in the body
_Item = TypeVar("_Item")


def summed(given: Sequence[Totals]) -> Totals:
    known = [totals for totals in given if totals is not None]
    return (sum(each[0] for each in known), sum(each[1] for each in known)) if known else None


class _Recent(OrderedDict[_Key, _Item], Generic[_Item]):
    """The last so many spans, and what is known of each."""

    def note(self, key: _Key, item: _Item) -> None:
        self[key] = item
        if len(self) > REMEMBERED:
            self.popitem(last=False)


class Memory:
    """Of all bodies of a process. Used by several threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counted: _Recent[_Usage] = _Recent()
        self.told_by_others: _Recent[None] = _Recent()
        self.children: OrderedDict[_Key, _Children] = OrderedDict()
        self._known_children = 0
        self._unstored: dict[_Key, list[Reading]] = {}  # by trace
        self._unstored_calls = 0

    @contextmanager
    def reading(self, source: str, traces: Collection[str]) -> Iterator[Reading]:
        """A body's view of the memory, while nobody else looks; Problem 503 when too many are
        read and not stored."""
        reading = Reading(self, source, {hash((source, trace)) for trace in traces})
        with self.lock:
            if self._unstored_calls > MOST_UNSTORED:
                raise unavailable("More model calls wait than can be written. Send this again.")
            yield reading
            self._unstored_calls += reading.size
            for trace in reading.traces:
                self._unstored.setdefault(trace, []).append(reading)

    def unstored(self, trace: _Key) -> Sequence[Reading]:
        return self._unstored.get(trace, ())

    def settled(self, reading: Reading) -> None:
        """It is not unstored any more. With the lock held."""
        self._unstored_calls -= reading.size
        for trace in reading.traces:
            readings = self._unstored[trace]
            readings.remove(reading)
            if not readings:
                del self._unstored[trace]

    def adopt(self, parent: _Key, children: _Children) -> None:
        """Note these children besides those that are known. With the lock held."""
        before = self.children.get(parent, ())
        known = joined(before, children)
        self.children[parent] = known
        self._known_children += len(known) - len(before)
        while self._known_children > REMEMBERED_CHILDREN:
            _, forgotten = self.children.popitem(last=False)
            self._known_children -= len(forgotten)


def joined(some: _Children, more: _Children) -> _Children:
    """Of both, each span once; nothing is added where they were too many."""
    known = {each[0] for each in some}
    new = tuple(each for each in more if each[0] not in known)
    return some + new if len(some) + len(new) <= MOST_CHILDREN else some


class Reading:
    """What one body sees of the others, and what it adds when its calls are stored."""

    def __init__(self, memory: Memory, source: str, traces: set[_Key]) -> None:
        self.traces = traces
        self._memory = memory
        self._source = source
        self._counted: dict[_Key, tuple[_Usage, int]] = {}
        self._children: dict[_Key, _Children] = {}
        self._told_by_others: set[_Key] = set()
        self._rests_on: set[Reading] = set()
        self._stored: Future[bool] = Future()

    @property
    def size(self) -> int:
        return len(self._counted) + len(self._children) + len(self._told_by_others)

    def was_told_by_others(self, place: SpanId) -> bool:
        key = self._key(place)
        if key in self._told_by_others or key in self._memory.told_by_others:
            return True
        return self._is_known(place, lambda other: key in other._told_by_others)

    def was_counted(self, place: SpanId, totals: Totals) -> bool:
        """Whether this span is a call that was counted with just this usage."""
        key, usage = self._key(place), _usage(totals)
        if self._memory.counted.get(key) == usage:
            return True
        return self._is_known(place, lambda other: other._counted.get(key, (None,))[0] == usage)

    def usage_of_children(self, place: SpanId) -> list[Totals]:
        return [_totals(usage) for _, usage, _ in self._children_of(place)]

    def note_told_by_others(self, place: SpanId) -> None:
        self._told_by_others.add(self._key(place))

    def note_counted(self, index: int, place: SpanId, totals: Totals) -> None:
        self._counted[self._key(place)] = (_usage(totals), index)

    def note_child(self, index: int, parent: SpanId, place: SpanId, totals: Totals) -> None:
        child = (self._key(place), _usage(totals), index)
        self._adopt(self._key(parent), (child,))

    def pass_on(self, place: SpanId, parent: SpanId) -> None:
        """What is known of this span's children holds for its parent too."""
        if children := self._children_of(place):
            self._adopt(self._key(parent), children)

    def forget(self) -> None:
        """The calls of this body are not stored, or nobody knows; callable more than once."""
        with self._memory.lock:
            self._settle(stored=False)

    async def keep(self, refused: Collection[int]) -> bool:
        """The calls of this body are stored, but for those refused, by index.

        Whether the bodies that it rests on are stored too: otherwise a call was passed over that
        nobody told, and the body has to come again.
        """
        with self._memory.lock:
            self._keep_own(refused)
        is_sure = True
        for other in self._rests_on:
            is_sure = is_sure and await other.is_stored()
        with self._memory.lock:
            if is_sure and not refused:  # else who tells instead is perhaps not there
                self._keep_others()
            self._settle(stored=is_sure and not refused)
        return is_sure

    async def is_stored(self) -> bool:
        stored = asyncio.wrap_future(self._stored)
        try:
            return await asyncio.wait_for(asyncio.shield(stored), LONGEST_WAIT_SECONDS)
        except TimeoutError:
            return False

    def _keep_own(self, refused: Collection[int]) -> None:
        memory = self._memory
        for key, (usage, index) in self._counted.items():
            if index not in refused:
                memory.counted.note(key, usage)
        for parent, children in self._children.items():
            own = tuple(each for each in children if each[2] >= 0 and each[2] not in refused)
            if own:
                memory.adopt(parent, own)

    def _keep_others(self) -> None:
        for key in self._told_by_others:
            self._memory.told_by_others.note(key, None)
        for parent, children in self._children.items():
            if others := tuple(each for each in children if each[2] == REMEMBERED_BEFORE):
                self._memory.adopt(parent, others)

    def _settle(self, *, stored: bool) -> None:
        if not self._stored.done():
            self._memory.settled(self)
            self._stored.set_result(stored)

    def _key(self, place: SpanId) -> _Key:
        return hash((self._source, *place))

    def _children_of(self, place: SpanId) -> _Children:
        key = self._key(place)
        known = self._memory.children.get(key, ())
        for other in self._unstored(place):
            if key in other._children:
                known = joined(known, other._children[key])
                self._rests_on.add(other)
        before = tuple((child, usage, REMEMBERED_BEFORE) for child, usage, _ in known)
        return joined(self._children.get(key, ()), before)

    def _is_known(self, place: SpanId, tells: Callable[[Reading], bool]) -> bool:
        """Whether a body that is not stored yet tells this of a span."""
        for other in self._unstored(place):
            if tells(other):
                self._rests_on.add(other)
                return True
        return False

    def _unstored(self, place: SpanId) -> Sequence[Reading]:
        return self._memory.unstored(hash((self._source, place[0])))

    def _adopt(self, parent: _Key, children: _Children) -> None:
        self._children[parent] = joined(self._children.get(parent, ()), children)


def _usage(totals: Totals) -> _Usage:
    return None if totals is None else totals[0] << 64 | totals[1]


def _totals(usage: _Usage) -> Totals:
    return None if usage is None else (usage >> 64, usage & (1 << 64) - 1)
