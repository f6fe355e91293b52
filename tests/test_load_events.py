"""`load_events` against a running installation: counted once, resumed, explained."""

from __future__ import annotations

import json
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from bench.system import PYTHON, ROOT, System
from finops import event_files
from finops.event_files import BATCH_EVENTS, Bookmark

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)


def load(farthing: System, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [PYTHON, "manage.py", "load_events", "--url", farthing.url, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=farthing.environment, capture_output=True, text=True
    )


def stored(farthing: System, prefix: str) -> int:
    with farthing.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM usage_event WHERE event_id LIKE %s", [f"{prefix}-%"]
        ).fetchone()
    return row[0]


@pytest.fixture
def prefix() -> str:
    return uuid.uuid4().hex[:12]


@pytest.fixture
def events(prefix) -> list[dict]:
    return [
        {
            "id": f"{prefix}-{number}",
            "timestamp": (START + timedelta(seconds=number)).isoformat(),
            "provider": "openai",
            "model": "gpt-5-mini",
            "input_tokens": 100 + number % 7,
            "output_tokens": 10,
            "tags": {"release": "7"},
        }
        for number in range(BATCH_EVENTS + 200)
    ]


@pytest.fixture
def file(tmp_path, events) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_a_file_is_loaded_once_however_often(farthing, file, events, prefix):
    first = load(farthing, str(file))
    assert first.returncode == 0, first.stderr
    assert f"accepted {len(events):,}, duplicates 0, rejected 0" in first.stdout
    again = load(farthing, str(file))
    assert f"accepted 0, duplicates {len(events):,}, rejected 0" in again.stdout
    assert stored(farthing, prefix) == len(events)


def test_parquet_is_the_same_as_lines(farthing, file, events, tmp_path):
    path = tmp_path / "events.parquet"
    pd.DataFrame(events).to_parquet(path, row_group_size=1000)
    key = farthing.manage("create_ingest_key", f"parquet-{uuid.uuid4().hex}")
    assert f"accepted {len(events):,}," in load(farthing, str(path), "--key", key).stdout
    assert f"duplicates {len(events):,}," in load(farthing, str(file), "--key", key).stdout


def test_rejections_name_line_and_reason_and_fail(farthing, tmp_path, events, prefix):
    wrong = dict(events[1], input_tokens=-1)
    lines = [json.dumps(events[0]), "", "{not json", json.dumps(wrong), json.dumps(events[2])]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))
    done = load(farthing, str(path))
    assert done.returncode != 0
    assert "accepted 2, duplicates 0, rejected 2" in done.stdout
    assert "line 3: unreadable_json" in done.stderr
    assert "line 4: negative_tokens" in done.stderr
    assert stored(farthing, prefix) == 2


def test_fields_that_are_lost_are_named_at_the_end(farthing, tmp_path, events):
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(events[0] | {"promt_hash": "x", "note": 1}))
    done = load(farthing, str(path))
    assert done.returncode == 0
    assert "accepted 1, duplicates 0, rejected 0" in done.stdout
    assert "2 in all, such as 'promt_hash', 'note'" in done.stderr


def test_a_stopped_load_goes_on_where_it_was(farthing, file, events):
    loads = Path(farthing.environment["FARTHING_DATA_DIR"]) / "loads"
    kept = event_files.bookmark_path(loads, file, farthing.url)
    first = next(event_files.read(file, Bookmark()))
    event_files.write_bookmark(kept, Bookmark(first.position, first.next_row))
    done = load(farthing, str(file))
    assert f"accepted {len(events) - BATCH_EVENTS:,}, duplicates 0, rejected 0" in done.stdout
    assert not kept.exists()
    assert f"accepted {BATCH_EVENTS:,}, duplicates 200," in load(farthing, str(file)).stdout


def test_a_load_is_an_operation_that_the_pages_tell_of(farthing, file, events):
    load(farthing, str(file))
    with farthing.connect() as connection:
        row = connection.execute(
            "SELECT state, done, total, unit, events, message FROM operation WHERE what = %s",
            [str(file.resolve())],
        ).fetchone()
    size = file.stat().st_size
    assert row == ("done", size, size, "bytes", len(events), "")


def test_a_refused_key_is_named(farthing, file):
    done = load(farthing, str(file), "--key", "fk_no")
    assert done.returncode != 0
    assert "refuses the key (401)" in done.stderr


def test_a_missing_file_is_named(farthing, tmp_path):
    done = load(farthing, str(tmp_path / "none.jsonl"))
    assert done.returncode != 0
    assert "none.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_key_made_for_a_load_is_revoked_after_it(farthing, file):
    load(farthing, str(file))
    with farthing.connect() as connection:
        row = connection.execute(
            "SELECT count(*), count(revoked_at) FROM ingest_key WHERE service = 'load-events'"
        ).fetchone()
    assert row[0] == row[1] > 0
