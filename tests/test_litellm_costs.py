"""What real payloads of LiteLLM cost in a whole installation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import litellm_captures
import psycopg
import pytest
from litellm_payloads import post

from bench.system import System

GPT_4O, GPT_5_MINI_FLEX = Decimal("0.00522"), Decimal("0.0003848")
CLAUDE, EMBEDDING = Decimal("0.0080052"), Decimal("2.4e-7")
SHORT = Decimal("0.000225")  # 10 tokens in and 20 out, of a mocked answer
CHAT, WRITING = (176, 1024, 0, 350), (176, 1024, 512, 350)
EVERYTHING = {
    ("gpt-4o", "ok", (10, 0, 0, 20), SHORT): 1,
    ("gpt-4o", "ok", CHAT, GPT_4O): 2,
    ("gpt-5-mini", "ok", CHAT, GPT_5_MINI_FLEX): 1,
    ("text-embedding-3-small", "ok", (12, 0, 0, 0), EMBEDDING): 1,
    ("claude-sonnet-4-5", "ok", WRITING, CLAUDE): 1,
    ("my-selfhosted-llama", "ok", CHAT, None): 1,
    ("fail-429", "throttled", (0, 0, 0, 0), None): 1,
}


def stored(connection: psycopg.Connection[Any], service: str) -> dict[Any, int]:
    """At list prices: the installation may have the demo's contracts."""
    rows = connection.execute(
        """
        SELECT model, status, uncached_input_tokens, cache_read_input_tokens,
               cache_creation_5m_input_tokens, text_output_tokens + reasoning_output_tokens,
               list_cost, count(*)
        FROM usage_event JOIN attribution ON attribution.id = attribution_id
        WHERE service = %s GROUP BY 1, 2, 3, 4, 5, 6, 7
        """,
        [service],
    ).fetchall()
    return {(row[0], row[1], tuple(row[2:6]), row[6]): row[7] for row in rows}


@litellm_captures.needed
@pytest.mark.parametrize(
    "names", [litellm_captures.ARRAY, litellm_captures.LINES], ids=["array", "lines"]
)
def test_each_call_costs_what_its_provider_takes(farthing: System, names: tuple[str, ...]) -> None:
    service = f"litellm-{uuid4().hex}"
    key = farthing.manage("create_ingest_key", service)
    with httpx.Client(base_url=farthing.url) as http:
        # Made once: an attempt that failed is told from others by its time, and that moves.
        for body in [litellm_captures.body(name) for name in names] * 2:
            answer = post(http, key, body)
            assert answer.json()["rejected"] == []
    with farthing.connect() as connection:
        assert stored(connection, service) == EVERYTHING
