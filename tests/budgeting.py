"""Budgets for tests, and usage that costs what a test says."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from finops import budgets
from finops.models import Budget, BudgetStatus, Price
from tests import usage

UTC_ZONE = ZoneInfo("UTC")
# A token of input costs a dollar, one of output nothing.
MODEL, UNPRICED = "gpt-4o", "mystery-model"


def price_dollars() -> None:
    terms = {"uncached_input_price": Decimal(1), "text_output_price": Decimal(0)}
    Price.objects.create(kind="catalog", provider="openai", model=MODEL, source="tests", **terms)


def spend(
    at: datetime, dollars: int, *, now: datetime, zone: ZoneInfo = UTC_ZONE, **fields: Any
) -> None:
    usage.record([cost(at, dollars, **fields)], now=now, zone=zone)


def cost(at: datetime, dollars: int, **fields: Any) -> dict[str, Any]:
    """An event that costs so many dollars."""
    fields.setdefault("model", MODEL)
    return usage.event(at, input_tokens=dollars, output_tokens=0, **fields)


def budget(now: datetime, by: User | None = None, **fields: Any) -> Budget:
    given = {"name": "all", "period": "monthly", "amount": 100, **fields}
    if given.get("amount") is None:
        del given["amount"]
    author = by or User.objects.get_or_create(username="ada")[0]
    return budgets.make(budgets.read(given), by=author, at=now)


def percent(value: int, basis: str = "actual", **more: Any) -> dict[str, Any]:
    return {"basis": basis, "kind": "percent", "value": value, **more}


def whole(made: Budget) -> BudgetStatus:
    return BudgetStatus.objects.get(budget=made, value="")
