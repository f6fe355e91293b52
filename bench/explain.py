"""How long an explanation takes, reading included: `python bench/explain.py`.

Makes an embedded PostgreSQL in a temporary directory, with a million rows of rollup_day in two
periods (100 days each, of 5,000 combinations of 15 dimensions) and the totals of 2,000 users, in
which one pair of values has grown; then explains the difference between the periods some times over
and prints the seconds of each part.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
HOME = Path(tempfile.mkdtemp(prefix="farthing-explain-"))
os.environ.update(
    DJANGO_SETTINGS_MODULE="finops.settings",
    FARTHING_DATA_DIR=str(HOME / "data"),
    FARTHING_RUNTIME_DIR=str(HOME / "run"),
)
os.environ.pop("DATABASE_URL", None)

import django  # noqa: E402
import psutil  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from finops import postgres  # noqa: E402
from finops.costs import leaf_sums, snapshot  # noqa: E402
from finops.query import CostQuery  # noqa: E402
from finops.root_cause import explanations  # noqa: E402
from finops.root_cause.measures import MEASURES  # noqa: E402

DAYS, ATTRIBUTIONS, USERS, TIMES = 100, 5_000, 2_000, 5
END = date(2026, 10, 31)
MIDDLE, START = END - timedelta(days=DAYS), END - timedelta(days=2 * DAYS)

ATTRIBUTION = """
INSERT INTO attribution (fingerprint, provider, model, operation, service, feature, team,
    environment, region, latency_tier, service_tier, status, cache, fleet, variant)
SELECT gen_random_uuid(), 'p' || n %% 4, 'm' || n %% 12, 'o' || n / 7 %% 3, 's' || n / 11 %% 9,
    'f' || n / 12 %% 30, 't' || n / 12 %% 10, 'e' || n / 5 %% 3, 'r' || n / 3 %% 5,
    'l' || n / 2 %% 4, 'standard', CASE WHEN n %% 17 = 0 THEN 'error' ELSE 'ok' END, 'none', '',
    'v' || n / 19 %% 2
FROM generate_series(1, %(attributions)s) AS n
"""
# Histograms of 30 bins each, as busy rows hold them.
DAYS_OF_USE = """
INSERT INTO rollup_day
SELECT day, attribution.id, requests, 0, 0, requests * 900, requests * 200, 0, 0, 0, 0,
    cost, cost, cost, 0, 0, 0, 0, 0, requests, requests * 1200,
    decode(repeat('00640000000a', 30), 'hex'), decode(repeat('00640000000a', 30), 'hex')
FROM generate_series(%(start)s::date, %(end)s::date - 1, '1 day') AS day
CROSS JOIN attribution
CROSS JOIN LATERAL (
    SELECT (10 + random() * 90 + attribution.id %% 50)::int
        * CASE WHEN day >= %(middle)s AND feature = 'f3' AND model = 'm4' THEN 6 ELSE 1 END
        AS requests
) AS use
CROSS JOIN LATERAL (SELECT (requests * 0.00123456789)::numeric AS cost) AS money
"""
USE_OF_USERS = """
INSERT INTO rollup_user_total
SELECT span, start, n, 10, 0, 0, 9000, 2000, 0, 0, n * 0.01, n * 0.01
FROM generate_series(1, %(users)s) AS n
CROSS JOIN (
    SELECT DISTINCT span, date_trunc(span, day)::date AS start
    FROM generate_series(%(start)s::date, %(end)s::date - 1, '1 day') AS day
    CROSS JOIN unnest(ARRAY['day', 'week', 'month']) AS span
) AS spans
"""


def fill() -> None:
    values = {
        "attributions": ATTRIBUTIONS,
        "users": USERS,
        "start": START,
        "middle": MIDDLE,
        "end": END,
    }
    with connection.cursor() as cursor:
        for statement in (
            ATTRIBUTION,
            DAYS_OF_USE,
            "INSERT INTO end_user (name) SELECT 'u' || n FROM generate_series(1, %(users)s) AS n",
            USE_OF_USERS,
            "INSERT INTO rollup_state (zone, folded_at) VALUES ('UTC', now())",
        ):
            cursor.execute(statement, values)
        cursor.execute("VACUUM ANALYZE rollup_day, rollup_user_total, attribution")


def question(first: date, end: date) -> CostQuery:
    params = {"start": [first.isoformat()], "end": [end.isoformat()]}
    return CostQuery.from_params(params, now=datetime.now(UTC), zone=ZoneInfo("UTC"))


class Clock:
    """Seconds by the clock, and of processors that this process and the server's took."""

    def __init__(self, server: int) -> None:
        self.server = psutil.Process(server)
        self.begun = self.now()

    def now(self) -> tuple[float, float, float]:
        took = 0.0
        for process in (self.server, *self.server.children()):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                took += times.user + times.system
        return time.perf_counter(), time.process_time(), took

    def read(self) -> str:
        wall, own, server = (b - a for a, b in zip(self.begun, self.now(), strict=True))
        return f"{wall:.2f} s ({own:.2f} s of Python, {server:.2f} s of PostgreSQL)"


def measure(server: int) -> None:
    before, after = question(START, MIDDLE), question(MIDDLE, END)
    columns = MEASURES["effective_cost"].columns
    for _ in range(TIMES):
        whole = Clock(server)
        found = explanations.explain(before, after)
        print(f"explained in {whole.read()}")
    with snapshot() as cursor:
        sides = leaf_sums.begin(cursor, before, after)
        for name, read in {
            "leaves": lambda: leaf_sums.read_leaves(sides, explanations.DIMENSIONS, columns),
            "leading users": lambda: leaf_sums.leading_users(sides, 20, columns),
        }.items():
            part = Clock(server)
            read()
            print(f"of which {name} took {part.read()}")
    print([cause.reason for cause in found.causes], found.notes)


def main() -> None:
    server = postgres.start(HOME / "postgres", HOME / "run" / "postgres", say=print, durable=False)
    try:
        settings.DATABASES["default"]["HOST"] = str(HOME / "run" / "postgres")
        connection.settings_dict["HOST"] = str(HOME / "run" / "postgres")
        call_command("migrate", verbosity=0)
        fill()
        measure(server.pid)
    finally:
        connection.close()
        postgres.stop(server)
        shutil.rmtree(HOME)


if __name__ == "__main__":
    main()
