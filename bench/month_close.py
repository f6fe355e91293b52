"""Seconds and memory of closing a month of 10M requests: python bench/month_close.py

Events and their rollups are made up in the database of an installation of its own: 5,000
combinations of labels, one line of the statement each, in 8 hours of every day; with three cost
items, one paid by the hour. Of what a night does, comparing events with rollups, nothing is in it.
Wants 8 GB of disk for 10M.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import pages, system
from bench.system import System
from ingest import partitions

LOG = Path(tempfile.gettempdir()) / "farthing-month-close.log"
CENTERS, HOURS = 200, 8
ACKNOWLEDGED = ("unpriced", "unattributed", "unchecked", "beginning")
ITEMS: tuple[dict[str, Any], ...] = (
    {"kind": "fixed", "name": "Seats", "amount": "1200"},
    {"kind": "overhead", "name": "Platform", "percent": "25", "percent_of": "so_far"},
    {
        **{"kind": "commitment", "name": "PTU", "hour_price": "40"},
        **{"capacity_unit": "tokens", "capacity_per_hour": "30000000"},
        "filters": {"model": ["model-1"]},
    },
)
LABELS = """
    INSERT INTO attribution (fingerprint, provider, model, operation, service, feature, team,
        environment, region, latency_tier, service_tier, status, cache, fleet, variant)
    SELECT gen_random_uuid(), 'openai', 'model-' || mod(n, 5), 'chat', 'bench', 'feature-' || n / 5,
        'team-' || mod(n / 5, %(centers)s), '', '', '', 'standard', 'ok', 'none', '', ''
    FROM generate_series(0, %(lines)s - 1) AS n
"""
TEAMS = """
    INSERT INTO team (name, cost_center)
    SELECT 'team-' || n, 'CC-' || n FROM generate_series(0, %(centers)s - 1) AS n
"""
PRICE = """
    INSERT INTO price (kind, provider, model, fleet, cache, service_tier, context_over, currency,
        source, author, note, recorded_at, superseded_by, uncached_input_price, text_output_price)
    VALUES ('catalog', 'openai', 'model-0', '', '', '', 0, 'USD', 'bench', '', '', now(), '',
        0.0000015, 0.000002)
    RETURNING id
"""
# 900 tokens in, 200 out: 0.00175 USD each.
EVENTS = """
    INSERT INTO usage_event (event_key, started_at, batch_id, day, attribution_id, user_id,
        price_id, uncached_input_tokens, cache_read_input_tokens, cache_creation_5m_input_tokens,
        cache_creation_1h_input_tokens, input_audio_tokens, text_output_tokens,
        reasoning_output_tokens, output_audio_tokens, normalised, input_cost, cache_read_cost,
        cache_creation_cost, output_cost, request_cost, effective_cost, list_cost, event_id)
    SELECT gen_random_uuid(), %(day)s::timestamptz + interval '1 hour' * (9 + hour), 0, %(day)s,
        attribution.id, 0, %(price)s, 900, 0, 0, 0, 0, 200, 0, 0, false,
        0.00135, 0, 0, 0.0004, 0, 0.00175, 0.00175, ''
    FROM attribution, generate_series(0, 7) AS hour, generate_series(1, %(each)s)
"""
SUMS = """
    INSERT INTO {table}
    SELECT {at}, id, %(requests)s, 0, 0, %(requests)s * 900, %(requests)s * 200, 0, 0, 0, 0,
        %(requests)s * 0.00175, %(requests)s * 0.00175, %(requests)s * 0.00135, 0, 0,
        %(requests)s * 0.0004, 0, 0, 0, 0, '', ''
    FROM attribution CROSS JOIN generate_series(0, %(steps)s - 1) AS n
