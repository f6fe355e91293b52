"""JSON arrays of elements of one type, taken no further than the limit of a request."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ingest.problems import Problem

MAX_EVENTS = 10_000
# No valid event is shorter, so a smaller body cannot hold too many; and what a body of this size
# decodes to, however odd, does not hurt.
_SMALL_BODY = 57 * MAX_EVENTS


def too_many_events() -> Problem:
    return Problem(413, f"More than {MAX_EVENTS} events; send them in several requests.")


def _capped(element: Any) -> msgspec.json.Decoder[Any]:
    """Decodes the first MAX_EVENTS + 1 elements of an array and skips the rest.

    A plain list would be built whole before its length could be refused: 2 GB for 64 MiB of `1,`.
    """
    fields = [(f"e{i}", element | UnsetType, UNSET) for i in range(MAX_EVENTS + 1)]
    return msgspec.json.Decoder(msgspec.defstruct("Capped", fields, array_like=True, gc=False))


class Elements:
    """Decoders for one type of element: alone, in an array, in a long array."""

    def __init__(self, element: Any) -> None:
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(element)
        self._array: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[element])
        self._capped = _capped(element)

    def one(self, body: bytes) -> list[Any]:
        return [self._one.decode(body)]

    def array(self, body: bytes) -> list[Any]:
        """All elements; Problem 413 when there are more than MAX_EVENTS."""
        if len(body) <= _SMALL_BODY:
            elements = self._array.decode(body)
        else:
            found = msgspec.structs.astuple(self._capped.decode(body))
            elements = list(found if found[-1] is not UNSET else found[: found.index(UNSET)])
        if len(elements) > MAX_EVENTS:
            raise too_many_events()
        return elements
