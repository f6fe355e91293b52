"""One request by its id, with the rating trace: tokens × unit price = amount."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from django.db import connection
from psycopg.sql import SQL, Composable

from finops import exchange_rates, ledger
from finops.costs import owners
from finops.costs.owners import read_owners
from finops.costs.parameters import Parameters
from finops.exchange import Conversion, Exchange
from finops.models import IngestKey, Price
from finops.pricing.formula import Quantities, in_currency, rate
from finops.pricing.lines import PriceLine
from finops.query import Filter
from finops.requests.results import PriceVersion, RatingTrace, UsageRequest
from finops.requests.rows import read_row
from finops.sql import statement
from ingest.facts import event_key

# The day of the zone that the rollups have.
OWN_DAY = SQL(
    "(usage.started_at AT TIME ZONE coalesce((SELECT zone FROM rollup_state), 'UTC'))::date"
)


def get(
    request_id: str,
    *,
    day: date | None = None,
    source: str | None = None,
    filters: Sequence[Filter] = (),
) -> list[UsageRequest]:
    """The requests of this id, newest first, each with its trace; also by our own event key.

    Clients choose ids: one may have been used on several days or by several sources. `day` (UTC)
    and `source` narrow to one of them, `filters` to what a reader may see.
    """
    sources = [source] if source else list(known_sources())
    keys = [UUID(bytes=event_key(each, request_id)) for each in sources]
    if own := parse_key(request_id):
        keys.append(own)
    return traced([each for each in read_by_key(keys, day, source) if each.passes(filters)])


def traced(requests: Sequence[UsageRequest]) -> list[UsageRequest]:
    """The same requests, each with its trace."""
    prices = Price.objects.in_bulk(
        {id for each in requests for id in (each.price_id, each.contract_price_id) if id}
    )
    exchange = exchange_rates.by_id({each.fixing_id for each in requests if each.fixing_id})
    return [dataclasses.replace(each, trace=trace_of(each, prices, exchange)) for each in requests]


def known_sources() -> set[str]:
    return set(IngestKey.objects.values_list("service", flat=True).distinct())


def parse_key(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def read_by_key(keys: list[UUID], day: date | None, source: str | None) -> list[UsageRequest]:
    """Uses the primary key of every day's partition, or of the one day's."""
    parameters = Parameters()
    conditions: list[Composable] = [
        SQL("usage.event_key = ANY({}::uuid[])").format(parameters.add(keys))
    ]
    if day:
        conditions.append(SQL("usage.day = {}").format(parameters.add(day)))
    if source:
        conditions.append(SQL("ingest_batch.source = {}").format(parameters.add(source)))
    with connection.cursor() as cursor:
        text = SQL("{}{}\nWHERE {}\nORDER BY usage.started_at DESC").format(
            SQL(statement("request_columns")),
            owners.joins(OWN_DAY, read_owners(cursor), parameters),
            SQL(" AND ").join(conditions),
        )
        cursor.execute(text, parameters.values)
        return [read_row(row) for row in cursor.fetchall()]


def trace_of(request: UsageRequest, prices: dict[int, Price], exchange: Exchange) -> RatingTrace:
    listed = version_of(prices, request.price_id)
    contract = version_of(prices, request.contract_price_id)
    conversions = conversions_of(request, (listed, contract), exchange)
    lines = [
        converted(each.line, conversions, exchange.into) if each else None
        for each in (listed, contract)
    ]
    rating = rate(
        Quantities(
            **{name.removesuffix("_tokens"): count for name, count in request.tokens.items()},
            gpu_seconds=request.gpu_seconds,
            requests=-1 if request.reverses_key else 1,
        ),
        *lines,
    )
    stored = (request.costs["list_cost"], request.costs["effective_cost"])
    return RatingTrace(
        buckets=rating.buckets,
        list_price=listed,
        contract_price=contract,
        list_cost=rating.list_cost,
        effective_cost=rating.effective_cost,
        agrees=stored == (rating.list_cost, rating.effective_cost),
        note=listed.line.tier_note(request.dimensions["service_tier"])
        if listed
        else without_rates(request.started_at.date()),
        conversions=tuple(conversions.values()),
    )


def conversions_of(
    request: UsageRequest, versions: Iterable[PriceVersion | None], exchange: Exchange
) -> dict[str, Conversion]:
    """By the currency of the lines that have prices in another one than that of the costs."""
    if request.fixing_id is None:
        return {}
    fixing = exchange.by_id(request.fixing_id)
    return {
        each.currency: fixing.conversion(each.currency, exchange.into)
        for each in versions
        if each and each.line.has_prices and each.currency != exchange.into
    }


def converted(line: PriceLine, conversions: dict[str, Conversion], into: str) -> PriceLine:
    held = conversions.get(line.currency)
    return in_currency(line, into, held.factor) if held and line.has_prices else line


def without_rates(day: date) -> str:
    """Why a request of a UTC day may have no price although the ledger has one."""
    missing = exchange_rates.missing(day)
    if not missing:
        return ""
    return (
        f"No exchange rate of {', '.join(missing)} is known for {day}, so no price in "
        f"{missing[0]} could be used. What has no price for that reason is rated by itself when "
        "the rates are imported: Settings, Exchange rates."
    )


def version_of(prices: dict[int, Price], price_id: int | None) -> PriceVersion | None:
    price = prices.get(price_id) if price_id else None
    if price is None:
        return None
    return PriceVersion(
        ledger.line_of(price), price.currency, price.recorded_at, price.superseded_at
    )
