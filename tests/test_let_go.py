"""What a request brought is let go with its answer, and not when cycles are looked for, which is
rare: a process that refuses much would fill its memory with what it refused."""

from __future__ import annotations

import gc
import gzip
import json
import mmap
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from ingest_server import EVENTS, Door, event, serve, until

from finops.conninfo import conninfo
from ingest import app
from ingest.batches import Submission


def held() -> int:
    """Submissions and large bodies."""
    return sum(type(each) in (Submission, mmap.mmap) for each in gc.get_objects())


@pytest.fixture
def no_cycles() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@contextmanager
def waiting(application: app.App, url: str, key: str) -> Iterator[list[int]]:
    """Requests of several sizes that wait for the database; what they were answered."""
    answers: list[int] = []

    def post(count: int) -> None:
        headers = {"authorization": f"Bearer {key}"}
        body = [event() for _ in range(count)]
        answer = httpx.post(url + EVENTS, json=body, headers=headers, timeout=60)
        answers.append(answer.status_code)

    threads = [threading.Thread(target=post, args=[count]) for count in (1, 50, 3000)]
    for thread in threads:
        thread.start()
    until(lambda: len(application.writer.unanswered) == len(threads))
    yield answers
    for thread in threads:
        thread.join(60)


@pytest.mark.usefixtures("no_cycles")
def test_what_was_given_up_is_let_go(door: Door) -> None:
    application = app.create(dsn=conninfo())
    with psycopg.connect(conninfo()) as holding, serve(application) as url:
        before = held()
        holding.execute("LOCK TABLE ingest_batch IN ACCESS EXCLUSIVE MODE")
        with waiting(application, url, door.key) as answers:
            application.writer.loop.call_soon_threadsafe(application.writer.give_up)
            until(lambda: len(answers) == 3)
            holding.rollback()
        assert answers == [503, 503, 503]
        until(lambda: held() <= before)


@pytest.mark.usefixtures("no_cycles")
def test_what_a_lost_connection_brought_is_let_go(door: Door) -> None:
    application = app.create(dsn=conninfo())
    with psycopg.connect(conninfo(), autocommit=True) as other, serve(application) as url:
        before = held()
        with psycopg.connect(conninfo()) as holding:
            holding.execute("LOCK TABLE ingest_batch IN ACCESS EXCLUSIVE MODE")
            with waiting(application, url, door.key) as answers:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database()"
                    " AND application_name = 'farthing ingest'"
                )
                holding.rollback()
        assert len(answers) == 3
        until(lambda: held() <= before)


@pytest.mark.usefixtures("no_cycles")
@pytest.mark.parametrize("count", [1, 3000], ids=["small", "large"])
@pytest.mark.parametrize("encoding", ["", "gzip"], ids=["plain", "gzip"])
def test_what_cannot_be_read_is_let_go(door: Door, count: int, encoding: str) -> None:
    before = held()
    events = [event() for _ in range(count)]
    bodies = (
        *(json.dumps(events).encode()[:-1], json.dumps([*events, {"id": 7}]).encode()),
        json.dumps(events * (10_001 // count + 1)).encode(),
    )
    for body in bodies:
        content = gzip.compress(body) if encoding else body
        headers = {"content_encoding": encoding} if encoding else {}
        door.post(content=content, **headers)
    until(lambda: held() <= before)
