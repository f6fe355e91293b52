"""Asks a Farthing of its own whether calls may be made, and says how soon it answers.

    python bench/authorize.py [--rate 1000] [--seconds 20] [--budgets 100]

Latencies are from the moment at which a request was due, so that a stall counts for all that it
holds up. The generator is a process beside the server, on the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvloop

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import system  # noqa: E402
from bench.system import System  # noqa: E402

AUTHORIZE = "/api/v1/authorize"
CONNECTIONS = 64
TEAMS = 50
ADD_BUDGET = """
    INSERT INTO budget (name, filters, for_each, team, period, amount_kind, amount, cost, unpriced,
        note, version, amount_revision, created_at, created_by, changed_at, changed_by, enforcement)
    VALUES (%s, %s, %s, '', 'monthly', 'fixed', %s, 'effective_cost', 'ignore', '', 1, 0, now(),
        'bench', now(), 'bench', 'block')
"""

HELD = """
    SELECT 1 FROM reservation_hold JOIN budget ON budget.id = budget_id WHERE budget.name = %s
"""


def question(number: int, more: dict[str, Any]) -> bytes:
    """One of a gateway's calls: of 50 teams and 10,000 users, with expected tokens."""
    asked = {
        "team": f"team-{number % TEAMS}",
        "feature": f"feature-{number % 17}",
        "user": f"user-{number * 7919 % 10_000}",
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


async def generate(url: str, key: str, rate: int, seconds: float, more: dict[str, Any]) -> None:
    """Prints one JSON object: latencies and decisions."""
    at = urlsplit(url)
    loop = asyncio.get_running_loop()
    waiting = iter(range(int(rate * seconds)))
    latencies: list[float] = []
    decisions: Counter[str] = Counter()
    begun = loop.time() + 0.1

    async def connected() -> None:
        _, connection = await loop.create_connection(Connection, at.hostname, at.port)
        for number in waiting:
            body = question(number, more)
            request = (
                f"POST {AUTHORIZE} HTTP/1.1\r\nhost: {at.netloc}\r\nx-api-key: {key}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            ).encode() + body
            due = begun + number / rate
            await asyncio.sleep(due - loop.time())
            answer = json.loads(await connection.ask(request))
            latencies.append(loop.time() - due)
            decisions[answer.get("decision", str(answer.get("status")))] += 1

    await asyncio.gather(*(connected() for _ in range(CONNECTIONS)))
    ordered = sorted(latencies)
    quantiles = {
        f"p{share}_ms": round(
            1000 * ordered[min(int(len(ordered) * share / 100), len(ordered) - 1)], 2
        )
        for share in (50, 95, 99)
    }
    figures = {
        "requests": len(ordered),
        "per_second": round(len(ordered) / (loop.time() - begun)),
        **quantiles,
        "max_ms": round(1000 * ordered[-1], 1),
        "decisions": dict(decisions),
    }
    print(json.dumps(figures))


def load(farthing: System, key: str, rate: int, seconds: float, **more: Any) -> dict[str, Any]:
    """One run of the generator, and the CPU seconds that each part of the server took for it."""
    before = farthing.cpu_seconds()
    done = subprocess.run(
        [sys.executable, __file__, "--generate", farthing.url, key, str(rate), str(seconds),
         json.dumps(more)],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    after = farthing.cpu_seconds()
    found: dict[str, Any] = json.loads(done.stdout)
    found["cpu_share"] = {
        part: round((after[part] - before.get(part, 0)) / seconds, 2)
        for part in ("ingest", "postgres", "worker")
    }
    return found


def add_budgets(farthing: System, count: int) -> None:
    with farthing.connect() as connection:
        for number in range(count):
            filters = {"team": [f"team-{number % TEAMS}"], "feature": [f"feature-{number % 17}"]}
            connection.execute(ADD_BUDGET, [f"budget {number}", json.dumps(filters), "", 1_000_000])
        connection.execute(ADD_BUDGET, ["everything", "{}", "", 10_000_000])
        connection.execute(ADD_BUDGET, ["every user", "{}", "user", 1_000])


def add_dollar(farthing: System, name: str) -> None:
    """A budget of one dollar."""
    with farthing.connect() as connection:
        filters = json.dumps({"feature": [name]})
        connection.execute(ADD_BUDGET, [name, filters, "", 1])
    with httpx.Client(base_url=farthing.url) as http:
        wait_until(lambda: known(http, name))


KEY = ""


def known(http: httpx.Client, feature: str) -> bool:
    asked = http.post(AUTHORIZE, json={"feature": feature}, headers={"x-api-key": KEY}).json()
    return any(each["name"] == feature for each in asked.get("reasons", ()))


def wait_until(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("Waited too long.")
        time.sleep(0.1)


async def at_once(url: str, count: int, body: dict[str, Any]) -> Counter[str]:
    async with httpx.AsyncClient(
        base_url=url, timeout=30, limits=httpx.Limits(max_connections=count)
    ) as http:
        answers = await asyncio.gather(
            *(http.post(AUTHORIZE, json=body, headers={"x-api-key": KEY}) for _ in range(count))
        )
    return Counter(answer.json()["decision"] for answer in answers)


def last_dollar(farthing: System) -> None:
    add_dollar(farthing, "last-dollar")
    body = {"feature": "last-dollar", "estimated_cost": "0.03", "reserve": True, "ttl_seconds": 60}
    said = asyncio.run(at_once(farthing.url, 200, body))
    over = max(said["allow"] * 0.03 - 1, 0)
    print(f"200 at once against 1 USD, 0.03 each: {dict(said)}; overshoot {over:.2f} USD")


def killed(farthing: System) -> None:
    """Clients that reserve all there is and are killed before they settle."""
    add_dollar(farthing, "killed")
    body = {"feature": "killed", "estimated_cost": "0.02", "reserve": True, "ttl_seconds": 5}
    program = (
        "import httpx, json, sys, time; url, key, body = sys.argv[1:];"
        "[httpx.post(url, json=json.loads(body), headers={'x-api-key': key}) for _ in range(10)];"
        "print('held', flush=True); time.sleep(60)"
    )
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", program, farthing.url + AUTHORIZE, KEY, json.dumps(body)],
            stdout=subprocess.PIPE,
        )
        for _ in range(5)
    ]
    for client in clients:
        assert client.stdout
        client.stdout.readline()
        client.send_signal(signal.SIGKILL)
        client.wait()
    began = datetime.now(UTC)
    with httpx.Client(base_url=farthing.url, headers={"x-api-key": KEY}) as http:
        asked = {"feature": "killed", "estimated_cost": "0.5"}
        before = http.post(AUTHORIZE, json=asked).json()
        wait_until(lambda: http.post(AUTHORIZE, json=asked).json()["decision"] == "allow")
    waited = (datetime.now(UTC) - began).total_seconds()
    with farthing.connect() as connection:
        wait_until(lambda: not connection.execute(HELD, ["killed"]).fetchall())
    print(
        f"5 killed clients held 50 × 0.02 USD for 5 s: {before['decision']} then, allowed again "
        f"after {waited:.1f} s, no row left"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--budgets", type=int, default=100)
    given = parser.parse_args()
    global KEY
    with tempfile.TemporaryDirectory() as logs, system.running(Path(logs) / "log") as farthing:
        KEY = key = farthing.manage("create_ingest_key", "gateway")
        add_budgets(farthing, given.budgets)
        with httpx.Client(base_url=farthing.url) as http:
            wait_until(lambda: known(http, "everything") or _has_plans(farthing))
        load(farthing, key, given.rate, 2)
        for name, more in (
            ("asked", {}),
            ("reserved, far from limits", {"reserve": True, "ttl_seconds": 10}),
        ):
            print(f"{name}: {json.dumps(load(farthing, key, given.rate, given.seconds, **more))}")
        add_dollar(farthing, "near")
        more = {"feature": "near", "reserve": True, "ttl_seconds": 2}
        near = load(farthing, key, given.rate, given.seconds, **more)
        print(f"reserved, at a limit: {json.dumps(near)}")
        last_dollar(farthing)
        killed(farthing)


def _has_plans(farthing: System) -> bool:
    with farthing.connect() as connection:
        return connection.execute("SELECT count(*) FROM enforcement_plan").fetchall()[0][0] > 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--generate"]:
        url, key, rate, seconds, more = sys.argv[2:]
        uvloop.run(generate(url, key, int(rate), float(seconds), json.loads(more)))
    else:
        main()
