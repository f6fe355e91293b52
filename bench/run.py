"""Measures speed and cost beside the limits and peers: `make bench`, or `python bench/run.py`.

Everything runs on this machine, the load generator beside what it loads. Prints a table and writes
bench/results.json, from which bench/figures.py makes the README's. All of it takes some 25 minutes
and 25 GB of disk. --events takes fewer (a tenth of them first, by which growth is told), --quick a
hundredth, --only the named parts; with --keep the installation stays in a directory, and a later
run finds there what is loaded and adds its figures to the results.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import dataset, demo, doors, loading, operations, pages, peers, queries, system  # noqa: E402  # noqa: E402
from bench.report import Report, machine  # noqa: E402
from bench.system import System  # noqa: E402

RESULTS = Path(__file__).parent / "results.json"
EVENTS = 10_000_000
# Of the events, which share is loaded and asked of first.
FIRST = 10
PARTS = ("ingest", "queries", "growth", "freshness", "single", "spans", "operations", "demo")
LOG = Path(tempfile.gettempdir()) / "farthing-bench.log"


@dataclass
class State:
    """What a kept installation holds: events of the 30 days before `until`."""

    until: str
    first_events: int = 0
    events: int = 0

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.until)

    @property
    def span(self) -> dict[str, str]:
        start = self.end - timedelta(days=dataset.DAYS)
        return {"start": f"{start:%Y-%m-%d}", "end": f"{self.end:%Y-%m-%d}"}


@dataclass
class Bench:
    farthing: System
    report: Report
    state: State
    key: str
    token: str
    count: int
    times: int

    def ingest(self) -> None:
        """The first events into an empty installation, beside what PostgreSQL does with them."""
        if self.state.events:
            return print("The first events are loaded already.")
        bodies = self.farthing.directory / "month"
        written = dataset.write_month(bodies, self.count // FIRST, self.state.end)
        size = bodies.stat().st_size / written
        print(f"{written:,} events of {dataset.DAYS} days, {size:.0f} bytes each")
        loading.ingest(self.farthing, self.key, bodies, self.report, "ingest")
        self.report.figures["ingest"]["body_bytes_per_event"] = round(size, 1)
        bodies.unlink()
        loading.limits(self.farthing, self.report)
        self.loaded(written)

    def loaded(self, events: int) -> None:
        self.state.events += events
        self.state.first_events = self.state.first_events or events
        system.wait_until_settled(self.farthing)
        state_path(self.farthing.directory).write_text(json.dumps(asdict(self.state)))

    def grow(self) -> None:
        """The rest of the events; the last day of it waits, and shows how fast it is folded."""
        if self.state.events > self.state.first_events:
            return print("All events are loaded already.")
        bodies, last = (self.farthing.directory / name for name in ("rest", "last"))
        rest = self.count - self.count // FIRST
        written = dataset.write_month(bodies, rest, self.state.end, dataset.SEED + 1)
        day = self.state.end - timedelta(days=1)
        scale = dataset.scale_of(rest, dataset.DAYS)
        written += dataset.write_day(
            last, day.date(), self.state.end.date(), scale, dataset.SEED + 2
        )
        loading.ingest(self.farthing, self.key, bodies, self.report, "growth")
        loading.roll_up(self.farthing, self.key, last, self.report)
        bodies.unlink()
        last.unlink()
        self.loaded(written)
        loading.storage(self.farthing, self.report)

    def questions(self) -> None:
        """Of what is loaded; once of the first events, once of all."""
        events = self.state.events
        with self.farthing.connect() as connection:
            connection.execute("VACUUM ANALYZE")
            engines = peers.loaded(
                connection,
                self.farthing.directory,
                self.state.span["start"],
                self.state.span["end"],
            )
        if len(engines) == 1:
            print("chDB is not installed (`make bench` does it): it is left out.")
        with system.api(self.farthing, self.token) as http:
            asked = queries.measure(self.farthing, http, engines, self.state.span, self.times)
            for engine in engines:
                engine.close()
            charts = queries.charts(self.farthing, http, self.state.span, max(self.times // 4, 3))
        seen = pages.measure(self.farthing, max(self.times // 2, 3))
        held = self.report.figures.setdefault("queries", {})
        if events == self.state.first_events:
            held.clear()
        found = {"events": events, "questions": asked, "charts": charts, "pages": seen}
        held["first" if events == self.state.first_events else "all"] = found
        self.say(found)

    def say(self, found: dict[str, Any]) -> None:
        for name, limit in ((queries.COST, 20), (queries.USERS, 120), (queries.LATENCY, 100)):
            of = found["questions"][name]
            others = ", ".join(
                f"{peer} {of[peer].p50}" for peer in ("duckdb", "chdb") if peer in of
            )
            self.report.line(
                f"{name}, {found['events']:,} events: database, median; {others}",
                f"{of['database'].p50} ms; {others}",
                f"≤ {limit} ms",
            )
        slowest = max(found["charts"], key=lambda name: found["charts"][name].p95)
        slow = [name for name, timing in found["charts"].items() if timing.p95 > 150]
        self.report.line(
            f"{len(found['charts'])} charts and tables through the API, slowest p95",
            f"{found['charts'][slowest].p95} ms ({slowest}); {len(slow)} over 150 ms",
            "p95 ≤ 150 ms",
        )
        for name, timing in found["pages"].items():
            self.report.line(f"{name} page, p50 / p95", f"{timing.p50} / {timing.p95} ms")

    def run(self, parts: set[str]) -> None:
        singles, spans = min(self.count, 100_000), min(self.count, 200_000)
        seconds = max(self.times, 5)
        steps: dict[str, tuple[Callable[[], None], ...]] = {
            "ingest": (self.ingest,),
            "queries": (self.ingest, self.questions),
            "growth": (self.ingest, self.grow, self.questions),
            "freshness": (
                lambda: doors.freshness(self.farthing, self.key, self.token, seconds, self.report),
            ),
            "single": (lambda: doors.singles(self.farthing, self.key, singles, self.report),),
            "spans": (lambda: doors.otlp(self.farthing, self.key, spans, self.report),),
        }
        done: set[Callable[[], None]] = set()
        for name, todo in steps.items():
            for step in todo if name in parts else ():
                # Loading is done once; questions are asked of both sizes.
                if step == self.questions or step not in done:
                    step()
                    done.add(step)


def state_path(directory: Path) -> Path:
    return directory / "bench.json"


def open_bench(farthing: System, report: Report, count: int, times: int) -> Bench:
    """Of a new installation or one that was kept."""
    path = state_path(farthing.directory)
    if path.exists():
        state = State(**json.loads(path.read_text()))
        pages.reset_password(farthing)
    else:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        state = State(today.isoformat())
        report.figures["start_up_seconds"] = round(farthing.started_seconds, 1)
        report.line("start of an empty installation", f"{farthing.started_seconds:.1f} s")
        pages.create_administrator(farthing)
        pages.activate_tag(farthing, "plan")
        path.write_text(json.dumps(asdict(state)))
    key = farthing.manage("create_ingest_key", "bench")
    token = farthing.manage("create_api_token", pages.ADMINISTRATOR)
    return Bench(farthing, report, state, key, token, count, times)


def operate(count: int, report: Report) -> None:
    """In an installation of its own, as prices change and days are dropped."""
    with system.running(LOG) as farthing:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        bodies = farthing.directory / "month"
        dataset.write_month(bodies, count, today)
        key = farthing.manage("create_ingest_key", "bench")
        loading.generate(farthing.url, key, bodies)
        system.wait_until_rolled_up(farthing)
        operations.measure(farthing, key, min(count, 300_000), report)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of everything")
    parser.add_argument("--events", type=int, help=f"in all (default {EVENTS:,})")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--keep", type=Path, help="the installation stays in this directory")
    parser.add_argument("--results", type=Path, help="the file that figures are added to")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    count = given.events or (EVENTS // 100 if given.quick else EVENTS)
    # A smoke run must not stand in the README.
    smoke = Path(tempfile.gettempdir()) / "farthing-bench-results.json"
    path = given.results or (RESULTS if count == EVENTS else smoke)
    is_part = bool(given.keep) or set(given.only) != set(PARTS)
    report = Report.continued(path) if is_part and path.exists() else Report()
    report.figures |= {"machine": machine(), "events": count}
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    if set(given.only) - {"demo", "operations"}:
        with system.running(LOG, given.keep and given.keep.resolve()) as farthing:
            bench = open_bench(farthing, report, count, 5 if given.quick else 40)
            try:
                bench.run(set(given.only))
            finally:
                report.write(path)
    if "operations" in given.only:
        operate(count // FIRST, report)
        report.write(path)
    if "demo" in given.only:
        demo.measure(report.figures, report.line, fresh=not given.quick)
    report.show(f"Farthing, {count:,} events")
    report.write(path)
    print(f"Written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
