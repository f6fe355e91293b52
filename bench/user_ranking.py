"""How long the database takes to rank all users, and for pages of users, with very many of them.

    python bench/user_ranking.py [--users 100000] [--days 45]

A PostgreSQL of its own is filled with rollups as ten million events a month make them: a user is
there on some 11 days of a month with 4 attributions a day, of 1,700; few users cost most. Single
events are none, so what reads them for labels is quick here. Each question is asked three times and
the middle one told: of the processor that the database and this process take, one at a time, which
others on the machine change least, and in all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from finops import postgres

FIRST = date(2026, 9, 1)
ATTRIBUTIONS, TEAMS = 1700, 12
SUMS = """requests, unpriced_requests, errors, input_tokens, output_tokens, cache_read_input_tokens,
    unpriced_tokens, list_cost, effective_cost"""
ADDED = ", ".join(f"sum({name.strip()})" for name in SUMS.split(","))
FILL = f"""
SELECT setseed(0.42);
INSERT INTO rollup_state (zone, folded_at) VALUES ('UTC', now());
INSERT INTO end_user (id, name) SELECT n, 'user-' || n FROM generate_series(1, %(users)s) AS n;
INSERT INTO attribution (
    id, fingerprint, provider, model, operation, service, feature, team, environment, region,
    latency_tier, service_tier, status, cache, fleet, variant
)
SELECT
    n, gen_random_uuid(), 'openai', 'model-' || n %% 7, 'chat', 's', 'feature-' || n %% 23,
    'team-' || n %% {TEAMS}, 'p', 'r', 't', 'standard', 'ok', 'none', '', ''
FROM generate_series(1, {ATTRIBUTIONS}) AS n;
INSERT INTO rollup_user_day (day, attribution_id, user_id, {SUMS})
SELECT
    day, 1 + ((user_id * 31 + part * 7) %% {ATTRIBUTIONS}), user_id, 1 + (random() * 4)::int, 0, 0,
    900, 200, 0, 0, cost, cost
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS step (at)
CROSS JOIN LATERAL (SELECT at::date AS day) AS d
CROSS JOIN generate_series(1, %(users)s) AS user_id
CROSS JOIN generate_series(1, 4) AS part
CROSS JOIN LATERAL (
    SELECT round((random() * 20 / user_id ^ 0.8 + 0.000001)::numeric, 12) AS cost
    WHERE user_id > 0 AND part > 0
) AS paid
WHERE (hashint8(user_id * 100000::bigint + (day - date '2026-01-01')) & 1048575) %% 1000
    BETWEEN 0 AND 520 * (1 - user_id / (%(users)s + 1.0)) ^ 0.4;
INSERT INTO rollup_user_total (span, start, user_id, {SUMS})
SELECT 'day', day, user_id, {ADDED}
FROM rollup_user_day
GROUP BY 1, 2, 3;
INSERT INTO rollup_user_total (span, start, user_id, {SUMS})
SELECT step.span, date_trunc(step.span, start::timestamp)::date, user_id, {ADDED}
FROM rollup_user_total AS total
CROSS JOIN unnest(ARRAY['week', 'month']) AS step (span)
WHERE total.span = 'day'
GROUP BY 1, 2, 3;
INSERT INTO rollup_day (
    day, attribution_id, requests, unpriced_requests, errors, input_tokens, output_tokens,
    cache_read_input_tokens, cache_creation_input_tokens, reasoning_output_tokens, unpriced_tokens,
    list_cost, effective_cost, input_cost, cache_read_cost, cache_creation_cost, output_cost,
    request_cost, gpu_seconds, latency_count, latency_sum_ms, latency_histogram, ttft_histogram
)
SELECT
    day, attribution_id, sum(requests), 0, 0, 1, 1, 0, 0, 0, 0, sum(list_cost), sum(effective_cost),
    0, 0, 0, 0, 0, 0, 0, 0, '', ''
