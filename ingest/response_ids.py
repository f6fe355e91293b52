"""A provider's id of its answer, written alike by whatever tells of it."""

from __future__ import annotations

import base64
from hashlib import blake2b

# How "litellm:" begins in base64.
_PACKED = "bGl0ZWxsbTp"
LONGEST_RESPONSE_ID = 2000
LONGEST = 200


def response_name(given: str) -> str:
    """At most 200 characters: unpacked where LiteLLM packed it up, with the deployment that
    answered, and of what is longer still the digest."""
    packed = given.removeprefix("resp_")
    if packed.startswith(_PACKED) and len(packed) <= LONGEST_RESPONSE_ID:
        try:
            _, found, own = base64.b64decode(packed).decode().partition("response_id:")
        except ValueError:  # of base64 and of UTF-8
            found, own = "", ""
        given = own.strip() if found and own.strip() else given
    if len(given) <= LONGEST:
        return given
    return blake2b(given.encode(errors="surrogatepass"), digest_size=16).hexdigest()
