"""Requests hold no more memory together than they may; what does not fit is told to come again."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from ingest_server import Door, event, result, until

from finops.conninfo import conninfo
from ingest.buffers import SMALL_BYTES
from ingest.memory import Memory
from ingest.problems import Problem


def test_what_does_not_fit_is_refused_and_fits_again_later() -> None:
    memory = Memory(limit=100, large=80)
    with memory.share() as first, memory.share() as second:
        first.hold(60)
        with pytest.raises(Problem) as refused:
            second.hold(50)
        assert refused.value.status == 503
        assert int(refused.value.headers["retry-after"]) > 0
        first.hold(10)
        second.hold(50)
        assert memory.held == 60
    assert memory.held == 0


def test_what_would_not_fit_alone_is_too_large() -> None:
    memory = Memory(limit=100, large=80)
    with memory.share() as alone, pytest.raises(Problem) as refused:
        alone.hold(101)
    assert refused.value.status == 413


def test_large_bodies_wait_for_each_other_and_leave_room_for_small_ones() -> None:
    memory = Memory(limit=100, large=80)
    order: list[str] = []

    async def receive(name: str, count: int) -> None:
        with memory.share() as share:
            await share.wait_for(count)
            order.append(name)
            with memory.share() as small:
                small.hold(20)
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(receive("first", 80), receive("second", 70), receive("third", 10))

    asyncio.run(both())
    assert order == ["first", "second", "third"]
    assert memory.held == memory.held_by_large == 0
    assert memory.largest_held == 100


def test_one_owner_does_not_take_all_places_in_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.memory.WAIT_SECONDS", 0.2)
    memory = Memory(limit=100, large=80)

    async def wait(owner: int) -> int:
        with memory.share(owner) as share:
            try:
                await share.wait_for(80)
            except Problem as problem:
                return int(problem.headers["retry-after"])
            await asyncio.sleep(1)
            return 0

    async def all_of_them() -> list[int]:
        greedy = [asyncio.create_task(wait(1)) for _ in range(30)]
        await asyncio.sleep(0.05)
        assert memory.waiting == 16
        modest = asyncio.create_task(wait(2))
        await asyncio.sleep(0.05)
        assert memory.waiting == 17
        return await asyncio.gather(*greedy, modest)

    assert asyncio.run(all_of_them()).count(0) == 1


LARGE = {"comment": "x" * SMALL_BYTES}


def test_a_large_body_is_read_as_a_small_one_is(door: Door) -> None:
    events = [
        event(tags={"a": "b"}, stages_ms={"prefill": 3}),
        event(**LARGE),
        event(input_tokens=-1),
        event(
            usage={"prompt_tokens": 7, "completion_tokens": 1},
            input_tokens=None,
            output_tokens=None,
        ),
        5,
    ]
    answer = result(door.post(events))
    assert (answer["accepted"], answer["unknown_fields"]) == (3, 1)
    assert answer["unknown_field_names"] == ["comment"]
    reasons = [(each["index"], each["reason"]) for each in answer["rejected"]]
    assert reasons == [(2, "negative_tokens"), (4, "wrong_type")]
    rows = {row["event_id"]: row for row in door.rows()}
    assert rows[events[0]["id"]]["tags"] == {"a": "b"}
    assert rows[events[0]["id"]]["stages_ms"] == {"prefill": 3}
    assert rows[events[3]["id"]]["uncached_input_tokens"] == 7


@pytest.mark.parametrize("shape", ["{%s}", '{"events": [{%s}]}', "[{%s}]", "\n{%s}\n\n{%s\n"])
def test_every_shape_may_be_large(door: Door, shape: str) -> None:
    inside = json.dumps(event(**LARGE))[1:-1]
    content = (shape.replace("%s", inside, 1).replace("%s", "x")).encode()
    kind = "application/x-ndjson" if shape.startswith("\n") else "application/json"
    answer = result(door.post(content=content, content_type=kind))
    assert answer["accepted"] == 1
    assert [each["reason"] for each in answer["rejected"]] == ["malformed_json"] * shape.startswith(
        "\n"
    )
    assert len(door.rows()) == 1


def test_lists_of_nothing_take_no_memory(door: Door) -> None:
    nothing = "[" + "[]," * SMALL_BYTES + "[]]"
    bomb = json.dumps(event(usage={"x": 0})).replace('"x": 0', f'"x": {nothing}')
    answer = result(door.post(content=f"[{bomb},{json.dumps(event())}]".encode()))
    assert answer["accepted"] == 1
    assert answer["rejected"][0]["reason"] == "too_long"
    assert "usage" in answer["rejected"][0]["detail"]
    assert door.application.reception.memory.largest_held < 4 * SMALL_BYTES + 2**20


def test_settlements_are_weighed_as_events_are(door: Door) -> None:
    memory = door.application.reception.memory
    told = [{"id": f"s{i}", "corrects": "a", "output_tokens": 1} for i in range(1000)]
    memory.take_largest_held()
    assert result(door.post(told))["accepted"] == 1000
    assert memory.take_largest_held() > 900_000


def commits_that_wait(door: Door) -> int:
    [row] = door.database.execute(
        """
        SELECT count(*) AS waiting FROM pg_stat_activity
        WHERE application_name = 'farthing ingest' AND wait_event_type = 'Lock'
            AND datname = current_database()
        """
    ).fetchall()
    return int(row["waiting"])


def test_what_is_given_up_waits_no_longer(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.writer.ANSWER_SECONDS", 2.0)
    writer = door.application.writer
    with psycopg.connect(conninfo()) as blocking, ThreadPoolExecutor(5) as several:
        blocking.execute("LOCK TABLE usage_event IN ACCESS EXCLUSIVE MODE")
        answers = []
        for number in (1, 2):  # a commit of each writer that does not end
            answers.append(several.submit(door.post, [event()]))
            until(lambda number=number: commits_that_wait(door) == number)  # type: ignore[misc]
        answers += [several.submit(door.post, [event()] * n) for n in (3, 4, 5)]
        until(lambda: writer.queued_rows)
        assert {each.result().status_code for each in answers} == {503}
        assert until(lambda: writer.queued_rows == 0)
        assert door.application.reception.memory.held == 0
        blocking.rollback()
    monkeypatch.undo()
    assert result(door.post([event()]))["accepted"] == 1


def test_the_ingest_process_notes_how_full_it_is(door: Door) -> None:
    assert door.post([event()]).status_code == 200
    configuration = door.application.configuration

    def noted() -> Any:
        configuration.save_notes(datetime.now(UTC))
        return door.database.execute(
            "SELECT values FROM ingest_saturation ORDER BY id DESC LIMIT 1"
        ).fetchone()

    row = until(lambda: (found := noted()) and found["values"]["requests"] and found)
    assert 0 < row["values"]["memory"] < 0.1
    assert row["values"]["commit_p95"] > 0
    told = door.http.get("/metrics").text
    assert "farthing_ingest_held_bytes_limit" in told
