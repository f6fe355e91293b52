"""Measures speed and cost beside the limits and peers: `make bench`, or `python bench/run.py`.

Everything runs on this machine, the load generator beside what it loads. Prints a table and writes
bench/results.json. --quick takes a tenth of the events; --only names the parts to run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import baselines, dataset, demo, operations, pages, queries, spans, system  # noqa: E402
from bench.report import Report, machine  # noqa: E402
from bench.system import System  # noqa: E402

RESULTS = Path(__file__).parent / "results.json"
EVENTS = 1_000_000
CONNECTIONS = 32
PARTS = ("ingest", "queries", "freshness", "single", "spans", "operations", "demo")


class Watch:
    """The roll-up backlog while something else goes on, once a second, and the memory now and
    then: summing shared pages up takes time from what is measured."""

    def __init__(self, farthing: System) -> None:
        self.farthing = farthing
        self.backlog: list[int] = []
        self.lag_seconds: list[float] = []
        self.memory: list[dict[str, int]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        with self.farthing.connect() as connection:
            while not self._done.wait(1.0):
                row = connection.execute(
                    "SELECT coalesce(sum(accepted), 0), "
                    "coalesce(extract(epoch FROM now() - min(committed_at)), 0) "
                    "FROM ingest_batch WHERE folded_at IS NULL"
                ).fetchone()
                assert row
                self.backlog.append(int(row[0]))
                self.lag_seconds.append(float(row[1]))
                if len(self.backlog) % 5 == 1:
                    self.memory.append(self.farthing.memory_bytes())


def generate(farthing: System, key: str, bodies: Path, *options: str) -> dict[str, float]:
    """Run the load generator to its end."""
    command = [sys.executable, str(ROOT / "bench" / "load.py"), farthing.url, key, str(bodies)]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True)
    report: dict[str, float] = json.loads(done.stdout)
    return report


def ingest(farthing: System, key: str, bodies: Path, report: Report) -> None:
    before = farthing.cpu_seconds()
    with Watch(farthing) as watch:
        load = generate(farthing, key, bodies, "--connections", str(CONNECTIONS))
        rest = system.wait_until_rolled_up(farthing)
    after = farthing.cpu_seconds()
    events = load["events"]
    cpu = {part: round((after[part] - before.get(part, 0)) / events * 1e6, 1) for part in after}
    resident = max((sample.get("ingest", 0) for sample in watch.memory), default=0)
    report.figures["ingest"] = load | {
        "cpu_seconds_per_million": cpu,
        "largest_lag_seconds": max(watch.lag_seconds, default=0),
        "largest_backlog_events": max(watch.backlog, default=0),
        "rolled_up_after_seconds": rest,
        "ingest_memory_bytes": resident,
        "memory_bytes": max((sum(sample.values()) for sample in watch.memory), default=0),
    }
    report.line(
        f"500-event bodies, {CONNECTIONS} connections, rolled up beside",
        f"{load['events_per_second']:,.0f} events/s",
        "≥ 30,000",
    )
    report.line("  POST p50 / p95", f"{load['post_p50_ms']:.0f} / {load['post_p95_ms']:.0f} ms")
    report.line("  roll-up lag at most", f"{max(watch.lag_seconds, default=0):.1f} s")
    report.line("  rolled up after the last answer", f"{rest:.1f} s")
    parts = ", ".join(f"{part} {seconds:g}" for part, seconds in cpu.items() if seconds >= 0.1)
    report.line("  CPU seconds per million events", f"{parts}; {sum(cpu.values()):.1f} in all")
    report.line("  ingest memory at most", f"{resident / 2**20:,.0f} MiB")


def limits(farthing: System, report: Report) -> None:
    """Bytes per event, and what PostgreSQL does with the same rows."""
    with farthing.connect() as connection:
        row = connection.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
            "WHERE inhparent = 'usage_event'::regclass"
        ).fetchone()
        counted = connection.execute("SELECT count(*) FROM usage_event").fetchone()
        assert row
        assert counted
        per_event = float(row[0]) / counted[0]
        found = baselines.measure(connection, min(counted[0], 500_000))
    report.figures["limits"] = found | {"bytes_per_event": round(per_event, 1)}
    ours = report.figures["ingest"]["events_per_second"]
    for name, label in (("copy", "COPY alone"), ("copy_dedup", "COPY and deduplication")):
        rate = found[f"{name}_rows_per_second"]
        report.line(
            f"  {label}, same rows, 5,000 a commit",
            f"{rate:,.0f} rows/s; ingest is {ours / rate:.2f} of it",
        )
    report.line("  bytes per event with its indexes", f"{per_event:.0f}")


def questions(
    farthing: System, token: str, start: str, end: str, times: int, report: Report
) -> None:
    span = {"start": start, "end": end}
    found: dict[str, Any] = {}
    with farthing.connect() as connection:
        connection.execute("VACUUM ANALYZE")
        duck = queries.columnar(connection, farthing.directory, start, end)
    with system.api(farthing, token) as http:
        queries.totals(http, duck, span)
        for name, limit, ask in (
            ("cost by day × feature, filtered", 40, queries.cost_by_day_and_feature),
            ("top 20 users", 60, queries.top_users),
            ("p95 latency by feature", 60, queries.latency_by_feature),
        ):
            found[name] = answer = ask(http, duck, span, times)
            ours, theirs = answer["farthing"], answer["duckdb"]
            report.line(
                f"/api/v1/costs {name}, p50 / p95",
                f"{ours.p50} / {ours.p95} ms; DuckDB {theirs.p50} / {theirs.p95} ms",
                f"p95 ≤ {limit} ms",
            )
    error = found["p95 latency by feature"]["largest_relative_error"]
    report.line("  largest error of a p95", f"{error:.2%}", "≤ 2 %")
    report.line("  answers compared with DuckDB", "equal to the last digit")
    duck.close()
    for name, timing in pages.measure(farthing, times).items():
        found[name] = timing
        report.line(f"{name} page, p50 / p95", f"{timing.p50} / {timing.p95} ms", "p95 ≤ 150 ms")
    report.figures["queries"] = found


def freshness(farthing: System, key: str, token: str, seconds: int, report: Report) -> None:
    """POST to visible while 5,000 events/s come in."""
    now = datetime.now(UTC)
    bodies = farthing.directory / "steady"
    dataset.write_now(bodies, 5_000 * seconds, 500, f"steady-{now:%H%M%S}", now)
    command = [sys.executable, str(ROOT / "bench" / "load.py"), farthing.url, key, str(bodies)]
    delays: list[float] = []
    load = subprocess.Popen([*command, "--rate", "5000"], stdout=subprocess.PIPE)
    with system.api(farthing, token) as http:
        while load.poll() is None:
            delays.append(visible_after(http, key, len(delays)))
    steady = json.loads(load.communicate()[0])
    p50, p95 = np.percentile(delays, (50, 95))
    report.figures["freshness"] = {
        "p50_seconds": round(float(p50), 2),
        "p95_seconds": round(float(p95), 2),
        "probes": len(delays),
        "events_per_second": steady["events_per_second"],
    }
    report.line(
        "POST to visible at 5,000 events/s, p50 / p95",
        f"{p50:.2f} / {p95:.2f} s ({len(delays)} probes, {steady['events_per_second']:,.0f} ev/s)",
        "p95 < 5 s",
    )


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
    while True:
        answer = queries.costs(
            http, period="24h", granularity="total", metrics="requests", feature="freshness-probe"
        )
        if answer["totals"]["requests"] > number:
            return time.perf_counter() - begun
        if time.perf_counter() - begun > 60:
            raise SystemExit("An event was not visible after a minute.")
        time.sleep(0.1)


def singles(farthing: System, key: str, count: int, report: Report) -> None:
    now = datetime.now(UTC)
    bodies = farthing.directory / "singles"
    dataset.write_now(bodies, count, 1, f"single-{now:%H%M%S}", now)
    load = generate(farthing, key, bodies, "--connections", "64")
    report.figures["single"] = load
    report.line(
        "one-event bodies, 64 connections",
        f"{load['events_per_second']:,.0f} requests/s, p95 {load['post_p95_ms']:.0f} ms",
        "for information",
    )


def otlp(farthing: System, key: str, count: int, report: Report) -> None:
    bodies = farthing.directory / "spans"
    spans.write(bodies, count, datetime.now(UTC))
    load = generate(farthing, key, bodies, "--connections", "16", "--otlp")
    report.figures["spans"] = load
    report.line(
        f"OTLP bodies of {spans.SPANS_IN_A_BODY} spans, 16 connections: durable and rated",
        f"{load['events_per_second']:,.0f} spans/s, p95 {load['post_p95_ms']:.0f} ms",
        "≥ 10,000 spans/s",
    )


def measure(parts: set[str], count: int, times: int, report: Report) -> None:
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=dataset.DAYS)
    with system.running(Path(tempfile.gettempdir()) / "farthing-bench.log") as farthing:
        report.figures["start_up_seconds"] = round(farthing.started_seconds, 1)
        report.line("start of an empty installation", f"{farthing.started_seconds:.1f} s")
        pages.create_administrator(farthing)
        key = farthing.manage("create_ingest_key", "bench")
        token = farthing.manage("create_api_token", pages.ADMINISTRATOR)
        bodies = farthing.directory / "month"
        written = dataset.write_month(bodies, count, end)
        print(f"{written:,} events of 30 days, {bodies.stat().st_size / written:.0f} bytes each")
        steps: dict[str, Callable[[], None]] = {
            "ingest": lambda: ingest(farthing, key, bodies, report),
            "limits": lambda: limits(farthing, report),
            "queries": lambda: questions(
                farthing, token, f"{start:%Y-%m-%d}", f"{end:%Y-%m-%d}", times, report
            ),
            "freshness": lambda: freshness(farthing, key, token, max(times, 20), report),
            "single": lambda: singles(farthing, key, min(count, 50_000), report),
            "spans": lambda: otlp(farthing, key, min(count, 200_000), report),
            # Last: it changes prices and drops days.
            "operations": lambda: operations.measure(farthing, key, min(count, 300_000), report),
        }
        for name, step in steps.items():
            if name in parts:
                step()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--events", type=int, help=f"(default {EVENTS:,})")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    count = given.events or (EVENTS // 10 if given.quick else EVENTS)
    parts = set(given.only)
    if "ingest" in parts:
        parts.add("limits")
    if parts & {"queries", "operations"}:
        parts.add("ingest")
    report = Report(figures={"machine": machine(), "events": count})
    if parts - {"demo"}:
        measure(parts, count, 10 if given.quick else 60, report)
    if "demo" in parts:
        demo.measure(report.figures, report.line, fresh=not given.quick)
    report.show(f"Farthing, {count:,} events")
    report.write(RESULTS)
    print(f"Written to {RESULTS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
