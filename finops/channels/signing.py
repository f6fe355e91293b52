"""Signatures of webhooks, as the Standard Webhooks specification has them, so that its libraries
verify them: webhook-id, webhook-timestamp, and HMAC-SHA256 over both and the body.

While a key is being replaced there are two signatures, parted by a space: a receiver takes either.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"


def new_key() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def renewed(secret: Mapping[str, str], key: str, former_until: datetime) -> dict[str, str]:
    """The secret of a webhook with another key; its own signs beside that one until then."""
    until = former_until.isoformat()
    return {**secret, "key": key, "former": secret["key"], "former_until": until}


def without_former(secret: Mapping[str, str]) -> dict[str, str]:
    return {name: held for name, held in secret.items() if not name.startswith("former")}


def former_until(secret: Mapping[str, str], at: datetime) -> datetime | None:
    """Until when the key before signs too; None where it does not, or not any more."""
    written = secret.get("former_until")
    until = datetime.fromisoformat(written) if written else None
    return until if until and at < until else None


def keys_of(secret: Mapping[str, str], at: datetime) -> list[str]:
    """Those that sign at this moment, the newest first."""
    former = [secret["former"]] if former_until(secret, at) else []
    return [secret["key"], *former]


def signed(keys: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers. `keys` are what new_key has made."""
    stamp = str(int(at.timestamp()))
    content = b".".join((message_id.encode(), stamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signature(key, content) for key in keys),
    }


def signature(key: str, content: bytes) -> str:
    digest = hmac.new(base64.b64decode(key.removeprefix(PREFIX)), content, sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
