"""The Prices desk: the ledger and its history, new lines and what they would do, models without a
price, rating again, what is held for review, the second source, and the calculator."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from finops import access, price_holds
from finops.pages.navigation import Entry

TABS = (
    Entry("Ledger", "ledger", "prices"),
    Entry("Unpriced", "unpriced", "prices-unpriced"),
    Entry("Rating again", "ratings", "prices-ratings"),
    Entry("Held", "holds", "prices-holds"),
    Entry("Sources", "sources", "prices-sources"),
    Entry("Calculator", "calculator", "prices-calculator"),
)


def frame(request: HttpRequest, tab: str, heading: str) -> dict[str, Any]:
    """What every page of the desk has in its context."""
    return {
        "section": "prices",
        "tabs": [each for each in TABS if access.allows(each.name, "GET", request.user)],
        "tab": tab,
        "holds_waiting": price_holds.count_waiting(),
        "heading": heading,
        "currency": settings.CURRENCY,
        "may_manage": access.allows("prices-new", "POST", request.user),
    }
