"""How far a channel's address may lead: what finops.outbound lets pass, as the settings say."""

from __future__ import annotations

from django.conf import settings

from finops import outbound
from finops.channels import outcomes
from finops.channels.outcomes import Outcome
from finops.outbound import Bounds, NeverAsked, Refused

SECONDS = 15.0
MOST_BYTES = 64 * 1024
WAY_OUT = (
    "FARTHING_ALLOWED_PRIVATE_ADDRESSES names networks of your own that may be sent to, at any "
    "port, http:// too."
)


def bounds() -> Bounds:
    return Bounds(
        most_bytes=MOST_BYTES, seconds=SECONDS, permitted=settings.ALLOWED_PRIVATE_ADDRESSES
    )


def problem(url: str) -> str:
    """Why nothing could ever be delivered there; "" where only an attempt can tell."""
    try:
        outbound.parsed(url, bounds())
    except NeverAsked as error:
        return f"{error} {WAY_OUT}"
    return ""


def outcome_of(error: Refused) -> Outcome:
    if isinstance(error, NeverAsked):
        return outcomes.gone(f"{error} {WAY_OUT}")
    return outcomes.later(str(error))
