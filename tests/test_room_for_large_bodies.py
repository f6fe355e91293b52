"""Large bodies share the room there is: slow ones do not keep it, compressed ones wait for it."""

from __future__ import annotations

import gc
import gzip
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from ingest_server import Door, event, result, until
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from ingest.buffers import SMALL_BYTES
from ingest.protocol import READ_BYTES

MIB = 2**20
LARGE = json.dumps([event(comment="x" * SMALL_BYTES) for _ in range(12)]).encode()


@contextmanager
def under_way(door: Door, header: str, begun: bytes) -> Iterator[None]:
    """A request whose body does not go on."""
    host, port = door.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = (
            f"POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {door.key}\r\n"
            f"content-type: application/json\r\n{header}\r\n\r\n"
        )
        connection.sendall(head.encode() + begun)
        until(lambda: door.application.reception.memory.held_by_large)
        yield


def test_a_slow_sender_does_not_keep_the_room_that_others_wait_for(door: Door) -> None:
    other = door.new_key("other")
    with under_way(door, f"content-length: {64 * MIB}", b"["):
        answer = door.post(content=LARGE, authorization=f"Bearer {other}")
    assert result(answer)["accepted"] == 12
    memory = door.application.reception.memory
    assert until(lambda: memory.held == memory.held_by_large == 0)


def test_what_waits_for_room_is_left_to_its_sender(door: Door) -> None:
    memory = door.application.reception.memory
    memory.change(memory.limit)
    host, port = door.url.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {door.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {64 * MIB}\r\n\r\n"
    )
    try:
        with ExitStack() as connections:
            for _ in range(8):
                connection = socket.create_connection((host, int(port)))
                connections.enter_context(connection)
                connection.setblocking(False)
                assert connection.send(head.encode() + b" " * MIB) > 3 * READ_BYTES
            assert until(lambda: memory.waiting == 8)
            held = [len(each.body) for each in gc.get_objects() if is_under_way(each)]
            assert len(held) >= 8
            assert max(held) <= READ_BYTES
    finally:
        memory.change(-memory.limit)
    assert until(lambda: not memory.waiting)


def is_under_way(each: object) -> bool:
    return type(each) is RequestResponseCycle and not each.response_complete


def test_a_body_of_unknown_length_has_room_for_what_came(door: Door) -> None:
    begun = b"[" + b" " * MIB
    chunk = f"{len(begun):x}\r\n".encode() + begun + b"\r\n"
    with under_way(door, "transfer-encoding: chunked", chunk):
        assert door.application.reception.memory.held_by_large < 4 * MIB


def test_a_large_body_may_come_in_chunks(door: Door) -> None:
    pieces = (LARGE[at : at + MIB] for at in range(0, len(LARGE), MIB))
    headers = {"authorization": f"Bearer {door.key}", "content-type": "application/json"}
    answer = door.http.post("/api/v1/events", content=pieces, headers=headers)
    assert result(answer)["accepted"] + result(answer)["duplicates"] == 12
    memory = door.application.reception.memory
    assert until(lambda: memory.held == memory.held_by_large == 0)


def test_a_compressed_large_body_waits_for_room_as_others_do(door: Door) -> None:
    memory = door.application.reception.memory
    taken = memory.limit - 2 * MIB
    memory.change(taken)
    try:
        with ThreadPoolExecutor(1) as sender:
            packed = gzip.compress(LARGE)
            assert len(packed) < SMALL_BYTES
            answer = sender.submit(door.post, content=packed, content_encoding="gzip")
            assert until(lambda: memory.waiting)
            memory.change(-taken)
            taken = 0
            counted = result(answer.result())
    finally:
        memory.change(-taken)
    assert counted["accepted"] + counted["duplicates"] == 12
    assert until(lambda: memory.held == memory.held_by_large == 0)
