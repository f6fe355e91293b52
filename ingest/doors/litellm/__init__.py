"""LiteLLM's generic API callback."""

from __future__ import annotations

from ingest.doors.litellm.body import LITELLM, read

__all__ = ["LITELLM", "read"]
