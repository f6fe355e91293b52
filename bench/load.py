"""A small load generator, a process of its own: sends prepared bodies over keep-alive connections.

    python bench/load.py URL KEY BODIES [--connections 16] [--rate EVENTS_PER_SECOND] [--otlp]

BODIES is what `write_bodies` wrote. Prints one JSON object when every body was acknowledged. A 429
or 503 is waited out and sent again, as every client of the door should. It shares the machine with
what it loads, so it spends little on a request: 20 µs, a quarter of what asyncio's streams take.
"""

from __future__ import annotations

import argparse
import asyncio
import mmap
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvloop

HEADER = struct.Struct("<II")  # events in the body, its bytes
RETRIED = frozenset({429, 502, 503, 504})
RETRY_SECONDS = 0.5
EVENTS = ("/api/v1/events", "application/json")
OTLP = ("/v1/traces", "application/x-protobuf")


def write_bodies(path: Path, bodies: Iterable[tuple[int, bytes]]) -> None:
    with path.open("wb") as file:
        for events, body in bodies:
            file.write(HEADER.pack(events, len(body)))
            file.write(body)


def read_bodies(data: mmap.mmap) -> Iterator[tuple[int, memoryview]]:
    view, offset = memoryview(data), 0
    while offset < len(data):
        events, size = HEADER.unpack_from(data, offset)
        offset += HEADER.size
        yield events, view[offset : offset + size]
        offset += size


class Load:
    """What all connections share: the bodies still to send and what came back."""

    def __init__(self, bodies: Iterator[tuple[int, memoryview]], rate: float) -> None:
        self.bodies = bodies
        self.rate = rate
        self.started = time.perf_counter()
        self.due = 0
        self.events = self.accepted = self.duplicates = self.rejected = self.retries = 0
        self.latencies: list[float] = []

    def seconds_early(self, events: int) -> float:
        """How long these events have to wait for their turn, where there is a rate."""
        if not self.rate:
            return 0.0
        self.due += events
        return self.due / self.rate - (time.perf_counter() - self.started)

    def count(self, events: int, answer: bytes, seconds: float) -> None:
        """An empty answer is OTLP's: all was taken."""
        self.latencies.append(seconds)
        self.events += events
        receipt = msgspec.json.decode(answer) if answer else {"accepted": events}
        self.accepted += receipt["accepted"]
        self.duplicates += receipt.get("duplicates", 0)
        self.rejected += len(receipt.get("rejected", ()))

    def report(self) -> dict[str, float]:
        seconds = time.perf_counter() - self.started
        ordered = sorted(self.latencies) or [0.0]
        return {
            "events": self.events,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "retries": self.retries,
            "seconds": seconds,
            "events_per_second": self.events / seconds,
            **{
                f"post_p{percent}_ms": ordered[int(len(ordered) * percent / 100)] * 1000
                for percent in (50, 95, 99)
            },
            "generator_cpu_seconds": time.process_time(),
        }


class Sender(asyncio.Protocol):
    """One connection: sends a body, waits for its answer, sends the next."""

    def __init__(self, load: Load, head: bytes, ended: asyncio.Future[None]) -> None:
        self.load, self.head, self.ended = load, head, ended
        self.events, self.body, self.begun = 0, memoryview(b""), 0.0
        self.received = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error or ConnectionError("the server hung up"))

    def send_next(self) -> None:
        found = next(self.load.bodies, None)
        if found is None:
            self.ended.set_result(None)
            return self.transport.close()
        self.events, self.body = found
        early = self.load.seconds_early(self.events)
        if early > 0:
            asyncio.get_running_loop().call_later(early, self.begin)
        else:
            self.begin()

    def begin(self) -> None:
        self.begun = time.perf_counter()
        self.send()

    def send(self) -> None:
        self.transport.writelines((self.head, b"%d\r\n\r\n" % len(self.body), self.body))

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        if found and len(rest) >= content_length(head):
            self.received = b""
            self.answered(int(head[9:12]), rest)

    def answered(self, status: int, answer: bytes) -> None:
        if status in RETRIED:
            self.load.retries += 1
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.send)
        elif status != 200:
            message = f"The server answers {status}: {answer[:300]!r}"
            self.ended.set_exception(RuntimeError(message))
            self.transport.close()
        else:
            self.load.count(self.events, answer, time.perf_counter() - self.begun)
            self.send_next()


def content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.index(b"content-length:") + 15
    return int(lowered[at:].partition(b"\r\n")[0])


async def run(
    url: str, key: str, path: Path, connections: int, rate: float, door: tuple[str, str] = EVENTS
) -> dict[str, float]:
    at = urlsplit(url)
    host, port = at.hostname or "127.0.0.1", at.port or 80
    head = (
        f"POST {door[0]} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {door[1]}\r\nContent-Length: "
    ).encode()
    loop = asyncio.get_running_loop()
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        load = Load(read_bodies(data), rate)
        ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
        for ended in ends:
            await loop.create_connection(lambda ended=ended: Sender(load, head, ended), host, port)
        await asyncio.gather(*ends)
        return load.report()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0, help="events per second; 0: no limit")
    parser.add_argument("--otlp", action="store_true", help="the bodies are spans in protobuf")
    given = parser.parse_args()
    door = OTLP if given.otlp else EVENTS
    report = uvloop.run(
        run(given.url, given.key, given.bodies, given.connections, given.rate, door)
    )
    print(msgspec.json.encode(report).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
