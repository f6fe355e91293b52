"""What waits to be sent, and the thread that sends it."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime

from .posting import Post, Reply
from .retries import pause
from .spool import Spool

log = logging.getLogger("farthing")

# A key that is refused, or an address where no Farthing is, takes somebody to mend it.
MENDED_AFTER_SECONDS = 60.0
SHOWN_REJECTIONS = 5
LOG_DROPPED_EVERY_SECONDS = 10.0
LONGEST_PAUSE_SECONDS = 600.0
NEVER_SECONDS = 3600.0


class Outbox:
    """Lines of events in memory, bounded; what is not taken goes to the spool."""

    def __init__(
        self,
        post: Post,
        spool: Spool | None,
        *,
        batch_events: int,
        interval: float,
        queue_events: int,
        timeout: float,
    ) -> None:
        self._post = post
        self._spool = spool
        self._batch_events = batch_events
        self._interval = interval
        self._queue_events = queue_events
        self._timeout = timeout
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._under_way: list[bytes] = []
        self._send_at = 0.0  # when what waits is sent, though it is no whole batch
        self._not_before = 0.0  # while the server is away
        self._kept_not_before = 0.0
        self._attempt = 0
        self._has_kept = self._kept()  # the disk is not asked under the lock
        self._hurry = False
        self._deadline: float | None = None  # of the end, once it has come
        self._dropped = 0
        self._dropped_logged_at = -LOG_DROPPED_EVERY_SECONDS
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with self._changed:
            if self._thread is None and self._deadline is None:
                self._thread = threading.Thread(target=self._run, name="farthing", daemon=True)
                self._thread.start()

    def add(self, line: bytes) -> bool:
        """Whether there was room for it."""
        if self._deadline is not None:  # recorded while the process ends
            is_kept = bool(self._spool and self._spool.put([line]))
            if not is_kept:
                log.error("An event is lost: it was recorded after the end.")
            return is_kept
        with self._changed:
            if len(self._waiting) >= self._queue_events:
                self._drop(1, "too many wait in memory")
                return False
            if not self._waiting:
                self._send_at = time.monotonic() + self._interval
                self._changed.notify_all()
            self._waiting.append(line)
            if len(self._waiting) == self._batch_events:
                self._changed.notify_all()
        if self._thread is None:
            self.start()
        return True

    def flush(self, timeout: float) -> bool:
        ends = time.monotonic() + timeout
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            while self._waiting or self._under_way or self._has_kept:
                left = ends - time.monotonic()
                if left <= 0 or self._thread is None:
                    return False
                self._changed.wait(min(left, 0.05))
        return True

    def close(self, timeout: float) -> None:
        with self._changed:
            if self._deadline is not None:
                return
            self._deadline = time.monotonic() + timeout
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
        with self._changed:
            # In time nothing is left; otherwise it is kept, though some of it may arrive after all.
            left = [*self._under_way, *self._waiting]
            self._waiting.clear()
            lost = self._dropped
        if left and not (self._spool and self._spool.put(left)):
            lost += len(left)
        if lost:
            log.error("%d events are lost: neither the server nor the disk took them.", lost)

    def _run(self) -> None:
        while True:
            with self._changed:
                while (seconds := self._idle_seconds()) > 0:
                    self._changed.wait(seconds)
                ending = self._deadline is not None
                due = self._waiting and self._due_in() <= 0
                count = min(len(self._waiting), self._batch_events) if due else 0
                self._under_way = [self._waiting.popleft() for _ in range(count)]
                if count:
                    self._send_at = time.monotonic() + self._interval
                self._hurry = self._hurry and bool(self._waiting)
            if self._under_way:
                self._dispatch(self._under_way)
            elif ending:
                return
            if self._kept_in() <= 0 and not ending:
                self._try_kept()
            has_kept = self._kept()
            with self._changed:
                self._under_way, self._has_kept = [], has_kept
                self._changed.notify_all()

    def _idle_seconds(self) -> float:
        """How long there is nothing to do."""
        if self._deadline is not None:
            return 0.0
        return min(self._due_in(), self._kept_in())

    def _due_in(self) -> float:
        """Seconds until what waits is sent, or kept where the server is away."""
        now = time.monotonic()
        if self._deadline is not None:
            return 0.0
        if not self._waiting:
            return NEVER_SECONDS
        if self._hurry or len(self._waiting) >= self._batch_events:
            due = 0.0
        else:
            due = self._send_at - now
        return due if self._spool else max(due, self._not_before - now)

    def _kept_in(self) -> float:
        """Seconds until what is on disk is tried."""
        if not self._has_kept:
            return NEVER_SECONDS
        return max(self._not_before, self._kept_not_before) - time.monotonic()

    def _kept(self) -> bool:
        return bool(self._spool and self._spool.files())

    def _dispatch(self, lines: list[bytes]) -> None:
        """Send, or keep while the server is away."""
        try:
            if time.monotonic() >= self._not_before and self._is_delivered(lines):
                return
        except Exception:  # the thread must go on, whatever this is
            log.exception("A batch of events could not be sent; it is kept.")
            self._not_before = time.monotonic() + MENDED_AFTER_SECONDS
        self._keep(lines)

    def _keep(self, lines: list[bytes]) -> None:
        if self._spool and self._spool.put(lines):
            return
        with self._changed:
            room = self._queue_events - len(self._waiting)
            if self._deadline is not None:
                room = 0
            self._waiting.extendleft(reversed(lines[:room]))
            if len(lines) > room:
                self._drop(len(lines) - room, "neither the server nor the disk takes them")

    def _try_kept(self) -> None:
        try:
            self._send_kept()
        except Exception:  # the thread must go on, whatever this is
            log.exception("A batch of events could not be sent; it stays on disk.")
            self._kept_not_before = time.monotonic() + MENDED_AFTER_SECONDS

    def _send_kept(self) -> None:
        """One batch from the disk."""
        for path in self._spool.files() if self._spool else ():
            with self._spool.take(path) as lines:  # type: ignore[union-attr]
                if lines is None:
                    continue
                if self._is_delivered(lines):
                    self._spool.remove(path)  # type: ignore[union-attr]
                return
        self._kept_not_before = time.monotonic() + self._interval  # others are sending them

    def _is_delivered(self, lines: Sequence[bytes]) -> bool:
        """Whether the batch is done with: taken, or never to be taken."""
        timeout = self._timeout
        if self._deadline is not None:
            timeout = min(timeout, self._deadline - time.monotonic())
            if timeout <= 0:
                return False
        reply = self._post(lines, timeout)
        if reply.is_taken:
            self._attempt = 0
            _log_rejections(reply)
            return True
        if reply.status == 413 and len(lines) > 1:
            half = len(lines) // 2
            return all([self._is_delivered(lines[:half]), self._is_delivered(lines[half:])])
        if reply.is_unreadable or reply.status == 413:
            log.error("%d events are refused (%s): %s", len(lines), reply.status, reply.said)
            return True
        self._wait_after(reply)
        return False

    def _wait_after(self, reply: Reply) -> None:
        seconds = MENDED_AFTER_SECONDS
        if reply.is_busy:
            seconds = pause(
                reply.retry_after, self._attempt, datetime.now(UTC), LONGEST_PAUSE_SECONDS
            )
        if not reply.is_busy or not self._attempt:
            log.warning(
                "%s does not take events (%s): %s. They are kept, and sent again in %.1f s.",
                self._post.url,
                reply.status or "no answer",
                reply.said.rstrip("."),
                seconds,
            )
        self._attempt += 1
        self._not_before = time.monotonic() + seconds

    def _drop(self, count: int, why: str) -> None:
        """Under the lock."""
        self._dropped += count
        now = time.monotonic()
        if now - self._dropped_logged_at >= LOG_DROPPED_EVERY_SECONDS:
            log.error("%d events are lost: %s.", self._dropped, why)
            self._dropped, self._dropped_logged_at = 0, now


def _log_rejections(reply: Reply) -> None:
    for each in reply.rejected[:SHOWN_REJECTIONS]:
        said = (each.get("id"), each.get("reason"), each.get("detail"))
        log.error("Farthing refuses the event %s: %s: %s", *said)
    if len(reply.rejected) > SHOWN_REJECTIONS:
        log.error("… and %d more of that batch.", len(reply.rejected) - SHOWN_REJECTIONS)
