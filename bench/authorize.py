"""Asks a Farthing of its own whether calls may be made, and says how soon it answers.

    python bench/authorize.py [--rate 1000] [--seconds 20] [--events 500] [--budgets 1000]
                              [--users 100000] [--only CASE]

Questions come at a steady rate from a process beside the server (bench/asking.py), and usage events
beside them. CPU is that of a question, without what events alone take.
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
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import dataset, loading, system  # noqa: E402
from bench.asking import AUTHORIZE, FEATURES, TEAMS, question  # noqa: E402
from bench.load import write_bodies  # noqa: E402
from bench.system import System  # noqa: E402

ADD_BUDGET = """
    INSERT INTO budget (name, filters, for_each, team, period, amount_kind, amount, cost, unpriced,
        note, version, amount_revision, created_at, created_by, changed_at, changed_by, enforcement)
    VALUES (%s, %s, %s, '', 'monthly', 'fixed', %s, 'effective_cost', 'ignore', '', 1, 0, now(),
        'bench', now(), 'bench', 'block')
"""
HELD = """
    SELECT 1 FROM reservation_hold JOIN budget ON budget.id = budget_id WHERE budget.name = %s
"""
# One event a body is dearer than what gateways send.
BODY_EVENTS = 20
NEAR_SECONDS = 3
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "reserved, far from every limit": {"reserve": True, "ttl_seconds": 10},
    "reserved, at a limit": {"feature": "near", "reserve": True, "ttl_seconds": NEAR_SECONDS},
}


class Bench:
    def __init__(self, farthing: System, given: argparse.Namespace) -> None:
        self.farthing = farthing
        self.given = given
        self.key = farthing.manage("create_ingest_key", "gateway")
        self.sender = farthing.manage("create_ingest_key", "applications")
        self.http = httpx.Client(base_url=farthing.url, headers={"x-api-key": self.key}, timeout=30)
        self.idle: dict[str, float] = {}  # CPU a second while only events come in

    def prepare(self) -> None:
        bodies = self.farthing.directory / "users"
        write_bodies(bodies, users_events(self.given.users))
        loading.generate(self.farthing.url, self.sender, bodies)
        system.wait_until_rolled_up(self.farthing)
        with self.farthing.connect() as connection:
            for number in range(self.given.budgets):
                filters = {
                    "team": [f"team-{number % TEAMS}"],
                    "feature": [f"feature-{number % FEATURES}"],
                }
                row = [f"budget {number}", json.dumps(filters), "", 1_000_000]
                connection.execute(ADD_BUDGET, row)
            connection.execute(ADD_BUDGET, ["everything", "{}", "", 10_000_000])
            connection.execute(ADD_BUDGET, ["every user", "{}", "user", 1_000])
        wait_until(lambda: self.is_known("", "everything"), 120)
        # What is held at the steady rate leaves a fiftieth of it: the database decides each time.
        asked = self.http.post(AUTHORIZE, content=question(0, {})).json()["estimated_cost"]
        self.add_budget("near", Decimal(asked) * self.given.rate * NEAR_SECONDS * 51 / 50)
        self.run(2, {})  # so that nothing is new to it

    def is_known(self, feature: str, budget: str) -> bool:
        said = self.http.post(AUTHORIZE, json={"feature": feature})
        return any(each["name"] == budget for each in said.json().get("reasons", ()))

    def add_budget(self, name: str, amount: Decimal = Decimal(1)) -> None:
        """A budget of the feature of its name."""
        with self.farthing.connect() as connection:
            connection.execute(ADD_BUDGET, [name, json.dumps({"feature": [name]}), "", amount])
        wait_until(lambda: self.is_known(name, name))

    def run(self, seconds: float, more: dict[str, Any] | None) -> dict[str, Any]:
        """One run of the generator, or with None of nothing, beside events."""
        bodies = self.farthing.directory / "events"
        count = int(self.given.events * (seconds + 1))
        now = datetime.now(UTC)
        if count:
            dataset.write_now(bodies, count, BODY_EVENTS, f"beside-{now.timestamp()}", now)
        before, begun = self.farthing.cpu_seconds(), time.monotonic()
        options = (str(bodies), "--connections", "8", "--rate", str(self.given.events))
        beside = self.started("load.py", self.sender, *options) if count else None
        found: dict[str, Any] = {}
        if more is None:
            time.sleep(seconds)
        else:
            rate = ("--rate", str(self.given.rate), "--seconds", str(seconds))
            found = said(self.started("asking.py", self.key, *rate, "--more", json.dumps(more)))
        after, took = self.farthing.cpu_seconds(), time.monotonic() - begun
        parts = ("ingest", "postgres", "worker")
        cpu = {part: (after[part] - before.get(part, 0)) / took for part in parts}
        if beside:
            found["events_per_second"] = round(said(beside)["events_per_second"])
        if more is None:
            self.idle = cpu
        else:
            each = {part: (cpu[part] - self.idle.get(part, 0)) * took for part in parts}
            asked = found["requests"]
            found["cpu_us_each"] = {part: round(each[part] / asked * 1e6) for part in parts}
        return found | {"cpu_share": {part: round(share, 2) for part, share in cpu.items()}}

    def started(self, program: str, key: str, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "bench" / program), self.farthing.url, key, *options],
            stdout=subprocess.PIPE,
            text=True,
        )

    async def at_once(self, count: int, body: dict[str, Any]) -> Counter[str]:
        async with httpx.AsyncClient(
            base_url=self.farthing.url,
            headers={"x-api-key": self.key},
            timeout=30,
            limits=httpx.Limits(max_connections=count),
        ) as http:
            answers = await asyncio.gather(*(http.post(AUTHORIZE, json=body) for _ in range(count)))
        return Counter(answer.json()["decision"] for answer in answers)

    def last_dollar(self) -> None:
        self.add_budget("last-dollar")
        body = {"feature": "last-dollar", "estimated_cost": "0.03", "reserve": True}
        decided = asyncio.run(self.at_once(200, body | {"ttl_seconds": 60}))
        over = max(decided["allow"] * 0.03 - 1, 0)
        print(f"200 at once against 1 USD, 0.03 each: {dict(decided)}; overshoot {over:.2f} USD")

    def killed(self) -> None:
        """Clients that reserve all there is and are killed before they settle."""
        self.add_budget("killed")
        body = {"feature": "killed", "estimated_cost": "0.02", "reserve": True, "ttl_seconds": 5}
        program = (
            "import httpx, json, sys, time; url, key, body = sys.argv[1:];"
            "[httpx.post(url, json=json.loads(body), headers={'x-api-key': key})"
            " for _ in range(10)]; print('held', flush=True); time.sleep(60)"
        )
        where = self.farthing.url + AUTHORIZE
        clients = [
            subprocess.Popen(
                [sys.executable, "-c", program, where, self.key, json.dumps(body)],
                stdout=subprocess.PIPE,
            )
            for _ in range(5)
        ]
        for client in clients:
            assert client.stdout
            client.stdout.readline()
            client.send_signal(signal.SIGKILL)
            client.wait()
        began = time.monotonic()
        asked = {"feature": "killed", "estimated_cost": "0.5"}
        before = self.http.post(AUTHORIZE, json=asked).json()["decision"]
        wait_until(lambda: self.http.post(AUTHORIZE, json=asked).json()["decision"] == "allow")
        waited = time.monotonic() - began
        with self.farthing.connect() as connection:
            wait_until(lambda: not connection.execute(HELD, ["killed"]).fetchall())
        print(
            f"5 killed clients held 50 × 0.02 USD for 5 s: {before} then, allowed again after "
            f"{waited:.1f} s, no row left"
        )


def users_events(count: int) -> Iterator[tuple[int, bytes]]:
    """An event of each user, so that each has figures of its own."""
    now = datetime.now(UTC).isoformat()
    for start in range(0, count, dataset.BODY_EVENTS):
        numbers = range(start, min(start + dataset.BODY_EVENTS, count))
        events = [
            {
                "id": f"user-{number}",
                "timestamp": now,
                "provider": "openai",
                "model": "gpt-4o-mini",
                "input_tokens": 1_000,
                "output_tokens": 100,
                "user": f"user-{number}",
                "team": f"team-{number % TEAMS}",
                "feature": f"feature-{number % FEATURES}",
            }
            for number in numbers
        ]
        yield len(events), json.dumps(events).encode()


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    text, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{process.args} failed.")
    found: dict[str, Any] = json.loads(text)
    return found


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("Waited too long.")
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rate", type=int, default=1_000, help="questions a second")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--events", type=int, default=500, help="usage events a second beside")
    parser.add_argument("--budgets", type=int, default=1_000)
    parser.add_argument("--users", type=int, default=100_000, help="with figures of their own")
    parser.add_argument("--only", choices=CASES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as logs, system.running(Path(logs) / "log") as farthing:
        bench = Bench(farthing, given)
        bench.prepare()
        print(f"events alone: {json.dumps(bench.run(given.seconds, None))}", flush=True)
        for name in [given.only] if given.only else CASES:
            print(f"{name}: {json.dumps(bench.run(given.seconds, CASES[name]))}", flush=True)
        if not given.only:
            bench.last_dollar()
            bench.killed()


if __name__ == "__main__":
    main()
