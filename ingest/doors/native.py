"""The native door: JSON and NDJSON bodies as events, each bad event refused by itself.

A body is decoded at once. Only when that fails is it taken apart event by event, so good bodies
pay nothing for the care that bad ones need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, DecodeError, Raw, UnsetType, ValidationError

from ingest.buffers import Body
from ingest.doors import large
from ingest.doors.arrays import MAX_EVENTS, Elements, too_many_events
from ingest.doors.door import (
    NAMED_FIELDS,
    Decoded,
    Door,
    Format,
    Headers,
    Read,
    gathered,
    problem_json,
    result,
)
from ingest.doors.surrogates import ESCAPED_NUL, without_unpaired_surrogates
from ingest.events import FIELDS, Correction, Event, StrictEvent
from ingest.examples import Sample
from ingest.facts import check_characters
from ingest.problems import Problem
from ingest.rejections import Rejected, Rejection, rejected_by_schema

SHAPES = 'send one event, an array, or {"events": […]}'


class _Envelope(msgspec.Struct):
    events: Raw | UnsetType = UNSET


_STRICT = Elements(StrictEvent)
_LENIENT = Elements(Event)
_RAW = Elements(Raw)
_OBJECT = Elements(dict[str, Raw])
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_REDUCED = large.Reduced(FIELDS | {"corrects"})


def read_json(body: bytes) -> Decoded:
    """One event, an array of events, or {"events": [...]}; Problem when it is none of them."""
    return legibly(_read_json, body, SHAPES)


def legibly(
    read: Callable[[bytes], Decoded],
    body: bytes,
    shapes: str,
    mend: Callable[[bytes], bytes] | None = None,
) -> Decoded:
    """What `read` makes of a JSON body, mended where it must be; Problem 400 when it cannot be
    read. `shapes` tells who sent an empty one what to send."""
    body = without_mark(body)
    if not body:
        raise Problem(400, f"The body is empty; {shapes}.")
    try:
        return read(body)
    except DecodeError as error:
        legible = (mend or without_unpaired_surrogates)(body)
        if legible == body:
            raise _unreadable(error) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None
    try:
        return read(legible)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None


def _read_json(body: bytes) -> Decoded:
    if body[:1] == b"[":
        return _read(body, Elements.array)
    try:
        events = _ENVELOPE.decode(body).events
        if events is UNSET:
            return _read(body, Elements.one)
        return _read(bytes(events), Elements.array)
    except ValidationError:
        raise Problem(400, f"This is no event: {SHAPES}.") from None


def _read(body: bytes, shape: Callable[[Elements, bytes], list[Any]]) -> Decoded:
    if ESCAPED_NUL not in body:
        try:
            events = shape(_STRICT, body)
            return Decoded(events, range(len(events)), [], 0)
        except ValidationError:
            pass
    return one_by_one((index, bytes(raw)) for index, raw in enumerate(shape(_RAW, body)))


def read_ndjson(body: bytes) -> Decoded:
    """One event a line; unreadable lines are refused alone. Problem when no line is JSON."""
    lines = [line for line in without_mark(body).split(b"\n") if line and not line.isspace()]
    if len(lines) > MAX_EVENTS:
        raise too_many_events()
    if ESCAPED_NUL not in body:
        try:
            events = [_STRICT.one(line)[0] for line in lines]
            return Decoded(events, range(len(events)), [], 0)
        except (ValidationError, DecodeError, UnicodeDecodeError, RecursionError):
            pass
    return _line_by_line(lines)


def _line_by_line(lines: list[bytes]) -> Decoded:
    readable: list[tuple[int, bytes]] = []
    unreadable: list[Rejection] = []
    samples: list[Sample] = []
    for index, line in enumerate(lines):
        try:
            line.decode()
            legible = without_unpaired_surrogates(line)
            _ANYTHING.decode(legible)
            readable.append((index, legible))
        except ValidationError:
            readable.append((index, legible))
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            detail = f"This line is no readable JSON: {error}."
            unreadable.append(Rejection(index, None, "malformed_json", detail))
            samples = samples or [Sample(unreadable[0], line)]
    if unreadable and not readable:
        raise Problem(400, f"No line of the body is JSON. {unreadable[0].detail}")
    decoded = one_by_one(readable)
    rejections = sorted(decoded.rejections + unreadable, key=lambda rejection: rejection.index)
    return decoded._replace(rejections=rejections, samples=[*decoded.samples, *samples])


def one_by_one(
    raws: Iterable[tuple[int, bytes]], native_of: Callable[[bytes], bytes] = bytes
) -> Decoded:
    """Each event with its place, read by itself, `native_of` having put it into our fields first;
    Rejected of that refuses the one event."""
    return gathered(read_one(index, raw, native_of) for index, raw in raws)


def read_one(index: int, raw: bytes, native_of: Callable[[bytes], bytes] = bytes) -> Read:
    try:
        event, unknown = _event(native_of(raw))
    except Rejected as error:
        return refused(index, raw, error)
    return Read(index, event, None, b"", len(unknown), unknown)


def refused(index: int, raw: bytes, error: Rejected) -> Read:
    return Read(index, None, Rejection(index, _id_of(raw), error.reason, error.detail), raw)


def stream_json(body: Body, headers: Headers) -> Iterator[Read]:
    return _of_pieces(large.elements(body, has_envelope=True))


def stream_ndjson(body: Body, headers: Headers) -> Iterator[Read]:
    return _of_pieces(large.lines(body))


def _of_pieces(pieces: Iterable[large.Piece]) -> Iterator[Read]:
    for piece in pieces:
        size = len(piece.raw)
        is_large = size > large.LARGE_EVENT_BYTES
        read = _large(piece) if is_large else read_piece(piece.place, bytes(piece.raw))
        yield read._replace(size=size)


def read_piece(place: int, raw: bytes, native_of: Callable[[bytes], bytes] = bytes) -> Read:
    """As `read_one`, of what may not even be JSON."""
    try:
        return large.legible(lambda text: read_one(place, text, native_of), raw)
    except Rejected as error:
        return Read(place, None, Rejection(place, None, error.reason, error.detail), raw)


def _large(piece: large.Piece) -> Read:
    try:
        raw = large.reduced(_REDUCED, piece.raw)
    except Rejected as error:
        return refused(piece.place, b"{}", error)
    read = read_piece(piece.place, raw)
    if read.event is None:
        return read
    count, names = _REDUCED.others(piece.raw, NAMED_FIELDS)
    return read._replace(unknown_fields=count, unknown_names=names)


def _event(raw: bytes) -> tuple[Event, Sequence[str]]:
    """One event and its unknown fields; Rejected when it does not fit the schema."""
    unknown: Sequence[str] = ()
    try:
        [event] = _STRICT.one(raw)
    except ValidationError:
        event, unknown = _lenient(raw, *(_CORRECTION if _corrects(raw) else _EVENT))
    if ESCAPED_NUL in raw:
        check_characters(event)
    return event, unknown


_EVENT = (_LENIENT, FIELDS)
_CORRECTION = (Elements(Correction), FIELDS | {"corrects"})


def _lenient(raw: bytes, schema: Elements, known: frozenset[str]) -> tuple[Event, list[str]]:
    try:
        [event] = schema.one(raw)
        [fields] = _OBJECT.one(raw)
    except ValidationError as error:
        raise rejected_by_schema(error) from None
    return event, [name for name in fields if name not in known]


def _corrects(raw: bytes) -> bool:
    """Whether an event is a settlement: says of which other one."""
    try:
        [fields] = _OBJECT.one(raw)
    except ValidationError:
        return False
    return bytes(fields.get("corrects", b"null")) != b"null"


def _id_of(raw: bytes) -> str | None:
    """The id of an event that was refused, where it can be made out."""
    try:
        return _JUST_ID.decode(raw).id[:200]
    except ValidationError:
        return None


class _JustId(msgspec.Struct):
    id: str


_JUST_ID = msgspec.json.Decoder(_JustId)
_ANYTHING = msgspec.json.Decoder(Any)


def without_mark(body: bytes) -> bytes:
    return body.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")


def _unreadable(error: Exception) -> Problem:
    return Problem(400, f"The body is no readable JSON: {error}.")


def _decode_json(body: Body, headers: Headers, source: str) -> Decoded:
    return read_json(bytes(body))


def _decode_ndjson(body: Body, headers: Headers, source: str) -> Decoded:
    return read_ndjson(bytes(body))


EVENTS = Door(
    path="/api/v1/events",
    formats={
        "application/json": Format("json", _decode_json, stream_json),
        "application/x-ndjson": Format("ndjson", _decode_ndjson, stream_ndjson),
        "application/ndjson": Format("ndjson", _decode_ndjson, stream_ndjson),
    },
    answer=result,
    refuse=problem_json,
)
