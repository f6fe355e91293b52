"""Half surrogate pairs in JSON: what is left of an emoji where a client cut a text."""

from __future__ import annotations

import re

ESCAPED_NUL = b"\\u0000"
# Escapes one after another, so that the u of an escaped backslash is not mistaken for one.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)


def without_unpaired_surrogates(body: bytes) -> bytes:
    """The body with NUL in their place: no decoder takes them, and NUL is dealt with anyway."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPE.sub(lambda escape: ESCAPED_NUL if escape[1] else escape[0], body)
