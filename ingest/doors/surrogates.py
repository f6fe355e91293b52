"""Half surrogate pairs in JSON: what is left of an emoji where a client cut a text."""

from __future__ import annotations

import re
from mmap import mmap

from ingest.buffers import Body

ESCAPED_NUL = b"\\u0000"
_LENGTH = len(ESCAPED_NUL)
# It begins with what is plain text, so that it is looked for fast.
_HALF = re.compile(rb"\\u[dD](?:([89abAB])|[c-fC-F])[0-9a-fA-F]{2}")
_SECOND_HALF = re.compile(rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_BACKSLASH = ord("\\")


def without_unpaired_surrogates(body: bytes) -> bytes:
    """The body with NUL in their place: no decoder takes them, and NUL is dealt with anyway."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    mended = bytearray(body)
    mend_surrogates(mended)
    return bytes(mended)


def mended_surrogates(body: Body) -> Body:
    """The same of a body that may be large, which is mended where it lies."""
    if isinstance(body, bytes):
        return without_unpaired_surrogates(body)
    mend_surrogates(body)
    return body


def mend_surrogates(body: bytearray | mmap | memoryview) -> bool:
    """The same in place, as NUL is as long; whether there were any."""
    was_mended = False
    second_half = -1  # where the rest of a pair begins
    for found in _HALF.finditer(body):
        at = found.start()
        if at == second_half or _is_escaped(body, at):
            continue
        if found[1] and _SECOND_HALF.match(body, found.end()):
            second_half = found.end()
        else:
            body[at : at + _LENGTH] = ESCAPED_NUL
            was_mended = True
    return was_mended


def _is_escaped(body: bytearray | mmap | memoryview, at: int) -> bool:
    """After an odd number of backslashes it is no escape but text."""
    before = at
    while before and body[before - 1] == _BACKSLASH:
        before -= 1
    return (at - before) % 2 == 1
