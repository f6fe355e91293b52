"""Prices of another currency: three ways of rating come to the same costs, by the day's rates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from priced_requests import COST_COLUMNS
from rated_events import COSTS, END, KOLKATA, START, USED, add, record

from finops import exchange_rates, ledger, rating_previews, rerating
from finops.exchange import Exchange, Fixing, factor
from finops.models import ExchangeFixing, Price
from finops.pricing.formula import Quantities, rate
from finops.pricing.resolution import RateCard, Request
from ingest.usage import TokenBuckets

DAY = START.date()
pytestmark = pytest.mark.django_db
RATE = st.decimals("0.0001", "99999999", places=6)


@pytest.fixture
def euros(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation whose figures are in euros."""
    monkeypatch.setattr(settings, "CURRENCY", "EUR")


def fix(day: date, **rates: str) -> ExchangeFixing:
    return ExchangeFixing.objects.create(
        day=day, rates=rates, source="European Central Bank", imported_by="ada"
    )


def stored() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT started_at, price_id, fixing_id, {COSTS}, effective_cost, list_cost"
            " FROM usage_event ORDER BY started_at"
        )
        return cursor.fetchall()


@given(RATE, RATE, st.sampled_from(["USD", "EUR", "GBP"]), st.sampled_from(["USD", "EUR", "GBP"]))
@hypothesis_settings(max_examples=60)
def test_sql_and_python_make_the_same_factor(
    dollar: Decimal, pound: Decimal, currency: str, into: str
) -> None:
    found = Fixing(1, DAY, {"USD": dollar, "GBP": pound}).factor(currency, into)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT exchange_factor(%s::jsonb, %s, %s)",
            [f'{{"USD": "{dollar}", "GBP": "{pound}"}}', currency, into],
        )
        assert cursor.fetchone()[0] == found
    assert found > 0


@pytest.mark.parametrize(
    ("of", "into", "expected"),
    [
        ("1.1523", "1", "0.867829558274755"),
        ("1", "1.1523", "1.1523"),
        ("2", "1", "0.5"),
        ("3", "1", "0.333333333333333"),
        ("1.1523", "0.8790", "0.762822181723510"),
    ],
)
def test_a_factor_has_fifteen_decimals(of: str, into: str, expected: str) -> None:
    assert factor(Decimal(of), Decimal(into)) == Decimal(expected)


PRICES = st.decimals("0", "0.01", places=18)


