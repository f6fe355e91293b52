"""How many events a key may send: counted in memory, by each ingest process for itself."""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

from ingest.problems import Problem

# Moments are floats, and one that was told to come back on the second must not be early then.
TOLERANCE_SECONDS = 0.001


SEND, ASK = "send {} events", "ask about {} calls"


class Limits(NamedTuple):
    """Events a key may send; None does not limit."""

    events_per_minute: int | None = None
    events_per_day: int | None = None


class Limited(Problem):
    """A request that its key's limit refused: nothing of it was taken. `events` is how many it
    held, 0 where it was refused unread."""

    def __init__(self, status: int, detail: str, span: str, events: int, **headers: str) -> None:
        super().__init__(status, detail, **headers)
        self.span = span
        self.events = events


class _Bucket:
    """A token bucket: `most` events at once, refilled evenly within `seconds`.

    All it keeps is the moment at which it is full again.
    """

    def __init__(self, span: str, seconds: float, most: int, deed: str) -> None:
        self.span = span
        self._deed = deed.format(most)
        self._seconds = seconds
        self._most = most
        self._full_at = 0.0

    def refusal(self, events: int, at: float) -> Limited | None:
        """Why these events may not be sent now; None where they may."""
        if events > self._most:
            return Limited(
                413,
                f"This key may {self._deed} a {self.span}, fewer than the {events} of "
                "this request. Send them in smaller requests, or ask for a higher limit.",
                self.span,
                events,
            )
        # A clock that was set back must not lock a key out for longer than a span.
        self._full_at = min(self._full_at, at + self._seconds)
        wait = max(self._full_at, at) + self._worth(events) - at - self._seconds
        if wait <= TOLERANCE_SECONDS:
            return None
        return Limited(
            429,
            f"This key may {self._deed} a {self.span}. Send this again later.",
            self.span,
            events,
            retry_after=str(math.ceil(wait)),
        )

    def take(self, events: int, at: float) -> None:
        self._full_at = max(self._full_at, at) + self._worth(events)

    def give_back(self, events: int) -> None:
        self._full_at -= self._worth(events)

    def used(self, at: float) -> float:
        """The share of the span's events that is spent, 0 to 1."""
        return min(max(self._full_at - at, 0.0) / self._seconds, 1.0)

    def _worth(self, events: int) -> float:
        return events * self._seconds / self._most


class Allowance:
    """What one key may still send to this process. Moments are seconds of one rising clock."""

    def __init__(self, limits: Limits, deed: str = SEND) -> None:
        self.limits = limits
        spans = (
            ("minute", 60.0, limits.events_per_minute),
            ("day", 86_400.0, limits.events_per_day),
        )
        self._buckets = [
            _Bucket(span, seconds, most, deed) for span, seconds, most in spans if most
        ]
        self._lock = threading.Lock()

    def require_any(self, at: float) -> None:
        """Raises Limited where not even one event may be sent, before a request is read."""
        with self._lock:
            self._require(1, at, counted=0)

    def take(self, events: int, at: float) -> None:
        """Count these events, all of them or, raising Limited, none."""
        with self._lock:
            self._require(events, at, counted=events)
            for bucket in self._buckets:
                bucket.take(events, at)

    def give_back(self, events: int) -> None:
        """What was taken for a request that then could not be stored, and will be sent again."""
        with self._lock:
            for bucket in self._buckets:
                bucket.give_back(events)

    def used(self, at: float) -> float:
        """The share that is spent of the limit which is nearest."""
        with self._lock:
            return max((bucket.used(at) for bucket in self._buckets), default=0.0)

    def _require(self, events: int, at: float, counted: int) -> None:
        refusals = [each for bucket in self._buckets if (each := bucket.refusal(events, at))]
        if refusals:
            # The last one that would let it in, so that whoever waits for it does not wait twice.
            longest = max(refusals, key=lambda each: int(each.headers.get("retry-after", 10**9)))
            longest.events = counted
            raise longest


class Refused(NamedTuple):
    requests: int
    events: int


class Refusals:
    """What limits refused of each key since it was last saved."""

    def __init__(self) -> None:
        self._counted: dict[int, Refused] = {}
        self._lock = threading.Lock()

    def add(self, key_id: int, refused: Refused) -> None:
        with self._lock:
            before = self._counted.get(key_id, Refused(0, 0))
            self._counted[key_id] = Refused(
                before.requests + refused.requests, before.events + refused.events
            )

    def drain(self) -> dict[int, Refused]:
        """All of them, key id → counts, which start from nothing again."""
        with self._lock:
            counted, self._counted = self._counted, {}
            return counted
