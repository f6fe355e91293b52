"""The page that sets bills against usage."""

from __future__ import annotations
