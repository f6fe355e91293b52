"""How an attempt ended, in the same words for every kind of channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from finops.models import DeliveryAttempt

Result = DeliveryAttempt.Outcome

LONGEST_DETAIL = 500
LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """LATER may work another time, REFUSED never will for this message, GONE for no other either.

    `wait` is how many seconds the other side wants to be left alone, if it says so; `is_shared`
    where nothing else of this kind of channel would work now.
    """

    result: Result
    detail: str = ""
    status: int | None = None
    wait: float | None = None
    is_shared: bool = False


def sent(status: int | None = None, detail: str = "") -> Outcome:
    """`detail` says how, where it went another way than people may think."""
    return Outcome(Result.SENT, detail, status)


def later(detail: str, status: int | None = None, **more: float | bool | None) -> Outcome:
    return Outcome(Result.LATER, detail[:LONGEST_DETAIL], status, **more)  # type: ignore[arg-type]


def refused(detail: str, status: int | None = None) -> Outcome:
    return Outcome(Result.REFUSED, detail[:LONGEST_DETAIL], status)


def gone(detail: str, status: int | None = None) -> Outcome:
    return Outcome(Result.GONE, detail[:LONGEST_DETAIL], status)


def wait_of(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of a Retry-After header, in either of its two forms; at most an hour."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def plain(body: bytes) -> str:
    """The beginning of an answer, to be shown: one line of text."""
    return " ".join(body[:200].decode(errors="replace").split())
