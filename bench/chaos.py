"""Minutes at a steady rate while every part is killed -9 at random: nothing lost, nothing doubled.

    python bench/chaos.py [--minutes 10] [--rate 20000] [--seed 1]

Clients send again whatever was not acknowledged. At the end every acknowledged event is there once,
every rollup equals the events, the cost equals the sum worked out from what was sent, and memory
has not grown. Exit code 1 where one of these does not hold.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import system  # noqa: E402
from bench.report import Report  # noqa: E402
from bench.system import System  # noqa: E402

KILLED = ("postgres", "backend", "ingest", "web", "worker")
CONNECTIONS = 16
PRICE_LINE = (
    *("kind=contract", "provider=chaos", "model=chaos", "effective_from=2026-01-01"),
    *("uncached_input_price_per_million=3", "text_output_price_per_million=15"),
)
# USD of one token.
INPUT, OUTPUT = Decimal(3) / 10**6, Decimal(15) / 10**6


@dataclass
class Sent:
    """What one client had acknowledged: bodies by number; events follow from it."""

    client: int
    bodies: int = 0
    retries: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


class Chaos:
    """One run on one installation."""

    def __init__(self, farthing: System, key: str, rate: int, in_a_body: int) -> None:
        self.farthing = farthing
        self.key = key
        self.rate = rate
        self.in_a_body = in_a_body
        self.begun = datetime.now(UTC)
        self.sent = [Sent(number) for number in range(CONNECTIONS)]
        self.kills: Counter[str] = Counter()
        self.memory: list[dict[str, int]] = []
        self.enough = threading.Event()

    def run(self, minutes: float, seed: int) -> None:
        jobs = [lambda each=each: self.send(each) for each in self.sent]  # type: ignore[misc]
        jobs += [lambda: self.kill(random.Random(seed)), self.watch]
        with ThreadPoolExecutor(len(jobs)) as pool:
            running = [pool.submit(job) for job in jobs]
            self.enough.wait(minutes * 60)
            self.enough.set()
            for each in running:
                each.result()

    def body(self, client: int, number: int) -> bytes:
        """The same whenever it is asked for again."""
        moment = (self.begun - timedelta(seconds=(number * 7919) % 172_800)).isoformat()
        events = ",".join(
            f'{{"id":"{client}-{number}-{index}","timestamp":"{moment}","provider":"chaos",'
            f'"model":"chaos","input_tokens":{number % 1000 + index},"output_tokens":{index % 97},'
            f'"user":"user {(number * 31 + index) % 5000}","feature":"feature {index % 20}",'
            f'"latency_ms":{50 + index}}}'
            for index in range(self.in_a_body)
        )
        return f"[{events}]".encode()

    def send(self, sent: Sent) -> None:
        """Body after body at this client's part of the rate, each until it is acknowledged."""
        pause = self.in_a_body * CONNECTIONS / self.rate
        due = time.monotonic() + pause * sent.client / CONNECTIONS
        connection: http.client.HTTPConnection | None = None
        while not self.enough.is_set():
            body = self.body(sent.client, sent.bodies)
            connection = self.deliver(sent, body, connection)
            sent.bodies += 1
            due = max(due + pause, time.monotonic() - 5)  # what an outage held up comes later
            self.enough.wait(max(due - time.monotonic(), 0))

    def deliver(
        self, sent: Sent, body: bytes, connection: http.client.HTTPConnection | None
    ) -> http.client.HTTPConnection:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        at = urlsplit(self.farthing.url)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            connection = connection or http.client.HTTPConnection(at.hostname or "", at.port, 40)
            try:
                connection.request("POST", "/api/v1/events", body, headers)
                answer = connection.getresponse()
                said = answer.read()
            except (OSError, http.client.HTTPException) as error:
                sent.statuses[type(error).__name__] += 1
                connection.close()
                connection = None
            else:
                sent.statuses[str(answer.status)] += 1
                if answer.status == 200:
                    if json.loads(said)["rejected"]:
                        raise SystemExit(f"Events were rejected: {said[:300]!r}")
                    return connection
                if answer.status not in (429, 503):
                    raise SystemExit(f"The server answers {answer.status}: {said[:300]!r}")
            sent.retries += 1
            time.sleep(0.2)
        raise SystemExit("A body was not acknowledged for three minutes.")

    def kill(self, rng: random.Random) -> None:
        """One part at a time, as soon as the one before is back."""
        while not self.enough.wait(rng.uniform(4, 12)):
            part = rng.choice(KILLED)
            processes = self.processes(part)
            if processes:
                with suppress(psutil.Error):
                    rng.choice(processes).kill()
                    self.kills[part] += 1

    def processes(self, part: str) -> list[psutil.Process]:
        with suppress(psutil.Error):
            found = self.farthing.processes()
            servers = found.get("postgres", [])
            parents = {process.pid for process in servers}
            if part == "postgres":
                return [each for each in servers if each.ppid() not in parents]
            if part == "backend":
                return [each for each in servers if each.ppid() in parents]
            return found.get(part, [])
        return []

    def watch(self) -> None:
        while not self.enough.wait(2.0):
            with suppress(psutil.Error):
                self.memory.append(self.farthing.memory_bytes())