@given(
    st.tuples(*[st.integers(0, 2_000_000)] * 8),
    st.tuples(*[PRICES] * 10),
    st.tuples(*[st.none() | PRICES] * 10).filter(
        lambda prices: any(each is not None for each in prices)
    ),
    RATE,
    RATE,
    st.decimals("0", "10000", places=3),
)
@hypothesis_settings(max_examples=25)
def test_the_door_sql_and_the_reference_agree_in_another_currency(
    tokens: tuple[int, ...],
    listed: Sequence[Decimal],
    agreed: Sequence[Decimal | None],
    dollar: Decimal,
    pound: Decimal,
    gpu_seconds: Decimal,
) -> None:
    """A list price in dollars, a contract in pounds, costs in euros."""
    names = [f"{bucket}_price" for bucket in ledger.BUCKETS]
    lines = [
        Price.objects.create(
            kind=kind, provider="acme", model="m", currency=currency, source="test", **prices
        )
        for kind, currency, prices in (
            ("self_hosted", "USD", dict(zip(names, listed, strict=True))),
            ("contract", "GBP", dict(zip(names, agreed, strict=True))),
        )
    ]
    fixing = Fixing(7, DAY, {"USD": dollar, "GBP": pound})
    card = RateCard(map(ledger.line_of, lines), 1, Exchange("EUR", [fixing]))
    found = card.table(Request("acme", "m", "standard", "none", "")).at(START, 1)
    assert found is not None
    assert found.fixing_id == 7
    used = Quantities(*tokens, gpu_seconds=gpu_seconds)
    rating = rate(used, *card.lines(found))
    expected = [rating.cost(name) for name in COST_COLUMNS[:-2]]
    expected += [rating.effective_cost, rating.list_cost]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(f"cost.{column}" for column in COST_COLUMNS)}
            FROM price AS list, price AS contract
            CROSS JOIN LATERAL rate_usage(
                {", ".join(["%s"] * 9)}, list, contract, %s, %s) AS cost
            WHERE list.id = %s AND contract.id = %s
            """,
            [*tokens, gpu_seconds, *card.factors(found), found[0], found[1]],
        )
        assert list(cursor.fetchone()) == expected
    if not gpu_seconds:
        door = card.tariff(found).estimate(TokenBuckets(*tokens))
        if door is not None:
            assert door == (rating.effective_cost, rating.list_cost)


def test_a_request_is_rated_by_the_rates_of_its_day_or_the_last_before(euros: None) -> None:
    price = add(text_output_price="0.00001", uncached_input_price="0.000001", currency="USD")
    first = fix(DAY, USD="1.25")
    second = fix(DAY + timedelta(days=2), USD="1.6")
    for days in range(4):
        record(START + timedelta(days=days, hours=3), USED)
    assert [(row[1], row[2]) for row in stored()] == [
        (price.pk, first.pk),
        (price.pk, first.pk),
        (price.pk, second.pk),
        (price.pk, second.pk),
    ]
    assert [row[-1] for row in stored()] == [
        Decimal("0.0016"),
        Decimal("0.0016"),
        Decimal("0.00125"),
        Decimal("0.00125"),
    ]


def test_without_rates_a_request_is_unpriced_and_rated_by_itself_when_they_come(
    euros: None,
) -> None:
    add(text_output_price="0.00001", uncached_input_price="0.000001", currency="USD")
    fix(DAY - timedelta(days=8), USD="1.2")
    record(START + timedelta(hours=1), USED)
    assert [row[1:3] + row[-1:] for row in stored()] == [(None, None, None)]
    assert exchange_rates.missing(DAY) == ["USD"]
    came = fix(DAY - timedelta(days=2), USD="1.25")
    rerating.rerate_unpriced(KOLKATA)
    assert [(row[2], row[-1]) for row in stored()] == [(came.pk, Decimal("0.0016"))]
    assert exchange_rates.missing(DAY) == []


def test_rates_that_come_later_change_nothing_by_themselves(euros: None) -> None:
    add(text_output_price="0.00001", uncached_input_price="0.000001", currency="USD")
    fix(DAY - timedelta(days=1), USD="1.25")
    record(START + timedelta(hours=1), USED)
    before = stored()
    fix(DAY, USD="1.6")
    rerating.rerate_unpriced(KOLKATA)
    assert stored() == before
    found = rating_previews.preview(START, END, KOLKATA)
    total = found.total
    assert (total.changed, total.cost_before, total.cost_after) == (
        1,
        Decimal("0.0016"),
        Decimal("0.00125"),
    )


def test_one_currency_needs_no_rates() -> None:
    add(text_output_price="0.00001", uncached_input_price="0.000001")
    record(START + timedelta(hours=1), USED)
    assert [(row[2], row[-1]) for row in stored()] == [(None, Decimal("0.002"))]


def test_a_discount_is_one_in_any_currency(euros: None) -> None:
    add(kind="self_hosted", text_output_price="0.00001", currency="EUR")
    add(discount_percent="10", currency="USD")
    assert (
        rerating._current_card().table(Request("acme", "m", "standard", "none", "")).at(START, 1)
        is not None
    )


def test_a_request_says_which_rates_made_its_cost(euros: None, signed_in: Client) -> None:
    add(text_output_price="0.00001", uncached_input_price="0.000001", currency="USD")
    fix(DAY, USD="1.25")
    key = record(START + timedelta(hours=1), USED)
    page = signed_in.get(f"/requests/{key}").text
    assert "1 USD = 0.8 EUR, European Central Bank, 2026-10-01" in page
    assert "$10.00 / 1M tokens × 0.8" in page
    assert "Why did this request cost €0.0016?" in page
    trace = signed_in.get(f"/api/v1/requests/{key}").json()["rating_trace"]
    assert trace["agrees_with_stored_costs"]
    assert trace["list_price"]["currency"] == "USD"
    assert trace["conversions"] == [
        {
            "currency": "USD",
            "into": "EUR",
            "factor": "0.8",
            "day": "2026-10-01",
            "source": "European Central Bank",
        }
    ]


def test_a_request_without_rates_says_what_is_missing(euros: None, signed_in: Client) -> None:
    add(text_output_price="0.00001", uncached_input_price="0.000001", currency="USD")
    key = record(START + timedelta(hours=1), USED)
    assert (
        "No exchange rate of USD is known for 2026-10-01" in signed_in.get(f"/requests/{key}").text
    )
