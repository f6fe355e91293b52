"""How far a channel's address may lead: what finops.outbound lets pass, as the settings say."""

from __future__ import annotations

from django.conf import settings

from finops.outbound import Bounds

SECONDS = 15.0
MOST_BYTES = 64 * 1024


def bounds() -> Bounds:
    return Bounds(
        most_bytes=MOST_BYTES, seconds=SECONDS, permitted=settings.ALLOWED_PRIVATE_ADDRESSES
    )
