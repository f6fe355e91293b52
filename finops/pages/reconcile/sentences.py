"""What was converted, and what is not compared, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from finops import formats
from finops.bills.months import Reconciliation


def exchanged(found: Reconciliation) -> Iterable[str]:
    """What was converted, in sentences."""
    for each in found.exchanged:
        days = f"{each.first}" if each.first == each.last else f"{each.first} to {each.last}"
        yield (
            f"{each.provider}: {formats.money_long(each.amount, each.currency)} in "
            f"{each.lines:,} line{'' if each.lines == 1 else 's'} are "
            f"{formats.money_long(each.converted, found.currency)}, each by the rate of its day "
            f"({each.source}, {days})."
        )


def apart(found: Reconciliation) -> Iterable[str]:
    """What is not compared, in sentences."""
    for each in found.foreign:
        yield (
            f"{each.provider}: {each.amount:f} {each.currency} in {each.lines:,} lines are of "
            f"another currency than {found.currency}, and not compared: no exchange rate is known "
            "for their days. Import rates: Settings, Exchange rates."
        )
    for unseen in found.unbilled:
        cost = formats.money_long(unseen.cost, found.currency)
        days = f"{unseen.days} day{'' if unseen.days == 1 else 's'}"
        yield (
            f"{unseen.provider}: {cost} of ours on {days} ({unseen.first} to {unseen.last}) of "
            "which no report says anything. Import its bill of these days."
        )
