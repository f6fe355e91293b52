"""How fast and in how much memory a closed month of very many lines leaves as a file.

    python bench/month_files.py [LINES]

An installation of its own is given one closed month of LINES (1,000,000) lines. Each file is asked
for over HTTP; beside it PostgreSQL copies the same lines out, on the same machine.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from bench.pages import ADMINISTRATOR, create_administrator
from bench.system import System, running

MONTH = "2026-09"
# A thousand cost centers; money with 12 digits after the point, as parts of shares have.
LINES = """
    INSERT INTO statement_line (statement_id, cost_center, team, feature, provider, model, requests,
        unpriced_requests, input_tokens, output_tokens, direct_cost, shared_cost, idle_cost,
        adjustment)
    SELECT %s, 'CC-' || lpad((n / 1000)::text, 7, '0'), 'team-' || n %% 1000 / 20,
        'feature-' || lpad((n %% 1000)::text, 4, '0'), 'openai', 'gpt-4o', 17, 0, 1000 + n, 200 + n,
        0.0123456789 * (n %% 977), 0.000123456789 * n, 0, 0
    FROM generate_series(0, %s - 1) AS n
"""
STATEMENT = """
    INSERT INTO statement_version (month, version, closed_at, closed_by, checksum, currency, totals,
        warnings, capacity, adjustments, charges, shares{more})
    VALUES (%s, 1, now(), 'bench', repeat('0', 64), 'USD',
        '{{"requests": "0", "unpriced_requests": "0"}}', '{{}}', '{{}}', '[]', '[]', '[]'{values})
    RETURNING id
"""


def main() -> None:
    lines = int(sys.argv[1]) if sys.argv[1:] else 1_000_000
    with tempfile.NamedTemporaryFile(suffix=".log") as log, running(Path(log.name)) as farthing:
        create_administrator(farthing)
        token = farthing.manage("create_api_token", ADMINISTRATOR)
        copied = fill(farthing, lines)
        print(f"{lines:,} lines; PostgreSQL copies them out in {copied:.1f} s", flush=True)
        for form in ("csv", "xlsx"):
            found = asked(farthing, token, f"/api/v1/allocations/{MONTH}.{form}")
            print(
                f"{form}: first byte {found['first']:.2f} s, whole {found['whole']:.1f} s "
                f"({found['whole'] / copied:.0f} × COPY), CPU of web {found['cpu']:.1f} s, "
                f"{found['bytes'] / 2**20:.0f} MiB, "
                f"web {found['before']:.0f} → {found['peak']:.0f} MiB",
                flush=True,
            )


def fill(farthing: System, lines: int) -> float:
    """The seconds that copying the lines out takes."""
    with farthing.connect() as database:
        needed = database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = "
            "'statement_version' AND is_nullable = 'NO' AND data_type = 'jsonb' AND column_name "
            "<> ALL (%s)",
            [["totals", "warnings", "capacity", "adjustments", "charges", "shares"]],
        ).fetchall()
        text = STATEMENT.format(
            more="".join(f", {name}" for (name,) in needed), values=", '{}'" * len(needed)
        )
        made = database.execute(text, [f"{MONTH}-01"]).fetchall()  # type: ignore[arg-type]
        database.execute(LINES, [made[0][0], lines])
        database.execute(
            "INSERT INTO books_month (month, state, version, sent_by, sent_to, reopen_asked_by, "
            "reopen_reason) VALUES (%s, 'closed', 1, '', '', '', '')",
            [f"{MONTH}-01"],
        )
        database.execute("ANALYZE statement_line")
        begun = time.monotonic()
        with database.cursor().copy("COPY statement_line TO STDOUT (FORMAT csv)") as copy:
            for _ in copy:
                pass
        return time.monotonic() - begun


def asked(farthing: System, token: str, path: str) -> dict[str, Any]:
    """Seconds until the first byte and the last one, and web's memory in MiB, at its most."""
    before, spent = memory(farthing), farthing.cpu_seconds()["web"]
    peak, is_done = [before], threading.Event()

    def watch() -> None:
        while not is_done.wait(0.1):
            peak[0] = max(peak[0], memory(farthing))

    watching = threading.Thread(target=watch)
    watching.start()
    begun, first, size = time.monotonic(), 0.0, 0
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.stream("GET", farthing.url + path, headers=headers, timeout=600) as response:
            response.raise_for_status()
            for piece in response.iter_raw():
                first = first or time.monotonic() - begun
                size += len(piece)
    finally:
        is_done.set()
        watching.join()
    whole = time.monotonic() - begun
    cpu = farthing.cpu_seconds()["web"] - spent
    times = {"first": first, "whole": whole, "cpu": cpu}
    return {**times, "bytes": size, "before": before, "peak": peak[0]}


def memory(farthing: System) -> float:
    """Of the web process, in MiB."""
    return sum(each.memory_info().rss for each in farthing.processes()["web"]) / 2**20


if __name__ == "__main__":
    main()
