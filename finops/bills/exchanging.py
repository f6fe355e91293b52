"""Bills in another currency: what they are in that of the figures, by the rates of their days.

Usage was rated by the last rates that were imported when it came, mostly those of the day before,
so that a part of what is left between both is a matter of exchange. Rating a day again, once its
rates are imported, rates it by those by which its bills are converted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.conf import settings

from finops import exchange_rates
from finops.exchange import Conversion
from finops.pricing.formula import EXACT
from finops.reconciliation import BillLine, provider_name
from finops.reconciliation.splitting import add_up


@dataclass(frozen=True, slots=True)
class OfAnother:
    """A line as it is billed, and what it is in the reporting currency."""

    line: BillLine
    conversion: Conversion

    @property
    def amount(self) -> Decimal:
        return EXACT.multiply(self.line.amount or Decimal(0), self.conversion.factor)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What is billed in another currency, and what it is by the rates of its days."""

    provider: str
    currency: str
    amount: Decimal
    converted: Decimal
    lines: int
    first: date  # of the rates
    last: date
    source: str


def apart(
    lines: Sequence[BillLine], first: date
) -> tuple[list[BillLine], list[BillLine], list[OfAnother]]:
    """What can be compared, all in the reporting currency; what cannot, as nobody knows the rate of
    its day; and what was converted."""
    into = settings.CURRENCY
    others = [line for line in lines if line.amount is not None and line.currency != into]
    exchange = exchange_rates.since(first) if others else None
    ours: list[BillLine] = []
    unknown: list[BillLine] = []
    exchanged: list[OfAnother] = []
    for line in lines:
        if exchange is None or line.amount is None or line.currency == into:
            ours.append(line)
        elif (conversion := exchange.conversion(line.currency, line.day)) is None:
            unknown.append(line)
        else:
            found = OfAnother(line, conversion)
            exchanged.append(found)
            ours.append(replace(line, amount=found.amount, currency=into))
    return ours, unknown, exchanged


def exchanged(lines: Iterable[OfAnother]) -> list[Exchanged]:
    of: dict[tuple[str, str, str], list[OfAnother]] = defaultdict(list)
    for each in lines:
        key = (provider_name(each.line.provider), each.line.currency, each.conversion.source)
        of[key].append(each)
    return [
        Exchanged(
            provider,
            currency,
            add_up(each.line.amount or Decimal(0) for each in held),
            add_up(each.amount for each in held),
            len(held),
            min(each.conversion.first for each in held),
            max(each.conversion.last for each in held),
            source,
        )
        for (provider, currency, source), held in sorted(of.items())
    ]
