"""JSON arrays of elements of one type, taken no further than the limit of a request."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ingest.problems import Problem

MAX_EVENTS = 10_000


def too_many_events() -> Problem:
    return Problem(413, f"More than {MAX_EVENTS} events; send them in several requests.")


class Elements:
    """Decoders for one type of element, alone and in an array; of small bodies, since an array is
    built whole before its length can be refused."""

    def __init__(self, element: Any) -> None:
        self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(element)
        self._array: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[element])

    def one(self, body: bytes) -> list[Any]:
        return [self._one.decode(body)]

    def array(self, body: bytes) -> list[Any]:
        """All elements; Problem 413 when there are more than MAX_EVENTS."""
        elements = self._array.decode(body)
        if len(elements) > MAX_EVENTS:
            raise too_many_events()
        return elements


# Takes the first MAX_EVENTS + 1 elements of an array and skips the rest: as a plain list, 64 MiB
# of `1,` would take 2 GB. The type takes 3 MB, so there is one of it.
_CAPPED = msgspec.json.Decoder(
    msgspec.defstruct(
        "Capped",
        [(f"e{i}", Raw | UnsetType, UNSET) for i in range(MAX_EVENTS + 1)],
        array_like=True,
        gc=False,
    )
)


def raw_elements(body: bytes | memoryview) -> list[Raw]:
    """The elements of an array of any size, where they stand; Problem 413 for too many."""
    found = msgspec.structs.astuple(_CAPPED.decode(body))
    if found[-1] is not UNSET:
        raise too_many_events()
    return list(found[: found.index(UNSET)])
