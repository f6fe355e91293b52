"""The embedded broker: messages are whole, in order, taken once, and leave nothing behind."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Queue
from kombu.simple import SimpleQueue


@pytest.fixture
def work() -> Queue:
    # kombu remembers per process which queues are bound, whatever folder they are in.
    name = uuid.uuid4().hex
    return Queue(name, Exchange(name), routing_key=name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("queue", "control"):
        (tmp_path / name).mkdir()
    return tmp_path


def connect(folder: Path) -> Connection:
    return Connection(
        "filesystem://localhost",
        transport="finops.broker:Transport",
        transport_options={
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
        },
    )


def take_all(queue: SimpleQueue) -> list[dict[str, int]]:
    taken = []
    while True:
        try:
            message = queue.get(timeout=0.5)
        except Empty:
            return taken
        message.ack()
        taken.append(message.payload)


def test_messages_come_in_the_order_they_were_sent_and_leave_no_file(
    folder: Path, work: Queue
) -> None:
    with connect(folder) as connection, connection.SimpleQueue(work) as queue:
        for number in range(50):
            queue.put({"number": number})
        assert [message["number"] for message in take_all(queue)] == list(range(50))
    assert list((folder / "queue").iterdir()) == []


def test_each_message_is_taken_once_however_many_take_and_send(folder: Path, work: Queue) -> None:
    def send(first: int) -> None:
        with connect(folder) as connection, connection.SimpleQueue(work) as queue:
            for number in range(first, first + 100):
                queue.put({"number": number})

    taken: list[int] = []
    deadline = time.monotonic() + 30

    def take() -> None:
        # What one of them holds when it leaves comes back, so all stay until everything is taken.
        with connect(folder) as connection, connection.SimpleQueue(work) as queue:
            while len(taken) < 200 and time.monotonic() < deadline:
                try:
                    message = queue.get(timeout=0.5)
                except Empty:
                    continue
                message.ack()
                taken.append(message.payload["number"])

    with connect(folder) as connection, connection.SimpleQueue(work):
        pass  # the queue is there before anybody sends, as a worker's is
    with ThreadPoolExecutor(6) as pool:
        running = [*(pool.submit(take) for _ in range(4)), pool.submit(send, 0)]
        running.append(pool.submit(send, 100))
        for each in running:
            each.result()
    assert sorted(taken) == list(range(200))
