"""Cost items and bills in another currency, in that of the figures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from finops import cost_items
from finops.bills import imports, months
from finops.books import closing, drafts, readiness
from finops.cost_items import Placed
from finops.models import CostItem, ExchangeFixing
from finops.organisation.stored import Act
from finops.periods import InvalidQuery
from finops.reconciliation import ColumnMapping
from tests import figures, usage

D = Decimal
OCTOBER, NOW = date(2026, 10, 1), datetime(2026, 11, 5, 12, tzinfo=UTC)
EUROS = ColumnMapping(
    {"day": "day", "model": "model", "amount": "amount"}, provider="openai", currency="EUR"
)
pytestmark = pytest.mark.django_db


def fix(day: str, **rates: str) -> None:
    ExchangeFixing.objects.create(
        day=date.fromisoformat(day), rates=rates, source="ECB", imported_by="ada"
    )


def fix_october(euro: str) -> None:
    """As few rates as hold on every day of it."""
    for day in ("01", "08", "15", "22", "29"):
        fix(f"2026-10-{day}", USD=euro)


@pytest.fixture
def used() -> None:
    figures.price_models()
    usage.record([usage.event(datetime(2026, 10, 3, 12, tzinfo=UTC))], now=NOW)


def item(**terms: Any) -> Placed:
    given = {"name": "Seats", "kind": "fixed", "effective_from": "2026-10-01", **terms}
    return Placed("1", cost_items.read(given))


def test_an_item_in_another_currency_comes_to_the_mean_of_the_months_rates(used: None) -> None:
    fix("2026-09-30", USD="9")
    for day, rate in (("01", "1.1"), ("08", "1.2"), ("16", "1.1"), ("24", "1.2")):
        fix(f"2026-10-{day}", USD=rate)
    found = cost_items.of_month(
        OCTOBER, now=NOW, items=[item(amount="100", currency="eur"), item(percent="10", kind="tax")]
    )
    [seats, _] = found.charges
    assert seats.amount == D("115")
    assert seats.converted == "1 EUR = 1.15 USD, mean of 2026-10-01 to 2026-10-24, ECB"
    assert found.allocation.totals.shared_cost >= D("115")


def test_every_amount_of_capacity_is_converted(used: None) -> None:
    fix_october("1.25")
    sizes = [{"day": "2026-10-01", "count": "1", "hour_price": "2", "option": "on_demand"}]
    terms = {"kind": "fleet", "sizes": sizes, "filters": {"fleet": ["h100"]}}
    in_euros, in_dollars = (
        cost_items.of_month(OCTOBER, now=NOW, items=[item(**terms, currency=currency)])
        for currency in ("EUR", "USD")
    )
    [ours], [own] = in_euros.capacity, in_dollars.capacity
    assert ours.utilization.fee == own.utilization.fee * D("1.25") != 0


def test_what_capacity_came_to_stays_when_a_rate_of_a_closed_month_comes_later(
    used: None, administrator: User
) -> None:
    fix_october("1.25")
    act = Act(administrator, NOW)
    sizes = [{"day": "2026-10-01", "count": "1", "hour_price": "2"}]
    fleet = {"name": "h100", "kind": "fleet", "effective_from": "2026-10-01", "sizes": sizes}
    cost_items.make(cost_items.read({**fleet, "currency": "EUR"}), act)
    [said] = [each.words for each in readiness.look(OCTOBER, NOW).warnings if each.name == "rates"]
    assert "EUR on 2026-10-06 to 2026-10-07, 2026-10-13 to 2026-10-14" in said
    soon = readiness.look(OCTOBER, datetime(2026, 10, 13, 12, tzinfo=UTC)).warnings
    [said] = [each.words for each in soon if each.name == "rates"]
    assert "2026-10-06 to 2026-10-07, 2026-10-13. Import" in said, "of no day to come"
    closing.close(OCTOBER, act, acknowledged=("unattributed", "unchecked", "rates"))
    fix("2026-10-06", USD="1.35")
    assert drafts.due(date(2026, 11, 1), NOW) == ()


def test_without_rates_nothing_is_guessed(used: None) -> None:
    seats = [item(amount="100", currency="EUR")]
    fix("2026-09-28", USD="1.1")
    with pytest.raises(InvalidQuery, match=r"known for 2026-10-06 to 2026-10-31\. Import"):
        cost_items.of_month(OCTOBER, now=NOW, items=seats)
    soon = datetime(2026, 10, 5, 12, tzinfo=UTC)
    [charge] = cost_items.of_month(OCTOBER, now=soon, items=seats).charges
    assert charge.converted == "1 EUR = 1.1 USD, 2026-09-28, ECB"
    fix("2026-10-12", USD="9")
    with pytest.raises(InvalidQuery, match="2026-10-06 to 2026-10-11, 2026-10-20 to"):
        cost_items.of_month(OCTOBER, now=NOW, items=seats)
    assert cost_items.of_month(OCTOBER, now=NOW, items=[item(amount="100")]).charges


def test_the_currency_of_an_item_is_kept_and_shown(signed_in: Client) -> None:
    terms = {"name": "Seats", "kind": "fixed", "amount": "100", "effective_from": "2026-10-01"}
    made = signed_in.post(
        "/api/v1/cost-items", {**terms, "currency": "gbp"}, content_type="application/json"
    ).json()
    assert made["currency"] == "GBP"
    own = signed_in.post("/api/v1/cost-items", terms, content_type="application/json").json()
    assert own["currency"] == settings.CURRENCY
    wrong = signed_in.post(
        "/api/v1/cost-items", {**terms, "currency": "pounds"}, content_type="application/json"
    )
    assert wrong.json()["errors"][0]["field"] == "currency"
    assert "£100.00 a month" in signed_in.get("/settings/cost-items").text
    assert 'value="GBP"' in signed_in.get(f"/settings/cost-items/{made['id']}").text
    assert CostItem.objects.get(pk=made["id"]).currency == "GBP"


def test_a_month_shows_what_it_converted_or_why_it_cannot(signed_in: Client, used: None) -> None:
    act = Act(User.objects.get(), NOW)
    cost_items.make(item(amount="100", currency="EUR").draft, act)
    refused = signed_in.get("/allocation?month=2026-10")
    assert refused.status_code == 400
    assert "Exchange rates" in refused.text
    fix_october("1.25")
    said = "1 EUR = 1.25 USD, mean of 2026-10-01 to 2026-10-29, ECB"
    assert said in signed_in.get("/allocation?month=2026-10").text
    told = signed_in.get("/api/v1/allocations/2026-10.json").json()
    assert [each["amount"] for each in told["charges"]] == ["125"]


def test_a_bill_is_compared_by_the_rates_of_its_days(administrator: User, used: None) -> None:
    lines = b"day,model,amount\n2026-10-03,gpt-4o,0.00315\n2026-10-20,gpt-4o,1\n"
    fix("2026-10-02", USD="1.25")
    imports.take(lines, "bill.csv", Act(administrator, NOW), mapping=EUROS)
    found = months.of_month(OCTOBER)
    [cell] = [each for each in found.cells if each.key.day == date(2026, 10, 3)]
    assert (cell.billed, cell.difference) == (D("0.0039375"), 0)
    [converted] = found.exchanged
    assert (converted.amount, converted.converted, converted.lines) == (
        D("0.00315"),
        D("0.0039375"),
        1,
    )
    [unknown] = found.foreign
    assert (unknown.amount, unknown.lines) == (D("1"), 1)


def test_reconcile_says_what_it_converted(signed_in: Client, used: None) -> None:
    lines = b"day,model,amount\n2026-10-03,gpt-4o,0.00315\n"
    fix("2026-10-02", USD="1.25")
    imports.take(lines, "bill.csv", Act(User.objects.get(), NOW), mapping=EUROS)
    page = signed_in.get("/reconcile?month=2026-10").text
    assert "by the rate of its day (ECB, 2026-10-02)" in page
    [told] = signed_in.get("/api/v1/reconciliations/2026-10.json").json()["converted"]
    assert (told["billed"], told["amount"]) == ("0.00315", "0.0039375")
