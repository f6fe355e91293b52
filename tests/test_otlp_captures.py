"""Bodies that real OpenTelemetry clients once sent come to the tokens and the money they stand for.

The bodies lie beside the repository, and not everywhere. Every chat call has a prompt of 1,200
tokens (1,024 of them cached) and an answer of 350 (200 of them reasoning), the Anthropic one an
input of 1,712 (512 written to the cache, 1,024 read from it).
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from ingest_server import add_key
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from bench.system import System

CAPTURES = Path(__file__).resolve().parent.parent.parent / "shared" / "captures"
BODIES = sorted(CAPTURES.glob("otlp*.bin"))
pytestmark = pytest.mark.skipif(not BODIES, reason=f"no captured bodies in {CAPTURES}")

GPT_4O, EMBEDDING, CLAUDE = Decimal("0.00522"), Decimal("2.4e-7"), Decimal("0.0080052")
CHAT, SPOKEN, WRITING = (176, 1024, 0, 150, 200), (176, 1024, 0, 350, 0), (176, 1024, 512, 350, 0)
NOT_CACHED = (1200, 0, 0, 350, 0)  # opentelemetry-instrumentation-openai-v2 leaves out the parts
ERRORS = {
    ("fail-429", "throttled", (0, 0, 0, 0, 0), None): 1,
    ("fail-500", "error", (0, 0, 0, 0, 0), None): 1,
}
EMBEDDED = {("text-embedding-3-small", "ok", (12, 0, 0, 0, 0), EMBEDDING): 1}
OPENAI = {
    ("gpt-4o-2024-08-06", "ok", CHAT, GPT_4O): 2,
    ("gpt-4o-mini", "ok", CHAT, "flex"): 1,
    ("gpt-5-mini", "ok", CHAT, "priority"): 1,
    **EMBEDDED,
    **ERRORS,
}
EXPECTED = {
    "otlp_genai_openai": OPENAI,
    "otlpjson_genai_openai": OPENAI,
    "otlp_openinference": OPENAI,
    "otlp_traceloop": OPENAI  # its streams do not say the reasoning
    | {
        ("gpt-4o-2024-08-06", "ok", CHAT, GPT_4O): 1,
        ("gpt-4o-2024-08-06", "ok", SPOKEN, GPT_4O): 1,
    },
    "otlp_openai_v2": {
        ("gpt-4o-2024-08-06", "ok", NOT_CACHED, Decimal("0.0065")): 2,
        ("gpt-4o-mini", "ok", NOT_CACHED, "flex"): 1,
        **EMBEDDED,
        **ERRORS,
    },
    "otlp_anthropic_oi": {("claude-sonnet-4-5", "ok", WRITING, CLAUDE): 1},
}


def stored(connection: psycopg.Connection[Any], source: str) -> Counter[Any]:
    """Calls by model, status, tokens and cost; the tier stands for the cost where there is one."""
    rows = connection.execute(
        """
        SELECT model, attribution.status, service_tier, list_cost, uncached_input_tokens,
               cache_read_input_tokens, cache_creation_5m_input_tokens, text_output_tokens,
               reasoning_output_tokens
        FROM usage_event JOIN attribution ON attribution.id = attribution_id
        JOIN ingest_batch ON ingest_batch.id = batch_id
        WHERE source = %s
        """,
        [source],
    ).fetchall()
    return Counter(
        (model, status, tuple(tokens), cost if tier == "standard" else tier)
        for model, status, tier, cost, *tokens in rows
    )


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.stem)
def test_each_call_is_there_once_with_its_tokens_and_its_cost(farthing: System, body: Path) -> None:
    source = f"otlp-{uuid4().hex}"
    with farthing.connect() as connection:
        key = add_key(connection, source)
    request = json.loads(body.with_suffix(".headers.json").read_text())
    sent = {name.lower(): value for name, value in request["headers"].items()}
    headers = {
        name: sent[name]
        for name in ("content-type", "content-encoding", "user-agent")
        if name in sent
    }
    headers["authorization"] = f"Bearer {key}"
    for _ in range(2):
        response = httpx.post(
            farthing.url + request["path"], content=body.read_bytes(), headers=headers
        )
        assert response.status_code == 200
        assert response.headers["content-type"] == sent["content-type"]
        if sent["content-type"] == "application/json":
            assert response.json() == {}
        else:
            assert not ExportTraceServiceResponse.FromString(response.content).ListFields()
    prefix, path, _ = body.stem.split("__")
    wanted = EXPECTED[prefix] if path == "v1_traces" else {}
    with farthing.connect() as connection:
        assert stored(connection, source) == wanted
