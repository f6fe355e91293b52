"""Bodies in memory: small ones as bytes, large ones in memory mapped for each.

That is the system's again at once, piece by piece as it is read.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

# A larger body is read an event at a time, by a thread of its own, and waits for room before.
SMALL_BYTES = 384 * 1024
_PRIVATE = getattr(mmap, "MAP_PRIVATE", 0) | getattr(mmap, "MAP_ANONYMOUS", 0)
_UNUSED = getattr(mmap, "MADV_DONTNEED", None)

Body = bytes | mmap.mmap


def mapped(size: int) -> mmap.mmap:
    """Memory that takes none before it is written to."""
    return mmap.mmap(-1, size, flags=_PRIVATE) if _PRIVATE else mmap.mmap(-1, size)


def shortened(body: mmap.mmap, size: int) -> Body:
    if size == len(body):
        return body
    if size <= SMALL_BYTES:
        return body[:size]
    try:
        body.resize(size)
    except (SystemError, ValueError, OSError):  # not on every system
        exact = mapped(size)
        exact[:] = body[:size]
        return exact
    return body


def forget(body: Body, end: int) -> None:
    """Give the pages before `end` back to the system; nobody reads them any more."""
    if isinstance(body, mmap.mmap) and _UNUSED is not None:
        whole = end // mmap.PAGESIZE * mmap.PAGESIZE
        if whole:
            body.madvise(_UNUSED, 0, whole)


def windows(body: Body, size: int) -> Iterator[bytes]:
    """The body piece by piece."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
