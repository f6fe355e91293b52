"""Content-Encodings: decompressed a piece at a time, and no further than the limit."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from mmap import mmap

import zstandard

from ingest.bodies import MAX_BODY_BYTES, too_large
from ingest.buffers import SMALL_BYTES, Body, mapped, windows
from ingest.memory import Share
from ingest.problems import Problem

# A frame that asks for a larger window than this is refused by the decoder; it holds so much.
MAX_ZSTD_WINDOW = 2**23
# Four bytes of a frame can stand for 128 KiB, and all that a slice stands for comes at once.
_ZSTD_SLICE = 1024
_SLICE = 64 * 1024
_PIECE = 256 * 1024


def decompress(body: Body, encoding: str, share: Share, limit: int = MAX_BODY_BYTES) -> Body | int:
    """The body behind its Content-Encoding, its bytes held by `share`; of a large one how many
    they are, for which room has to be waited before it is `inflated`. Problem 400 when damaged,
    413 beyond the limit, 503 where there is no room for it.
    """
    if encoding in {"", "identity"}:
        return body
    pieces: list[bytes] = []
    size = 0
    for piece in _pieces(body, encoding):
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        if size <= SMALL_BYTES:
            pieces.append(piece)
    if size > SMALL_BYTES:
        return size
    share.add(size)
    return b"".join(pieces)


def inflated(body: Body, encoding: str, size: int) -> mmap:
    """A large body of this size, decompressed once more: now there is room for it."""
    plain, at = mapped(size), 0
    for piece in _pieces(body, encoding):
        plain[at : at + len(piece)] = piece
        at += len(piece)
    return plain


def _pieces(body: Body, encoding: str) -> Iterator[bytes]:
    if encoding in {"gzip", "x-gzip"}:
        return _inflated(body, "gzip", wbits=31)
    if encoding == "deflate":
        return _inflated(body, "deflate", wbits=15)
    if encoding == "zstd":
        return _unzstd(body)
    raise Problem(
        415,
        f"Content-Encoding {encoding[:40]!r}: send gzip, deflate or zstd.",
        accept_encoding="gzip, deflate, zstd",
    )


def _inflated(body: Body, name: str, wbits: int) -> Iterator[bytes]:
    """A gzip file may be several members, one after another."""
    member = zlib.decompressobj(wbits)
    try:
        for rest in windows(body, _SLICE):
            while rest:
                if member.eof:
                    member = zlib.decompressobj(wbits)
                yield member.decompress(rest, _PIECE)
                rest = member.unused_data if member.eof else member.unconsumed_tail
        while not member.eof:
            piece = member.decompress(b"", _PIECE)
            if not piece:
                raise Problem(400, f"The {name} body ends too early.")
            yield piece
    except zlib.error as error:
        raise Problem(400, f"The body is no {name}: {error}.") from None


def _unzstd(body: Body) -> Iterator[bytes]:
    """zstandard's own stream reader takes a truncated body for a whole one, so not that."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
    frame = decompressor.decompressobj()
    try:
        for rest in windows(body, _ZSTD_SLICE):
            while rest:  # a zstd file may be several frames, one after another
                if frame.eof:
                    frame = decompressor.decompressobj()
                yield frame.decompress(rest)
                rest = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise Problem(400, f"The body is no zstd: {error}.") from None
    if not frame.eof:
        raise Problem(400, "The zstd body ends too early.")
