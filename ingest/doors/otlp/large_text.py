"""Large OTLP bodies in JSON: a span at a time, each without its largest attributes.

Decoded whole, texts of prompts and answers would take up to four times the body. What is left out
here is left out of large spans in protobuf as well.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import TypeGuard

import msgspec
from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError

from ingest.buffers import windows
from ingest.doors.arrays import raw_elements
from ingest.doors.large import LARGE_EVENT_BYTES, Reduced, reduced
from ingest.doors.otlp.protobuf import LARGE_FIELD_BYTES, LARGE_SPAN_BYTES
from ingest.doors.surrogates import mended_surrogates, without_unpaired_surrogates

_WINDOW = 2**20


class _Object(Struct, gc=False):
    pass


class _Shape(Struct, rename="camel"):
    spans: list[_Object] | None = None
    log_records: list[_Object] | None = None


class _ShapeOfResource(Struct, rename="camel"):
    scope_spans: list[_Shape] | None = None
    scope_logs: list[_Shape] | None = None


class _ShapeOfBody(Struct, rename="camel"):
    resource_spans: list[_ShapeOfResource] | None = None
    resource_logs: list[_ShapeOfResource] | None = None


class _Scope(Struct, rename="camel"):
    spans: list[Raw] | None = None
    log_records: list[Raw] | None = None


class _Resource(Struct, rename="camel"):
    resource: Raw | UnsetType = UNSET
    scope_spans: list[_Scope] | None = None
    scope_logs: list[_Scope] | None = None


class _Body(Struct, rename="camel"):
    resource_spans: list[_Resource] | None = None
    resource_logs: list[_Resource] | None = None


class _Lists(Struct):
    attributes: Raw | UnsetType = UNSET
    events: Raw | UnsetType = UNSET


_SHAPE = msgspec.json.Decoder(_ShapeOfBody)
_BODY = msgspec.json.Decoder(_Body)
_LISTS = msgspec.json.Decoder(_Lists)
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_SHORT = Reduced(
    [
        *("traceId", "spanId", "parentSpanId", "startTimeUnixNano", "endTimeUnixNano", "status"),
        *("timeUnixNano", "observedTimeUnixNano", "eventName"),
    ]
)


def objects(body: mmap.mmap) -> int:
    """As many as there can be."""
    return sum(window.count(b"{") for window in windows(body, _WINDOW))


def read(body: mmap.mmap) -> Iterator[tuple[bytes | None, Iterator[bytes]]]:
    """Each resource with its spans or log records, as JSON. Raises MsgspecError."""
    try:
        _SHAPE.decode(body)  # so that what is a list of numbers is not made a list of anything
    except ValidationError:
        raise
    except DecodeError:
        _SHAPE.decode(mended_surrogates(body))  # where it lies
    found = _BODY.decode(body)
    for group in [*(found.resource_spans or ()), *(found.resource_logs or ())]:
        resource = _small(memoryview(group.resource)) if _says(group.resource) else None
        scopes = [*(group.scope_spans or ()), *(group.scope_logs or ())]
        yield (
            resource,
            (
                _small(memoryview(raw))
                for scope in scopes
                for raw in [*(scope.spans or ()), *(scope.log_records or ())]
            ),
        )


def _says(given: Raw | UnsetType) -> TypeGuard[Raw]:
    """Of `Raw | None` msgspec takes null only."""
    return given is not UNSET and bytes(memoryview(given)[:5]) != b"null"


def _small(raw: memoryview) -> bytes:
    if len(raw) <= LARGE_EVENT_BYTES:
        return without_unpaired_surrogates(bytes(raw))
    return without_unpaired_surrogates(reduced(_pruned, raw))


def _pruned(raw: memoryview) -> bytes:
    kept = _FIELDS.decode(_SHORT(raw))
    lists = _LISTS.decode(raw)
    for name in ("attributes", "events"):
        given = getattr(lists, name)
        if _says(given):
            kept[name] = Raw(msgspec.json.encode(_short(raw_elements(memoryview(given)))))
    return msgspec.json.encode(kept)


def _short(elements: list[Raw]) -> list[Raw]:
    """Those that are not large themselves, up to what is large together."""
    kept: list[Raw] = []
    size = 0
    for raw in elements:
        length = len(memoryview(raw))
        if length <= LARGE_FIELD_BYTES and size < LARGE_SPAN_BYTES:
            kept.append(raw)
            size += length
    return kept
