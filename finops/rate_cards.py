"""The rate card handed to the ingest process: the ledger in force, in memory.

Read without models, so that ingest need not load Django's applications.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import connection

from finops import exchange_rates
from finops.pricing.lines import BUCKETS, PriceLine, UnitPrices
from finops.pricing.matching import match
from finops.pricing.resolution import RateCard
from finops.sql import statement


def load(version: int | None) -> RateCard | None:
    """A card newer than `version` (None: any), or None when the ledger has not changed."""
    with connection.cursor() as cursor:
        return _newer(cursor, version)


class Loader:
    """`load` over a connection of its own, for where Django has none. Belongs to one thread.

    Cheap when nothing changed: one count over a few thousand rows. Called every second or two; a
    connection that was lost is made anew by the next call. Raises psycopg.Error.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: psycopg.Connection | None = None

    def __call__(self, version: int | None) -> RateCard | None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=5,
                application_name="farthing ingest prices",
                options="-c statement_timeout=10s -c timezone=UTC",
            )
        with self._connection.cursor() as cursor:
            return _newer(cursor, version)


def _newer(cursor: Any, version: int | None) -> RateCard | None:
    cursor.execute(statement("price_version"))
    (current,) = cursor.fetchone()
    if current == version:
        return None
    cursor.execute(statement("prices_in_force"))
    columns = [column.name for column in cursor.description]
    lines = [_line(dict(zip(columns, row, strict=True))) for row in cursor]
    exchange = exchange_rates.read(cursor)
    match("openai", "gpt-5")  # reads the catalogue (0.3 s) now rather than in the first request
    return RateCard(lines, current, exchange)


def _line(values: dict[str, Any]) -> PriceLine:
    prices = UnitPrices(*(values.pop(f"{bucket}_price") for bucket in BUCKETS))
    return PriceLine(prices=prices, **values)
