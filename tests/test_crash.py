"""kill -9 at random moments under a retrying client: every event counts once, in every figure."""

from __future__ import annotations

import gzip
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import pytest

from bench import system
from bench.system import System

SEED = 20261121
KILLED = ("ingest", "web", "worker", "postgres")
KILLS = 8
CLIENTS = 3
BATCH = 200
ACCESS = """
from django.contrib.auth.models import User
from django.core.management import call_command
from io import StringIO
User.objects.create_superuser("ada")
call_command("create_ingest_key", "crash", stdout=(printed := StringIO()))
call_command("create_api_token", "ada", stdout=printed)
print(*printed.getvalue().split())
"""
MODELS = (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("openai", "nobody-knows-it"))


def batch(client: int, number: int, moment: datetime) -> list[dict[str, Any]]:
    """Events of the last three days, the same ones whenever it is asked for again."""
    rng = random.Random(f"{SEED} {client} {number}")
    events = []
    for index in range(BATCH):
        provider, model = rng.choice(MODELS)
        cached = rng.randrange(1000)
        events.append(
            {
                "id": f"{client}-{number}-{index}",
                "timestamp": (moment - timedelta(minutes=rng.randrange(3 * 24 * 60))).isoformat(),
                "provider": provider,
                "model": model,
                "input_tokens": cached + rng.randrange(5000),
                "cache_read_input_tokens": cached,
                "output_tokens": rng.randrange(800),
                "user": f"user {rng.randrange(50)}",
                "feature": f"feature {rng.randrange(5)}",
                "latency_ms": rng.randrange(50, 9000),
            }
        )
    return events


class Client:
    """Posts batch after batch, each again and again until it is acknowledged."""

    def __init__(self, farthing: System, key: str, number: int, moment: datetime) -> None:
        self.number = number
        self.moment = moment
        self.acknowledged = 0
        self.retries = 0
        self.http = httpx.Client(
            base_url=farthing.url,
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            },
            timeout=10.0,
        )

    def run(self, enough: threading.Event) -> None:
        while not enough.is_set():
            body = gzip.compress(
                msgspec.json.encode(batch(self.number, self.acknowledged, self.moment))
            )
            self.post(body)
            self.acknowledged += 1
            enough.wait(0.01)
        self.http.close()

    def post(self, body: bytes) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = self.http.post("/api/v1/events", content=body)
            except httpx.TransportError:
                answer = None
            if answer and answer.status_code == 200:
                assert answer.json()["rejected"] == []
                return
            # Whoever is killed, a client hears of nothing but a lost connection or "try later".
            assert answer is None or answer.status_code == 503, answer.text
            assert answer is None or int(answer.headers["Retry-After"]) > 0
            self.retries += 1
            time.sleep(0.1)
        pytest.fail("not acknowledged for a minute")


def kill_now_and_then(farthing: System) -> None:
    """Kill -9 each part in turns, in an order and at moments that a seed decides."""
    rng = random.Random(SEED)
    parts = [*KILLED, *rng.choices(KILLED, k=KILLS - len(KILLED))]
    rng.shuffle(parts)
    supervisor = psutil.Process(farthing.process.pid)
    for part in parts:
        time.sleep(rng.uniform(0.3, 2.5))
        deadline = time.monotonic() + 30
        while not (alive := [c for c in supervisor.children() if system.part_of(c) == part]):
            assert time.monotonic() < deadline, f"{part} was not started again"
            time.sleep(0.05)
        alive[0].kill()
    kill_schedule(supervisor)


def kill_schedule(supervisor: psutil.Process) -> None:
    """Last, as the end of the worker would replace it: without it nothing is ever folded again."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for worker in supervisor.children():
            if system.part_of(worker) == "worker" and (own := worker.children()):
                for process in own:
                    process.kill()
                return
        time.sleep(0.05)
    pytest.fail("the worker has no schedule")


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A Farthing that went through it, at rest; its API token; the ids that were acknowledged."""
    log: Path = tmp_path_factory.mktemp("crash") / "log"
    with system.running(log) as farthing:
        key, token = farthing.manage("shell", "--no-imports", "--command", ACCESS).split()
        moment = datetime.now(UTC)
        clients = [Client(farthing, key, number, moment) for number in range(CLIENTS)]
        enough = threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            posting = [pool.submit(client.run, enough) for client in clients]
            try:
                kill_now_and_then(farthing)
            finally:
                enough.set()
            for client in posting:
                client.result()
        assert sum(client.retries for client in clients) > 0, "the kills went unnoticed"
        wait_until_ready(farthing)
        system.wait_until_rolled_up(farthing, 60)
        yield farthing, token, clients


def wait_until_ready(farthing: System) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = httpx.get(f"{farthing.url}/readyz", timeout=5.0)
            if answer.status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "did not get ready again"
        time.sleep(0.2)


def sent(clients: list[Client]) -> list[dict[str, Any]]:
    return [
        event
        for client in clients
        for number in range(client.acknowledged)
        for event in batch(client.number, number, client.moment)
    ]


def test_the_events_are_those_sent_once_each(crashed: Any) -> None:
    farthing, _, clients = crashed
    with farthing.connect() as connection:
        stored = connection.execute("SELECT event_id FROM usage_event").fetchall()
    assert sorted(id for (id,) in stored) == sorted(event["id"] for event in sent(clients))


@pytest.mark.parametrize("table", ["rollup_hour", "rollup_day", "rollup_user_day"])
def test_every_rollup_equals_the_events(crashed: Any, table: str) -> None:
    farthing, _, _ = crashed
    events = """
        SELECT attribution_id, count(*),
            coalesce(sum(effective_cost), 0), coalesce(sum(list_cost), 0),
            sum(uncached_input_tokens + cache_read_input_tokens), sum(text_output_tokens)
        FROM usage_event GROUP BY 1 ORDER BY 1"""
    rollup = f"""
        SELECT attribution_id, sum(requests), sum(effective_cost), sum(list_cost),
            sum(input_tokens), sum(output_tokens)
        FROM {table} GROUP BY 1 ORDER BY 1"""
    with farthing.connect() as connection:
        assert connection.execute(rollup).fetchall() == connection.execute(events).fetchall()


def test_the_api_answers_with_what_was_sent(crashed: Any) -> None:
    farthing, token, clients = crashed
    events = sent(clients)
    with system.api(farthing, token) as api:
        answer = api.get(
            "/api/v1/costs",
            params={
                "period": "7d",
                "granularity": "day",
                "group_by": "model,feature",
                "metrics": "requests,input_tokens,output_tokens,effective_cost,unpriced_requests",
            },
        )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    totals, rows = body["totals"], body["rows"]
    assert body["freshness"]["pending_events"] == 0
    assert int(totals["requests"]) == len(events)
    assert int(totals["input_tokens"]) == sum(event["input_tokens"] for event in events)
    assert int(totals["output_tokens"]) == sum(event["output_tokens"] for event in events)
    unpriced = sum(event["model"] == "nobody-knows-it" for event in events)
    assert int(totals["unpriced_requests"]) == unpriced
    with farthing.connect() as connection:
        cost = connection.execute("SELECT sum(effective_cost) FROM usage_event").fetchone()
    assert Decimal(totals["effective_cost"]) == cost[0]
    in_rows = sum(Decimal(row["effective_cost"]) for row in rows if row["effective_cost"])
    assert in_rows == cost[0]
