"""A call is passed over only for one that is stored, of the same source."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ingest_server import Clock, Door, add_key, serve
from otlp_attributes import NEW
from otlp_bodies import TRACES, Exporter, encoded, span, traces
from test_otlp_same_call import RESPONSE, WRAPPER

from finops.conninfo import conninfo
from ingest import app
from ingest.doors.door import Decoded
from ingest.doors.otlp.memory import MOST_UNSTORED, Memory, Reading
from ingest.problems import Problem

INNER = NEW | RESPONSE


def family() -> tuple[dict[str, Any], dict[str, Any]]:
    """A call and the span of a framework around it, which has no response id."""
    outer = span(attributes=WRAPPER)
    return outer, span(outer, attributes=INNER)


def keep(decoded: Decoded) -> bool:
    assert decoded.ties
    return asyncio.run(decoded.ties.keep([each.index for each in decoded.rejections]))


def test_a_call_that_was_not_stored_hides_no_other() -> None:
    outer, inner = family()
    exporter = Exporter()
    lost = exporter.read(traces(inner))
    assert lost.ties
    lost.ties.forget()
    assert len(exporter.events(outer)) == 1


def test_a_call_that_was_sent_again_until_it_was_stored_counts_once() -> None:
    outer, inner = family()
    exporter = Exporter()
    for _ in range(3):
        lost = exporter.read(traces(inner))
        assert lost.ties
        lost.ties.forget()
    assert len(exporter.events(inner)) == 1
    assert exporter.events(outer) == []


def test_a_span_between_two_calls_that_was_passed_on_is_forgotten_with_them() -> None:
    outer = span(attributes=WRAPPER)
    middle = span(outer)
    inner = span(middle, attributes=INNER)
    exporter = Exporter()
    lost, between = exporter.read(traces(inner)), exporter.read(traces(middle))
    assert lost.ties
    lost.ties.forget()
    assert not keep(between)
    assert len(exporter.events(outer)) == 1


def test_a_call_that_was_refused_hides_no_other() -> None:
    outer, inner = family()
    inner["startTimeUnixNano"] = "0"
    exporter = Exporter()
    assert [each.reason for each in exporter.decode(traces(inner)).rejections] == [
        "missing_timestamp"
    ]
    assert len(exporter.events(outer)) == 1


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored", "not stored"])
@pytest.mark.parametrize("first", ["inner", "outer"])
def test_of_two_bodies_at_once_the_later_rests_on_the_earlier(first: str, is_stored: bool) -> None:
    outer, inner = family()
    told, repeated = (inner, outer) if first == "inner" else (outer, inner)
    exporter = Exporter()
    earlier, later = exporter.read(traces(told)), exporter.read(traces(repeated))
    assert (len(earlier.events), len(later.events)) == (1, 0)
    assert earlier.ties
    if is_stored:
        assert keep(earlier)
    else:
        earlier.ties.forget()
    assert keep(later) == is_stored
    assert len(exporter.decode(traces(repeated)).events) == (not is_stored)


def test_the_later_of_two_bodies_waits_for_the_earlier() -> None:
    outer, inner = family()
    exporter = Exporter()

    async def both() -> list[bool]:
        earlier, later = exporter.read(traces(inner)), exporter.read(traces(outer))
        assert earlier.ties
        assert later.ties
        waiting = asyncio.create_task(later.ties.keep([]))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        assert not waiting.done()
        return [await earlier.ties.keep([]), await waiting]

    assert asyncio.run(both()) == [True, True]


def test_spans_of_one_source_hide_none_of_another() -> None:
    outer, inner = family()
    exporter = Exporter()
    exporter.decode(traces(inner), source="one")
    assert len(exporter.decode(traces(outer), source="other").events) == 1
    assert len(exporter.decode(traces(outer), source="one").events) == 0


def test_a_child_that_met_a_limit_and_was_given_up_leaves_its_parent(door: Door) -> None:
    clock = Clock()
    key = add_key(door.database, door.source)
    door.database.execute(
        "UPDATE ingest_key SET events_per_minute = 1 WHERE service = %s", [door.source]
    )
    outer, inner = family()
    with (
        serve(app.create(dsn=conninfo(), clock=clock)) as url,
        httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}) as http,
    ):
        assert posted(http, span(attributes=NEW)) == 200
        assert posted(http, inner) == 429
        clock.now += 61
        assert posted(http, outer) == 200
    assert [row["session"] for row in door.rows() if row["session"]] == ["s-1"]


def posted(http: httpx.Client, call: dict[str, Any]) -> int:
    headers = {"content-type": "application/json"}
    return http.post(TRACES, content=encoded(traces(call)), headers=headers).status_code


def test_what_is_remembered_stays_small_whatever_comes() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    memory, numbers = Memory(), itertools.count(10**9)
    for spans in (1, 64):  # alone in their traces, and with many children
        for _ in range(5):
            asyncio.run(a_body(memory, numbers, spans).keep([]))
    waiting: list[Reading] = []
    with contextlib.suppress(Problem):
        while True:
            waiting.append(a_body(memory, numbers, 1))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(waiting) * CALLS > MOST_UNSTORED // 3
    assert held < 40e6


CALLS = 6_400


def a_body(memory: Memory, numbers: Iterator[int], spans: int) -> Reading:
    """Calls without response ids, so many under each parent; one trace a parent."""
    traces = [f"{next(numbers):032x}" for _ in range(CALLS // spans)]
    with memory.reading("a source", traces) as reading:
        for index in range(CALLS):
            place = (traces[index // spans], f"{next(numbers):016x}")
            reading.note_counted(index, place, (next(numbers), next(numbers)))
            reading.note_child(index, (place[0], "parent"), place, (next(numbers), next(numbers)))
            if spans == 1:
                reading.note_told_by_others((place[0], "another"))
    return reading


def test_more_calls_than_may_wait_are_refused_and_may_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.doors.otlp.memory.MOST_UNSTORED", 10)
    exporter = Exporter()
    body = traces(*(span(attributes=NEW) for _ in range(6)))
    waiting = [exporter.read(body) for _ in range(2)]
    with pytest.raises(Problem) as refused:
        exporter.read(body)
    assert refused.value.status == 503
    for each in waiting:
        assert each.ties
        each.ties.forget()
    assert len(exporter.read(body).events) == 6
