"""Parts of an amount in whole units that add up to it, by largest remainder."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TypeVar

Name = TypeVar("Name", str, int)

# A millionth of a millionth of a dollar, or as fine as the amount itself.
PLACES = 12


def adding_up(
    parts: Mapping[Name, Decimal], total: Decimal, places: int = PLACES
) -> dict[Name, Decimal]:
    """The parts, rounded to so many places, or to as many as the total has, so that they add up to
    it to the last digit.

    Each is within a unit of its last place of what it was, if they added up to the total but for
    the rounding of divisions. What is nothing stays nothing. The precision of the decimal context
    has to suffice for the parts in these units.
    """
    unit = Decimal(1).scaleb(min(-places, int(total.as_tuple().exponent)))
    found = {name: part.quantize(unit, ROUND_FLOOR) for name, part in parts.items()}
    missing = int((total - sum(found.values(), Decimal(0))) / unit)
    takers = sorted(
        (name for name, part in parts.items() if part),
        key=lambda name: found[name] - parts[name],
    )
    for name in takers[: max(missing, 0)]:
        found[name] += unit
        missing -= 1
    if missing:  # what was given was not all of it
        largest = max(parts, key=lambda name: abs(parts[name]))
        found[largest] += missing * unit
    return found
