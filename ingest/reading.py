"""From a body to facts: small bodies at once, large ones an event at a time."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import DecodeError, ValidationError

from ingest.buffers import Body
from ingest.corrections import Settlement, settlement_of
from ingest.doors.door import NAMED_FIELDS, Decoded, Read, Remarks, Ties
from ingest.events import Correction, Event
from ingest.examples import Sample, printable
from ingest.facts import Fact, Reader
from ingest.memory import Share
from ingest.problems import Problem
from ingest.rejections import Rejected, Rejection

# What a fact, or a settlement, and a rejection take beside the texts in them, measured; and a
# settlement with them.
FACT_BYTES = 900
REJECTION_BYTES = 600
SETTLEMENT_BYTES = 4_000
_LOOK_EVERY = 250


class Taken(NamedTuple):
    """What is left of a body: facts, and remarks about the rest, every rejection in order."""

    facts: list[Fact]
    rejections: list[Rejection]
    unknown_fields: int
    unknown_names: list[str]
    samples: list[Sample]
    ties: Ties | None = None
    settlements: Sequence[Settlement] = ()

    @property
    def remarks(self) -> Remarks:
        return Remarks(
            self.rejections, self.unknown_fields, self.unknown_names, self.samples, self.ties
        )

    @property
    def total(self) -> int:
        return len(self.facts) + len(self.settlements) + len(self.rejections)

    @property
    def rejected(self) -> Mapping[str, int]:
        return Counter(each.reason for each in self.rejections) if self.rejections else {}


def take(reader: Reader, decoded: Decoded, now: datetime) -> Taken:
    """All of a small body; of each reason to refuse an event a sample."""
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
    settlements: list[Settlement] = []
    for index, event in decoded.corrections:
        try:
            settlements.append(settlement_of(reader, event, now))
        except Rejected as error:
            rejection = Rejection(index, event.id, error.reason, error.detail)
            rejections.append(rejection)
            samples.setdefault(error.reason, Sample(rejection, event))
    rejections.sort(key=lambda rejection: rejection.index)
    names = list(decoded.unknown_names)
    kept = [*decoded.samples, *samples.values()]
    unknown = decoded.unknown_fields
    return Taken(facts, rejections, unknown, names, kept, decoded.ties, settlements)


def weigh(taken: Taken, plain: Body) -> int:
    """At most so many bytes of memory are held by what a body came to."""
    refused = len(taken.rejections) * REJECTION_BYTES
    if not isinstance(plain, bytes):
        settled = len(taken.settlements) * SETTLEMENT_BYTES
        return sum(map(weight_of, taken.facts)) + settled + refused
    text = len(plain) if plain.isascii() else 4 * len(plain)
    return (len(taken.facts) + len(taken.settlements)) * FACT_BYTES + refused + text


def take_large(
    reader: Reader, reads: Iterable[Read], size: int, now: datetime, share: Share
) -> Taken:
    """An event at a time; `share` holds what is left of the body of this `size` and what was made
    of it."""
    large = _Large(reader, share, size, now)
    try:
        for read in reads:
            large.add(read)
    except ValidationError as error:
        raise Problem(400, f"The body cannot be read: {error}.") from None
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"The body is no readable JSON: {error}.") from None
    return large.taken()


class _Large:
    def __init__(self, reader: Reader, share: Share, size: int, now: datetime) -> None:
        self._reader = reader
        self._now = now
        self._settlements: list[Settlement] = []
        self._share = share
        self._left = size
        self._weight = self._read = 0
        self._facts: list[Fact] = []
        self._rejections: list[Rejection] = []
        self._samples: dict[str, Sample] = {}
        self._unknown_fields = 0
        self._unknown_names: dict[str, None] = {}

    def add(self, read: Read) -> None:
        self._unknown_fields += read.unknown_fields
        if read.unknown_names and len(self._unknown_names) < NAMED_FIELDS:
            self._unknown_names.update(dict.fromkeys(map(printable, read.unknown_names)))
        if read.event is not None:
            try:
                self._take(read.event)
            except Rejected as error:
                rejection = Rejection(read.place, read.event.id, error.reason, error.detail)
                self._refuse(Sample(rejection, read.event))
        elif read.rejection is not None:
            self._refuse(Sample(read.rejection, read.sample))
        self._left = max(self._left - read.size, 0)
        self._read += 1
        if self._read % _LOOK_EVERY == 0:
            self._share.hold(self._left + self._weight)

    def _take(self, event: Event | Correction) -> None:
        if isinstance(event, Correction):
            self._settlements.append(settlement_of(self._reader, event, self._now))
            self._weight += SETTLEMENT_BYTES
        else:
            self._facts.append(self._reader.read(event))
            self._weight += weight_of(self._facts[-1])

    def _refuse(self, sample: Sample) -> None:
        self._rejections.append(sample.rejection)
        self._weight += REJECTION_BYTES
        self._samples.setdefault(sample.rejection.reason, sample)

    def taken(self) -> Taken:
        rejections = self._rejections
        if (
            not (self._facts or self._settlements)
            and rejections
            and {r.reason for r in rejections} == {"malformed_json"}
        ):
            raise Problem(400, f"Nothing of the body is JSON. {rejections[0].detail}")
        rejections.sort(key=lambda rejection: rejection.index)
        names = list(self._unknown_names)[:NAMED_FIELDS]
        samples = list(self._samples.values())
        self._share.hold(self._weight)
        settlements = self._settlements
        unknown = self._unknown_fields
        return Taken(self._facts, rejections, unknown, names, samples, None, settlements)


def weight_of(fact: Fact) -> int:
    """Bytes of memory that one fact holds, about."""
    event = fact.event
    texts = (event.id, event.user, event.session, event.prompt_hash, *fact.attribution[:-1])
    size = FACT_BYTES + sum(sys.getsizeof(text) for text in texts if text)
    return size + sum(len(pairs) for pairs in (event.tags, event.stages_ms) if pairs)