FROM rollup_user_day
GROUP BY 1, 2;
"""


@contextmanager
def database() -> Iterator[None]:
    """A migrated PostgreSQL in a temporary directory, as Django's."""
    home = Path(tempfile.mkdtemp(prefix="farthing-bench-"))
    sockets = home / "run" / "postgres"
    server = postgres.start(home / "postgres", sockets, say=lambda text: None, durable=False)
    try:
        os.environ["DATABASE_URL"] = f"postgresql://farthing@/{postgres.DATABASE}?host={sockets}"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")
        os.environ.setdefault("FARTHING_DATA_DIR", str(home / "data"))
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        postgres.stop(server)
        shutil.rmtree(home, ignore_errors=True)


def fill(users: int, days: int) -> None:
    from django.db import connection

    from finops import user_spans

    given = {"users": users, "first": FIRST, "last": FIRST + timedelta(days=days - 1)}
    with connection.cursor() as cursor:
        for statement in FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, given if "%" in statement else None)
        user_spans.settle(cursor, [FIRST + timedelta(days=n) for n in range(days)])
    connection.connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def unsettle(last: date) -> None:
    """As a day is to which calls are still added."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rollup_unsettled VALUES (%s, now())", [last - timedelta(days=1)]
        )


def measured(ask: Callable[[], Any]) -> tuple[float, float, float]:
    """Milliseconds of the database's processor, of this process's, and in all, each the median of
    three after one to warm up."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        [(backend,)] = cursor.fetchall()
    found = []
    for _ in range(4):
        before, own, begun = processor(backend), time.process_time(), time.perf_counter()
        ask()
        waited = (time.perf_counter() - begun) * 1000
        found.append((processor(backend) - before, (time.process_time() - own) * 1000, waited))
    in_database, in_process, whole = (
        statistics.median(each) for each in zip(*found[1:], strict=True)
    )
    return in_database, in_process, whole


def processor(process: int) -> float:
    """Milliseconds that it has taken of one so far."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system) * 1000


def questions(now: datetime) -> dict[str, Callable[[], Any]]:
    from zoneinfo import ZoneInfo

    from finops import costs, power_users
    from finops.query import CostQuery

    def query(**params: str) -> CostQuery:
        given = {name: [value] for name, value in params.items()}
        return CostQuery.from_params(given, now=now, zone=ZoneInfo("UTC"))

    month, lately, week = query(period=f"{FIRST:%Y-%m}"), query(period="30d"), query(period="7d")
    day = query(start=f"{FIRST + timedelta(days=9)}", end=f"{FIRST + timedelta(days=10)}")
    team, user = query(period="30d", team="team-3"), query(period="30d", user="user-7")
    return {
        "concentration of a day": lambda: costs.rank_users(day),
        "concentration of a month": lambda: costs.rank_users(month),
        "concentration of 7 days": lambda: costs.rank_users(week),
        "concentration of 30 days": lambda: costs.rank_users(lately),
        "concentration of 30 days, one team": lambda: costs.rank_users(team),
        "page of users, 30 days, with labels": lambda: power_users.listing(lately, now, "USD"),
        "page of users, 30 days, one team": lambda: power_users.listing(team, now, "USD"),
        "one user, 30 days": lambda: power_users.picture(user, now, "USD"),
        "limits a day, 30 and 90 days": lambda: power_users.limits(lately, "day", now),
        "limits a month": lambda: power_users.limits(lately, "month", now),
        "concentration of 30 days, today unsettled": lambda: costs.rank_users(lately),
        "page of users, 30 days, today unsettled": lambda: power_users.listing(lately, now, "USD"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=45)
    options = parser.parse_args()
    last = FIRST + timedelta(days=options.days)
    now = datetime(last.year, last.month, last.day, tzinfo=UTC) - timedelta(hours=1)
    with database():
        fill(options.users, options.days)
        for name, ask in questions(now).items():
            in_database, in_process, whole = measured(ask)
            print(
                f"{name:40} {in_database:8.0f} ms of the database's processor, "
                f"{in_process:8.0f} of this one's, {whole:8.0f} in all",
                flush=True,
            )
            if name == "limits a month":
                unsettle(last)


if __name__ == "__main__":
    main()
