"""Half surrogate pairs in JSON: what is left of an emoji where a client cut a text."""

from __future__ import annotations

import re

ESCAPED_NUL = b"\\u0000"
_LENGTH = len(ESCAPED_NUL)
# With all backslashes before it: after an even number of them it is no escape but text.
_HALF = re.compile(rb"(?<!\\)\\+u[dD](?:([89abAB])|[c-fC-F])[0-9a-fA-F]{2}")
_SECOND_HALF = re.compile(rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}")


def without_unpaired_surrogates(body: bytes) -> bytes:
    """The body with NUL in their place: no decoder takes them, and NUL is dealt with anyway."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    mended = bytearray(body)
    second_half = -1  # where the rest of a pair begins
    for found in _HALF.finditer(body):
        at = found.end() - _LENGTH
        if (at - found.start()) % 2 or at == second_half:
            continue
        if found[1] and _SECOND_HALF.match(body, found.end()):
            second_half = found.end()
        else:
            mended[at : at + _LENGTH] = ESCAPED_NUL
    return bytes(mended)
