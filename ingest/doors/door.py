"""What a door is: where it is, what it takes, and how it answers. Reception does the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec

from ingest.batches import Outcome
from ingest.buffers import Body
from ingest.events import Correction, Event
from ingest.examples import Sample, printable
from ingest.problems import Problem
from ingest.rejections import Rejection

JSON = b"application/json"
PROBLEM_JSON = b"application/problem+json"
LONGEST_TYPE = 200  # bytes of a content type that are looked at

Headers = Mapping[bytes, bytes]


class Ties(Protocol):
    """What ties a body to others that were read before it or are being read."""

    def forget(self) -> None:
        """Its events are not stored, or nobody knows."""

    async def keep(self, refused: Collection[int]) -> bool:
        """Its events are stored, but for those refused, by index; False where it has to be sent
        again all the same."""


class Decoded(NamedTuple):
    """One body: its readable events with their places in it, and the others' rejections."""

    events: Sequence[Event]
    indexes: Sequence[int]
    rejections: list[Rejection]
    unknown_fields: int
    unknown_names: Sequence[str] = ()  # the first few of them, shortened
    samples: Sequence[Sample] = ()  # of each reason the first
    ties: Ties | None = None
    corrections: Sequence[tuple[int, Correction]] = ()  # with their places

    @property
    def total(self) -> int:
        """Events of the body, readable or not."""
        return len(self.events) + len(self.rejections) + len(self.corrections)


class Read(NamedTuple):
    """One event of a body, or why it is none, with its place. `sample` is what was refused, `size`
    the bytes of the body that are read with it."""

    place: int
    event: Event | None
    rejection: Rejection | None = None
    sample: bytes | Event = b""
    unknown_fields: int = 0
    unknown_names: Sequence[str] = ()
    size: int = 0


# What is named of unknown fields: enough to see a misspelling.
NAMED_FIELDS = 5


def gathered(reads: Iterable[Read]) -> Decoded:
    events: list[Event] = []
    indexes: list[int] = []
    rejections: list[Rejection] = []
    samples: dict[str, Sample] = {}
    corrections: list[tuple[int, Correction]] = []
    names: dict[str, None] = {}
    unknown_fields = 0
    for read in reads:
        unknown_fields += read.unknown_fields
        if read.unknown_names and len(names) < NAMED_FIELDS:
            names.update(dict.fromkeys(printable(name) for name in read.unknown_names))
        if isinstance(read.event, Correction):
            corrections.append((read.place, read.event))
        elif read.event is not None:
            events.append(read.event)
            indexes.append(read.place)
        elif read.rejection is not None:
            rejections.append(read.rejection)
            samples.setdefault(read.rejection.reason, Sample(read.rejection, read.sample))
    shown = list(names)[:NAMED_FIELDS]
    return Decoded(
        events,
        indexes,
        rejections,
        unknown_fields,
        shown,
        list(samples.values()),
        corrections=corrections,
    )


class Remarks(NamedTuple):
    """What the answer says about a body besides what became of its facts."""

    rejections: list[Rejection]
    unknown_fields: int
    unknown_names: Sequence[str]
    samples: Sequence[Sample]
    ties: Ties | None = None


class Answer(NamedTuple):
    body: bytes
    content_type: bytes = JSON
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Format(NamedTuple):
    """One content type of a door. `name` is what a batch keeps of it.

    `decode` makes events of the decompressed body, its headers and the source that sends it.
    `stream` reads a large one an event at a time, where `decode` would hold too much. Problem when
    the whole of it cannot be read.
    """

    name: str
    decode: Callable[[Body, Headers, str], Decoded]
    stream: Callable[[Body, Headers], Iterator[Read]] | None = None


class Door(NamedTuple):
    """One path that takes usage. The last argument of both answers is the request's content type.

    `formats` maps content types, in lower case and without parameters.
    """

    path: str
    formats: Mapping[str, Format]
    answer: Callable[[Outcome, Remarks, str], Answer]
    refuse: Callable[[Problem, str], Answer]


def content_type_of(headers: Headers) -> str:
    """As a door's formats name it: in lower case, without parameters."""
    return _media_type(headers.get(b"content-type", b"")[:LONGEST_TYPE])


@lru_cache(maxsize=128)
def _media_type(given: bytes) -> str:
    return given.decode("latin-1").partition(";")[0].strip().lower()


def format_of(door: Door, headers: Headers) -> tuple[str, Format]:
    """The content type and what the door knows of it; Problem 415 for another."""
    content_type = content_type_of(headers)
    found = door.formats.get(content_type)
    if found is None:
        *others, last = door.formats
        names = f"{', '.join(others)} or {last}" if others else last
        raise Problem(
            415,
            f"Content-Type {content_type[:60]!r}: send {names}.",
            accept=", ".join(door.formats),
        )
    return content_type, found


def result(outcome: Outcome, remarks: Remarks, content_type: str) -> Answer:
    """Farthing's own answer: what became of the events, counted, and each rejection."""
    said: dict[str, object] = {
        "accepted": outcome.accepted + outcome.settlements,
        "duplicates": outcome.duplicates,
        "rejected": remarks.rejections,
    }
    if remarks.unknown_fields:
        said["unknown_fields"] = remarks.unknown_fields
        said["unknown_field_names"] = remarks.unknown_names
    return Answer(msgspec.json.encode(said))


def problem_json(problem: Problem, content_type: str) -> Answer:
    """The problem as RFC 9457 has it."""
    return Answer(
        msgspec.json.encode(problem.as_json()),
        PROBLEM_JSON,
        problem.status,
        header_pairs(problem),
    )


def header_pairs(problem: Problem) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(
        (name.encode(), value.encode("latin-1")) for name, value in problem.headers.items()
    )
