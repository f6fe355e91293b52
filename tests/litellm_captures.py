"""Bodies that LiteLLM sent once, as if it sent them now. They lie beside the repository, and not
everywhere."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

CAPTURES = Path(__file__).resolve().parent.parent.parent / "shared" / "captures"
ARRAY = ("litellm_generic_api__ingest_litellm__1",)
LINES = ("litellm_ndjson__ingest_litellm__1", "litellm_ndjson__ingest_litellm__2")
SINGLE = tuple(f"litellm_single__ingest_litellm__{number}" for number in (1, 2, 8))
needed = pytest.mark.skipif(
    not (CAPTURES / f"{ARRAY[0]}.bin").exists(), reason=f"no captured bodies in {CAPTURES}"
)
_SECONDS = re.compile(rb"\b(17\d{8})(?=[.,}])")


def body(name: str) -> bytes:
    """The capture, its times moved to the last hour."""
    recorded = (CAPTURES / f"{name}.bin").read_bytes()
    first = min(int(found) for found in _SECONDS.findall(recorded))
    moved = int(time.time()) - 1800 - first
    return _SECONDS.sub(lambda found: str(int(found[0]) + moved).encode(), recorded)
