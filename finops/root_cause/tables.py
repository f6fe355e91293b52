"""The leaves of two periods, as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from finops.costs.leaf_sums import Both, Keys
from finops.root_cause.measures import Measure


@dataclass(frozen=True, slots=True)
class Table:
    dimensions: tuple[str, ...]
    leaves: Mapping[Keys, Both]


def totals(table: Table, asked: Measure) -> tuple[list[Decimal], list[Decimal]]:
    nothing = [Decimal(0)] * len(asked.columns)
    sides = [
        [sum(column, Decimal(0)) for column in zip(*rows, strict=True)] or nothing
        for rows in ([both[side] for both in table.leaves.values()] for side in (0, 1))
    ]
    return sides[0], sides[1]
