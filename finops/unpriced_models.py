"""Models without a price: how much they were used, by whom, what the catalogue has like them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from finops import ledger
from finops.models import Price, RatingRun
from finops.price_listing import in_force
from finops.rerating import AUTOMATIC
from finops.sql import statement

SHOWN = 100
SUGGESTIONS = 3
SIMILAR = 0.55
TIMEOUT_MILLISECONDS = 8_000


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """`has_line`: a line of the ledger is for it, but not for all the tokens that were used."""

    provider: str
    model: str
    requests: int
    tokens: int
    since: datetime
    latest: datetime
    teams: list[str]
    has_line: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Of rating by itself: the last run, and whether it has seen the ledger as it is."""

    run: RatingRun | None
    is_settled: bool


def queue(teams: frozenset[str] | None) -> list[UnpricedModel] | None:
    """Most requests first, of these teams (None: all). None where there are too many to count
    while somebody waits."""
    parameters = {"teams": None if teams is None else sorted(teams), "limit": SHOWN}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true)", [str(TIMEOUT_MILLISECONDS)]
            )
            cursor.execute(statement("unpriced_models"), parameters)
            rows = cursor.fetchall()
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            return None
        raise
    return [UnpricedModel(*row) for row in rows]


def suggestions(models: Sequence[str], now: datetime) -> dict[str, list[Price]]:
    """Model → lines of the catalogue in force whose names are nearest to its."""
    catalog: dict[str, Price] = {}
    lines = in_force(now).filter(kind="catalog", service_tier="", context_over=0)
    for price in lines.order_by("-pk"):
        catalog[_bare(price.model)] = price
    names = list(catalog)
    return {
        model: [
            catalog[name]
            for name in get_close_matches(_bare(model), names, n=SUGGESTIONS, cutoff=SIMILAR)
        ]
        for model in models
    }


def progress() -> Progress:
    """How far rating what has no price by itself has come."""
    run = RatingRun.objects.filter(requested_by=AUTOMATIC).order_by("-pk").first()
    changed_at = ledger.changed_at()
    if run is None or changed_at is None:
        return Progress(run, changed_at is None)
    return Progress(run, run.finished_at is not None and run.created_at >= changed_at)


def _bare(model: str) -> str:
    """Without what gateways put before it."""
    return model.rpartition("/")[2].lower()
