"""Examples of refused events tell what is wrong with them, and nothing of what they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import given
from ingest_server import Door, event, result, until

from finops.conninfo import conninfo
from ingest import notebook
from ingest.doors import native
from ingest.events import FIELDS
from ingest.examples import Example, Sample, example_of, form_of
from ingest.overflows import Overflows
from ingest.rejections import Rejection

# No word of an example is made of these, so a value that is there was taken from the event.
SECRET = st.text(alphabet="QXZ§ÄÖ", min_size=6, max_size=40)
BROKEN: list[dict[str, Any]] = [
    {"timestamp": "yesterday"},
    {"timestamp": "2026-10-01T12:00:00"},
    {"model": ""},
    {"input_tokens": -5},
    {"input_tokens": "many"},
    {"status": "fine"},
    {"latency_ms": -1},
    {"tags": {str(number): "x" for number in range(17)}},
    {"input_tokens": 1, "cache_read_input_tokens": 5},
    {"usage": {"nonsense": 1}, "input_tokens": None, "output_tokens": None},
]


@given(
    texts=st.dictionaries(st.sampled_from(sorted(FIELDS - {"id"})), SECRET, max_size=12),
    unknown=st.dictionaries(st.sampled_from(["prompt", "answer", "messages"]), SECRET),
    tags=st.dictionaries(st.sampled_from(["a", "b"]), SECRET),
    identity=SECRET,
    nested=SECRET,
)
def test_no_text_of_a_refused_event_is_in_its_example(
    texts: dict[str, str],
    unknown: dict[str, str],
    tags: dict[str, str],
    identity: str,
    nested: str,
) -> None:
    broken = {
        **event(),
        **texts,
        **unknown,
        "id": identity,
        "tags": tags,
        "usage": {"input": nested, "deep": {"in": [nested]}},
        "input_tokens": -1,
        "stages_ms": {"gateway": nested},
    }
    decoded = native.read_json(json.dumps(broken).encode())
    [sample] = decoded.samples
    kept = str(example_of(sample))
    for text in (*texts.values(), *unknown.values(), *tags.values(), identity, nested):
        assert text not in kept


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_an_example_names_the_field_and_the_kind_of_what_was_in_it(
    door: Door, broken: dict[str, Any]
) -> None:
    refused = event(**broken)
    [rejection] = result(door.post([refused]))["rejected"]
    kept = saved(door, rejection["reason"])
    field = next(iter(broken))
    assert kept["field"] in {field, "usage", "input_tokens"}
    assert field in kept["shape"]
    assert kept["id_prefix"] == refused["id"][:6] + "…"
    assert "python-httpx" in kept["client"]


def saved(door: Door, reason: str) -> dict[str, Any]:
    def read() -> dict[str, Any] | None:
        return door.database.execute(
            "SELECT example.* FROM rejected_example AS example"
            " JOIN ingest_key AS key ON key.id = example.key_id"
            " WHERE key.service = %s AND reason = %s",
            [door.source, reason],
        ).fetchone()

    found: dict[str, Any] = until(read)
    return found


def test_a_form_keeps_the_signs_of_a_time_and_no_letter_of_it() -> None:
    assert form_of("2026-10-01 12:00 Berlin") == "9999-99-99 99:99 aaaaaa"
    assert form_of('"§') == "··"


def test_an_event_that_is_no_object_or_too_large_is_told_by_its_size() -> None:
    rejection = Rejection(0, None, "wrong_type", "event: Expected object.")
    assert example_of(Sample(rejection, b"[1]")).shape == {"(event)": "no JSON object, 3 bytes"}
    assert "too large" in str(example_of(Sample(rejection, b" " * 70_000)).shape)


def test_a_client_that_fails_all_the_time_leaves_few_examples() -> None:
    notes = notebook.Notebook()
    now = datetime.now(UTC)
    sample = Sample(Rejection(0, "x", "empty_model", "model: write it."), b"{}")
    for key in range(3):
        for _ in range(50):
            notes.refused(key, now, "json", "curl", [sample])
    assert len(notes._waiting) == 3


@pytest.mark.django_db(transaction=True)
def test_only_the_latest_examples_of_a_key_and_a_reason_are_kept() -> None:
    now = datetime.now(UTC)
    example = Example("empty_model", "model", "a…", {"model": "text of 0 characters"})
    old = notebook.Noted(-1, now - timedelta(days=8), "json", "curl", example)
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        notes = notebook.Notebook()
        notes._waiting.append(old)
        notes._waiting.extend(notebook.Noted(-1, now, "json", "curl", example) for _ in range(30))
        notes.save(connection, now)
        rows = connection.execute(
            "SELECT received_at FROM rejected_example WHERE key_id = -1"
        ).fetchall()
        connection.execute("TRUNCATE rejected_example")
    assert len(rows) == notebook.KEPT_PER_KEY_AND_REASON
    assert {moment for (moment,) in rows} == {now}


@pytest.mark.django_db(transaction=True)
def test_values_past_a_limit_are_counted_over_restarts() -> None:
    now = datetime.now(UTC)
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        for _ in range(2):
            overflows = Overflows()
            overflows.add("tag:x", "search", "x" * 100)
            for number in range(50):
                overflows.add("tag:x", "search", f"f-{number}")
            overflows.add("tag:y", "", times=7)
            overflows.save(connection, now)
        rows = connection.execute(
            "SELECT dimension, times, examples FROM cardinality_overflow"
            " WHERE dimension LIKE 'tag:%' ORDER BY 1"
        ).fetchall()
        connection.execute("TRUNCATE cardinality_overflow")
    assert [(name, times) for name, times, _ in rows] == [("tag:x", 102), ("tag:y", 14)]
    assert len(rows[0][2]) == 20
    assert rows[0][2]["x" * 60] == 2
    assert rows[1][2] == {}


def test_a_batch_tells_which_clients_it_came_from_and_which_fields_are_unknown(door: Door) -> None:
    result(door.post([event(promt="x"), event(model="")], user_agent="gateway/2.1 (linux; x)"))
    [batch] = door.batches()
    assert batch["clients"] == {"gateway/2.1": [1, 0, 1]}
    assert batch["unknown_names"] == ["promt"]
