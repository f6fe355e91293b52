"""What the demo's company pays beside requests, of the size of what it spends: seats, overhead, a
commitment and a fleet that are not quite used, a credit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction

from finops import cost_items, costs
from finops.costs import HourOfUse
from finops.demo.budgets import last_month, rounded
from finops.models import CostItem
from finops.organisation.stored import Act
from finops.periods import Period, add_months, local_day, start_of_hour
from finops.query import CostQuery

FLEET, MODEL = "h100-eu", "gpt-6.1-terra"
SLICE_HOUR = Decimal("0.57")
# How much of its capacity is used, on average.
USED = Decimal("0.6")
WINDOW = timedelta(days=14)
HOURS = WINDOW // timedelta(hours=1)
# Of the cost of 30 days; the others are percentages.
SEATS = Decimal("0.12")


def make(by: User, now: datetime, zone: ZoneInfo) -> int:
    """How many were made: none where there are items already, or nothing was spent."""
    spent = sum(last_month(now, zone).values(), Decimal(0))
    if CostItem.objects.exists() or not spent:
        return 0
    first = add_months(local_day(now, zone).replace(day=1), -1)
    with transaction.atomic():
        return len([keep(each, first, Act(by, now)) for each in terms(spent, first, now, zone)])


def keep(terms: Mapping[str, Any], first: date, act: Act) -> CostItem:
    return cost_items.make(cost_items.read({**terms, "effective_from": first.isoformat()}), act)


def terms(spent: Decimal, first: date, now: datetime, zone: ZoneInfo) -> list[Mapping[str, Any]]:
    return [
        {
            **{"name": "Coding assistant seats", "kind": "fixed", "gl_account": "6420"},
            **{"amount": str(rounded(spent * SEATS)), "method": "fixed"},
            **{"weights": {"CC-2200": "70", "CC-1200": "30"}},
        },
        {
            **{"name": "Platform and monitoring", "kind": "overhead", "gl_account": "6430"},
            **{"percent": "8", "measure": "requests"},
        },
        commitment(used(("model", MODEL), now, zone), first),
        fleet(used(("fleet", FLEET), now, zone), first),
        {
            **{"name": "Partner credit", "kind": "credit", "percent": "3"},
            "note": "Demo: given back on all usage.",
        },
    ]


def used(kept: tuple[str, str], now: datetime, zone: ZoneInfo) -> HourOfUse:
    """In an hour, on average."""
    period = Period(start_of_hour(now, zone) - WINDOW, start_of_hour(now, zone))
    asked = CostQuery.from_params({kept[0]: [kept[1]]}, now=now, zone=zone).replace(period=period)
    with costs.together(zone) as together:
        hours = together.hours(asked).values()
    return HourOfUse(
        tokens=sum((each.tokens for each in hours), Decimal(0)) / HOURS,
        gpu_seconds=sum((each.gpu_seconds for each in hours), Decimal(0)) / HOURS,
        cost=sum((each.cost for each in hours), Decimal(0)) / HOURS,
    )


def commitment(mean: HourOfUse, first: date) -> dict[str, Any]:
    """A year of provisioned throughput, cheaper than by the token if all of it were used."""
    holds, year = mean.tokens / USED, Decimal(365 * 24)
    return {
        **{"name": f"Provisioned throughput, {MODEL}", "kind": "commitment"},
        **{"filters": {"model": [MODEL]}, "gl_account": "6410"},
        "amount": str(rounded(mean.cost / USED * year * Decimal("0.8"))),
        "term_start": first.isoformat(),
        "term_end": add_months(first, 12).isoformat(),
        "capacity_unit": "tokens",
        "capacity_per_hour": str(max(Decimal(f"{holds:.2g}"), Decimal(1)).quantize(Decimal(1))),
    }


def fleet(mean: HourOfUse, first: date) -> dict[str, Any]:
    """Sevenths of GPUs, reserved, and one more at a lower price since the middle of the month."""
    count = max(int(mean.gpu_seconds / 3_600 / USED), 1)
    size = {"count": str(count), "hour_price": str(SLICE_HOUR), "option": "reserved"}
    middle = first + timedelta(days=14)
    spot = {"count": "1", "hour_price": "0.21", "option": "spot", "day": middle.isoformat()}
    return {
        **{"name": FLEET, "kind": "fleet", "gl_account": "6415"},
        "sizes": [{**size, "day": first.isoformat()}, spot],
        "note": "Demo: of each H100 one slice of seven.",
    }
