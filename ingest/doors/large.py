"""Large JSON bodies: an event at a time, each no larger in memory than it has to be.

Decoded whole, a body may take thirty times its bytes: `[[],[],…` does. So its elements are found
without being decoded, large ones are reduced to the fields that anybody reads, and what is read
of the body is given back to the system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, DecodeError, Raw, UnsetType, ValidationError

from ingest.buffers import Body, forget
from ingest.doors.arrays import MAX_EVENTS, raw_elements, too_many_events
from ingest.doors.surrogates import (
    mend_surrogates,
    mended_surrogates,
    without_unpaired_surrogates,
)
from ingest.problems import Problem
from ingest.rejections import Rejected, rejected_by_schema

# An event of more is reduced before it is decoded.
LARGE_EVENT_BYTES = 64 * 1024
# As much as one field may have: tags take 77 KB where every character is escaped.
LARGEST_FIELD_BYTES = 128 * 1024
# Of a large event no more than this many names and values are looked at for unknown ones.
_MOST_TOKENS = 100_000
_FORGET_EVERY = 4 * 2**20
_Read = TypeVar("_Read")

_MARK = b"\xef\xbb\xbf"
_SOMETHING = re.compile(rb"\S")
_LINE = re.compile(rb"\S[^\n]*+")
_TOKEN = re.compile(rb'"((?:[^"\\]++|\\.)*+)"(\s*+:)?|[\[\]{}]', re.DOTALL)


class Piece(NamedTuple):
    """One element of a body, as it came; JSON is not read yet."""

    place: int
    raw: memoryview


class _Envelope(msgspec.Struct):
    events: Raw | UnsetType = UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def elements(
    body: Body, *, has_envelope: bool = False, mend: Callable[[Body], Body] = mended_surrogates
) -> Iterator[Piece]:
    """The elements of an array, of {"events": […]} where doors have that, or the one there is.

    What no decoder takes but clients write is mended first. DecodeError where the body is no JSON.
    """
    try:
        found = _found(body, has_envelope)
    except ValidationError:
        raise
    except DecodeError:
        body = mend(body)
        found = _found(body, has_envelope)
    if isinstance(found, memoryview):
        yield Piece(0, found)
        return
    found.reverse()
    read = forgotten = 0
    for index in range(len(found)):
        raw = memoryview(found.pop())
        yield Piece(index, raw)
        read += len(raw)
        if read - forgotten > _FORGET_EVERY:
            forget(body, read)
            forgotten = read


def _found(body: Body, has_envelope: bool) -> list[Raw] | memoryview:
    """The elements, not decoded, or all of a body that is one."""
    view = memoryview(body)[_begins(body) :]
    if bytes(view[:1]) == b"{" and has_envelope:
        events = _ENVELOPE.decode(view).events
        if events is UNSET:
            return view
        view = memoryview(events)
    return raw_elements(view) if bytes(view[:1]) == b"[" else view


def lines(body: Body) -> Iterator[Piece]:
    """Lines that are not blank; Problem 413 when there are too many, after the others."""
    forgotten = 0
    view = memoryview(body)
    for index, found in enumerate(_LINE.finditer(body, _begins(body))):
        if index == MAX_EVENTS:
            raise too_many_events()
        yield Piece(index, view[found.start() : found.end()])
        if found.start() - forgotten > _FORGET_EVERY:
            forgotten = found.start()
            forget(body, forgotten)


def begins_with(body: Body, mark: bytes) -> bool:
    start = _begins(body)
    return body[start : start + len(mark)] == mark


def _begins(body: Body) -> int:
    mark = len(_MARK) if body[: len(_MARK)] == _MARK else 0
    found = _SOMETHING.search(body, mark)
    if found is None:
        raise Problem(400, "The body is empty.")
    return found.start()


class Reduced:
    """What is read of an object that may be large: some fields of it, none of them very large."""

    def __init__(self, names: Collection[str]) -> None:
        fields: list[tuple[str, Any, Any]] = [(name, Raw | UnsetType, UNSET) for name in names]
        made = msgspec.defstruct("Fields", fields)
        self._names = frozenset(names)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(made)

    def __call__(self, raw: memoryview) -> bytes:
        """The JSON object with these fields only; Rejected where one of them is too large."""
        found = self._decoder.decode(raw)
        kept: dict[str, Raw] = {}
        for name in self._names:
            value = getattr(found, name)
            if value is UNSET:
                continue
            if len(memoryview(value)) > LARGEST_FIELD_BYTES:
                raise Rejected(
                    "too_long", f"{name}: at most {LARGEST_FIELD_BYTES} bytes, whatever it is."
                )
            kept[name] = value
        return msgspec.json.encode(kept)

    def others(self, raw: memoryview, most: int) -> tuple[int, list[str]]:
        """How many other fields it has, as far as they were looked for, and the first names."""
        depth = count = 0
        names: list[str] = []
        for number, found in enumerate(_TOKEN.finditer(raw)):
            opening = raw[found.start()]
            if opening in b"[{":
                depth += 1
            elif opening in b"]}":
                depth -= 1
            elif depth == 1 and found.start(2) >= 0:
                name = bytes(raw[found.start(1) : min(found.end(1), found.start(1) + 200)])
                if (text := name.decode(errors="replace")) not in self._names:
                    count += 1
                    if len(names) < most:
                        names.append(text)
            if number > _MOST_TOKENS:
                break
        return count, names


def mended_view(raw: memoryview) -> memoryview | None:
    """An element without half surrogate pairs; None where it had none."""
    return raw if not raw.readonly and mend_surrogates(raw) else None


def reduced(
    reduce: Callable[[memoryview], bytes],
    raw: memoryview,
    mend: Callable[[memoryview], memoryview | None] = mended_view,
) -> bytes:
    """A large element by its fields; Rejected where it is no JSON or a field is too large."""
    try:
        return reduce(raw)
    except ValidationError as error:
        raise rejected_by_schema(error) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None
    except DecodeError as error:
        mended = mend(raw)
        if mended is None:
            raise _unreadable(error) from None
    return reduced(reduce, mended, lambda raw: None)


def legible(read: Callable[[bytes], _Read], raw: bytes) -> _Read:
    """What `read` makes of an element, mended where it has to be; Rejected where it is no JSON."""
    try:
        return read(raw)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        mended = without_unpaired_surrogates(raw)
        if mended == raw:
            raise _unreadable(error) from None
    try:
        return read(mended)
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(error) from None


def _unreadable(error: Exception) -> Rejected:
    return Rejected("malformed_json", f"This is no readable JSON: {error}.")
