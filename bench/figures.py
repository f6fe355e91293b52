"""The README's table of figures, made of bench/results.json so that the two cannot differ.

    python bench/figures.py

Writes the table between its marks in README.md.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results.json"
MARKS = ("<!-- figures -->\n", "<!-- /figures -->\n")
HEAD = "| what | Farthing | beside it, same run |\n|---|---|---|\n"
MEBIBYTE = 2**20
Row = tuple[str, str, str]


def table(figures: dict[str, Any]) -> str:
    """Of the parts that were measured."""
    rows: list[Row] = []
    for part in (loading, doors, questions, pages, rest):
        rows += part(figures)
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def loading(figures: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    limits = figures.get("limits", {})
    for name in ("ingest", "growth"):
        if name not in figures:
            continue
        found = figures[name]
        cpu = found["cpu_seconds_per_million"]
        beside = ""
        if name == "ingest" and limits:
            copied, merged = (limits[f"{each}_rows_per_second"] for each in ("copy", "copy_dedup"))
            beside = f"COPY alone {copied:,.0f} rows/s, COPY and deduplication {merged:,.0f}"
        rows += [
            (
                f"{found['events']:,} events in 500-event bodies, {found['connections']} "
                "connections: durable, rated, rolled up",
                f"{found['events_per_second']:,.0f} events/s",
                beside,
            ),
            (
                "their CPU seconds per million: PostgreSQL, ingest, worker",
                ", ".join(f"{cpu[part]:.1f}" for part in ("postgres", "ingest", "worker")),
                f"generator {cpu['generator']:.1f}" if "generator" in cpu else "",
            ),
            (
                "their roll-up lag at most; ingest process, memory at most",
                f"{found['largest_lag_seconds']:.1f} s; "
                f"{found['ingest_memory_bytes'] / MEBIBYTE:.0f} MiB",
                "",
            ),
        ]
    if roll_up := figures.get("roll_up"):
        rolled = f"{roll_up['events_per_second']:,.0f} events/s"
        rows.append((f"roll-up of {roll_up['events']:,} events that wait", rolled, ""))
    return rows


def doors(figures: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    if single := figures.get("single"):
        rows.append(
            (
                "POSTs of one event, 64 connections: acknowledged after commit; p50, p99",
                requests(single),
                f"bare ASGI application {requests(figures['single_bare'])}",
            )
        )
    if spans := figures.get("spans"):
        rows.append(("OTLP spans, 512 a body", f"{spans['events_per_second']:,.0f} spans/s", ""))
    if fresh := figures.get("freshness"):
        rate = f"{fresh['events_per_second']:,.0f}"
        name = f"POST to visible in `/api/v1/costs` at {rate} events/s, p50, p95"
        rows.append((name, f"{fresh['p50_seconds']:.1f} s, {fresh['p95_seconds']:.1f} s", ""))
    return rows


def requests(found: dict[str, float]) -> str:
    rate, p50, p99 = (found[name] for name in ("events_per_second", "post_p50_ms", "post_p99_ms"))
    return f"{rate:,.0f}/s; {p50:.0f} ms, {p99:.0f} ms"


def questions(figures: dict[str, Any]) -> list[Row]:
    """Medians of both sizes: of the database, and beside it of the engines on the raw rows."""
    sizes = list(figures.get("queries", {}).values())
    if not sizes:
        return []
    rows: list[Row] = []
    for name in sizes[0]["questions"]:
        asked = [size["questions"][name] for size in sizes]
        exact = [
            each["largest_relative_error"] for each in asked if "largest_relative_error" in each
        ]
        others = [
            f"{label} {' / '.join(number(each[peer]['p50']) for each in asked)} ms"
            for peer, label in (("duckdb", "DuckDB"), ("chdb", "ClickHouse"))
            if all(peer in each for each in asked)
        ]
        rows.append(
            (
                f"{name}, median, {events(sizes)}",
                f"{' / '.join(number(each['database']['p50']) for each in asked)} ms"
                + (f"; largest error {max(exact):.1%}" if exact else ""),
                ", ".join(others),
            )
        )
    return rows


def pages(figures: dict[str, Any]) -> list[Row]:
    sizes = list(figures.get("queries", {}).values())
    rows: list[Row] = []
    for size in sizes[-1:]:
        charts = size["charts"]
        ordered = sorted(charts, key=lambda name: charts[name]["p95"])
        middle, slowest = ordered[len(ordered) // 2], ordered[-1]
        over = sum(charts[name]["p95"] > 150 for name in charts)
        rows.append(
            (
                f"{len(charts)} charts and tables through the API, p95 of the middle one; slowest",
                f"{charts[middle]['p95']:.0f} ms; {charts[slowest]['p95']:,.0f} ms",
                f"{over} over 150 ms; slowest is {slowest}",
            )
        )
        seen = size["pages"]
        rows.append(
            (
                " / ".join(seen) + " page, p95",
                " / ".join(f"{timing['p95']:.0f}" for timing in seen.values()) + " ms",
                "",
            )
        )
    return rows


def rest(figures: dict[str, Any]) -> list[Row]:
    rows: list[Row] = []
    if held := figures.get("storage"):
        rows.append(
            (
                "stored for each event with its indexes; of rollups",
                f"{held['bytes_per_event']:.0f} bytes; {held['rollup_bytes_per_event']:.0f} bytes",
                f"{held['events']:,} events, {held['users']:,} users, "
                f"{held['attributions']:,} combinations of attribution",
            )
        )
    if "start_up_seconds" in figures:
        started = f"{figures['start_up_seconds']:.0f} s"
        rows.append(("start of an empty installation", started, ""))
    if demo := figures.get("demo"):
        where = "`make demo` in a fresh clone" if demo["fresh_clone"] else "`manage.py up --demo`"
        rows.append(
            (
                f"{where} until `Ready:`; memory in all",
                f"{demo['ready_seconds']:.0f} s; {demo['memory_bytes'] / MEBIBYTE:.0f} MiB",
                "",
            )
        )
    return rows


def events(sizes: list[dict[str, Any]]) -> str:
    return " / ".join(f"{size['events'] / 1e6:.1f}M" for size in sizes) + " events"


def number(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"


def with_table(text: str, figures: dict[str, Any]) -> str:
    """The README with the table of these figures."""
    before, _, after = text.partition(MARKS[0])
    _, _, after = after.partition(MARKS[1])
    return before + MARKS[0] + table(figures) + MARKS[1] + after


def main() -> int:
    readme = ROOT / "README.md"
    figures = json.loads(RESULTS.read_text())
    readme.write_text(with_table(readme.read_text(), figures))
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
