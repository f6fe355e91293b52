"""Request bodies: received, and decompressed no further than the limit."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import zstandard

from ingest.problems import Problem, unavailable

MAX_BODY_BYTES = 64 * 2**20
# A frame that asks for a larger window than this is refused by the decoder.
MAX_ZSTD_WINDOW = 2**27
# Four bytes of a frame can stand for 128 KiB, and all that a slice stands for comes at once.
_ZSTD_SLICE = 1024

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientGone(Exception):
    """The client went away before its body was here; there is nobody to answer."""


class ReceiveBudget:
    """Bytes of bodies held by this process at one time, so that many large ones cannot fill it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0

    def take(self, count: int) -> None:
        if self._held + count > self._limit:
            raise unavailable("Too many large bodies at once; send this one again.")
        self._held += count

    def give_back(self, count: int) -> None:
        self._held -= count


async def receive_body(
    receive: Receive,
    headers: Mapping[bytes, bytes],
    budget: ReceiveBudget,
    limit: int = MAX_BODY_BYTES,
) -> bytes:
    """The body as it came, still compressed; Problem 413 beyond the limit, 503 over the budget.

    The caller gives the body's length back to the budget when it is done with it.
    """
    announced = headers.get(b"content-length", b"")
    # As long as a number can be, so that reading it costs nothing.
    if announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise too_large(limit)
    pieces: list[bytes] = []
    size = 0
    try:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            piece = message.get("body", b"")
            budget.take(len(piece))
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            pieces.append(piece)
            if not message.get("more_body", False):
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except BaseException:
        budget.give_back(size)
        raise


def too_large(limit: int) -> Problem:
    return Problem(413, f"More than {limit} bytes, decompressed. Send less at once.")


def decompress(body: bytes, encoding: str, limit: int = MAX_BODY_BYTES) -> bytes:
    """The body behind its Content-Encoding; Problem 400 when damaged, 413 beyond the limit."""
    if encoding in {"", "identity"}:
        return body
    if encoding in {"gzip", "x-gzip"}:
        return _inflate(body, limit, "gzip", wbits=31)
    if encoding == "deflate":
        return _inflate(body, limit, "deflate", wbits=15)
    if encoding == "zstd":
        return _unzstd(body, limit)
    raise Problem(
        415,
        f"Content-Encoding {encoding[:40]!r}: send gzip, deflate or zstd.",
        accept_encoding="gzip, deflate, zstd",
    )


def _inflate(body: bytes, limit: int, name: str, wbits: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    rest = body
    try:
        while rest or not pieces:  # a gzip file may be several members, one after another
            member = zlib.decompressobj(wbits)
            while not member.eof:
                piece = member.decompress(rest, limit - size + 1)
                rest = member.unconsumed_tail
                size += len(piece)
                if size > limit:
                    raise too_large(limit)
                if not piece and not rest and not member.eof:
                    raise Problem(400, f"The {name} body ends too early.")
                pieces.append(piece)
            rest = member.unused_data
    except zlib.error as error:
        raise Problem(400, f"The body is no {name}: {error}.") from None
    return b"".join(pieces)


def _unzstd(body: bytes, limit: int) -> bytes:
    """zstandard's own stream reader takes a truncated body for a whole one, so not that."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
    pieces: list[bytes] = []
    size = 0
    frame = decompressor.decompressobj()
    try:
        for start in range(0, len(body), _ZSTD_SLICE):
            rest = body[start : start + _ZSTD_SLICE]
            while rest:  # a zstd file may be several frames, one after another
                if frame.eof:
                    frame = decompressor.decompressobj()
                piece = frame.decompress(rest)
                rest = frame.unused_data if frame.eof else b""
                size += len(piece)
                if size > limit:
                    raise too_large(limit)
                pieces.append(piece)
    except zstandard.ZstdError as error:
        raise Problem(400, f"The body is no zstd: {error}.") from None
    if not frame.eof:
        raise Problem(400, "The zstd body ends too early.")
    return b"".join(pieces)
