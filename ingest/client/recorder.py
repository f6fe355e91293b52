"""Gathers events and sends them in batches from a thread of its own.

An event's id is made when it is recorded, so however often it is sent it counts once. What the
server does not take is kept on disk and sent when it is back, by the next process too. What is
neither sent nor on disk yet, at most an interval's events, is lost if the process is killed.
"""

from __future__ import annotations

import atexit
import logging
import multiprocessing
import multiprocessing.util
import os
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .encoding import encoded
from .outbox import Outbox
from .posting import Post
from .spool import Spool, default_directory
from .tracking import Call

log = logging.getLogger("farthing")

_everyone: weakref.WeakSet[Recorder] = weakref.WeakSet()


class Recorder:
    """One server, one key. Safe to share by threads, and across a fork.

    `defaults` are fields of every event: feature="answers". `spool` is a directory, False for
    none; more than `spool_bytes` are not kept there. Of more than `queue_events` waiting in memory
    the newest are dropped, which is logged.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        spool: str | os.PathLike[str] | bool = True,
        spool_bytes: int = 64 * 1024 * 1024,
        batch_events: int = 500,
        interval_seconds: float = 1.0,
        queue_events: int = 10_000,
        timeout_seconds: float = 10.0,
        **defaults: Any,
    ) -> None:
        self._post = Post(url, key)
        self._spool = None
        if spool is not False:
            directory = default_directory(url, key) if spool is True else Path(spool)
            self._spool = Spool(directory, spool_bytes)
            self._spool.settle_drafts()
        self._batch_events = batch_events
        self._interval = interval_seconds
        self._queue_events = queue_events
        self._timeout = timeout_seconds
        self._defaults = defaults
        self._begin()
        _everyone.add(self)
        atexit.register(_close, weakref.ref(self))
        if self._spool and self._spool.files():
            self._outbox.start()  # what an earlier process left

    def _begin(self) -> None:
        self._outbox = Outbox(
            self._post,
            self._spool,
            batch_events=self._batch_events,
            interval=self._interval,
            queue_events=self._queue_events,
            timeout=self._timeout,
        )
        self._is_child_finalized = False

    def record(self, fields: Mapping[str, Any] | None = None, /, **more: Any) -> str:
        """Take an event; its id is the answer, '' where it could not be taken, which is logged.

        `id` and `timestamp` are made where they are not given. `usage` may be the provider's own
        object. With `corrects`, the id of an event recorded before, it replaces that one's figures;
        what it does not say is as there, so that the defaults are not added.
        """
        try:
            event = {**(fields or {}), **more}
            if event.get("corrects") is None:
                event = {**self._defaults, **event}
            event_id, line = encoded(event, time.time())
            self._finalize_child()
            return event_id if self._outbox.add(line) else ""
        except Exception as error:  # whatever it is, the caller's work matters more
            log.warning("A model call is not recorded: %r", error)
            return ""

    def track(self, **fields: Any) -> Call:
        """A model call that is under way; see Call."""
        return Call(self.record, fields)

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Whether all that was recorded so far has been taken by the server in time."""
        return self._outbox.flush(timeout_seconds)

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send what waits, or keep it on disk. Called at the end of the process by itself."""
        try:
            self._outbox.close(timeout_seconds)
        except Exception as error:
            log.warning("Events may not have been sent: %r", error)

    def _finalize_child(self) -> None:
        """A process of multiprocessing ends without atexit, and has an end of its own."""
        if not self._is_child_finalized:
            self._is_child_finalized = True
            if multiprocessing.parent_process() is not None:
                multiprocessing.util.Finalize(self, self.close, exitpriority=10)


def _close(reference: weakref.ref[Recorder]) -> None:
    recorder = reference()
    if recorder is not None:
        recorder.close()


def _after_fork_in_child() -> None:
    """What waits is the parent's to send, and its thread and its locks are not here."""
    for recorder in list(_everyone):
        recorder._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
