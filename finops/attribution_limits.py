"""How full each dimension is, and what was folded into (overflow) because it was full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from finops import intake, labels
from finops.models import CardinalityOverflow
from finops.organisation import limits
from ingest.cardinality import LIMITS, TAG

EXAMPLES = 10
NAMES = {"combinations": "Combinations of all of them", "user": "User"}


@dataclass(frozen=True, slots=True)
class Fullness:
    """`values` is None where it is not the reader's to know: it counts all teams' values."""

    name: str
    values: int | None
    limit: int
    overflowed: int
    since: datetime | None
    last_at: datetime | None
    examples: tuple[str, ...]

    @property
    def is_full(self) -> bool:
        return self.values is not None and self.values >= self.limit


def fullness(teams: frozenset[str] | None) -> list[Fullness]:
    """Every dimension for who sees all teams; for others what of their teams overflowed."""
    values = intake.attribution_values() if teams is None else {}
    overflows = CardinalityOverflow.objects.all()
    if teams is not None:
        overflows = overflows.filter(team__in=teams)
    past: dict[str, list[CardinalityOverflow]] = {}
    for each in overflows:
        past.setdefault(each.dimension, []).append(each)
    held = limits.in_force()
    dimensions = dict.fromkeys([*past, *(LIMITS if teams is None else ()), *values])
    found = [
        _of(dimension, held[limited_by(dimension)], values.get(dimension), past.get(dimension, []))
        for dimension in dimensions
    ]
    return sorted(found, key=lambda each: (not each.overflowed, -_share(each), each.name))


def limited_by(dimension: str) -> str:
    """The name of the limit; tags have one for the values of each key."""
    return TAG if dimension.startswith(f"{TAG}:") else dimension


def _of(
    dimension: str, limit: int, values: int | None, past: list[CardinalityOverflow]
) -> Fullness:
    counted: Counter[str] = Counter()
    for each in past:
        counted.update(each.examples)
    return Fullness(
        NAMES.get(dimension) or labels.dimension(dimension),
        values,
        limit,
        sum(each.times for each in past),
        min((each.first_at for each in past), default=None),
        max((each.last_at for each in past), default=None),
        tuple(value for value, _ in counted.most_common(EXAMPLES)),
    )


def _share(each: Fullness) -> float:
    return (each.values or 0) / each.limit
