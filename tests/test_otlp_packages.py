"""The real packages, as a program uses them, against a whole installation."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from ingest_server import add_key
from openai_stand_in import openai_stand_in
from test_otlp_captures import CHAT, EMBEDDED, GPT_4O, stored

from bench.system import System

PROGRAM = Path(__file__).with_name("otlp_program.py")
GPT_5_MINI = Decimal("0.0007696")
EXPECTED = {
    ("gpt-4o", "ok", CHAT, GPT_4O): 2,
    ("gpt-5-mini", "ok", CHAT, "flex"): 1,
    ("gpt-5-mini", "ok", CHAT, GPT_5_MINI): 1,
    ("fail-429", "throttled", (0, 0, 0, 0, 0), None): 1,
    **EMBEDDED,
}


@pytest.mark.parametrize(
    "instrumentation",
    ["genai", "openinference", "genai openinference at-once"],
)
def test_a_program_is_billed_once_for_each_call(farthing: System, instrumentation: str) -> None:
    source = f"program-{uuid4().hex}"
    with farthing.connect() as connection:
        key = add_key(connection, source)
    with openai_stand_in() as api:
        environment = {
            **os.environ,
            "OPENAI_BASE_URL": api,
            "OPENAI_API_KEY": "none",
            "OTEL_EXPORTER_OTLP_ENDPOINT": farthing.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{key}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "30",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=checkout,deployment.environment.name=prod",
            "NO_PROXY": "*",
        }
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *instrumentation.split()],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert "Failed to export" not in done.stderr
    with farthing.connect() as connection:
        assert stored(connection, source) == EXPECTED
        services = connection.execute(
            """
            SELECT DISTINCT service, environment
            FROM usage_event JOIN attribution ON attribution.id = attribution_id
            JOIN ingest_batch ON ingest_batch.id = batch_id
            WHERE source = %s
            """,
            [source],
        ).fetchall()
        assert services == [("checkout", "prod")]
