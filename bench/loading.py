"""Events sent through the door as fast as they are taken, and what that costs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench import baselines, system
from bench.report import Report
from bench.system import ROOT, System

CONNECTIONS = 16
MEBIBYTE = 2**20


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


def generate(url: str, key: str, bodies: Path, *options: str) -> dict[str, float]:
    """Run the load generator to its end."""
    command = [sys.executable, str(ROOT / "bench" / "load.py"), url, key, str(bodies)]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, check=True)
    report: dict[str, float] = json.loads(done.stdout)
    return report


def ingest(farthing: System, key: str, bodies: Path, report: Report, name: str) -> None:
    """Send the bodies; `name` is where the figures go."""
    before = farthing.cpu_seconds()
    with Watch(farthing) as watch:
        load = generate(farthing.url, key, bodies, "--connections", str(CONNECTIONS))
        rest = system.wait_until_rolled_up(farthing)
    after = farthing.cpu_seconds()
    events = load["events"]
    cpu = {part: round((after[part] - before.get(part, 0)) / events * 1e6, 1) for part in after}
    cpu["generator"] = round(load["generator_cpu_seconds"] / events * 1e6, 1)
    resident = max((sample.get("ingest", 0) for sample in watch.memory), default=0)
    lag = max(watch.lag_seconds, default=0.0)
    report.figures[name] = load | {
        "connections": CONNECTIONS,
        "cpu_seconds_per_million": cpu,
        "largest_lag_seconds": lag,
        "largest_backlog_events": max(watch.backlog, default=0),
        "rolled_up_after_seconds": rest,
        "ingest_memory_bytes": resident,
        "memory_bytes": max((sum(sample.values()) for sample in watch.memory), default=0),
    }
    report.line(
        f"{events:,.0f} events, 500 a body, {CONNECTIONS} connections, rolled up beside",
        f"{load['events_per_second']:,.0f} events/s",
        "≥ 50,000",
    )
    report.line(
        "  POST p50 / p95 / p99",
        " / ".join(f"{load[f'post_p{percent}_ms']:.0f}" for percent in (50, 95, 99)) + " ms",
    )
    report.line(
        "  roll-up lag at most; after the last answer", f"{lag:.1f}; {rest:.1f} s", "≤ 10 s"
    )
    parts = ", ".join(f"{part} {seconds:g}" for part, seconds in cpu.items() if seconds >= 0.1)
    report.line("  CPU seconds per million events", f"{parts}; {sum(cpu.values()):.1f} in all")
    report.line("  ingest memory at most", f"{resident / MEBIBYTE:,.0f} MiB", "≤ 300 MiB")


def limits(farthing: System, report: Report) -> None:
    """What PostgreSQL does with the same rows."""
    with farthing.connect() as connection:
        found = baselines.measure(connection, 500_000)
    report.figures["limits"] = found
    ours = report.figures["ingest"]["events_per_second"]
    for name, label, asked in (
        ("copy", "COPY alone", ""),
        ("copy_dedup", "COPY and deduplication", "≥ 0.40"),
    ):
        rate = found[f"{name}_rows_per_second"]
        report.line(
            f"  {label}, same rows, 5,000 a commit",
            f"{rate:,.0f} rows/s; ingest is {ours / rate:.2f} of it",
            asked,
        )


def storage(farthing: System, report: Report) -> None:
    """Bytes on disk for each event, and how many groups there are."""
    with farthing.connect() as connection:
        connection.execute("VACUUM ANALYZE")
        row = connection.execute(
            """
            SELECT
                (SELECT count(*) FROM usage_event),
                (SELECT count(*) FROM end_user),
                (SELECT count(*) FROM attribution),
                (SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits
                 WHERE inhparent = 'usage_event'::regclass),
                (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
                 WHERE relname LIKE 'rollup_%' AND relkind = 'r')
            """
        ).fetchone()
    assert row
    events, users, attributions, facts, rollups = row
    report.figures["storage"] = {
        "events": events,
        "users": users,
        "attributions": attributions,
        "bytes_per_event": round(facts / events, 1),
        "rollup_bytes_per_event": round(rollups / events, 1),
    }
    report.line(
        "bytes on disk per event with its indexes; of rollups",
        f"{facts / events:.0f}; {rollups / events:.0f}",
    )
    report.line("users, combinations of attribution", f"{users:,}, {attributions:,}")


@contextmanager
def resting(farthing: System) -> Iterator[None]:
    """The worker stands still, so that what comes in waits to be folded."""
    workers: list[psutil.Process] = farthing.processes().get("worker", [])
    for process in workers:
        process.suspend()
    try:
        yield
    finally:
        for process in workers:
            process.resume()


def roll_up(farthing: System, key: str, bodies: Path, report: Report) -> None:
    """How fast events are folded that wait, with nothing else to do."""
    with resting(farthing):
        generate(farthing.url, key, bodies, "--connections", str(CONNECTIONS))
        waiting = system.pending_events(farthing)
    seconds = system.wait_until_rolled_up(farthing)
    found: dict[str, Any] = {"events": waiting, "seconds": round(seconds, 2)}
    found["events_per_second"] = waiting / seconds if seconds else 0.0
    report.figures["roll_up"] = found
    report.line(
        f"roll-up of {waiting:,} waiting events",
        f"{found['events_per_second']:,.0f} events/s",
    )
