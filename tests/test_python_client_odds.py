"""Farthing's client for Python where threads, forks, servers and machines are odd."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.client import Recorder, default, track
from ingest.client.outbox import Outbox
from ingest.client.posting import Post, Reply
from ingest.client.retries import retry_after
from ingest.client.spool import Spool, default_directory
from ingest.client.tracking import status_of

NOWHERE = "http://127.0.0.1:9"


def outbox(post: Any, spool: Spool | None) -> Outbox:
    return Outbox(post, spool, batch_events=5, interval=0.01, queue_events=50, timeout=1.0)


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(default, "_recorder", None)
    monkeypatch.setenv("FARTHING_URL", NOWHERE)
    monkeypatch.setenv("FARTHING_KEY", "k")
    return monkeypatch


def test_threads_that_begin_together_share_one_recorder(
    unconfigured: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    unconfigured.setenv("XDG_STATE_HOME", str(tmp_path))
    together = threading.Barrier(8)
    found: list[Recorder | None] = []

    def begin() -> None:
        together.wait()
        found.append(default._current())

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in found}) == 1


def test_whatever_keeps_the_recorder_from_beginning_is_not_the_callers_error(
    unconfigured: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no")

    unconfigured.setattr(default, "Recorder", broken)
    with track(model="gpt-4o") as call:
        pass
    assert call.id == ""


def test_a_user_without_a_home_has_nothing_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    spool = Spool(default_directory(NOWHERE, "k"), 1000)
    assert spool.files() == []
    assert not spool.put([b"{}"])


def test_the_thread_outlives_a_failure_with_what_is_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.client.outbox.MENDED_AFTER_SECONDS", 0.01)
    spool = Spool(tmp_path, 10_000)
    spool.put([b'{"id": "kept"}'])
    taken: list[list[bytes]] = []

    def post(lines: list[bytes], timeout: float) -> Reply:
        taken.append(lines)
        if len(taken) == 1:
            raise RecursionError
        return Reply(200, "taken")

    box = outbox(post, spool)
    box.start()
    assert box.flush(5.0)
    assert taken == [[b'{"id": "kept"}']] * 2
    assert box.add(b'{"id": "new"}')
    assert box.flush(5.0)
    assert taken[-1] == [b'{"id": "new"}']
    box.close(1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_does_not_hold_what_its_parent_had_open(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10_000)
    spool.put([b"{}"])
    [path] = spool.files()
    reads, writes = os.pipe()
    with spool.take(path) as lines:
        assert lines == [b"{}"]
        child = os.fork()
        if child == 0:
            os.close(writes)
            os.read(reads, 1)
            os._exit(0)
    with spool.take(path) as again:
        assert again == [b"{}"]
    os.close(writes)
    os.waitpid(child, 0)
    os.close(reads)


def test_an_event_after_the_end_is_lost_with_a_word(caplog: pytest.LogCaptureFixture) -> None:
    box = outbox(Post(NOWHERE, "k"), None)
    box.close(0.1)
    assert not box.add(b"{}")
    assert "recorded after the end" in caplog.text


def test_a_retry_after_in_odd_digits_asks_for_nothing() -> None:
    assert retry_after("²", datetime.now(UTC)) is None


def test_an_error_that_cannot_be_asked_goes_on_as_it_is() -> None:
    class Odd(Exception):
        @property
        def status_code(self) -> int:
            raise ValueError

    assert status_of(Odd()) == "error"
