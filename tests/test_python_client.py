"""Farthing's client for Python against a real ingest server, which is away now and then."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ingest_server import Door, serve, until
from test_ingest_client import RECEIPT, server

import ingest.client
from finops.conninfo import conninfo
from ingest import app
from ingest.client import Recorder

CLIENT = Path(ingest.client.__file__).parent
USED = {"provider": "openai", "model": "gpt-4o", "input_tokens": 100, "output_tokens": 20}


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def recorder(door: Door, spool: Path) -> Any:
    with_defaults = Recorder(door.url, door.key, spool=spool, interval_seconds=0.05, feature="f")
    yield with_defaults
    with_defaults.close()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def run(door: Door, spool: Path, body: str, url: str = "") -> subprocess.Popen[str]:
    """A program that sees nothing but Python and the client, as the package farthing."""
    package = spool.parent / "packages" / "farthing"
    package.parent.mkdir(exist_ok=True)
    if not package.exists():
        package.symlink_to(CLIENT)
    program = f"""
import sys
sys.path.insert(0, {str(package.parent)!r})
import farthing
farthing.configure(spool={str(spool)!r}, interval_seconds=0.05)
used = {USED!r}
{textwrap.dedent(body)}
"""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", program],
        env={"FARTHING_URL": url or door.url, "FARTHING_KEY": door.key, "NO_PROXY": "*"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(program: subprocess.Popen[str]) -> str:
    out, errors = program.communicate(timeout=30)
    assert program.returncode == 0, errors
    return out


def test_an_event_arrives_with_what_was_said_of_it(door: Door, recorder: Recorder) -> None:
    usage = SimpleNamespace(model_dump=lambda: {"prompt_tokens": 9, "completion_tokens": 1})
    event_id = recorder.record(
        {"model": "gpt-4o", "provider": "openai"}, usage=usage, reported_cost=Decimal("0.01")
    )
    assert recorder.flush()
    row = door.row()
    assert row["event_id"] == event_id
    assert (row["feature"], row["uncached_input_tokens"]) == ("f", 9)
    assert row["reported_cost"] == Decimal("0.01")


def test_a_server_that_is_away_gets_everything_once_when_it_is_back(
    door: Door, spool: Path, free_port: int
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    recorder = Recorder(url, door.key, spool=spool, interval_seconds=0.02, batch_events=50)
    ids = {recorder.record(USED) for _ in range(300)}
    until(lambda: list(spool.glob("*.ndjson.gz")))
    with serve(app.create(dsn=conninfo()), free_port):
        assert until(recorder.flush, 30)
        recorder.close()
    assert {row["event_id"] for row in door.rows()} == ids
    assert len(ids) == 300
    assert not list(spool.iterdir())


def test_what_a_killed_process_kept_is_sent_by_the_next(
    door: Door, spool: Path, free_port: int
) -> None:
    recording = "for _ in range(100): farthing.record(used)\nimport time; time.sleep(60)"
    program = run(door, spool, recording, f"http://127.0.0.1:{free_port}")
    until(lambda: list(spool.glob("*.ndjson.gz")), 20)
    program.send_signal(signal.SIGKILL)
    program.communicate()
    finished(run(door, spool, "farthing.flush()"))
    assert len(door.rows()) == 100
    assert not list(spool.iterdir())


def test_what_waits_is_sent_at_the_end_of_the_process(door: Door, spool: Path) -> None:
    finished(run(door, spool, "for _ in range(1200): farthing.record(used)"))
    assert len(door.rows()) == 1200


def test_an_end_without_a_server_is_quick_and_loses_nothing(
    door: Door, spool: Path, free_port: int
) -> None:
    began = time.monotonic()
    finished(run(door, spool, "farthing.record(used)", f"http://127.0.0.1:{free_port}"))
    assert time.monotonic() - began < 10
    finished(run(door, spool, "farthing.flush()"))
    assert len(door.rows()) == 1


def test_a_process_that_forks_records_on_both_sides(door: Door, spool: Path) -> None:
    forking = """
    import multiprocessing, os
    farthing.record(used, id="parent")
    child = multiprocessing.get_context("fork").Process(
        target=lambda: farthing.record(used, id="of multiprocessing"))
    child.start()
    child.join()
    if (pid := os.fork()) == 0:
        farthing.record(used, id="forked")
        farthing.close()
        os._exit(0)
    os.waitpid(pid, 0)
    """
    finished(run(door, spool, forking))
    names = {row["event_id"] for row in door.rows()}
    assert names == {"parent", "of multiprocessing", "forked"}


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(status: int, spool: Path) -> None:
    busy = (status, {"detail": "Later."}, {"Retry-After": "1"})
    with server(busy, (200, RECEIPT, {})) as (url, seen):
        recorder = Recorder(url, "fk_x", spool=spool, interval_seconds=0.01)
        recorder.record(USED)
        until(lambda: seen)
        began = time.monotonic()
        assert recorder.flush()
        assert time.monotonic() - began > 0.9
        recorder.close()
    assert len(seen) == 2
    assert seen[0][2] == seen[1][2]


@pytest.mark.parametrize(
    "answer", [(200, {"hello": 1}, {}), (302, {}, {"Location": "/"}), (404, {}, {}), (401, {}, {})]
)
def test_events_are_kept_where_no_farthing_took_them(answer: Any, spool: Path) -> None:
    with server(answer) as (url, _):
        recorder = Recorder(url, "fk_x", spool=spool, interval_seconds=0.01)
        recorder.record(USED)
        until(lambda: list(spool.glob("*.ndjson.gz")))
        recorder.close()
    assert len(list(spool.glob("*.ndjson.gz"))) == 1


def test_without_a_disk_events_wait_in_memory(door: Door, free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    recorder = Recorder(url, door.key, spool=False, interval_seconds=0.01)
    ids = {recorder.record(USED) for _ in range(10)}
    assert not recorder.flush(0.1)
    with serve(app.create(dsn=conninfo()), free_port):
        assert until(recorder.flush, 30)
        recorder.close()
    assert {row["event_id"] for row in door.rows()} == ids


def test_what_is_too_much_for_memory_is_dropped_and_said(
    free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    recorder = Recorder(url, "fk_x", spool=False, queue_events=5, interval_seconds=60)
    taken = [recorder.record(USED) for _ in range(7)]
    assert [bool(each) for each in taken] == [True] * 5 + [False] * 2
    assert "too many wait in memory" in caplog.text
    recorder.close(0.1)
    assert "6 events are lost" in caplog.text


def test_the_disk_is_filled_no_further_than_its_limit(
    spool: Path, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://127.0.0.1:{free_port}"
    recorder = Recorder(
        url, "fk_x", spool=spool, spool_bytes=2000, batch_events=20, queue_events=20
    )
    until(lambda: recorder.record(USED) == "" or None, 20)
    recorder.close(0.1)
    assert 0 < sum(file.stat().st_size for file in spool.iterdir()) <= 2000


def test_a_refused_event_is_logged_with_its_reason(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.record(USED, id="bad", input_tokens=-1)
    assert recorder.flush()
    assert "bad: negative_tokens" in caplog.text


@pytest.mark.parametrize("wrong", [{"tags": object()}, {"latency_ms": float("nan")}, {1: set()}])
def test_what_cannot_be_recorded_is_logged_and_never_raised(
    recorder: Recorder, wrong: dict[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "farthing"):
        assert recorder.record({**USED, **wrong}) == ""
    assert "not recorded" in caplog.text


def test_threads_may_share_a_recorder(door: Door, spool: Path) -> None:
    many = """
    import threading
    def work():
        for _ in range(250): farthing.record(used)
    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    """
    finished(run(door, spool, many))
    assert len(door.rows()) == 2000


def test_nothing_is_asked_of_a_program_without_a_key(tmp_path: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(CLIENT.parents[1])!r}); "
    program += "from ingest import client; print(repr(client.record(model='m')))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], env={}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "''\n"
    assert "FARTHING_KEY" in done.stderr
    assert os.environ.get("FARTHING_KEY") is None
