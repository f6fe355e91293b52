"""Items that are paid in another currency, in that of the figures.

A month is converted by the mean of the rates of its days, as is usual for what is paid over time; a
month that runs, by those so far. Every day needs a rate, its own or that which holds on it: without
one the month is not known, rather than made of the days that are. It is one factor for all of the
item's amounts, and what it came to is frozen when the month is closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.conf import settings

from finops import exchange_rates
from finops.cost_items.charging import Placed, Span, span_of
from finops.cost_items.drafts import Draft
from finops.exchange import Conversion, days_in_words, mean_conversion, unknown_days
from finops.periods import InvalidQuery
from finops.pricing.formula import EXACT


def converted(
    placed: Sequence[Placed], month: Span, until: date
) -> tuple[list[Placed], dict[str, Conversion]]:
    """The items with their amounts in the reporting currency, and how they came there, by their
    keys. Rates are those before `until`. Raises InvalidQuery where a day's is not known."""
    foreign = {
        each.draft.currency
        for each in placed
        if is_foreign(each.draft) and span_of(each.draft, month)
    }
    if not foreign:
        return list(placed), {}
    exchange = exchange_rates.since(month.first)
    known: dict[str, Conversion] = {}
    for currency in sorted(foreign):
        found = mean_conversion(exchange, currency, month.first, until)
        if found is None:
            missing = days_in_words(unknown_days(exchange, currency, month.first, until))
            raise InvalidQuery(
                "month",
                f"has a cost item in {currency}, of which no exchange rate in {settings.CURRENCY} "
                f"is known for {missing}. Import the rates of these days: Settings, Exchange rates",
            )
        known[currency] = found
    held, conversions = [], {}
    for each in placed:
        conversion = known.get(each.draft.currency) if is_foreign(each.draft) else None
        held.append(Placed(each.key, times(each.draft, conversion.factor)) if conversion else each)
        if conversion:
            conversions[each.key] = conversion
    return held, conversions


def is_foreign(draft: Draft) -> bool:
    """A percentage is of what is in the reporting currency already."""
    has_amount = draft.amount is not None or draft.hour_price is not None or bool(draft.sizes)
    return has_amount and draft.currency not in {"", settings.CURRENCY}


def times(draft: Draft, factor: Decimal) -> Draft:
    def into(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else EXACT.multiply(amount, factor)

    sizes = tuple(
        replace(each, hour_price=EXACT.multiply(each.hour_price, factor)) for each in draft.sizes
    )
    return replace(draft, amount=into(draft.amount), hour_price=into(draft.hour_price), sizes=sizes)


def at_rate(draft: Draft, factor: Decimal) -> Draft:
    """In the reporting currency, whatever rates are known of the month."""
    return replace(times(draft, factor), currency=settings.CURRENCY)


def in_words(found: Conversion | None) -> str:
    """ "1 GBP = 1.1376 EUR, mean of 2026-11-02 to 2026-11-20, European Central Bank"."""
    if found is None:
        return ""
    is_mean = found.first != found.last
    days = f"mean of {found.first} to {found.last}" if is_mean else f"{found.last}"
    return f"1 {found.currency} = {found.factor:f} {found.into}, {days}, {found.source}"
