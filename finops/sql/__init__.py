"""SQL over events and rollups: one statement a file, pasteable into psql with its parameters."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def statement(name: str) -> str:
    """The text of finops/sql/<name>.sql."""
    return (Path(__file__).parent / f"{name}.sql").read_text()
