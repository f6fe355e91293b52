"""Spans of model calls as OpenTelemetry's own instrumentation for OpenAI sends them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

from bench.load import write_bodies

SPANS_IN_A_BODY = 512  # what a BatchSpanProcessor sends at once


def write(path: Path, count: int, now: datetime) -> int:
    """Bodies of so many spans, rounded up to whole bodies; returns how many there are."""
    bodies = -(-count // SPANS_IN_A_BODY)
    write_bodies(path, _bodies(bodies, int(now.timestamp()) * 10**9))
    return bodies * SPANS_IN_A_BODY


def _bodies(count: int, now: int) -> Iterator[tuple[int, bytes]]:
    chance = random.Random(1)
    for _ in range(count):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        for name, value in (("service.name", "checkout"), ("deployment.environment.name", "prod")):
            group.resource.attributes.add(key=name).value.string_value = value
        scope = group.scope_spans.add()
        for _ in range(SPANS_IN_A_BODY):
            _add_span(scope, chance, now)
        yield SPANS_IN_A_BODY, request.SerializeToString()


def _add_span(scope: ScopeSpans, chance: random.Random, now: int) -> None:
    started = now - chance.randrange(60 * 10**9)
    span = scope.spans.add(
        trace_id=chance.randbytes(16),
        span_id=chance.randbytes(8),
        parent_span_id=chance.randbytes(8),
        name="chat gpt-4o",
        kind=3,
        start_time_unix_nano=started,
        end_time_unix_nano=started + chance.randrange(10**8, 10**10),
    )
    texts = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "server.address": "api.openai.com",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": f"chatcmpl-{chance.randbytes(12).hex()}",
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_fake",
        "user.id": f"u-{chance.randrange(10_000)}",
    }
    counts = {
        "server.port": 443,
        "gen_ai.usage.input_tokens": chance.randrange(1024, 4096),
        "gen_ai.usage.cache_read.input_tokens": 1024,
        "gen_ai.usage.output_tokens": chance.randrange(200, 800),
        "gen_ai.usage.reasoning.output_tokens": 200,
    }
    for name, text in texts.items():
        span.attributes.add(key=name).value.string_value = text
    for name, count in counts.items():
        span.attributes.add(key=name).value.int_value = count
