"""What the demo's company counts, made up like the company itself: tickets, active customers, and
what each customer pays; sent once, through the API, as any program would."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from django.contrib.auth.models import User

from finops import api_tokens, costs
from finops.demo.events import ENTERPRISE_CUSTOMERS, PAYING_CUSTOMERS
from finops.models import BusinessMetric
from finops.periods import days, local_day
from finops.query import CostQuery, Filter

PROGRAM = "demo data"
SUPPORT = ("support-chat", "ticket-triage", "reply-drafts")
OF_CUSTOMERS = ("support-chat", "ticket-triage", "voice-notes")
DAYS = 29  # that are over
TICKETS, WEEKEND_TICKETS, GROWTH = 415, 290, 0.006
ACTIVE = 350
# Of what customers cost, and how much of it the largest ones pay.
MARKUP, ENTERPRISE_SHARE = Decimal("2.6"), Decimal("0.4")
LEAST = Decimal("0.01")
METRICS: Sequence[Mapping[str, Any]] = (
    {
        **{"key": "tickets_resolved", "name": "Tickets resolved", "unit": "ticket"},
        "filters": {"feature": list(SUPPORT)},
    },
    {
        **{"key": "active_customers", "name": "Active customers", "unit": "active customer"},
        **{"adds_up": False, "filters": {"feature": list(OF_CUSTOMERS)}},
    },
    {
        **{"key": "subscriptions", "name": "Subscriptions", "kind": "money"},
        **{"dimensions": ["user"], "absent_is_zero": True},
        "filters": {"feature": list(OF_CUSTOMERS)},
    },
)


def send(url: str, by: User, now: datetime, zone: ZoneInfo) -> None:
    """Raises httpx.HTTPError."""
    if BusinessMetric.objects.exists():
        return
    today = local_day(now, zone)
    window = [today - timedelta(days=count) for count in range(DAYS, 0, -1)]
    sent = {
        "tickets_resolved": tickets(window),
        "active_customers": active(window),
        "subscriptions": subscriptions(window, spent(window, now, zone)),
    }
    token = api_tokens.create_token(by, now=now, by=PROGRAM, name=PROGRAM)
    try:
        with httpx.Client(base_url=url, timeout=60.0) as http:
            http.headers["Authorization"] = f"Bearer {token}"
            for terms in METRICS:
                http.post("/api/v1/business-metrics", json=terms).raise_for_status()
                http.post(
                    f"/api/v1/business-metrics/{terms['key']}/values?name={PROGRAM}",
                    content=as_csv(sent[terms["key"]]),
                    headers={"Content-Type": "text/csv"},
                ).raise_for_status()
    finally:
        api_tokens.revoke_token("_".join(token.split("_")[:2]), by=PROGRAM, now=now)


def as_csv(lines: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue().encode()


def tickets(window: Sequence[date]) -> list[Sequence[str]]:
    """Of working days more, and of each day a little more than of the one before."""
    lines: list[Sequence[str]] = [("period", "value")]
    for count, day in enumerate(window):
        dice = random.Random(day.toordinal())
        base = WEEKEND_TICKETS if day.weekday() > 4 else TICKETS
        lines.append((f"{day}", f"{base * (1 + GROWTH * count) * dice.uniform(0.94, 1.06):.0f}"))
    return lines


def active(window: Sequence[date]) -> list[Sequence[str]]:
    lines: list[Sequence[str]] = [("period", "value")]
    for day in window:
        dice = random.Random(day.toordinal() + 1)
        lines.append((f"{day}", f"{ACTIVE * dice.uniform(0.9, 1.1):.0f}"))
    return lines


def spent(window: Sequence[date], now: datetime, zone: ZoneInfo) -> Decimal:
    """What customers cost on these days."""
    query = CostQuery.from_params({}, now=now, zone=zone).replace(
        period=days(window[0], window[-1] + timedelta(days=1), zone),
        granularity="total",
        filters=(Filter("feature", OF_CUSTOMERS),),
    )
    return Decimal(costs.run(query).totals["effective_cost"] or 0)


def subscriptions(window: Sequence[date], cost: Decimal) -> list[Sequence[str]]:
    """A part of each month's fee a day, of everybody who pays."""
    daily = cost * MARKUP / len(window)
    others = PAYING_CUSTOMERS - ENTERPRISE_CUSTOMERS
    large = fee(daily * ENTERPRISE_SHARE / ENTERPRISE_CUSTOMERS)
    small = fee(daily * (1 - ENTERPRISE_SHARE) / others)
    lines: list[Sequence[str]] = [("period", "value", "user")]
    for day in window:
        for number in range(PAYING_CUSTOMERS):
            amount = large if number < ENTERPRISE_CUSTOMERS else small
            lines.append((f"{day}", f"{amount}", f"customer-{number + 1:04d}"))
    return lines


def fee(amount: Decimal) -> Decimal:
    return max(amount, LEAST).quantize(LEAST, ROUND_UP)
