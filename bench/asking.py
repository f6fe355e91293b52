"""A small generator of questions, a process of its own: asks whether calls may be made.

    python bench/asking.py URL KEY [--rate 1000] [--seconds 20] [--more JSON]

Questions are due at a steady rate whether former ones are answered or not, and latencies are from
the moment at which each was due, so that a stall counts for all that it holds up. Prints one JSON
object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

AUTHORIZE = "/api/v1/authorize"
CONNECTIONS = 64
TEAMS = 50
FEATURES = 17
USERS = 10_000


def question(number: int, more: dict[str, Any]) -> bytes:
    """One of a gateway's calls: of 50 teams and 10,000 users, with expected tokens."""
    asked = {
        "team": f"team-{number % TEAMS}",
        "feature": f"feature-{number % FEATURES}",
        "user": f"user-{number * 7919 % USERS}",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "input_tokens": 1_200,
        "output_tokens": 300,
        **more,
    }
    return json.dumps(asked).encode()


class Connection(asyncio.Protocol):
    """Keeps one connection busy: one request at a time, answered into a future."""

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        self.transport = transport
        self.received = b""
        self.answer: asyncio.Future[bytes] | None = None

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if found and len(body) >= length and self.answer:
            self.received = b""
            self.answer.set_result(body)

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_exception(error or ConnectionResetError())

    async def ask(self, request: bytes) -> bytes:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


async def generate(
    url: str, key: str, rate: float, seconds: float, more: dict[str, Any]
) -> dict[str, Any]:
    at = urlsplit(url)
    loop = asyncio.get_running_loop()
    waiting = iter(range(int(rate * seconds)))
    latencies: list[float] = []
    decisions: Counter[str] = Counter()
    begun = time.perf_counter() + 0.1  # uvloop's own clock goes by milliseconds

    async def connected() -> None:
        _, connection = await loop.create_connection(Connection, at.hostname, at.port)
        for number in waiting:
            body = question(number, more)
            request = (
                f"POST {AUTHORIZE} HTTP/1.1\r\nhost: {at.netloc}\r\nx-api-key: {key}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            ).encode() + body
            due = begun + number / rate
            await asyncio.sleep(due - time.perf_counter())
            answer = json.loads(await connection.ask(request))
            latencies.append(time.perf_counter() - due)
            decisions[answer.get("decision", str(answer.get("status")))] += 1

    await asyncio.gather(*(connected() for _ in range(CONNECTIONS)))
    return {
        "requests": len(latencies),
        "per_second": round(len(latencies) / (time.perf_counter() - begun)),
        **quantiles(latencies),
        "decisions": dict(decisions),
        "generator_cpu_seconds": round(time.process_time(), 2),
    }


def quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    found = {f"p{share:g}": ordered[int(last * share / 100)] for share in (50, 95, 99, 99.9)}
    found["max"] = ordered[last]
    return {f"{name}_ms": round(1000 * value, 2) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("--rate", type=float, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--more", type=json.loads, default={}, help="fields of each question")
    given = parser.parse_args()
    print(json.dumps(uvloop.run(generate(*vars(given).values()))))


if __name__ == "__main__":
    main()
