"""What Farthing's client leaves behind when its process is killed, and what ids it takes."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from ingest_server import Door, until

import ingest.client
from ingest.client import Recorder
from ingest.client.spool import Spool

NOWHERE = "http://127.0.0.1:9"
USED = {"provider": "openai", "model": "gpt-4o", "input_tokens": 100, "output_tokens": 20}
PROGRAM = """
import itertools, os, sys, time
sys.path.insert(0, sys.argv[1])
import farthing
url, key, spool, sending = sys.argv[2:]
recorder = farthing.configure(url, key, spool=spool, interval_seconds=0.02, batch_events=20)
if sending == "away":
    for number in itertools.count():
        farthing.record(id=number, provider="openai", model="gpt-4o", input_tokens=1)
        print(number, flush=True)
        time.sleep(0.001)
else:
    assert farthing.flush(30)
"""


def program(door: Door, tmp_path: Path, url: str, sending: str) -> subprocess.Popen[str]:
    packages = tmp_path / "packages"
    packages.mkdir(exist_ok=True)
    if not (packages / "farthing").exists():
        (packages / "farthing").symlink_to(Path(ingest.client.__file__).parent)
    given = [str(packages), url, door.key, str(tmp_path / "spool"), sending]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *given], stdout=subprocess.PIPE, text=True
    )


def draft(spool: Path, name: str, lines: list[bytes], size: int | None = None) -> Path:
    spool.mkdir(exist_ok=True)
    path = spool / f"{name}.draft"
    path.write_bytes(gzip.compress(b"\n".join(lines))[:size])
    return path


def line(name: str) -> bytes:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"id": name, "timestamp": now, **USED}).encode()


def test_a_process_killed_in_the_middle_loses_at_most_its_last_moment(
    door: Door, tmp_path: Path
) -> None:
    recorded = -1
    for _ in range(3):
        with program(door, tmp_path, NOWHERE, "away") as killed:
            assert killed.stdout
            for told in killed.stdout:
                recorded = max(recorded, int(told))
                if int(told) == 150:
                    killed.kill()
    with program(door, tmp_path, door.url, "back") as sender:
        assert sender.wait(40) == 0
    stored = sorted(int(row["event_id"]) for row in door.rows())
    assert stored == list(range(len(stored)))  # without a gap, each once
    assert len(stored) > 50
    assert [path.name for path in (tmp_path / "spool").iterdir()] == []


def test_a_draft_that_is_whole_is_sent_by_the_next_process(door: Door, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    draft(spool, "00000000000000000001-1-0", [line("a"), line("b")])
    recorder = Recorder(door.url, door.key, spool=spool)
    assert recorder.flush(20)
    recorder.close()
    assert [row["event_id"] for row in door.rows()] == ["a", "b"]
    assert list(spool.iterdir()) == []


def test_a_draft_that_was_cut_off_is_removed_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = draft(tmp_path, "00000000000000000001-1-0", [line("a")], size=40)
    empty = draft(tmp_path, "00000000000000000002-1-0", [], size=0)
    os.utime(empty, (1, 1))
    with caplog.at_level(logging.WARNING, "farthing"):
        Recorder(NOWHERE, "k", spool=tmp_path).close()
    assert not cut.exists()
    assert not empty.exists()
    assert caplog.text.count("cut off") == 2


def test_a_draft_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    held = draft(tmp_path, "00000000000000000001-1-0", [line("a")], size=40)
    begun = draft(tmp_path, "00000000000000000002-1-0", [], size=0)
    with held.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        Spool(tmp_path, 1000).settle_drafts()
    assert held.exists()
    assert begun.exists()


@pytest.mark.parametrize(
    ("given", "stored"),
    [(7, "7"), (UUID(int=7), str(UUID(int=7))), ("seven", "seven")],
    ids=["a number", "a UUID", "a string"],
)
def test_ids_of_several_types_are_strings(
    door: Door, tmp_path: Path, given: Any, stored: str
) -> None:
    recorder = Recorder(door.url, door.key, spool=tmp_path, interval_seconds=0.02)
    assert recorder.record(USED, id=given) == stored
    assert until(door.rows)[0]["event_id"] == stored
    recorder.close()


@pytest.mark.parametrize("given", [1.5, True, b"a", ["a"], "", "x" * 201], ids=repr)
def test_what_is_no_id_is_refused_where_it_is_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, given: Any
) -> None:
    recorder = Recorder(NOWHERE, "k", spool=tmp_path)
    assert recorder.record(USED, id=given) == ""
    recorder.close()
    assert "an id" in caplog.text
    assert list(tmp_path.iterdir()) == []
