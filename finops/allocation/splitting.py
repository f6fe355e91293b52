"""An amount parted by weights, in whole units of money, to the last digit: largest remainder."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from finops.pricing.formula import EXACT


class Sortable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...
    def __hash__(self) -> int: ...


Key = TypeVar("Key", bound=Sortable)

CENT = Decimal("0.01")


def split(
    amount: Decimal, weights: Mapping[Key, Decimal | int], unit: Decimal = CENT
) -> dict[Key, Decimal]:
    """What each key bears of the amount; the parts add up to it exactly.

    Each gets its share in whole units, rounded toward zero; what units are left go one by one to
    the greatest remainders (Hamilton's method), and what is smaller than a unit to the greatest
    weight; of equals the first in order. A negative amount is parted as the positive one is. A
    weight below zero counts as none, as who has a credit bears no part of a cost. Where no weight
    is left, all keys bear the same.

    Raises ValueError without keys.
    """
    if not weights:
        raise ValueError("Nobody is there to bear the amount: give at least one weight.")
    shares = whole_numbers(weights)
    every = sum(shares.values())
    units, tail = EXACT.divmod(EXACT.abs(amount), unit)
    count = int(units)
    found = {key: count * share // every for key, share in shares.items()}
    left = count - sum(found.values())
    for key in sorted(shares, key=lambda key: (-(count * shares[key] % every), key))[:left]:
        found[key] += 1
    parts = {key: EXACT.multiply(Decimal(number), unit) for key, number in found.items()}
    if tail:
        greatest = min(shares, key=lambda key: (-shares[key], key))
        parts[greatest] = EXACT.add(parts[greatest], tail)
    return {key: -part if part and amount < 0 else part for key, part in parts.items()}


def whole_numbers(weights: Mapping[Key, Decimal | int]) -> dict[Key, int]:
    """Whole numbers in the proportions of the weights, so that remainders are compared exactly."""
    given = {key: max(Decimal(weight), Decimal(0)) for key, weight in weights.items()}
    if not any(given.values()):
        return dict.fromkeys(given, 1)
    finest = min(int(weight.as_tuple().exponent) for weight in given.values() if weight)
    return {key: int(EXACT.scaleb(weight, -finest)) for key, weight in given.items()}


def differences(now: Mapping[Key, Decimal], before: Mapping[Key, Decimal]) -> dict[Key, Decimal]:
    """What is more, or less, in the order of their keys."""
    found = {
        key: EXACT.subtract(now.get(key, Decimal(0)), before.get(key, Decimal(0)))
        for key in sorted({*now, *before})
    }
    return {key: more for key, more in found.items() if more}
