"""Signatures of webhooks, as the Standard Webhooks specification has them, so that its libraries
verify them: webhook-id, webhook-timestamp, and HMAC-SHA256 over both and the body."""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"


def new_key() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(key: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers. `key` is what new_key has made."""
    stamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), stamp.encode(), body))
    digest = hmac.new(base64.b64decode(key.removeprefix(PREFIX)), content, sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