def check(chaos: Chaos) -> list[str]:
    """What does not hold; nothing, as a rule."""
    wrong: list[str] = []
    count, inputs, outputs = totals(chaos)
    cost = inputs * INPUT + outputs * OUTPUT
    with chaos.farthing.connect() as connection:

        def one(statement: str) -> Any:
            row = connection.execute(statement).fetchone()  # type: ignore[arg-type]
            assert row
            return row

        connection.execute("CREATE TEMP TABLE sent (event_id text)")
        with connection.cursor().copy("COPY sent FROM STDIN") as copy:
            for each in chaos.sent:
                for number in range(each.bodies):
                    names = (f"{each.client}-{number}-{n}\n" for n in range(chaos.in_a_body))
                    copy.write("".join(names))
        [lost] = one(
            "SELECT count(*) FROM sent LEFT JOIN usage_event USING (event_id) "
            "WHERE usage_event.event_id IS NULL"
        )
        [stored, doubled] = one(
            "SELECT count(*), count(*) - count(DISTINCT event_id) FROM usage_event"
        )
        if lost or doubled or stored != count:
            wrong.append(f"{lost} of {count} events are lost, {doubled} are doubled")
        [summed] = one("SELECT sum(effective_cost) FROM usage_event")
        if summed != cost:
            wrong.append(f"the cost of the events is {summed} and not {cost}")
        for table in ("rollup_hour", "rollup_day", "rollup_user_day"):
            found = one(f"SELECT sum(requests), sum(effective_cost) FROM {table}")
            if found != (count, cost):
                wrong.append(f"{table} says {found} and not {(count, cost)}")
    return wrong


def totals(chaos: Chaos) -> tuple[int, int, int]:
    """Events, input tokens and output tokens that were acknowledged."""
    count = inputs = outputs = 0
    places = range(chaos.in_a_body)
    of_places, of_outputs = sum(places), sum(place % 97 for place in places)
    for each in chaos.sent:
        for number in range(each.bodies):
            count += chaos.in_a_body
            inputs += number % 1000 * chaos.in_a_body + of_places
            outputs += of_outputs
    return count, inputs, outputs


def peaks(chaos: Chaos) -> dict[str, tuple[int, int]]:
    """The most MB of each part in the second quarter of the time and in the last, each long enough
    for processes that were restarted meanwhile to have grown to their size."""
    quarter = max(len(chaos.memory) // 4, 1)
    spans = chaos.memory[quarter : 2 * quarter], chaos.memory[-quarter:]
    return {
        part: tuple(round(max((of.get(part, 0) for of in span), default=0) / 1e6) for span in spans)
        for part in ("ingest", "web", "worker", "postgres")
    }  # type: ignore[return-value]


def measure(
    farthing: System, key: str, minutes: float, rate: int, seed: int, report: Report
) -> bool:
    """Run, check, report; False where something is lost, doubled, wrong or growing."""
    chaos = Chaos(farthing, key, rate, 500)
    farthing.manage("add_price", *PRICE_LINE)
    begun = time.monotonic()
    chaos.run(minutes, seed)
    seconds = time.monotonic() - begun
    wait_until_ready(farthing)
    system.wait_until_rolled_up(farthing, 300)
    wrong = check(chaos)
    count = totals(chaos)[0]
    growth = peaks(chaos)
    peak = max((of.get("ingest", 0) for of in chaos.memory), default=0) / 1e6
    report.figures["chaos"] = {
        "minutes": minutes,
        "seed": seed,
        "events": count,
        "events_per_second": round(count / seconds),
        "kills": dict(chaos.kills),
        "retries": sum(each.retries for each in chaos.sent),
        "answers": dict(sum((each.statuses for each in chaos.sent), Counter())),
        "wrong": wrong,
        "memory_mb_early_and_late": growth,
        "ingest_memory_mb": round(peak),
    }
    report.line(
        f"{minutes:g} minutes at {count / seconds:,.0f} events/s, "
        f"{sum(chaos.kills.values())} kills: lost or doubled",
        "; ".join(wrong) or f"none of {count:,}",
        "none",
    )
    told = ", ".join(f"{part} {early} → {late}" for part, (early, late) in growth.items())
    report.line("  most memory early → late, MB", told, "flat")
    return not wrong


def wait_until_ready(farthing: System, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{farthing.url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.3)
    raise SystemExit("Farthing did not get ready again.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=20_000, help="events per second")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the kills")
    given = parser.parse_args()
    report = Report(figures={})
    with system.running(Path(tempfile.gettempdir()) / "farthing-chaos.log") as farthing:
        key = farthing.manage("create_ingest_key", "chaos")
        held = measure(farthing, key, given.minutes, given.rate, given.seed, report)
    report.show("Chaos")
    print(json.dumps(report.figures["chaos"]))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
