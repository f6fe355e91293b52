"""How full each dimension is, and what was folded into (overflow) because it was full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from finops import intake, labels
from finops.models import CardinalityOverflow
from ingest.cardinality import COMBINATIONS_LIMIT, LIMITS, TAG_VALUES_LIMIT, USERS_LIMIT

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
    dimensions = dict.fromkeys([*past, *(LIMITS if teams is None else ()), *values])
    found = [
        _of(dimension, values.get(dimension), past.get(dimension, [])) for dimension in dimensions
    ]
    return sorted(found, key=lambda each: (not each.overflowed, -_share(each), each.name))


def limit_of(dimension: str) -> int:
    if dimension.startswith("tag:"):
        return TAG_VALUES_LIMIT
    return {**LIMITS, "user": USERS_LIMIT, "combinations": COMBINATIONS_LIMIT}[dimension]


def _of(dimension: str, values: int | None, past: list[CardinalityOverflow]) -> Fullness:
    counted: Counter[str] = Counter()
    for each in past:
        counted.update(each.examples)
    return Fullness(
        NAMES.get(dimension) or labels.dimension(dimension),
        values,
        limit_of(dimension),
        sum(each.times for each in past),
        min((each.first_at for each in past), default=None),
        max((each.last_at for each in past), default=None),
        tuple(value for value, _ in counted.most_common(EXAMPLES)),
    )


def _share(each: Fullness) -> float:
    return (each.values or 0) / each.limit
