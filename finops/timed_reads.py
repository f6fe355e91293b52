"""Statements that somebody waits for: they read for a limited time, or say that it takes longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from finops.sql import statement


def rows_within(
    milliseconds: int, name: str, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]] | None:
    """The rows of finops/sql/<name>.sql; None where reading them takes longer."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            cursor.execute(statement(name), parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
    return rows
