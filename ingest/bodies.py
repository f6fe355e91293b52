"""Request bodies: received, no further than the limit, and within the memory there is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from ingest.buffers import SMALL_BYTES, Body, mapped, shortened
from ingest.memory import Share
from ingest.problems import Problem, unavailable

MAX_BODY_BYTES = 64 * 2**20
# Whoever sends slower than this keeps room from others.
PATIENCE_SECONDS = 20.0
SLOWEST_BYTES_PER_SECOND = 2**20

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class ClientGone(Exception):
    """The client went away before its body was here; there is nobody to answer."""


async def receive_body(
    receive: Receive,
    headers: Mapping[bytes, bytes],
    share: Share,
    limit: int = MAX_BODY_BYTES,
) -> Body:
    """The body as it came, still compressed, its bytes held by `share`; Problem 413 beyond the
    limit, 503 where there is no room for it or it comes too slowly."""
    announced = headers.get(b"content-length", b"")
    # As long as a number can be, so that reading it costs nothing.
    if announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise too_large(limit)
    size = int(announced) if announced.isdigit() else None
    try:
        async with asyncio.timeout(PATIENCE_SECONDS) as patience:
            if size is not None and size > SMALL_BYTES:
                return await _receive_large(receive, share, [], size, patience)
            return await _receive_small(receive, share, limit, patience)
    except TimeoutError:
        raise unavailable("The body took too long to arrive. Send it again.") from None


async def _receive_small(
    receive: Receive, share: Share, limit: int, patience: asyncio.Timeout
) -> Body:
    pieces: list[bytes] = []
    size = 0
    while True:
        piece, is_last = await _piece(receive)
        size += len(piece)
        if size > limit:
            raise too_large(limit)
        if size > SMALL_BYTES and not is_last:  # nobody announced how large it will be
            return await _receive_large(receive, share, [*pieces, piece], limit, patience)
        share.add(len(piece))
        pieces.append(piece)
        if is_last:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _receive_large(
    receive: Receive, share: Share, begun: list[bytes], most: int, patience: asyncio.Timeout
) -> Body:
    patience.reschedule(None)
    await share.wait_for(most)
    seconds = PATIENCE_SECONDS + most / SLOWEST_BYTES_PER_SECOND
    patience.reschedule(asyncio.get_running_loop().time() + seconds)
    body = mapped(most)
    size = 0
    for piece in begun:
        body[size : size + len(piece)] = piece
        size += len(piece)
    while True:
        piece, is_last = await _piece(receive)
        if size + len(piece) > most:
            raise too_large(most)
        body[size : size + len(piece)] = piece
        size += len(piece)
        if is_last:
            return shortened(body, size)


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), not message.get("more_body", False)


def too_large(limit: int) -> Problem:
    return Problem(413, f"More than {limit} bytes, decompressed. Send less at once.")
