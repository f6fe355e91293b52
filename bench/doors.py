"""Single events beside a bare application, spans, and how soon an event is seen."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np

from bench import dataset, queries, spans, system
from bench.loading import CONNECTIONS, generate
from bench.report import Report
from bench.system import ROOT, System

SINGLE_CONNECTIONS = 64
STEADY_RATE = 5_000


def singles(farthing: System, key: str, count: int, report: Report) -> None:
    """One event a body; then the same bodies to an application that only answers."""
    now = datetime.now(UTC)
    bodies = farthing.directory / "singles"
    dataset.write_now(bodies, count, 1, f"single-{now:%H%M%S}", now)
    many = ("--connections", str(SINGLE_CONNECTIONS))
    load = generate(farthing.url, key, bodies, *many)
    with bare_application() as url:
        bare = generate(url, key, bodies, *many)
    bodies.unlink()
    report.figures["single"], report.figures["single_bare"] = load, bare
    for name, found, asked in (
        ("one-event bodies, 64 connections", load, "≥ 8,000/s, p99 ≤ 50 ms"),
        ("  the same to a bare ASGI application", bare, ""),
    ):
        report.line(
            name,
            f"{found['events_per_second']:,.0f} requests/s, p50 / p99 "
            f"{found['post_p50_ms']:.0f} / {found['post_p99_ms']:.0f} ms",
            asked,
        )


@contextmanager
def bare_application() -> Iterator[str]:
    """Its address."""
    port = system.free_port()
    process = subprocess.Popen([sys.executable, str(ROOT / "bench" / "hello.py"), str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("The bare application did not start.")


def otlp(farthing: System, key: str, count: int, report: Report) -> None:
    bodies = farthing.directory / "spans"
    spans.write(bodies, count, datetime.now(UTC))
    load = generate(farthing.url, key, bodies, "--connections", str(CONNECTIONS), "--otlp")
    bodies.unlink()
    report.figures["spans"] = load
    report.line(
        f"OTLP bodies of {spans.SPANS_IN_A_BODY} spans, {CONNECTIONS} connections: durable, rated",
        f"{load['events_per_second']:,.0f} spans/s, p95 {load['post_p95_ms']:.0f} ms",
        "≥ 10,000 spans/s",
    )


def freshness(farthing: System, key: str, token: str, seconds: int, report: Report) -> None:
    """POST to visible while events come in at a steady rate."""
    now = datetime.now(UTC)
    bodies = farthing.directory / "steady"
    dataset.write_now(bodies, STEADY_RATE * seconds, 500, f"steady-{now:%H%M%S}", now)
    delays: list[float] = []
    load = start_load(farthing, key, bodies)
    with system.api(farthing, token) as http:
        seen = visible(http)
        while load.poll() is None:
            delays.append(visible_after(http, key, seen + len(delays)))
    steady = json.loads(load.communicate()[0])
    bodies.unlink()
    p50, p95 = np.percentile(delays, (50, 95))
    report.figures["freshness"] = {
        "p50_seconds": round(float(p50), 2),
        "p95_seconds": round(float(p95), 2),
        "probes": len(delays),
        "events_per_second": steady["events_per_second"],
    }
    report.line(
        f"POST to visible at {STEADY_RATE:,} events/s, p50 / p95",
        f"{p50:.2f} / {p95:.2f} s ({len(delays)} probes, {steady['events_per_second']:,.0f} ev/s)",
        "p95 < 5 s",
    )


def start_load(farthing: System, key: str, bodies: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "bench" / "load.py"), farthing.url, key, str(bodies)]
    return subprocess.Popen([*command, "--rate", str(STEADY_RATE)], stdout=subprocess.PIPE)


def visible(http: httpx.Client) -> int:
    """How many probes are counted."""
    answer = queries.costs(
        http, period="24h", granularity="total", metrics="requests", feature="freshness-probe"
    )
    return int(answer["totals"]["requests"])


def visible_after(http: httpx.Client, key: str, number: int) -> float:
    """Seconds from sending one event to seeing it counted."""
    event = {
        "id": f"probe-{time.time_ns()}",
        "timestamp": datetime.now(UTC).isoformat(),
        "model": "probe",
        "feature": "freshness-probe",
    }
    begun = time.perf_counter()
    sent = http.post("/api/v1/events", json=event, headers={"Authorization": f"Bearer {key}"})
    sent.raise_for_status()
    while visible(http) <= number:
        if time.perf_counter() - begun > 60:
            raise SystemExit("An event was not visible after a minute.")
        time.sleep(0.1)
    return time.perf_counter() - begun
