"""LiteLLM's generic API callback: POST /api/v1/ingest/litellm.

A body is one StandardLoggingPayload, an array of them, or one a line, always sent as
application/json. LiteLLM forgets a batch that is answered anything but 5xx, so what is wrong with
one payload is said in the answer of 200, and a limit that is reached is answered 503, not 429.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import DecodeError, Raw, ValidationError

from ingest.buffers import Body, forget, mapped, shortened, windows
from ingest.doors import large
from ingest.doors.arrays import MAX_EVENTS, Elements, too_many_events
from ingest.doors.door import (
    Answer,
    Decoded,
    Door,
    Format,
    Headers,
    Read,
    gathered,
    problem_json,
    result,
)
from ingest.doors.litellm.labels import text
from ingest.doors.litellm.payload import Payload, fields_of
from ingest.doors.native import legibly
from ingest.doors.surrogates import mended_surrogates, without_unpaired_surrogates
from ingest.events import Event
from ingest.problems import Problem
from ingest.rejections import Rejected, Rejection, rejected_by_schema

SHAPES = "send LiteLLM's log_format json_array, ndjson or single"
_PAYLOAD = Elements(Payload)
_RAW = Elements(Raw)
_REDUCED = large.Reduced([each.encode_name for each in msgspec.structs.fields(Payload)])
# How events are shown as examples of what was refused.
_encode = msgspec.json.Encoder(decimal_format="number").encode


def read(body: bytes) -> Decoded:
    """Events of the body's model calls; Problem 400 when it is no JSON at all."""
    return legibly(_read, body, SHAPES, _legible)


def _read(body: bytes) -> Decoded:
    if body[:1] == b"[":
        try:
            return _events(enumerate(_PAYLOAD.array(body)))
        except ValidationError:
            return _events(enumerate(_RAW.array(body)))
    try:
        return _events([(0, _RAW.one(body)[0])])
    except DecodeError:
        lines = [line for line in body.split(b"\n") if line and not line.isspace()]
        if len(lines) < 2:
            raise
    if len(lines) > MAX_EVENTS:
        raise too_many_events()
    return _events(enumerate(lines))


def _events(payloads: Iterable[tuple[int, Payload | Raw | bytes]]) -> Decoded:
    return gathered(read_one(index, given) for index, given in payloads)


def read_one(index: int, given: Payload | Raw | bytes) -> Read:
    """One payload as an event; neither that nor a rejection where it is no model call."""
    name: str | None = None
    fields: dict[str, Any] | None = None
    try:
        payload = given if isinstance(given, Payload) else _payload(bytes(given))
        if payload is None:
            return Read(index, None)
        name = text(payload.litellm_call_id) or None
        fields = fields_of(payload)
        return Read(index, None if fields is None else msgspec.convert(fields, Event))
    except ValidationError as error:
        refused = rejected_by_schema(error)
    except Rejected as error:
        refused = error
    rejection = Rejection(index, name, refused.reason, refused.detail)
    return Read(index, None, rejection, _shown(given, fields))


def stream(body: Body, headers: Headers) -> Iterator[Read]:
    """A large body, payload by payload; one that holds several lines is NDJSON."""
    if large.begins_with(body, b"["):
        pieces = large.elements(body, mend=_legible_body)
    else:
        pieces = large.lines(body)
    for piece in pieces:
        try:
            is_large = len(piece.raw) > large.LARGE_EVENT_BYTES
            raw = (
                large.reduced(_REDUCED, piece.raw, _legible_view) if is_large else bytes(piece.raw)
            )
            yield read_one(piece.place, raw)._replace(size=len(piece.raw))
        except Rejected as error:
            rejection = Rejection(piece.place, None, error.reason, error.detail)
            yield Read(piece.place, None, rejection, size=len(piece.raw))


def _shown(given: Payload | Raw | bytes, fields: dict[str, Any] | None) -> bytes:
    """What a sample is made of: the event as it would have been, else what came."""
    if fields is not None:
        return _encode(fields)
    return b"" if isinstance(given, Payload) else bytes(given)


