"""How soon a crossed threshold is in the mailbox and at Slack, with many budgets under live load.

    python bench/alerts.py [--budgets 1000] [--crossings 40] [--seconds 120] [--events 300000]

A real mail server and a stand-in for Slack listen on loopback. Each crossing is one request that
costs more than its budget, at a random moment; its time runs from before the POST until the message
is received. Every message has to come once on each of the two.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from aiosmtpd.controller import Controller  # noqa: E402

from bench import dataset, loading, pages, system  # noqa: E402
from bench.operations import Live  # noqa: E402
from bench.report import Report  # noqa: E402
from bench.system import System  # noqa: E402

# Many users are one budget each: the dearest kind to evaluate.
FOR_EACH = ("", "", "", "", "", "", "", "", "", "user")
PERIODS = ("daily", "weekly", "monthly", "quarterly")
CHANNELS = """
from django.contrib.auth.models import User
from django.utils import timezone
from finops.channels import keeping
from finops.organisation.stored import Act
act = Act(User.objects.first(), timezone.now())
for kind, address in (("email", "ops@example.com"), ("slack", "{slack}")):
    keeping.add(keeping.Terms(name=kind, kind=kind, address=address, storm_after=100), act)
"""
PATIENCE_SECONDS = 180.0


class Inbox:
    """When each text was received, by where: mail's subjects and bodies, Slack's bodies."""

    def __init__(self) -> None:
        self.received: list[tuple[str, float, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.received.append(("mail", time.monotonic(), str(message["Subject"])))
        return "250 OK"

    def times(self, name: str) -> dict[str, list[float]]:
        found: dict[str, list[float]] = defaultdict(list)
        for where, at, text in list(self.received):
            if name in text:
                found[where].append(at)
        return found


def slack_into(inbox: Inbox) -> ThreadingHTTPServer:
    class Slack(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.received.append(("slack", time.monotonic(), body.decode()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slack)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def name_of(crossing: int) -> str:
    return f"crossing-{crossing:04}."


def add_budgets(http: httpx.Client, count: int, crossings: int) -> None:
    rng = random.Random(1)
    for number in range(count):
        budget: dict[str, Any] = {
            "name": f"budget {number}",
            "amount": "1000000000",
            "period": rng.choice(PERIODS),
            "for_each": rng.choice(FOR_EACH),
            "filters": {"feature": [f"feature-{rng.randrange(40)}"]},
            "thresholds": [
                {"basis": "actual", "kind": "percent", "value": "80"},
                {"basis": "forecast", "kind": "percent", "value": "100"},
            ],
        }
        if number < crossings:
            budget |= {
                "name": name_of(number),
                "amount": "1",
                "for_each": "",
                "filters": {"feature": [name_of(number)]},
                "thresholds": [{"basis": "actual", "kind": "percent", "value": "100"}],
            }
        answer = http.post("/api/v1/budgets", json=budget)
        if answer.status_code != 201:
            raise SystemExit(f"No budget: {answer.text}")


def cross(farthing: System, key: str, count: int, seconds: float) -> list[float]:
    """When each was sent."""
    rng = random.Random(2)
    begun = time.monotonic()
    sent = []
    with httpx.Client(base_url=farthing.url, timeout=60) as http:
        for number, at in enumerate(sorted(rng.uniform(0, seconds) for _ in range(count))):
            time.sleep(max(begun + at - time.monotonic(), 0))
            sent.append(time.monotonic())
            event = {
                "id": name_of(number),
                "timestamp": datetime.now(UTC).isoformat(),
                "provider": "openai",
                "model": "gpt-4o",
                "input_tokens": 0,
                "output_tokens": 500_000,
                "feature": name_of(number),
            }
            http.post(
                "/api/v1/events", json=event, headers={"authorization": f"Bearer {key}"}
            ).raise_for_status()
    return sent


def measure(farthing: System, given: argparse.Namespace, inbox: Inbox, report: Report) -> bool:
    key = farthing.manage("create_ingest_key", "bench")
    pages.create_administrator(farthing)
    token = farthing.manage("create_api_token", pages.ADMINISTRATOR)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    bodies = farthing.directory / "month"
    dataset.write_month(bodies, given.events, today)
    loading.generate(farthing.url, key, bodies)
    system.wait_until_rolled_up(farthing)
    farthing.manage("shell", "--command", CHANNELS.format(slack=given.slack))
    with system.api(farthing, token) as http:
        add_budgets(http, given.budgets, given.crossings)
    with Live(farthing, key) as live:
        time.sleep(30)  # so that all budgets were evaluated once
        begun = time.monotonic()
        sent = cross(farthing, key, given.crossings, given.seconds)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and any(
            len(inbox.times(name_of(number))) < 2 for number in range(given.crossings)
        ):
            time.sleep(0.5)
        under_load = live.between(begun, time.monotonic())
    found: dict[str, Any] = {"budgets": given.budgets, "live": under_load}
    is_right = True
    for where in ("mail", "slack"):
        came = [inbox.times(name_of(number))[where] for number in range(given.crossings)]
        taken = [at[0] - sent[number] for number, at in enumerate(came) if at]
        p50, p95 = np.percentile(taken or [float("nan")], (50, 95))
        lost, doubled = sum(not at for at in came), sum(len(at) > 1 for at in came)
        found[where] = {"p50_seconds": p50, "p95_seconds": p95, "lost": lost, "doubled": doubled}
        is_right &= not (lost or doubled)
        report.line(
            f"POST to {where}, {given.budgets:,} budgets, "
            f"{under_load['events_per_second']:,} events/s: p50 / p95; lost, doubled",
            f"{p50:.1f} / {p95:.1f} s; {lost}, {doubled} of {given.crossings}",
            "p95 ≤ 60 s; none",
        )
    report.figures["alerts"] = found
    return is_right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--budgets", type=int, default=1_000)
    parser.add_argument("--crossings", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=120, help="within which they are spread")
    parser.add_argument("--events", type=int, default=300_000, help="of the month before")
    given = parser.parse_args()
    inbox, report = Inbox(), Report(figures={})
    mail = Controller(inbox, hostname="127.0.0.1", port=system.free_port())
    mail.start()
    slack = slack_into(inbox)
    given.slack = f"http://127.0.0.1:{slack.server_port}/services/T0/B0/bench"
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{mail.port}"
    os.environ["FARTHING_ALLOWED_PRIVATE_ADDRESSES"] = "127.0.0.0/8"
    try:
        with system.running(Path(tempfile.gettempdir()) / "farthing-alerts.log") as farthing:
            is_right = measure(farthing, given, inbox, report)
    finally:
        slack.shutdown()
        mail.stop()
    report.show("Alerts")
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
