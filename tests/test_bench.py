"""The bench measures what it says: its generator, its questions, its table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench import dataset, figures, loading, peers, queries, system
from bench.doors import bare_application
from bench.report import Report
from bench.system import System

NOW = datetime.now(UTC)
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
TIMING = {"p50": 12.3, "p95": 170.0}
QUESTION = {"database": TIMING, "whole": TIMING, "duckdb": {"p50": 4.56, "p95": 5.0}}


def size(events: int, **question: Any) -> dict[str, Any]:
    return {
        "events": events,
        "questions": {"top 20 users": QUESTION | question},
        "charts": {"by model": TIMING, "by team": {"p50": 1.0, "p95": 2.0}},
        "pages": {"Overview": TIMING},
    }


def test_the_readme_has_the_figures_of_the_results() -> None:
    readme = (figures.ROOT / "README.md").read_text()
    assert figures.with_table(readme, json.loads(figures.RESULTS.read_text())) == readme


def test_the_table_has_both_sizes_and_the_engines_that_answered() -> None:
    chdb = {"chdb": {"p50": 33.3, "p95": 40.0}, "largest_relative_error": 0.0134}
    sizes = {"first": size(1_009_499, **chdb), "all": size(10_000_000, **chdb)}
    table = figures.table({"queries": sizes})
    assert (
        "| top 20 users, median, 1.0M / 10.0M events | 12 / 12 ms; largest error 1.3% "
        "| DuckDB 4.6 / 4.6 ms, ClickHouse 33 / 33 ms |"
    ) in table
    assert "2 charts and tables" in table
    assert "1 over 150 ms; slowest is by model" in table
    assert "ClickHouse" not in figures.table({"queries": {"first": size(10)}})


def test_an_empty_run_has_an_empty_table() -> None:
    assert figures.table({}) == figures.HEAD


@pytest.mark.parametrize(
    ("scale", "largest", "kind"),
    [(0, Decimal(0), "18, 0"), (12, Decimal("123456.5"), "18, 12"), (18, Decimal(9), "38, 18")],
)
def test_costs_fit_the_decimals_that_engines_get(scale: int, largest: Decimal, kind: str) -> None:
    assert peers.decimal_type(scale, largest) == kind


def test_a_difference_between_answers_is_no_figure() -> None:
    assert queries.compare("costs", {"a": Decimal("1.10")}, {"a": Decimal("1.1")}) is None
    with pytest.raises(queries.Disagreement, match="costs"):
        queries.compare("costs", {"a": Decimal("1.1")}, {"a": Decimal("1.2")})
    assert queries.compare("p95", {"a": 101.0}, {"a": 100.0}) == pytest.approx(0.01)
    with pytest.raises(queries.Disagreement, match="p95"):
        queries.compare("p95", {"a": 101.0}, {"b": 100.0})


def test_the_generator_sends_every_body_and_tells_percentiles(tmp_path: Path) -> None:
    dataset.write_now(tmp_path / "bodies", 300, 1, "generated", NOW)
    with bare_application() as url:
        load = loading.generate(url, "a-key", tmp_path / "bodies", "--connections", "7")
    assert (load["events"], load["accepted"], load["retries"]) == (300, 300, 0)
    assert 0 < load["post_p50_ms"] <= load["post_p95_ms"] <= load["post_p99_ms"]


@pytest.fixture
def measured(farthing: System, tmp_path: Path) -> tuple[str, Report]:
    """A day of a small company's events, sent as they are measured."""
    key = farthing.manage("create_ingest_key", "bench")
    day = MIDNIGHT.date() - timedelta(days=3)
    bodies = tmp_path / "bodies"
    dataset.write_day(bodies, day, MIDNIGHT.date(), 0.1, dataset.SEED)
    report = Report()
    loading.ingest(farthing, key, bodies, report, "ingest")
    loading.limits(farthing, report)
    return str(day), report


def test_events_are_loaded_asked_of_and_compared(
    farthing: System, measured: tuple[str, Report], tmp_path: Path
) -> None:
    day, report = measured
    found = report.figures["ingest"]
    assert found["accepted"] == found["events"] > 500
    assert report.figures["limits"]["copy_dedup_rows_per_second"] > 0
    assert len(figures.table(report.figures).splitlines()) == 5
    token = farthing.manage("create_api_token", "bench")
    span = {"start": day, "end": f"{MIDNIGHT - timedelta(days=2):%Y-%m-%d}"}
    with farthing.connect() as connection:
        engines = peers.loaded(connection, tmp_path, *span.values())
    with system.api(farthing, token) as http:
        asked = queries.measure(farthing, http, engines, span, 2)
    for engine in engines:
        engine.close()
    assert asked[queries.LATENCY]["largest_relative_error"] < 0.02
    assert all(each["database"].p50 <= each["whole"].p95 for each in asked.values())
    assert all(each["duckdb"].p50 > 0 for each in asked.values())


def test_every_chart_of_the_pages_is_asked(farthing: System) -> None:
    asked = queries.program(farthing, "charts.py", "2026-10-01", "2026-10-31")
    grouped = {params.get("group_by") for params in asked.values()}
    assert {"user", "latency_tier", "cost_center", "feature"} <= grouped
    assert {params.get("period") for params in asked.values()} >= {"mtd", "24h", "90d"}
