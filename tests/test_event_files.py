"""Files of events become batches, and a bookmark continues where one ended."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from finops import event_files
from finops.event_files import BATCH_EVENTS, Bookmark, FileError

BEGINNING = Bookmark()


def write_lines(path: Path, events: list[object]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def events_of(path: Path, start: Bookmark = BEGINNING) -> list[dict]:
    return [
        msgspec.json.decode(line) for batch in event_files.read(path, start) for line in batch.lines
    ]


@pytest.fixture
def many() -> list[object]:
    return [{"id": f"e{n}", "model": "m", "input_tokens": n} for n in range(2 * BATCH_EVENTS + 7)]


@pytest.fixture(params=["jsonl", "parquet"])
def file(request, tmp_path, many) -> Path:
    path = tmp_path / f"events.{request.param}"
    if request.param == "jsonl":
        return write_lines(path, many)
    pd.DataFrame(many).to_parquet(path, row_group_size=1_900)
    return path


def test_every_event_is_read_once_and_in_order(file, many):
    assert events_of(file) == many


def test_reading_goes_on_after_any_batch(file, many):
    batches = list(event_files.read(file, BEGINNING))
    assert len(batches) > 2
    read = 0
    for batch in batches:
        assert batch.rows == list(range(read + 1, read + len(batch.rows) + 1))
        read += len(batch.rows)
        assert events_of(file, Bookmark(batch.position, batch.next_row)) == many[read:]
    assert batches[-1].position == event_files.total(file)


def test_lines_that_are_no_object_are_set_aside(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"id": "a"}\n\n{"id": \n[1]\n"x"\n\xff\xfe{}\n{"id": "b"}')
    (batch,) = event_files.read(path, BEGINNING)
    assert batch.body == b'{"id": "a"}\n{"id": "b"}'
    assert batch.rows == [1, 7]
    assert [row for row, _ in batch.unreadable] == [3, 4, 5, 6]


def test_nested_columns_are_structs_maps_or_json(tmp_path):
    path = tmp_path / "events.parquet"
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "tags": ['{"plan": "pro"}', None],
            "stages_ms": [{"prefill": 1.5, "decode": None}, {"prefill": None, "decode": 2.0}],
            "latency_ms": [12.5, None],
            "output_tokens": [7.0, float("nan")],
        }
    )
    frame.to_parquet(path)
    assert events_of(path) == [
        {
            "id": "a",
            "tags": {"plan": "pro"},
            "stages_ms": {"prefill": 1.5},
            "latency_ms": 12.5,
            "output_tokens": 7,
        },
        {"id": "b", "stages_ms": {"decode": 2}},
    ]


def test_json_that_is_broken_inside_a_row_is_set_aside(tmp_path):
    path = tmp_path / "events.parquet"
    pd.DataFrame({"id": ["a", "b"], "tags": ["{", "{}"]}).to_parquet(path)
    (batch,) = event_files.read(path, BEGINNING)
    assert batch.rows == [2]
    assert [row for row, _ in batch.unreadable] == [1]


def test_a_missing_or_damaged_file_is_named(tmp_path):
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 and then nothing")
    for path in (tmp_path / "missing.jsonl", damaged, tmp_path):
        for read in (event_files.total, lambda path: list(event_files.read(path, BEGINNING))):
            with pytest.raises(FileError, match=str(path)):
                read(path)


def test_an_endless_line_is_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"id": "a"}\n' + b"x" * (event_files.LINE_BYTES + 2))
    with pytest.raises(FileError, match="line 2"):
        list(event_files.read(path, BEGINNING))


def test_a_bookmark_belongs_to_one_file_and_one_server(tmp_path):
    path = write_lines(tmp_path / "events.jsonl", [{"id": "a"}])
    kept = event_files.bookmark_path(tmp_path, path, "http://a")
    assert event_files.read_bookmark(kept) == Bookmark()
    event_files.write_bookmark(kept, Bookmark(12, 2))
    assert event_files.read_bookmark(kept) == Bookmark(12, 2)
    assert event_files.bookmark_path(tmp_path, path, "http://b") != kept
    path.write_text("something else")
    assert event_files.bookmark_path(tmp_path, path, "http://a") != kept
