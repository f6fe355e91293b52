"""What opens the other side of a channel, kept so that the database alone does not tell it.

Encrypted by Fernet (AES-128 and HMAC-SHA256) under a key that follows from SECRET_KEY, which lies
outside of the database. With another SECRET_KEY the secrets are lost and have to be entered again.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unreadable(ValueError):
    """The secret was written under another SECRET_KEY."""

    def __init__(self) -> None:
        super().__init__(
            "SECRET_KEY is not the one that this channel's address was stored under. Enter the "
            "address again."
        )


def seal(secret: Mapping[str, str]) -> bytes:
    return _fernet().encrypt(json.dumps(dict(secret), sort_keys=True).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """Raises Unreadable."""
    if not sealed:
        return {}
    try:
        found = json.loads(_fernet().decrypt(bytes(sealed)))
    except InvalidToken:
        raise Unreadable from None
    return {str(name): str(value) for name, value in found.items()}


def masked(url: str) -> str:
    """What may be shown of an address: host and port, and the end, by which its owner knows it."""
    parts = urlsplit(url)
    rest = url.partition("://")[2].partition("/")[2]
    host = parts.netloc.rpartition("@")[2]
    end = rest[-4:] if len(rest) >= 16 else ""
    return f"{parts.scheme}://{host}/…{end}" if rest else f"{parts.scheme}://{host}"


def masked_service(url: str) -> str:
    """Of apprise's addresses, in which the host may be a token: the service alone."""
    return f"{url.partition('://')[0]}://…"


def _fernet() -> Fernet:
    key = hmac.new(settings.SECRET_KEY.encode(), b"finops.channels.secrets", sha256).digest()
    return Fernet(base64.urlsafe_b64encode(key))
