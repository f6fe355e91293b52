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

_FILES = """.venv/bin/python manage.py load_events events.jsonl --key "$INGEST_KEY" --url SERVER"""

_TEXTS = (
    ("curl", _CURL, "sh"),
    ("Python", _PYTHON, "python"),
    ("With the provider's own usage block", _USAGE, "sh"),
    ("Files of events, JSON lines or Parquet", _FILES, "sh"),
)
