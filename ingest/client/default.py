"""The one recorder that most programs need, from the environment or from `configure`."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from .recorder import Recorder
from .tracking import Call

log = logging.getLogger("farthing")
_lock = threading.RLock()
_recorder: Recorder | None = None
_is_told = False


def configure(url: str | None = None, key: str | None = None, **options: Any) -> Recorder:
    """Begin anew with this server and key, else with FARTHING_URL and FARTHING_KEY.

    ValueError where neither says them. `options` are those of Recorder.
    """
    global _recorder
    url = url or os.environ.get("FARTHING_URL")
    key = key or os.environ.get("FARTHING_KEY")
    if not url or not key:
        raise ValueError("Give url and key, or set FARTHING_URL and FARTHING_KEY.")
    made = Recorder(url, key, **options)
    with _lock:
        before, _recorder = _recorder, made
    if before is not None:
        before.close()
    return made


def _current() -> Recorder | None:
    global _is_told
    if _recorder is None:
        with _lock:  # so that of several threads one makes it
            try:
                return _recorder or configure()
            except Exception as error:  # whatever it is, the caller's work matters more
                if not _is_told:
                    _is_told = True
                    log.warning("Model calls are not recorded. %s", error)
    return _recorder


def record(fields: Mapping[str, Any] | None = None, /, **more: Any) -> str:
    """See Recorder.record."""
    recorder = _current()
    return recorder.record(fields, **more) if recorder else ""


def track(**fields: Any) -> Call:
    """See Call."""
    return Call(record, fields)


def flush(timeout_seconds: float = 10.0) -> bool:
    """See Recorder.flush."""
    return _recorder.flush(timeout_seconds) if _recorder else True


def close(timeout_seconds: float = 5.0) -> None:
    """See Recorder.close."""
    if _recorder:
        _recorder.close(timeout_seconds)


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.RLock()  # a thread that held it is not here


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
