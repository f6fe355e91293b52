"""Exchange rates in the database, as rate cards and months read them.

Read without models, so that ingest need not load Django's applications. How they are imported is
finops.exchange_imports.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from finops.exchange import MOST_DAYS, Exchange, Fixing, Reach, unknown_days
from finops.sql import statement

SPARE_DAYS = MOST_DAYS + 2


def load() -> Exchange:
    """Those by which events that are kept may be rated."""
    with connection.cursor() as cursor:
        return read(cursor)


def read(cursor: Any) -> Exchange:
    """By a cursor of Django or of psycopg."""
    return _since(cursor, None)


def since(day: date) -> Exchange:
    """Those by which amounts from that day on are converted."""
    with connection.cursor() as cursor:
        return _since(cursor, day - timedelta(days=SPARE_DAYS))


def by_id(ids: Collection[int]) -> Exchange:
    """Just these: what events were rated with."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, day, rates::text, source, superseded_at IS NOT NULL"
            " FROM exchange_fixing WHERE id = ANY(%s)",
            [list(ids)],
        )
        return Exchange(settings.CURRENCY, map(_fixing, cursor.fetchall()))


def missing(day: date) -> list[str]:
    """Currencies of prices in force of which no rate is known on that day."""
    used = _of_prices()
    known = since(day) if used else None
    return [each for each in used if known and known.conversion(each, day) is None]


def unknown_to_prices(first: date, end: date) -> dict[str, list[date]]:
    """By currency of prices in force the days of [first, end) of which no rate is known."""
    used = _of_prices()
    known = since(first) if used else None
    found = {each: unknown_days(known, each, first, end) for each in used if known}
    return {currency: days for currency, days in found.items() if days}


def reaches(day: date) -> list[Reach]:
    """How far the rates reach of each currency of prices in force, and of cost items of that day or
    later: nothing where all is in the reporting currency."""
    used = sorted({*_of_prices(), *_of_cost_items(day)})
    known = since(day) if used else None
    return [known.reach(each, day) for each in used if known]


def _of_prices() -> list[str]:
    return _currencies(
        "SELECT DISTINCT currency FROM price WHERE superseded_at IS NULL AND currency <> %s"
        " ORDER BY currency",
        [settings.CURRENCY],
    )


def _of_cost_items(day: date) -> list[str]:
    # A percentage is of what is in the reporting currency already.
    return _currencies(
        "SELECT DISTINCT currency FROM cost_item WHERE currency <> %s AND percent IS NULL"
        " AND (effective_to IS NULL OR effective_to > %s)",
        [settings.CURRENCY, day],
    )


def _currencies(select: str, values: list[str | date]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(select, values)
        return [currency for (currency,) in cursor.fetchall()]


def _since(cursor: Any, day: date | None) -> Exchange:
    """Without a day as far back as events are kept."""
    days = settings.EVENT_RETENTION_DAYS + SPARE_DAYS
    cursor.execute(statement("exchange_fixings"), {"since": day, "days": days})
    return Exchange(settings.CURRENCY, map(_fixing, cursor.fetchall()))


def _fixing(row: tuple[Any, ...]) -> Fixing:
    pk, day, rates, source, is_superseded = row
    return Fixing(
        id=pk,
        day=day,
        rates={currency: Decimal(rate) for currency, rate in json.loads(rates).items()},
        source=source,
        is_superseded=is_superseded,
    )
