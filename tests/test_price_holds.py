"""Prices that look like errors of the catalogue wait for a person, who accepts or refuses them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from finops import ledger, price_holds, price_reviews
from finops.models import Account, AuditRecord, Price, PriceHold, Role
from finops.pricing.lines import PriceLine, UnitPrices
from tests import usage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=5)


def listed(
    uncached: str, output: str, model: str = "m", since: datetime | None = None, **more: str
) -> PriceLine:
    """Prices in USD per million tokens."""
    prices = {"uncached_input": uncached, "text_output": output, **more}
    exact = {bucket: Decimal(price).scaleb(-6) for bucket, price in prices.items()}
    line = PriceLine("catalog", "acme", model, UnitPrices(**exact), source="a test")
    return replace(line, effective_from=since)


def in_force(model: str = "m", provider: str = "acme") -> list[tuple[str, str]]:
    prices = Price.objects.filter(
        kind="catalog", provider=provider, model=model, superseded_at=None
    ).order_by("effective_from")
    return [
        (f"{each.uncached_input_price * 10**6:.2f}", f"{each.text_output_price * 10**6:.2f}")
        for each in prices
    ]


def person(role: Role) -> Client:
    user = User.objects.create_user(role.value)
    Account.objects.create(user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def hold() -> PriceHold:
    """The installed catalogue with one price that the ledger does not believe."""
    ledger.sync_catalog(BEFORE)
    Price.objects.filter(provider="openai", model="gpt-4o", service_tier="").update(
        text_output_price=Decimal("0.0001"), uncached_input_price=Decimal("0.000025")
    )
    ledger.sync_catalog(NOW)
    return PriceHold.objects.filter(provider="openai", model="gpt-4o").get()


def test_a_jump_is_held_and_the_old_price_stays_until_it_is_accepted() -> None:
    ledger.sync_catalog(BEFORE, [listed("0.15", "0.6")])
    wrong = [listed("150", "600")]
    for _ in range(2):
        sync = ledger.sync_catalog(NOW, wrong)
        assert (sync.added, sync.superseded, sync.held) == (0, 0, 1)
    assert in_force() == [("0.15", "0.60")]
    hold = PriceHold.objects.get()
    assert hold.findings[0] | {"text": ""} == {
        "rule": "jump",
        "bucket": "uncached_input",
        "old": "0.000000150000000000000000000000",
        "new": "0.000150",
        "ratio": "1000",
        "text": "",
    }
    ada = User.objects.create_user("ada")
    price_reviews.accept(hold.pk, by=ada, now=NOW, lines=wrong, reason="it is o1-pro")
    assert in_force() == [("150.00", "600.00")]
    record = AuditRecord.objects.get(action="price.accept")
    assert (record.actor, record.reason) == ("ada", "it is o1-pro")
    assert record.after["text_output"] == "0.000600"


def test_what_is_refused_is_not_asked_again_and_other_prices_are() -> None:
    ledger.sync_catalog(BEFORE, [listed("0.15", "0.6")])
    ledger.sync_catalog(NOW, [listed("150", "600")])
    ada = User.objects.create_user("ada")
    price_reviews.refuse(PriceHold.objects.get().pk, by=ada, now=NOW)
    assert ledger.sync_catalog(NOW, [listed("150", "600", since=NOW)]).held == 0
    assert ledger.sync_catalog(NOW, [listed("160", "600")]).held == 1
    assert in_force() == [("0.15", "0.60")]
    assert ledger.sync_catalog(NOW, [listed("0.1", "0.4")]).held == 0
    assert in_force() == [("0.10", "0.40")]
    statuses = PriceHold.objects.order_by("id").values_list("status", flat=True)
    assert list(statuses) == ["refused", "withdrawn"]


def test_a_dated_jump_leaves_the_old_price_in_force_over_the_new_dates() -> None:
    old = listed("1", "4")
    ledger.sync_catalog(BEFORE, [old])
    ended = replace(old, effective_to=NOW)
    ledger.sync_catalog(BEFORE, [ended, listed("10", "40", since=NOW)])
    assert in_force() == [("1.00", "4.00"), ("1.00", "4.00")]
    ledger.sync_catalog(BEFORE, [ended, listed("0.5", "2", since=NOW)])
    assert sorted(in_force()) == [("0.50", "2.00"), ("1.00", "4.00")]


@pytest.mark.parametrize(
    "line",
    [
        listed("150", "600"),
        listed("3", "0.15"),
        listed("2.5", "178.57"),
        listed("1", "4", cache_read_input="4"),
        listed("0.075", "0.3", cache_creation_5m_input="1"),
    ],
)
def test_a_model_that_is_new_and_cannot_be_right_gets_no_price(line: PriceLine) -> None:
    assert ledger.sync_catalog(NOW, [line]).held == 1
    assert in_force() == []
    assert not PriceHold.objects.get().has_predecessor


def test_a_model_becomes_free_only_while_nobody_uses_it() -> None:
    def catalogue(amount: str) -> list[PriceLine]:
        line = listed(amount, amount, model="gpt-4o")
        return [replace(line, provider="openai")]

    ledger.sync_catalog(BEFORE, catalogue("1"))
    assert ledger.sync_catalog(NOW, catalogue("0")).held == 0
    ledger.sync_catalog(NOW, catalogue("1"))
    usage.record([usage.event(NOW)], now=NOW)
    assert ledger.sync_catalog(NOW, catalogue("0")).held == 1
    assert in_force("gpt-4o", "openai") == [("1.00", "1.00")]


@pytest.mark.parametrize("verb", ["accept", "refuse"])
def test_finance_decides_on_the_page(hold: PriceHold, verb: str) -> None:
    client = person(Role.FINANCE)
    assert "openai/gpt-4o" in client.get("/prices/holds?q=gpt-4o").text
    address = f"/prices/holds/{hold.pk}/{verb}"
    assert "changes by 10 times or more" in client.get(address).text
    done = client.post(address, {"reason": "read the price page"}, follow=True)
    assert done.redirect_chain == [("/prices/holds", 302)]
    assert "read the price page" in done.text
    audited = AuditRecord.objects.get(action=f"price.{verb}")
    assert (audited.actor, audited.address) == ("finance", "127.0.0.1")
    wanted = ("2.50", "10.00") if verb == "accept" else ("25.00", "100.00")
    assert wanted in in_force("gpt-4o", "openai")
    again = client.post(address, follow=True)
    assert "does not wait for a decision any more" in again.text


def test_engineers_see_what_is_held_and_decide_nothing() -> None:
    ledger.sync_catalog(NOW, [listed("150", "600")])
    pk = PriceHold.objects.get().pk
    engineer, viewer = person(Role.ENGINEER), person(Role.VIEWER)
    page = engineer.get("/prices/holds")
    assert "acme/m" in page.text
    assert "/accept" not in page.text
    for verb in ("accept", "refuse"):
        address = f"/prices/holds/{pk}/{verb}"
        assert engineer.get(address).status_code == engineer.post(address).status_code == 403
        assert viewer.post(address).status_code == 403
        assert Client().post(address).status_code == 302
    assert viewer.get("/prices/holds").status_code == 403
    assert price_holds.count_waiting() == 1
    assert person(Role.FINANCE).get(f"/prices/holds/{pk}/other").status_code == 404


def test_what_waits_is_counted_in_metrics(client: Client) -> None:
    ledger.sync_catalog(NOW, [listed("150", "600")])
    assert "farthing_price_holds_waiting 1.0" in client.get("/metrics").text
