"""Ready lines that send an event to this server; each of them works as it stands."""

from __future__ import annotations

from typing import NamedTuple


class Snippet(NamedTuple):
    title: str
    text: str
    language: str


def snippets(server: str) -> list[Snippet]:
    """`server` is where it is reached: https://farthing.example.com. The key is in $INGEST_KEY."""
    filled = ((title, text.replace("SERVER", server), name) for title, text, name in _TEXTS)
    return [Snippet(*each) for each in filled]


_CURL = """curl SERVER/api/v1/events \\
  -H "Authorization: Bearer $INGEST_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"id": "call-'"$(date +%s)"'", "timestamp": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
       "provider": "openai", "model": "gpt-4o-mini", "feature": "answers",
       "input_tokens": 1200, "output_tokens": 310, "latency_ms": 1840}'"""

_PYTHON = """import os
import uuid
from datetime import datetime, timezone

import httpx  # requests.post takes the same arguments

event = {
    "id": str(uuid.uuid4()),  # of the model call: sending it twice counts once
    "timestamp": datetime.now(timezone.utc).isoformat(),
    "provider": "openai",
    "model": "gpt-4o-mini",
    "feature": "answers",
    "input_tokens": 1200,
    "output_tokens": 310,
}
answer = httpx.post(
    "SERVER/api/v1/events",
    json=[event],
    headers={"Authorization": "Bearer " + os.environ["INGEST_KEY"]},
    timeout=30,
)
answer.raise_for_status()
print(answer.json())"""

_USAGE = """curl SERVER/api/v1/events \\
  -H "Authorization: Bearer $INGEST_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"id": "msg-'"$(date +%s)"'", "timestamp": "'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'",
       "provider": "anthropic", "model": "claude-sonnet-4-5", "feature": "answers",
       "usage": {"input_tokens": 40, "cache_read_input_tokens": 1024,
                 "cache_creation_input_tokens": 0, "output_tokens": 310}}'"""

_OPENTELEMETRY = """# Any SDK or collector that speaks OTLP over HTTP. Python, for instance:
# pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http \\
#     opentelemetry-instrumentation-genai-openai
export OTEL_EXPORTER_OTLP_ENDPOINT="SERVER"
export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20$INGEST_KEY"
export OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"
export OTEL_SERVICE_NAME="answers"
export OTEL_RESOURCE_ATTRIBUTES="feature=answers,team=cx"  # of all calls of the process
# One call's own: the attributes feature, team and user.id of the span of the model call, such as
# span.set_attribute("user.id", "u-1842") in on_start of a span processor.
# opentelemetry-instrument python app.py"""

_FILES = """.venv/bin/python manage.py load_events events.jsonl --key "$INGEST_KEY" --url SERVER"""

_CLIENT = """# pip install ./ingest/client, from Farthing's repository; it needs nothing but Python
import os

import farthing

farthing.configure("SERVER", os.environ["INGEST_KEY"], feature="answers")

with farthing.track(provider="openai", model="gpt-4o-mini", user="u-1842") as call:
    with call.stage("retrieval"):
        pass  # find what the prompt needs
    # answer = client.chat.completions.create(...), then call.answered(answer), or:
    call.set(input_tokens=1200, output_tokens=310)

print("accepted" if farthing.flush() else "kept for later")"""

_LITELLM_PROXY = """# config.yaml of LiteLLM's proxy; INGEST_KEY is in its environment
litellm_settings:
  callbacks: ["farthing"]
  turn_off_message_logging: true
callback_settings:
  farthing:
    callback_type: generic_api
    endpoint: SERVER/api/v1/ingest/litellm
    headers:
      X-API-Key: os.environ/INGEST_KEY
    max_retries: 5
    retry_delay: 1.0"""

_LITELLM = """import asyncio
import os

import litellm
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger


async def main():
    farthing = GenericAPILogger(
        endpoint="SERVER/api/v1/ingest/litellm",
        headers={"Authorization": "Bearer " + os.environ["INGEST_KEY"]},
        max_retries=5,
    )
    litellm.callbacks = [farthing]
    await litellm.acompletion(
        model="openai/gpt-4o-mini",
        messages=[{"role": "user", "content": "Hello"}],
        mock_response="Hello!",  # leave this out to ask the provider
        user="u-1842",
        metadata={"tags": ["feature:answers"]},
    )
    await asyncio.sleep(1)  # LiteLLM logs behind the answer
    await farthing.async_send_batch()  # done every 5 seconds by itself


asyncio.run(main())"""

_TEXTS = (
    ("curl", _CURL, "sh"),
    ("Python", _PYTHON, "python"),
    ("OpenTelemetry", _OPENTELEMETRY, "sh"),
    ("Python, with Farthing's client", _CLIENT, "python"),
    ("LiteLLM proxy", _LITELLM_PROXY, "yaml"),
    ("LiteLLM in Python", _LITELLM, "python"),
    ("With the provider's own usage block", _USAGE, "sh"),
    ("Files of events, JSON lines or Parquet", _FILES, "sh"),
)
