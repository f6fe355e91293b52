"""Request bodies: received, no further than the limit, and within the memory there is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from ingest.buffers import SMALL_BYTES, Body, mapped, shortened
from ingest.memory import Share
from ingest.problems import Problem, unavailable

MAX_BODY_BYTES = 64 * 2**20
# Whoever sends slower than this keeps room from others.
PATIENCE_SECONDS = 20.0
SLOWEST_BYTES_PER_SECOND = 2**20
PACE_SECONDS = 2.0
_FIRST_ROOM = 2 * 2**20

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
                return await _receive_large(receive, share, [], size, patience, is_announced=True)
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
            return await _receive_large(
                receive, share, [*pieces, piece], limit, patience, is_announced=False
            )
        share.add(len(piece))
        pieces.append(piece)
        if is_last:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def _receive_large(
    receive: Receive,
    share: Share,
    begun: list[bytes],
    most: int,
    patience: asyncio.Timeout,
    *,
    is_announced: bool,
) -> Body:
    """Room for what is announced is waited for at once, and else for twice what has come."""
    patience.reschedule(None)
    room = most if is_announced else min(_FIRST_ROOM, most)
    await share.wait_for(room)
    seconds = PATIENCE_SECONDS + most / SLOWEST_BYTES_PER_SECOND
    patience.reschedule(asyncio.get_running_loop().time() + seconds)
    body = mapped(most)
    size = 0
    for piece in begun:
        body[size : size + len(piece)] = piece
        size += len(piece)
    pace = _Pace(share, size)
    while True:
        piece, is_last = await _paced_piece(receive, pace, size)
        if size + len(piece) > most:
            raise too_large(most)
        while size + len(piece) > room:
            more = min(room, most - room)
            await share.wait_for(more)
            room += more
            pace = _Pace(share, size)
        body[size : size + len(piece)] = piece
        size += len(piece)
        if is_last:
            share.hold(size)
            share.dismiss(room - size)
            return shortened(body, size)


class _Pace:
    """Looks whether a body comes fast enough where others wait for the room that it has."""

    def __init__(self, share: Share, size: int) -> None:
        self._share = share
        self._size = size
        self._since = time.monotonic()

    def look(self, size: int) -> None:
        """TimeoutError where it does not."""
        seconds = time.monotonic() - self._since
        if seconds < PACE_SECONDS:
            return
        is_slow = size - self._size < seconds * SLOWEST_BYTES_PER_SECOND
        if is_slow and self._share.keeps_others_waiting:
            raise TimeoutError
        self._since, self._size = time.monotonic(), size


async def _paced_piece(receive: Receive, pace: _Pace, size: int) -> tuple[bytes, bool]:
    while True:
        pace.look(size)
        try:
            async with asyncio.timeout(PACE_SECONDS):
                return await _piece(receive)
        except TimeoutError:
            continue


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message.get("body", b""), not message.get("more_body", False)


def too_large(limit: int) -> Problem:
    return Problem(413, f"More than {limit} bytes, decompressed. Send less at once.")
