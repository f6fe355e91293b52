"""A small load generator, a process of its own: sends prepared bodies over keep-alive connections.

    python bench/load.py URL KEY BODIES [--connections 16] [--rate EVENTS_PER_SECOND] [--otlp]

BODIES is what `write_bodies` wrote. Prints one JSON object when every body was acknowledged. A 429
or 503 is waited out and sent again, as every client of the door should.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import mmap
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

HEADER = struct.Struct("<II")  # events in the body, its bytes
RETRIED = frozenset({429, 502, 503, 504})
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

    async def next_body(self) -> tuple[int, memoryview] | None:
        found = next(self.bodies, None)
        if found and self.rate:
            self.due += found[0]
            early = self.due / self.rate - (time.perf_counter() - self.started)
            if early > 0:
                await asyncio.sleep(early)
        return found

    def count(self, events: int, answer: bytes) -> None:
        """An empty answer is OTLP's: all was taken."""
        receipt = json.loads(answer) if answer else {"accepted": events}
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
            "post_p50_ms": ordered[len(ordered) // 2] * 1000,
            "post_p95_ms": ordered[int(len(ordered) * 0.95)] * 1000,
            "generator_cpu_seconds": time.process_time(),
        }


async def send(load: Load, host: str, port: int, head: bytes) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    while (found := await load.next_body()) is not None:
        events, body = found
        begun = time.perf_counter()
        while True:
            writer.write(head + b"%d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
            status, answer = await read_answer(reader)
            if status not in RETRIED:
                break
            load.retries += 1
            await asyncio.sleep(0.5)
        if status != 200:
            raise SystemExit(f"The server answers {status}: {answer[:300]!r}")
        load.latencies.append(time.perf_counter() - begun)
        load.events += events
        load.count(events, answer)
    writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    at = head.index(b"content-length:") + 15
    return status, await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))


async def run(
    url: str, key: str, path: Path, connections: int, rate: float, door: tuple[str, str] = EVENTS
) -> dict[str, float]:
    at = urlsplit(url)
    host, port = at.hostname or "127.0.0.1", at.port or 80
    head = (
        f"POST {door[0]} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: {door[1]}\r\nContent-Length: "
    ).encode()
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        load = Load(read_bodies(data), rate)
        async with asyncio.TaskGroup() as group:
            for _ in range(connections):
                group.create_task(send(load, host, port, head))
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
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
