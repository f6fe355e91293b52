"""What each field of an event becomes: buckets, defaults, tiers, amounts, instants, tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from ingest_server import Door, event, result, until


def test_totals_become_disjoint_buckets(door: Door) -> None:
    door.post(
        event(
            input_tokens=1000,
            cache_read_input_tokens=400,
            cache_creation_input_tokens=300,
            cache_creation_1h_input_tokens=100,
            input_audio_tokens=50,
            output_tokens=500,
            reasoning_output_tokens=200,
            output_audio_tokens=30,
        )
    )
    row = door.row()
    assert row["uncached_input_tokens"] == 250
    assert row["cache_read_input_tokens"] == 400
    assert row["cache_creation_5m_input_tokens"] == 200
    assert row["cache_creation_1h_input_tokens"] == 100
    assert row["input_audio_tokens"] == 50
    assert row["text_output_tokens"] == 270
    assert row["reasoning_output_tokens"] == 200
    assert row["output_audio_tokens"] == 30
    assert row["normalised"] is False


def test_cache_writes_have_two_names(door: Door) -> None:
    door.post(event(input_tokens=100, cache_write_input_tokens=60))
    assert door.row()["cache_creation_5m_input_tokens"] == 60


def test_a_usage_block_is_read_by_its_providers_convention(door: Door) -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 500, "output_tokens": 7}
    door.post(
        {
            "id": "a",
            "timestamp": datetime.now(UTC).isoformat(),
            "model": "claude-sonnet-4-5",
            "usage": usage,
        }
    )
    row = door.row()
    assert (row["uncached_input_tokens"], row["cache_read_input_tokens"]) == (10, 500)


def test_every_other_field_is_kept(door: Door) -> None:
    fields = {
        "operation": "embeddings",
        "user": "u-17",
        "feature": "search",
        "team": "cx",
        "service": "gateway",
        "environment": "production",
        "region": "eu-west-1",
        "variant": "b",
        "latency_tier": "gold",
        "service_tier": "flex",
        "status": "throttled",
        "cache": "semantic",
        "fleet": "h100-pool",
    }
    details = {
        "session": "s-1",
        "prompt_hash": "abc",
        "latency_ms": 1234.5,
        "ttft_ms": 200,
        "quality": 0.5,
        "tags": {"cost": "x", "größe": "ü\U0001f600"},
        "stages_ms": {"prefill": 10.5, "own name": 1},
    }
    door.post(event(**fields, **details))
    row = door.row()
    for name, value in {**fields, **details}.items():
        assert row["user_name" if name == "user" else name] == value


def test_what_is_not_given_has_its_default(door: Door) -> None:
    door.post({"id": "a", "timestamp": "2026-01-01T00:00:00Z".replace("2026-01-01", _today()),
               "model": "m"})  # fmt: skip
    row = door.row()
    assert row["provider"] == "unknown"
    assert row["operation"] == "chat"
    assert row["service"] == door.source
    assert row["service_tier"] == "standard"
    assert (row["status"], row["cache"]) == ("ok", "none")
    assert (row["feature"], row["team"], row["user_name"]) == ("", "", "")
    assert row["latency_ms"] is None
    assert row["reported_cost"] is None


def _today() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d}"


def test_null_is_the_same_as_leaving_a_field_out(door: Door) -> None:
    door.post(event(provider=None, cache_read_input_tokens=None, tags=None, status=None))
    row = door.row()
    assert (row["provider"], row["status"], row["tags"]) == ("unknown", "ok", None)


def test_service_team_and_environment_default_to_the_keys(door: Door) -> None:
    key = door.new_key(door.source, team="cx", environment="staging")
    door.post([event(id="a"), event(id="b", team="other")], authorization=f"Bearer {key}")
    first, second = door.rows()
    assert (first["service"], first["team"], first["environment"]) == (
        door.source,
        "cx",
        "staging",
    )
    assert second["team"] == "other"


@pytest.mark.parametrize(
    ("given", "stored"),
    [("default", "standard"), ("on_demand", "standard"), ("batch", "batch"), ("fast", "fast")],
)
def test_providers_words_for_tiers_are_understood(door: Door, given: str, stored: str) -> None:
    door.post(event(service_tier=given))
    assert door.row()["service_tier"] == stored


@pytest.mark.parametrize(
    ("given", "stored"),
    [("fast", "fast"), ("Priority", "priority"), ("auto", "standard"), ("", "standard"),
     ("scale", "scale"), ("Re\0served " + "x" * 300, "Reserved " + "x" * 191)],
)  # fmt: skip
def test_a_tier_in_the_providers_block_rejects_no_event(
    door: Door, given: str, stored: str
) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "service_tier": given}
    answer = result(door.post(event(input_tokens=None, output_tokens=None, usage=usage)))
    assert answer["accepted"] == 1
    assert door.row()["service_tier"] == stored


def test_amounts_are_kept_to_the_last_digit(door: Door) -> None:
    body = json.dumps(event()).encode()[:-1]
    exact = b', "reported_cost": 0.1234567890123456789012345, "gpu_seconds": 1e-7}'
    assert result(door.post(content=body + exact))["accepted"] == 1
    row = door.row()
    assert row["reported_cost"] == Decimal("0.1234567890123456789012345")
    assert row["gpu_seconds"] == Decimal("0.0000001")


def test_instants_are_stored_in_utc_and_the_day_is_utcs(door: Door) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight - timedelta(hours=20)
    local = f"{moment + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}.250000+05:30"
    door.post(event(timestamp=local))
    row = door.row()
    assert row["started_at"] == moment + timedelta(milliseconds=250)
    assert row["day"] == moment.date()


@pytest.fixture
def tiers(door: Door) -> Iterator[None]:
    """Latency tiers of the test's own, known to the server."""
    insert = "INSERT INTO latency_tier (name, max_latency_ms) VALUES (%s, %s)"
    configured = door.database.execute("SELECT name, max_latency_ms FROM latency_tier").fetchall()
    door.database.execute("DELETE FROM latency_tier")
    for tier in (("instant", 100), ("interactive", 1000), ("batch", None)):
        door.database.execute(insert, tier)
    until(lambda: door.application.configuration.tiers.of(5) == "instant")
    yield
    door.database.execute("DELETE FROM latency_tier")
    for row in configured:
        door.database.execute(insert, list(row.values()))


def test_the_latency_tier_follows_from_the_latency(door: Door, tiers: None) -> None:
    latencies = {"a": 100, "b": 100.5, "c": 1e6, "d": None}
    door.post([event(id=id, latency_ms=latency) for id, latency in latencies.items()])
    assert [row["latency_tier"] for row in door.rows()] == ["instant", "interactive", "batch", ""]


def test_activated_tags_become_dimensions(door: Door) -> None:
    key = f"k{uuid4().hex}"
    door.database.execute("INSERT INTO activated_tag (key, activated_at) VALUES (%s, now())", [key])
    until(lambda: key in door.application.configuration.activated_tags)
    door.post(event(tags={key: "blue", "other": "x"}))
    row = door.row()
    assert row["dimension_tags"] == {key: "blue"}
    assert row["tags"] == {key: "blue", "other": "x"}
    door.database.execute("DELETE FROM activated_tag")
