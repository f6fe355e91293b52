"""A month as FOCUS CSV where prices are in other currencies than the books."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from finops.allocation import add_up
from finops.books import closing
from finops.models import ExchangeFixing, Price
from finops.organisation.stored import Act
from tests import figures, usage
from tests.focus_files import Row, assert_sums, focus

OCTOBER, START = date(2026, 10, 1), datetime(2026, 10, 1, tzinfo=UTC)
LATER = datetime(2026, 12, 3, 12, tzinfo=UTC)
ALL = ("unpriced", "unattributed", "unchecked", "beginning")
D = Decimal

pytestmark = pytest.mark.django_db


@pytest.fixture
def euros(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures in euros, of prices in dollars and one in pounds; the rates of one day changed while
    its requests came."""
    monkeypatch.setattr(settings, "CURRENCY", "EUR")
    figures.price_models()
    own = {"provider": "openai", "model": "gpt-4o-mini", "text_output_price": "0.0000004"}
    Price.objects.create(kind="contract", currency="GBP", source="tests", **own)
    day = START + timedelta(days=4)
    for dollars, pounds in (("1.1523", "0.8731"), ("1.25", "0.8")):
        ExchangeFixing.objects.update(superseded_at=LATER)
        ExchangeFixing.objects.create(
            day=day.date(), rates={"USD": dollars, "GBP": pounds}, source="ECB", imported_by="ada"
        )
        models = [usage.event(day, model=model) for model in figures.MODELS]
        usage.record([*models, usage.event(day, cache_read_input_tokens=400)], now=LATER)


def test_prices_of_another_currency_stand_in_their_own_beside_what_they_came_to(
    signed_in: Client, euros: None, administrator: User
) -> None:
    rows = focus(signed_in, "2026-10")
    assert_sums(signed_in, "2026-10", rows)
    events = figures.stored()
    for name, cost in (("ListCost", "list_cost"), ("ContractedCost", "effective_cost")):
        asked = add_up(each[cost] for each in events if each[cost] is not None)
        assert add_up(D(row[name]) for row in rows) == asked
    assert {row["BillingCurrency"] for row in rows} == {"EUR"}
    # Rated twice, at each of both rates: cached and other input, output; input, output of mini.
    assert len(rows) == 2 * (3 + 2)
    assert said(rows, "gpt-4o Input Tokens") == {("USD", D("0.0000025"), D("0.0000021875"))}
    assert said(rows, "gpt-4o-mini Input Tokens") == {("USD", D("0.00000015"), D("0.00000015"))}
    # The list price of what is priced in pounds, by the rates of the day.
    pounds = said(rows, "gpt-4o-mini Output Tokens")
    assert {(currency, own) for currency, _, own in pounds} == {("GBP", D("0.0000004"))}
    assert ("GBP", D("0.0000006") * D("0.64"), D("0.0000004")) in pounds
    in_force = [row for row in rows if row["PricingCurrency"] == "USD" and D(row["EffectiveCost"])
                == D(row["PricingCurrencyEffectiveCost"]) * D("0.8")]  # fmt: skip
    assert len(in_force) == 4

    closing.close(OCTOBER, Act(administrator, LATER), acknowledged=ALL)
    states = {"x_Status": "closed", "x_StatementVersion": "1"}
    assert focus(signed_in, "2026-10") == [{**row, **states} for row in rows]


def test_usage_whose_prices_do_not_come_to_its_cost_keeps_its_list_cost(
    signed_in: Client, euros: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE usage_event SET fixing_id = NULL")
    rows = focus(signed_in, "2026-10")
    assert_sums(signed_in, "2026-10", rows)
    listed = add_up(each["list_cost"] for each in figures.stored() if each["list_cost"] is not None)
    assert add_up(D(row["ListCost"]) for row in rows) == listed
    assert {row["PricingUnit"] for row in rows} == {"Statement Lines"}
    assert {row["PricingCurrency"] for row in rows} == {"EUR"}


def said(rows: list[Row], charge: str) -> set[tuple[str, Decimal, Decimal]]:
    """In which currency a charge is priced, and its unit prices there."""
    return {
        (
            row["PricingCurrency"],
            D(row["PricingCurrencyListUnitPrice"]),
            D(row["PricingCurrencyContractedUnitPrice"]),
        )
        for row in rows
        if row["ChargeDescription"] == charge
    }
