"""How long the database takes for questions of charts: of an installation, in a program of its own.

    python bench/database_time.py TIMES < questions.json

Reads {name: {parameter: value}} as /api/v1/costs takes them, answers {name: {"database": …,
"whole": …}}: lists of milliseconds, of all statements of the question as they are waited for, and
with merging and naming its rows. The environment says which installation.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from psycopg import Cursor  # noqa: E402

from finops import costs  # noqa: E402
from finops.costs import reading  # noqa: E402
from finops.query import CostQuery  # noqa: E402

# What takes so long is asked once: it is far from what must hold.
SLOW_SECONDS = 2.0
waited = 0.0


class WatchedCursor(Cursor[Any]):
    """Adds what it is waited for to `waited`."""

    def execute(self, *arguments: Any, **options: Any) -> Any:
        global waited
        begun = time.perf_counter()
        try:
            return super().execute(*arguments, **options)
        finally:
            waited += time.perf_counter() - begun


def watched(execute: Any, *arguments: Any) -> Any:
    """The same for Django's cursors."""
    global waited
    begun = time.perf_counter()
    try:
        return execute(*arguments)
    finally:
        waited += time.perf_counter() - begun


def measure(params: Mapping[str, str], times: int) -> dict[str, list[float]]:
    global waited
    found: dict[str, list[float]] = {"database": [], "whole": []}
    query = CostQuery.from_params(
        {name: [value] for name, value in params.items()},
        now=datetime.now(UTC),
        zone=settings.REPORTING_ZONE,
    )
    for number in range(times + 1):
        waited, begun = 0.0, time.perf_counter()
        with connection.execute_wrapper(watched), suppress(costs.QueryTooSlow):
            costs.run(query)
        if number == 0 and time.perf_counter() - begun < SLOW_SECONDS:
            continue  # it warmed the caches up
        found["whole"].append((time.perf_counter() - begun) * 1000)
        found["database"].append(waited * 1000)
        if found["whole"][0] > SLOW_SECONDS * 1000:
            break
    return found


def main() -> None:
    reading.Cursor = WatchedCursor
    times = int(sys.argv[1])
    questions = json.load(sys.stdin)
    found = {}
    for name, params in questions.items():
        found[name] = measure(params, times)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