"""


def fill(
    database: psycopg.Connection[Any], first: date, days: int, lines: int, requests: int
) -> int:
    """How many requests there are, the same number of each line in each of its hours."""
    each = max(requests // (lines * days * HOURS), 1)
    start = datetime(first.year, first.month, 1, 9, tzinfo=UTC)
    given: dict[str, Any] = {"centers": CENTERS, "lines": lines, "start": start, "first": first}
    database.execute(LABELS, given)
    database.execute(TEAMS, given)
    row = database.execute(PRICE).fetchone()
    assert row
    hour = "interval '1 day' * (n / 8) + interval '1 hour' * mod(n, 8)"
    for table, at, steps, count in (
        ("rollup_day", "%(first)s::date + n", days, each * HOURS),
        ("rollup_hour", f"%(start)s::timestamptz + {hour}", days * HOURS, each),
    ):
        text = SUMS.format(table=table, at=at)
        database.execute(text, given | {"steps": steps, "requests": count})
    wanted = [first + timedelta(days=n) for n in range(days)]
    partitions.make(database, wanted)
    for day in wanted:
        database.execute(EVENTS, {"day": day, "price": row[0], "each": each})
    database.execute("VACUUM ANALYZE")
    return each * lines * days * HOURS


@contextmanager
def watched(farthing: System) -> Iterator[dict[str, float]]:
    """Wall and CPU seconds of the block, and the most megabytes that the web processes had."""
    found: dict[str, float] = {"web_mb": 0.0}
    done = Event()

    def watch() -> None:
        while not done.wait(0.1):
            found["web_mb"] = max(found["web_mb"], farthing.memory_bytes().get("web", 0) / 1e6)

    watcher = Thread(target=watch)
    watcher.start()
    began, before = time.perf_counter(), farthing.cpu_seconds()
    yield found
    found["seconds"] = time.perf_counter() - began
    after = farthing.cpu_seconds()
    for part in ("web", "postgres"):
        found[f"{part}_cpu"] = after.get(part, 0) - before.get(part, 0)
    done.set()
    watcher.join()


def say(what: str, farthing: System, act: Callable[[], object]) -> None:
    with watched(farthing) as found:
        act()
    print(
        f"{what}: {found['seconds']:.2f} s, CPU {found['web_cpu']:.2f} s web and "
        f"{found['postgres_cpu']:.2f} s database, web processes at most {found['web_mb']:.0f} MB"
    )


def measure(farthing: System, http: httpx.Client, first: date, end: date) -> None:
    books, file = f"/api/v1/books/{first:%Y-%m}", f"/api/v1/allocations/{first:%Y-%m}"

    def close() -> None:
        http.post(f"{books}/close", json={"acknowledged": ACKNOWLEDGED}).raise_for_status()

    def download(form: str) -> None:
        began = time.perf_counter()
        with http.stream("GET", f"{file}.{form}") as answer:
            answer.raise_for_status()
            parts = answer.iter_bytes()
            next(parts)
            print(f"first byte after {time.perf_counter() - began:.2f} s", end="; ")
            print(f"{sum(map(len, parts)) / 1e6:.1f} MB more", end="; ")

    def plain_sum() -> None:
        with farthing.connect() as database:
            database.execute(
                "SELECT attribution_id, sum(effective_cost), sum(requests) FROM rollup_day"
                " WHERE day >= %s AND day < %s GROUP BY 1",
                [first, end],
            ).fetchall()

    say("a plain sum of its days by labels", farthing, plain_sum)
    say("what stands against closing it", farthing, lambda: http.get(books).raise_for_status())
    say("the draft as CSV", farthing, lambda: download("csv"))
    say("closing it", farthing, close)
    for form in ("csv", "csv", "focus.csv"):
        say(f"the closed month as {form}", farthing, lambda form=form: download(form))  # type: ignore[misc]
    say("the next month, which bears it", farthing, lambda: http.get(f"/api/v1/books/{end:%Y-%m}"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=5_000)
    parser.add_argument("--requests", type=int, default=10_000_000)
    asked = parser.parse_args()
    end = datetime.now(UTC).date().replace(day=1)
    first = (end - timedelta(days=1)).replace(day=1)
    with system.running(LOG) as farthing:
        pages.create_administrator(farthing)
        with farthing.connect() as database:
            days = (end - first).days
            count = fill(database, first, days, asked.lines, asked.requests)
        print(f"{count:,} requests of {asked.lines:,} lines in {days} days", flush=True)
        token = farthing.manage("create_api_token", pages.ADMINISTRATOR)
        with system.api(farthing, token) as http:
            http.timeout = httpx.Timeout(300.0)
            for item in ITEMS:
                given = {**item, "effective_from": first.isoformat()}
                http.post("/api/v1/cost-items", json=given).raise_for_status()
            measure(farthing, http, first, end)


if __name__ == "__main__":
    main()
