"""Bodies that LiteLLM sent once, as if it sent them now."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx

CAPTURES = Path(__file__).parent / "captures"
PATH = "/api/v1/ingest/litellm"
NAMES = (
    *("litellm_array", "litellm_lines_1", "litellm_lines_2"),
    *("litellm_single_1", "litellm_single_2", "litellm_single_8"),
)
_RECORDED = 1_795_225_000
_MOVED = int(time.time()) - 1800 - _RECORDED
_SECONDS = re.compile(rb"\b179522\d{4}(?=[.,}])")


def body(name: str) -> bytes:
    """The capture, its times moved to the last hour."""
    recorded = (CAPTURES / f"{name}.json").read_bytes()
    return _SECONDS.sub(lambda found: str(int(found[0]) + _MOVED).encode(), recorded)


def send(http: httpx.Client, key: str, content: bytes) -> httpx.Response:
    """As LiteLLM does, whatever its log format."""
    headers = {
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "user-agent": "litellm/1.106.2",
    }
    return http.post(PATH, content=content, headers=headers)
