"""CloudEvents 1.0: POST /api/v1/ingest/cloudevents, structured, batched or binary.

`data` holds the fields of an event, or OpenMeter's count of one kind of token,
{"tokens": 10, "model": "gpt-4o", "type": "input"}. The envelope says the rest: source and id are
its identity, time when it was, subject the user. A type other than llm.usage.v1 is read the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, ValidationError

from ingest.buffers import Body
from ingest.doors import large
from ingest.doors.arrays import Elements
from ingest.doors.door import (
    Decoded,
    Door,
    Format,
    Headers,
    Read,
    content_type_of,
    problem_json,
    result,
)
from ingest.doors.native import legibly, one_by_one, read_piece, refused
from ingest.events import FIELDS, Correction, Event, TranslatedEvent
from ingest.rejections import Rejected

SHAPES = "send a CloudEvent, an array of them, or one in binary mode with its ce- headers"
ID_CHARACTERS = 200
_REQUIRED = ("id", "source", "type", "specversion")
_PREFIX = b"ce-"
# Other words for our fields.
_ALIASES = {
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "cache_creation_tokens": "cache_creation_input_tokens",
    "reasoning_tokens": "reasoning_output_tokens",
}
# OpenMeter counts each kind of token in an event of its own, so none is part of another event's.
_KINDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("input", "prompt", "system"), ("input_tokens",)),
    **dict.fromkeys(("output", "completion"), ("output_tokens",)),
    **dict.fromkeys(
        ("cache_read", "cached", "cached_input"), ("input_tokens", "cache_read_input_tokens")
    ),
    **dict.fromkeys(
        ("cache_write", "cache_creation"), ("input_tokens", "cache_creation_input_tokens")
    ),
    "reasoning": ("output_tokens", "reasoning_output_tokens"),
}


class _Envelope(Struct, gc=False):
    id: Any = None
    source: Any = None
    type: Any = None
    specversion: Any = None
    subject: Any = None
    time: Any = None
    data: Raw | UnsetType = UNSET
    data_base64: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class _LargeData(Struct, gc=False):
    data: Raw | UnsetType = UNSET


_LARGE_DATA = msgspec.json.Decoder(_LargeData)
_REDUCED_ENVELOPE = large.Reduced([*_REQUIRED, "subject", "time", "data_base64"])
_REDUCED_DATA = large.Reduced([*FIELDS, *_ALIASES, "tokens", "type", "corrects"])
_RAW = Elements(Raw)
_DATA = msgspec.json.Decoder(dict[str, Raw])
_ANYTHING = msgspec.json.Decoder(Any)
_encode = msgspec.json.encode


def read(body: bytes, headers: Headers, now: datetime) -> Decoded:
    """Events of a body in any of the three modes; Problem 400 when it is no JSON at all.

    `now` is when those happened that do not say it.
    """
    undated: set[str] = set()
    native_of = partial(_native_of, now=now, undated=undated)
    content_type = headers.get(b"content-type", b"").lower()
    is_structured = content_type.lstrip().startswith(b"application/cloudevents")
    attributes = {} if is_structured else _attributes(headers)

    def read_events(body: bytes) -> Decoded:
        if attributes:
            [data] = _RAW.one(body)
            raws = [_encode({**attributes, "data": data})]
        else:
            raws = [bytes(raw) for raw in (_RAW.array if body[:1] == b"[" else _RAW.one)(body)]
        return one_by_one(enumerate(raws), native_of)

    decoded = legibly(read_events, body, SHAPES)
    if not undated:
        return decoded
    return decoded._replace(events=[_marked(event, undated) for event in decoded.events])


def _marked(event: Event, undated: Collection[str]) -> Event:
    """An event whose time is that of its arrival is another one each time it arrives, unless it is
    looked for on other days too."""
    if event.id not in undated:
        return event
    return TranslatedEvent(**msgspec.structs.asdict(event), undated=True)


def stream(body: Body, headers: Headers) -> Iterator[Read]:
    """A large body in any of the modes, an event at a time."""
    undated: set[str] = set()
    native_of = partial(_native_of, now=datetime.now(UTC), undated=undated)
    for read in _read_pieces(body, headers, native_of):
        if undated:
            event = read.event
            if event is not None and not isinstance(event, Correction):
                read = read._replace(event=_marked(event, undated))
            undated.clear()
        yield read


def _read_pieces(
    body: Body, headers: Headers, native_of: Callable[[bytes], bytes]
) -> Iterator[Read]:
    is_structured = content_type_of(headers).startswith("application/cloudevents")
    attributes = {} if is_structured else _attributes(headers)
    if attributes:
        yield _read_piece(large.Piece(0, memoryview(body)), native_of, attributes)
        return
    for piece in large.elements(body):
        yield _read_piece(piece, native_of, {})._replace(size=len(piece.raw))


def _read_piece(
    piece: large.Piece, native_of: Callable[[bytes], bytes], attributes: dict[str, str]
) -> Read:
    try:
        if attributes:
            data = Raw(large.reduced(_REDUCED_DATA, piece.raw))
            raw = _encode({**attributes, "data": data})
        elif len(piece.raw) > large.LARGE_EVENT_BYTES:
            raw = large.reduced(_reduced, piece.raw)
        else:
            raw = bytes(piece.raw)
    except Rejected as error:
        return refused(piece.place, b"{}", error)
    return read_piece(piece.place, raw, native_of)


def _reduced(raw: memoryview) -> bytes:
    """A large CloudEvent with those fields of its data that are read."""
    data = _LARGE_DATA.decode(raw).data
    fields = _DATA.decode(_REDUCED_ENVELOPE(raw))
    if data is not UNSET:
        fields["data"] = Raw(_REDUCED_DATA(memoryview(data)))
    return _encode(fields)


def _attributes(headers: Headers) -> dict[str, str]:
    """What the ce- headers of binary mode say."""
    return {
        name.removeprefix(_PREFIX).decode("latin-1"): _header_value(value)
        for name, value in headers.items()
        if name.startswith(_PREFIX) and name != b"ce-data_base64"
    }


def _header_value(value: bytes) -> str:
    given = value.decode("utf-8", "replace").strip()
    if len(given) > 1 and given[0] == given[-1] == '"':
        given = given[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote(given, errors="replace")


def _native_of(raw: bytes, *, now: datetime, undated: set[str]) -> bytes:
    """One CloudEvent as an event of ours; Rejected, with the attribute's name, where it is none.

    The ids of those that do not say when they were are added to `undated`.
    """
    try:
        envelope = _ENVELOPE.decode(raw)
    except ValidationError:
        raise Rejected("wrong_type", f"event: this is no CloudEvent; {SHAPES}.") from None
    for name in _REQUIRED:
        value = getattr(envelope, name)
        if not isinstance(value, str) or not value:
            raise Rejected("missing_attribute", f"{name}: every CloudEvent needs one, a string.")
    if envelope.specversion != "1.0":
        raise Rejected("unknown_value", "specversion: only 1.0 is understood here.")
    fields = _data(envelope)
    event_id = identity(envelope.source, envelope.id)
    if envelope.time is None:
        undated.add(event_id)
    fields["id"] = Raw(_encode(event_id))
    if "corrects" in fields:
        fields["corrects"] = _corrected(envelope.source, fields["corrects"])
    fields["timestamp"] = Raw(_encode(now if envelope.time is None else envelope.time))
    if envelope.subject is not None:
        fields.setdefault("user", Raw(_encode(envelope.subject)))
    return _encode(fields)


def identity(source: str, event_id: str) -> str:
    """source|id; of a long source its digest. A source, being a URI, has no | of its own."""
    written = f"{source.replace('|', '%7C')}|{event_id}"
    if len(written) <= ID_CHARACTERS:
        return written
    digest = blake2b(source.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{digest}|{event_id}"


def _data(envelope: _Envelope) -> dict[str, Raw]:
    """The fields of the data, by our names."""
    data: bytes = b"" if envelope.data is UNSET else bytes(envelope.data)
    try:
        if envelope.data_base64 is not None:
            data = base64.b64decode(envelope.data_base64, validate=True)
        given = _DATA.decode(data or b"{}")
    except (DecodeError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
        raise Rejected("wrong_type", "data: write the fields of an event as an object.") from None
    if "tokens" in given:
        return _counted(given)
    return {_ALIASES.get(name, name): value for name, value in given.items()}


def _corrected(source: str, given: Raw) -> Raw:
    """The identity of the event of the same source that a settlement names."""
    named = _ANYTHING.decode(given)
    return Raw(_encode(identity(source, named))) if isinstance(named, str) and named else given


def _counted(given: dict[str, Raw]) -> dict[str, Raw]:
    """OpenMeter's count of one kind of token as our totals and parts."""
    given = dict(given)
    given.pop("response_id", None)  # which all of one answer's kinds of tokens share
    kind = _ANYTHING.decode(given.pop("type", Raw(b'"input"')))
    tokens: Any = _ANYTHING.decode(given.pop("tokens"))
    names = _KINDS.get(kind) if isinstance(kind, str) else None
    if names is None:
        raise Rejected("unknown_value", f"data.type: write one of {', '.join(_KINDS)}.")
    if isinstance(tokens, str) and tokens.isascii() and tokens.isdigit():
        tokens = int(tokens[:20])
    if isinstance(tokens, float) and tokens.is_integer():
        tokens = int(tokens)
    return {**given, **dict.fromkeys(names, Raw(_encode(tokens)))}


def _decode(body: Body, headers: Headers, source: str) -> Decoded:
    return read(bytes(body), headers, datetime.now(UTC))


_FORMAT = Format("cloudevents", _decode, stream)
CLOUDEVENTS = Door(
    path="/api/v1/ingest/cloudevents",
    formats=dict.fromkeys(
        (
            "application/cloudevents+json",
            "application/cloudevents-batch+json",
            "application/json",
        ),
        _FORMAT,
    ),
    answer=result,
    refuse=problem_json,
)
