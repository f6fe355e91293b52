"""Names of end users as keyed hashes: equal for equal names, and of no use without the key."""

from __future__ import annotations

import hmac
import re

HASHED = re.compile(r"u_[0-9a-f]{24}")
_CHECKED = b"farthing: which key hashes the names of users"


def hashed(key: str, name: str) -> str:
    """What stands for a user's name: u_ and 24 hexadecimal digits of HMAC-SHA256."""
    return f"u_{hmac.digest(key.encode(), name.encode(), 'sha256').hex()[:24]}"


def key_check(key: str) -> str:
    """Tells keys apart without giving one away; kept where names are hashed."""
    return hmac.digest(key.encode(), _CHECKED, "sha256").hex()
