"""A difference that is accepted becomes a one-off cost item of a month that is open."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import cost_items, locks
from finops.bills import months
from finops.bills.months import Reconciliation
from finops.books.months import closed_later as months_closed_later
from finops.locks import Lock
from finops.models import CostItem
from finops.organisation.stored import Act, log
from finops.ownership.closed import open_from
from finops.periods import add_months
from finops.reconciliation.splitting import TOLERANCE, add_up

# As cost items are kept.
UNIT = Decimal("0.000001")


def reference(month: date, provider: str) -> str:
    return f"reconciliation {month:%Y-%m} {provider}"[:200]


def accepted(month: date, provider: str) -> list[CostItem]:
    """The true-ups of this month's difference that there are."""
    held = CostItem.objects.filter(kind="true_up", reference=reference(month, provider))
    return list(held.order_by("pk"))


def remaining(found: Reconciliation, provider: str) -> Decimal:
    """What of the difference is in no true-up yet, but for usage whose cost nobody knows."""
    taken = (-(item.amount or Decimal(0)) for item in accepted(found.month, provider))
    left = add_up((found.of(provider).acceptable, *taken))
    return left.quantize(UNIT, rounding=ROUND_HALF_EVEN)


def goes_to(month: date) -> date:
    """The month itself or, where that is closed, the first after it that is open."""
    found, closed = max(month, open_from() or month), set(months_closed_later())
    while found in closed:
        found = add_months(found, 1)
    return found


def accept(month: date, provider: str, amount: Decimal, act: Act) -> CostItem:
    """Put what remains of the provider's difference into the books, in the month itself or, where
    that is closed, in the first one that is open. `amount` is what was looked at.

    Raises ValidationError, of `provider` or `amount`, and what months.of_month does.
    """
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        found = months.of_month(month)
        if provider not in found.providers:
            raise ValidationError({"provider": f"There is no bill of it in {month:%Y-%m}."})
        left = remaining(found, provider)
        if abs(left) <= TOLERANCE:
            raise ValidationError({"amount": "Nothing is left of the difference to accept."})
        if amount != left:
            raise ValidationError(
                {"amount": f"What is left of the difference is {left:f} now: look at it again."}
            )
        first, names = goes_to(month), found.names.get(provider)
        draft = cost_items.read(
            {
                "kind": "true_up",
                "name": f"True-up of {provider}, {month:%Y-%m}"[:200],
                "amount": f"{left:f}",
                "effective_from": first.isoformat(),
                "filters": {"provider": list(names)} if names else {},
                "reference": reference(month, provider),
            }
        )
        item = cost_items.make(draft, act)
        after = {"amount": f"{left:f}", "item": item.pk, "month": f"{first:%Y-%m}"}
        log("bill.true_up", reference(month, provider), act, after=after)
    return item
