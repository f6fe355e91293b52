"""What the parts of a difference are, and what to do about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from finops import formats
from finops.bills.months import Reconciliation, Sum, summed
from finops.reconciliation import PARTS, Cell

NAMES = {
    "coverage": "Coverage",
    "quantity": "Quantity",
    "price": "Price",
    "timing": "Timing",
    "credits": "Credits",
    "unexplained": "Unexplained",
    "unpriced": "Unpriced",
}
MEANINGS = {
    "coverage": "known to one side alone, taxes and fees",
    "quantity": "other numbers of tokens",
    "price": "the same tokens at another price",
    "timing": "counted on a neighbouring day",
    "credits": "taken off by the provider",
    "unexplained": "the bill does not say how much was used",
    "unpriced": "billed of requests without a price here",
}
UNSEEN = (
    "Billed and never seen here: a key or service whose calls send no events. Look which of the "
    "provider's keys no service of yours has, and instrument it."
)
WHAT_TO_DO = {
    "coverage": "Seen here and not billed: the report lacks a model or key, or the call was free.",
    "quantity": "The provider counts other numbers of tokens: some requests did not arrive, or the "
    "usage that they report is not the provider's own.",
    "price": "The same tokens at another price: a discount, a tier or a price that has changed.",
    "timing": "One side counts it on the day before or after. Nothing is to be done.",
    "credits": "The provider takes it off. Accept it as a true-up, or keep it as a credit.",
    "unexplained": "The bill has an amount and not how much was used. Import the usage report too.",
    "unpriced": "These requests have no price here, so that nobody knows how much of it is a "
    "difference. Add the price; until then this part cannot be accepted.",
}
SMALL = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a part of the difference."""

    name: str
    amount: str
    text: str
    label: str = ""
    href: str = ""


def advice(found: Reconciliation, cells: Sequence[Cell]) -> list[Advice]:
    """What to do, of each part that is something."""
    total = summed(cells)
    return [of_part(name, found, cells, total) for name in PARTS if abs(total.parts[name]) > SMALL]


def of_part(name: str, found: Reconciliation, cells: Sequence[Cell], total: Sum) -> Advice:
    amount = total.parts[name]
    first = max(cells, key=lambda cell: abs(cell.parts.get(name, Decimal(0)))).key
    is_unseen = name == "coverage" and amount > 0
    text = UNSEEN if is_unseen else WHAT_TO_DO[name]
    label, href = "", ""
    if is_unseen:
        label, href = "What comes in", reverse("ingest")
    elif name == "unpriced":
        label, href = "Unpriced models", reverse("prices-unpriced")
    elif name == "price" and first.model:
        asked = {"provider": first.provider, "model": first.model}
        label, href = "Prices of the model", f"{reverse('prices-model')}?{urlencode(asked)}"
    elif name in {"coverage", "quantity"} and first.model:
        asked = {"period": f"{found.month:%Y-%m}", "model": first.model}
        label, href = "Its requests", f"{reverse('requests')}?{urlencode(asked)}"
    mostly = f"{text} Mostly {first.model or first.provider}."
    return Advice(NAMES[name], formats.money_long(amount, found.currency), mostly, label, href)
