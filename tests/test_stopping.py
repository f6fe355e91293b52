"""Who stops the ingest process cuts nobody: what it received it answers, truly."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from ingest_server import EVENTS, Door, event, serve, until

from finops.conninfo import conninfo
from ingest import app, keys


class Sender:
    """Sends one event after another on one connection, never again, and keeps what it heard."""

    def __init__(self, url: str, key: str, number: int) -> None:
        at = urlsplit(url)
        self.address = (at.hostname, at.port)
        self.key = key
        self.number = number
        self.heard: Counter[str] = Counter()
        self.taken: list[str] = []

    def run(self) -> None:
        for turn in range(100_000):
            try:
                with socket.create_connection(self.address, timeout=20) as opened:
                    if not self.talk(opened, turn):
                        continue
            except ConnectionRefusedError:
                return

    def talk(self, opened: socket.socket, turn: int) -> bool:
        """Requests on one connection until the server closes it."""
        answers = opened.makefile("rb")
        for again in range(100_000):
            name = f"{self.number}-{turn}-{again}"
            body = json.dumps(event(id=name)).encode()
            head = (
                f"POST {EVENTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            opened.sendall(head.encode() + body)
            status = answers.readline()
            self.heard[status[9:12].decode() or "cut"] += 1
            if status[9:12] == b"200":
                self.taken.append(name)
            said = b"".join(iter(answers.readline, b"\r\n")).lower()
            length = int(said.partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            answers.read(length)
            if b"connection: close" in said or not status:
                return False
        return True


def test_requests_under_way_are_answered_when_it_ends(door: Door) -> None:
    stopping = app.create(dsn=conninfo())
    with serve(stopping) as url:
        senders = [Sender(url, door.key, number) for number in range(8)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        until(lambda: all(len(sender.taken) > 5 for sender in senders))
    for thread in threads:
        thread.join(20)
    heard: Counter[str] = sum((sender.heard for sender in senders), Counter())
    assert set(heard) <= {"200", "503"}, heard
    stored = {row["event_id"] for row in door.rows()}
    assert stored == {name for sender in senders for name in sender.taken}


def test_what_cannot_be_committed_in_time_is_refused_and_not_cut(door: Door) -> None:
    """The database says nothing any more: who waits for it hears so before the process ends."""
    stopping = app.create(dsn=conninfo())
    answers: list[httpx.Response] = []
    with psycopg.connect(conninfo()) as holding, serve(stopping) as url:
        holding.execute("LOCK TABLE ingest_batch IN ACCESS EXCLUSIVE MODE")

        def post() -> None:
            headers = {"authorization": f"Bearer {door.key}"}
            answers.append(httpx.post(url + EVENTS, json=[event()], headers=headers, timeout=30))

        thread = threading.Thread(target=post)
        thread.start()
        until(lambda: stopping.writer.unanswered)
        stopping.writer.loop.call_soon_threadsafe(stopping.writer.give_up)
        thread.join(10)
        holding.rollback()
    [answer] = answers
    assert answer.status_code == 503
    assert "was not confirmed" in answer.json()["detail"]


def test_one_key_does_not_take_the_whole_queue(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.writer.QUEUED_ROWS", 40)
    monkeypatch.setattr("ingest.writer.QUEUED_ROWS_OF_A_KEY", 20)
    application = app.create(dsn=conninfo())
    other = door.new_key(door.source)
    with psycopg.connect(conninfo()) as holding, serve(application) as url:
        holding.execute("LOCK TABLE ingest_batch IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(16) as pool:

            def post(key: str) -> Future[httpx.Response]:
                headers = {"authorization": f"Bearer {key}"}
                body = [event() for _ in range(5)]
                return pool.submit(httpx.post, url + EVENTS, json=body, headers=headers, timeout=60)

            greedy = [post(door.key) for _ in range(12)]
            refused = until(lambda: [each for each in greedy if each.done()])
            assert all(each.result().status_code == 503 for each in refused)
            assert "of this key" in refused[0].result().json()["detail"]
            modest = post(other)
            until(lambda: application.writer.rows_of(other_id(door, other)) == 5)
            holding.rollback()
            assert modest.result().status_code == 200


def other_id(door: Door, key: str) -> int:
    row = door.database.execute(
        "SELECT id FROM ingest_key WHERE digest = %s", [keys.digest_of(key)]
    ).fetchone()
    assert row
    return int(row["id"])
