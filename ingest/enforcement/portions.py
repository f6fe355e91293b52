"""Rows that are many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg

PORTION = 100
PAUSE_SECONDS = 0.001


def in_portions(cursor: psycopg.Cursor[Any]) -> Iterator[tuple[Any, ...]]:
    """A few at a time, with pauses: while rows are read nothing else runs in this process, and who
    answers, having waited for the network, would wait for the interpreter as well each time."""
    while rows := cursor.fetchmany(PORTION):
        yield from rows
        time.sleep(PAUSE_SECONDS)
