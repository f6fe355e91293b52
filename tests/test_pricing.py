"""The catalogue's lines, the formula in Python and in SQL, and genai-prices, against each other."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache
from typing import NamedTuple

import pytest
from django.db import connection, transaction
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from priced_requests import COST_COLUMNS, costs_of, priced_requests

from finops.ledger import price_of
from finops.models import Price
from finops.pricing import catalog
from finops.pricing.formula import EXACT, Quantities, Rating, rate
from finops.pricing.lines import TOKEN_BUCKETS, PriceLine
from finops.pricing.resolution import RateCard

FIRST_ID = 1_000_000


@cache
def catalogue() -> list[PriceLine]:
    return [replace(line, id=number) for number, line in enumerate(catalog.lines(), FIRST_ID)]


@cache
def rate_card() -> RateCard:
    return RateCard(catalogue(), 1)


class Case(NamedTuple):
    """One request of a catalogue model, and what it is rated with."""

    provider: str
    model: str
    tier: str
    at: datetime
    used: Quantities
    line: PriceLine | None

    def __str__(self) -> str:
        return f"{self.provider}/{self.model} {self.tier} {self.at} {self.used} {self.line}"


# What genai-prices is told of a request: totals that include their parts.
def usage(used: Quantities) -> Usage:
    return Usage(
        input_tokens=sum(used[:5]),
        cache_read_tokens=used.cache_read_input,
        cache_write_tokens=used.cache_creation_5m_input + used.cache_creation_1h_input,
        cache_write_5m_tokens=used.cache_creation_5m_input,
        cache_write_1h_tokens=used.cache_creation_1h_input,
        input_audio_tokens=used.input_audio,
        cache_audio_read_tokens=0,
        output_tokens=sum(used[5:8]),
        output_reasoning_tokens=used.reasoning_output,
        output_audio_tokens=used.output_audio,
    )


def listed_price(case: Case) -> Decimal | None:
    """genai-prices' own total; None for a model it does not know."""
    at = case.at
    if case.line and case.line.note.startswith("Dated back"):
        # The exception to "as the library says": it lists a tier only since it learned of it, and
        # our line of before says that it is the tier's first listed price.
        assert case.line.effective_to
        at = datetime.combine(case.line.effective_to.date(), at.time(), UTC)
    context = catalog.TIERS["" if case.tier == "standard" else case.tier]
    with localcontext(EXACT):
        try:
            return calc_price(
                usage(case.used),
                case.model,
                provider_id=case.provider,
                genai_request_timestamp=at,
                price_context=context,
            ).total_price
        except LookupError:
            return None


def thresholds(model: ModelInfo) -> list[int]:
    prices = model.prices
    sets = [prices] if isinstance(prices, ModelPrice) else [price.prices for price in prices]
    return [
        step.start
        for one in sets
        for price in vars(one).values()
        if isinstance(price, TieredPrices)
        for step in price.tiers
    ]


