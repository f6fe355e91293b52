"""The public Claude Code trace through the whole product, compared with its own arithmetic."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import httpx
import msgspec
import pytest
from genai_prices import Usage, calc_price

from bench import pages, system, traces
from bench.system import PYTHON, ROOT, System
from finops.query import DIMENSIONS

REQUESTS = 30_599
SERVICE = "claude-code-trace"
# A whole month of the past, inside the retention whenever the test runs.
MONTH = (datetime.now(UTC).replace(day=1) - timedelta(days=40)).strftime("%Y-%m")

pytestmark = pytest.mark.skipif(
    not traces.CLAUDE_CODE.exists(), reason=f"{traces.CLAUDE_CODE} is not there"
)


def load(farthing: System, key: str, path: Path) -> str:
    done = subprocess.run(
        [PYTHON, "manage.py", "load_events", str(path), "--url", farthing.url, "--key", key],
        cwd=ROOT,
        env=farthing.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def key(farthing: System) -> str:
    return farthing.manage("create_ingest_key", SERVICE)


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trace") / "claude-code.jsonl"
    traces.main(["claude-code", str(path), "--month", MONTH])
    return path


@pytest.fixture(scope="module")
def loaded(farthing: System, key: str, trace: Path) -> Path:
    assert f"accepted {REQUESTS:,}, duplicates 0, rejected 0" in load(farthing, key, trace)
    system.wait_until_rolled_up(farthing)
    return trace


@pytest.fixture(scope="module")
def api(farthing: System, loaded: Path) -> Iterator[httpx.Client]:
    token = farthing.manage("create_api_token", pages.ADMINISTRATOR)
    with system.api(farthing, token) as http:
        yield http


@pytest.fixture(scope="module")
def list_costs(loaded: Path) -> dict[str, Decimal]:
    """Event id → what genai-prices says it costs at its time."""
    return {event["id"]: list_cost(event) for event in map(msgspec.json.decode, loaded.open("rb"))}


def list_cost(event: dict) -> Decimal:
    usage = Usage(
        input_tokens=event["input_tokens"],
        cache_read_tokens=event["cache_read_input_tokens"],
        cache_write_tokens=event["cache_creation_input_tokens"],
        output_tokens=event["output_tokens"],
    )
    at = datetime.fromisoformat(event["timestamp"])
    price = calc_price(usage, event["model"], provider_id="anthropic", genai_request_timestamp=at)
    return price.total_price


def ask(api: httpx.Client, **params: str) -> dict:
    start, length = traces.month_bounds(MONTH)
    end = start + timedelta(seconds=length)
    span = {"start": f"{start:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}", "service": SERVICE}
    answer = api.get("/api/v1/costs", params=span | params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_request_costs_what_the_catalogue_says(farthing, list_costs):
    with farthing.connect() as connection:
        stored = connection.execute(
            "SELECT event_id, list_cost FROM usage_event WHERE event_id = ANY(%s)",
            [list(list_costs)],
        ).fetchall()
    assert len(stored) == REQUESTS
    assert [(name, cost) for name, cost in stored if cost != list_costs[name]] == []


@pytest.mark.parametrize(
    ("dimension", "granularity"),
    # Users are kept per day.
    sorted({*product(DIMENSIONS, ("total", "day", "hour", "month"))} - {("user", "hour")}),
)
def test_rows_of_any_dimension_add_up_to_the_total(api, list_costs, dimension, granularity):
    answer = ask(
        api,
        group_by=dimension,
        granularity=granularity,
        metrics="list_cost,effective_cost,requests,input_tokens,output_tokens",
    )
    totals, rows = answer["totals"], answer["rows"]
    assert Decimal(totals["list_cost"]) == sum(list_costs.values())
    assert totals["requests"] == REQUESTS
    for metric in ("list_cost", "effective_cost"):
        assert sum(Decimal(row[metric]) for row in rows) == Decimal(totals[metric])
    for metric in ("requests", "input_tokens", "output_tokens"):
        assert sum(row[metric] for row in rows) == totals[metric]


def test_two_dimensions_add_up_too(api, list_costs):
    rows = ask(api, group_by="user,model", granularity="day", metrics="list_cost")["rows"]
    assert sum(Decimal(row["list_cost"]) for row in rows) == sum(list_costs.values())
    assert len({row["user"] for row in rows}) == 443


def test_sub_agents_are_features(api):
    rows = ask(api, group_by="feature", granularity="total", metrics="requests")["rows"]
    assert {row["feature"]: row["requests"] for row in rows} == {
        "main": 30_146,
        "Explore": 432,
        "general-purpose": 21,
    }


def test_loading_it_again_adds_nothing(farthing, key, loaded, api):
    before = ask(api, granularity="total")
    assert f"accepted 0, duplicates {REQUESTS:,}, rejected 0" in load(farthing, key, loaded)
    system.wait_until_rolled_up(farthing)
    after = ask(api, granularity="total")
    assert (after["totals"], after["rows"]) == (before["totals"], before["rows"])