def _payload(raw: bytes) -> Payload | None:
    """None for the null that LiteLLM puts where it could not make a payload."""
    if raw == b"null":
        return None
    try:
        payload: Payload = _PAYLOAD.one(raw)[0]
    except ValidationError as error:
        if "startTime" in str(error):
            raise Rejected(
                "invalid_timestamp", "startTime: LiteLLM's seconds since 1970, as a number."
            ) from None
        raise
    except (DecodeError, UnicodeDecodeError, RecursionError) as error:
        legible = _legible(raw)
        if legible == raw:
            detail = f"This line is no readable JSON: {error}."
            raise Rejected("malformed_json", detail) from None
        return _payload(legible)
    return payload


_QUOTE = ord('"')
_WINDOW = 2**20
_MOST_NANS = 2**20
_MOST_MENDED_BYTES = 8 * 2**20
# Python's json writes what JSON does not have: half a surrogate pair, NaN, infinities. Strings are
# matched whole, so that only what stands outside of them is taken for a number; possessively, since
# what could be tried again would be remembered, 80 bytes for each of the string's.
_STRING_OR_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?\b(?:Infinity|NaN)\b')


def _legible(body: bytes) -> bytes:
    """The body with NULs for half surrogate pairs and null for what is no number."""
    body = without_unpaired_surrogates(body)
    if b"NaN" not in body and b"Infinity" not in body:
        return body
    return b"".join(_with_nulls(body))


def _legible_view(raw: memoryview) -> memoryview | None:
    """The same of one large payload; None where there is nothing to mend."""
    mended = large.mended_view(raw)
    if len(raw) > _MOST_MENDED_BYTES:
        return mended
    given = bytes(raw)
    legible = _legible(given)
    return mended if legible == given else memoryview(legible)


def _legible_body(body: Body) -> Body:
    """The same of a large body, which is given back to the system as it is copied."""
    body = mended_surrogates(body)
    if isinstance(body, bytes) or (body.find(b"NaN") < 0 and body.find(b"Infinity") < 0):
        return body
    # Each NaN becomes a byte longer; where two windows meet there may be another one.
    longer = sum(window.count(b"NaN") + 1 for window in windows(body, _WINDOW))
    if longer > _MOST_NANS:
        raise Problem(413, f"More than {_MOST_NANS} times NaN. Send less at once.")
    mended = mapped(len(body) + longer)
    at = read = 0
    for piece in _with_nulls(body):
        mended[at : at + len(piece)] = piece
        at += len(piece)
        if at - read > _WINDOW:
            read = at
            forget(body, max(at - longer, 0))
    return shortened(mended, at)


def _with_nulls(body: Body) -> Iterator[bytes]:
    """The body piece by piece, with null for what is no number."""
    done = 0
    for found in _STRING_OR_NUMBER.finditer(body):
        is_number = body[found.start()] != _QUOTE
        if is_number or found.end() - done > _WINDOW:
            end = found.start() if is_number else found.end()
            for start in range(done, end, _WINDOW):
                yield body[start : min(start + _WINDOW, end)]
            done = found.end()
        if is_number:
            yield b"null"
    for start in range(done, len(body), _WINDOW):
        yield body[start : start + _WINDOW]


def _refuse(problem: Problem, content_type: str) -> Answer:
    """LiteLLM sends again after 5xx only, so a limit that is reached is told as 503."""
    if problem.status == 429:
        problem = Problem(503, problem.detail, **problem.headers)
    return problem_json(problem, content_type)


_FORMAT = Format("litellm", lambda body, headers, source: read(bytes(body)), stream)
LITELLM = Door(
    path="/api/v1/ingest/litellm",
    formats=dict.fromkeys(
        ("application/json", "application/x-ndjson", "application/ndjson"), _FORMAT
    ),
    answer=result,
    refuse=_refuse,
)