def some_quantities(draw: random.Random, model: ModelInfo) -> Quantities:
    limit = draw.choice([2_000, 300_000, 1_000_000_000])
    parts = [draw.choice([0, draw.randrange(limit)]) for _ in TOKEN_BUCKETS]
    if model_thresholds := thresholds(model):
        # Just at the threshold or just over it.
        wanted = draw.choice(model_thresholds) + draw.choice([0, 1])
        parts[:5] = [part % (wanted // 5) for part in parts[:5]]
        parts[0] += wanted - sum(parts[:5])
    return Quantities(*parts)


def some_moment(draw: random.Random, model: ModelInfo) -> datetime:
    at = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(seconds=draw.randrange(5 * 365 * 86_400))
    starts = [
        constraint.start_date
        for constraint in catalog._constraints(model)
        if isinstance(constraint, StartDateConstraint)
    ]
    if starts and draw.random() < 0.5:
        day = draw.choice(starts)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        at += draw.choice([-1, 1]) * timedelta(microseconds=draw.randrange(2))
    return at


def cases(seed: int) -> Iterator[Case]:
    """One request of every model of the catalogue at every service tier."""
    draw = random.Random(seed)
    lines, card = catalogue(), rate_card()
    for provider in get_snapshot().providers:
        for model in provider.models:
            for tier in ("standard", "batch", "flex", "priority", "fast"):
                at, used = some_moment(draw, model), some_quantities(draw, model)
                found = card.rates(
                    provider=provider.id, model=model.id, service_tier=tier, cache="none", fleet=""
                ).at(at, sum(used[:5]))
                line = lines[found.price_id - FIRST_ID] if found else None
                yield Case(provider.id, model.id, tier, at, used, line)


def check(case: Case, rating: Rating) -> None:
    expected = listed_price(case)
    if rating.is_priced:
        assert rating.list_cost == rating.effective_cost == expected, case
    elif case.line is not None:
        # A bucket without a price makes the request unpriced; the library charges 0 for it.
        used = case.used._asdict()
        assert any(used[b] and getattr(case.line.prices, b) is None for b in TOKEN_BUCKETS), case
    elif expected is not None:
        # The model has prices for other things only (audio hours, pages, characters), or none.
        assert expected == 0, case


def rate_in_sql(
    rows: Sequence[tuple[Quantities, PriceLine | None, PriceLine | None]],
) -> list[tuple[Decimal | None, ...]]:
    """The cost columns that PostgreSQL computes; the lines must be in the price table."""
    columns = ", ".join(f"{bucket}_tokens integer" for bucket in TOKEN_BUCKETS)
    arguments = ", ".join(f"request.{bucket}_tokens" for bucket in TOKEN_BUCKETS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE request (number integer, {columns}, gpu_seconds numeric, "
            "price_id integer, contract_price_id integer)"
        )
        with cursor.copy("COPY request FROM STDIN") as copy:
            for number, (used, line, contract) in enumerate(rows):
                ids = (line.id if line else None, contract.id if contract else None)
                copy.write_row((number, *used[:9], *ids))
        cursor.execute(
            f"""
            SELECT {", ".join(f"cost.{column}" for column in COST_COLUMNS)}
            FROM request
            LEFT JOIN price AS list ON list.id = request.price_id
            LEFT JOIN price AS contract ON contract.id = request.contract_price_id
            CROSS JOIN LATERAL rate_usage({arguments}, request.gpu_seconds, list, contract, 1, 1)
                AS cost
            ORDER BY request.number
            """
        )
        costs = cursor.fetchall()
        cursor.execute("DROP TABLE request")
    return costs


def store(lines: Sequence[PriceLine]) -> None:
    prices = [price_of(line) for line in lines]
    for price, line in zip(prices, lines, strict=True):
        price.pk = line.id
    Price.objects.bulk_create(prices, batch_size=1000)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_catalogue_model_costs_what_genai_prices_says_to_the_last_digit(seed: int) -> None:
    store(catalogue())
    requests = list(cases(seed))
    ratings = [rate(case.used, case.line, None) for case in requests]
    for case, rating in zip(requests, ratings, strict=True):
        check(case, rating)
    in_sql = rate_in_sql([(case.used, case.line, None) for case in requests])
    assert in_sql == [costs_of(rating) for rating in ratings]
    # The comparison is worth something: most requests have a price.
    assert sum(rating.is_priced for rating in ratings) > len(ratings) / 2


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(priced_requests, min_size=1, max_size=20))
def test_the_formula_in_sql_equals_the_reference(
    drawn: list[tuple[Quantities, PriceLine | None, PriceLine | None]],
) -> None:
    number = iter(range(FIRST_ID, FIRST_ID + 100))
    rows = [
        (
            used,
            line and replace(line, id=next(number)),
            contract and replace(contract, id=next(number)),
        )
        for used, line, contract in drawn
    ]
    with transaction.atomic():
        store([line for _, *lines in rows for line in lines if line])
        assert rate_in_sql(rows) == [costs_of(rate(*row)) for row in rows]
        transaction.set_rollback(True)
