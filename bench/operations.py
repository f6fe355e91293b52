"""Operations beside live traffic: what a re-rating, a rebuild, a load and a drop do to live POSTs.

Live events come at a steady rate all the while. Before each operation there are some seconds
without one, so the ratios compare moments of the same run.
"""

from __future__ import annotations

import http.client
import random
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import numpy as np

from bench import dataset
from bench.report import Report
from bench.system import PYTHON, ROOT, System

RATE = 2_000
BODY_EVENTS = 20
CONNECTIONS = 8
ALONE_SECONDS = 10.0
KEPT_DAYS = 20

encode = msgspec.json.Encoder(decimal_format="number").encode


class Live:
    """Posts events of this moment at RATE until told to stop; when each POST began, how long it
    took, and how far the rollups were behind live events."""

    def __init__(self, farthing: System, key: str) -> None:
        self.farthing = farthing
        self.key = key
        self.sent: list[tuple[float, float]] = []
        self.lags: list[tuple[float, float]] = []
        self.refused = 0
        self._done = threading.Event()
        now = datetime.now(UTC)
        self._events = dataset.day(now.date() - timedelta(days=1), now.date(), 1.0)
        self._threads = [threading.Thread(target=self._post, args=(n,)) for n in range(CONNECTIONS)]
        self._threads.append(threading.Thread(target=self._watch))

    def __enter__(self) -> Live:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _post(self, number: int) -> None:
        at = urlsplit(self.farthing.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        rng, every = random.Random(number), BODY_EVENTS * CONNECTIONS / RATE
        due, count = time.monotonic() + rng.random() * every, 0
        while not self._done.wait(max(due - time.monotonic(), 0)):
            body = self._body(rng, f"live-{number}-{count}")
            begun = time.monotonic()
            connection.request("POST", "/api/v1/events", body, headers)
            response = connection.getresponse()
            response.read()
            self.refused += response.status != 200
            self.sent.append((begun, time.monotonic() - begun))
            # What could not be sent in time is not sent later: events_per_second tells.
            due, count = max(due + every, begun), count + 1

    def _body(self, rng: random.Random, label: str) -> bytes:
        now = datetime.now(UTC)
        return encode(
            [
                msgspec.structs.replace(rng.choice(self._events), id=f"{label}-{n}", timestamp=now)
                for n in range(BODY_EVENTS)
            ]
        )

    def _watch(self) -> None:
        with self.farthing.connect() as connection:
            while not self._done.wait(0.25):
                row = connection.execute(
                    "SELECT coalesce(extract(epoch FROM now() - min(committed_at)), 0) "
                    "FROM ingest_batch WHERE folded_at IS NULL "
                    "AND last_started_at > now() - interval '10 minutes'"
                ).fetchone()
                assert row
                self.lags.append((time.monotonic(), float(row[0])))

    def between(self, start: float, end: float) -> dict[str, float]:
        taken = [seconds * 1000 for at, seconds in self.sent if start <= at < end] or [0.0]
        p50, p99 = np.percentile(taken, (50, 99))
        return {
            "events_per_second": round(len(taken) * BODY_EVENTS / (end - start)),
            "post_p50_ms": round(float(p50), 1),
            "post_p99_ms": round(float(p99), 1),
            "largest_lag_seconds": max(
                (lag for at, lag in self.lags if start <= at < end + 2), default=0.0
            ),
            "seconds": round(end - start, 1),
        }


def measure(farthing: System, key: str, count: int, report: Report) -> None:
    """The month is in the rollups already."""
    live_key = farthing.manage("create_ingest_key", "live")
    span = _span(farthing)
    file = farthing.directory / "load.jsonl"
    _write_load(file, count, datetime.fromisoformat(span[0]).replace(tzinfo=UTC))
    discount = ("kind=contract", "provider=*", "model=*", "discount_percent=10")
    dates = ("--start", span[0], "--end", span[1])
    found = report.figures["operations"] = {}
    with Live(farthing, live_key) as live:
        for name, command, environment in (
            ("rerate", ("rerate", *dates, "--apply"), {}),
            ("rebuild", ("rebuild_rollups", *dates), {}),
            ("load", ("load_events", str(file), "--key", key, "--url", farthing.url), {}),
            ("retention", ("apply_retention",), {"FARTHING_EVENT_RETENTION_DAYS": str(KEPT_DAYS)}),
        ):
            if name == "rerate":
                farthing.manage("add_price", *discount)
            alone_from = time.monotonic()
            time.sleep(ALONE_SECONDS)
            begun = time.monotonic()
            _run(farthing, command, environment)
            ended = time.monotonic()
            figures = {
                "alone": live.between(alone_from, begun),
                "beside": live.between(begun, ended),
            }
            found[name] = figures
            _tell(report, name, figures)
    found["live_events_per_second"] = RATE
    found["refused_posts"] = live.refused
    found["loaded_events"] = count


def _tell(report: Report, name: str, figures: dict[str, dict[str, float]]) -> None:
    alone, beside = figures["alone"], figures["beside"]
    report.line(
        f"{name} beside {RATE:,} live events/s, {beside['seconds']:g} s: POST p50 / p99",
        f"{beside['post_p50_ms']:g} / {beside['post_p99_ms']:g} ms; "
        f"alone {alone['post_p50_ms']:g} / {alone['post_p99_ms']:g} ms; "
        f"{beside['events_per_second']:,} of {alone['events_per_second']:,} live events/s",
    )
    report.line(
        "  roll-up lag of live events at most", f"{beside['largest_lag_seconds']:.1f} s", "≤ 10 s"
    )


def _span(farthing: System) -> tuple[str, str]:
    """The whole days that the month's events are of."""
    with farthing.connect() as connection:
        row = connection.execute("SELECT min(day), max(day) FROM rollup_day").fetchone()
    assert row
    return f"{row[0]:%Y-%m-%d}", f"{min(row[1], datetime.now(UTC).date()):%Y-%m-%d}"


def _write_load(path: Path, count: int, start: datetime) -> None:
    """Events of the same days with ids of their own, as lines."""
    rng = random.Random(5)
    some = dataset.day(start.date(), start.date() + timedelta(days=30), 1.0)
    with path.open("wb") as file:
        for number in range(count):
            at = start + timedelta(seconds=rng.random() * 29 * 86_400)
            event = msgspec.structs.replace(
                some[number % len(some)], id=f"load-{number}", timestamp=at
            )
            file.write(encode(event) + b"\n")


def _run(farthing: System, command: tuple[str, ...], environment: dict[str, str]) -> None:
    subprocess.run(
        [PYTHON, "manage.py", *command],
        cwd=ROOT,
        env=farthing.environment | environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
