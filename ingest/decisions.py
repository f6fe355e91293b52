"""What the organisation has decided that ingest obeys, from the table `setting` (name → JSON).

Pages write it (finops/organisation); the configuration's thread reads it. Where there is no row,
or none that makes sense, the default holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from ingest.cardinality import DEFAULT_LIMITS

LIMITS = "cardinality_limits"
RETENTION = "event_retention_days"
# No decision of anybody's, but what a decision did: written where partitions are dropped.
DROPPED_BEFORE = "events_dropped_before"
MOST = 10**9


@dataclass(frozen=True, slots=True)
class Decisions:
    """`limits` has every key of DEFAULT_LIMITS; `retention` shortens that of the environment.

    Events of UTC days before `dropped_before` are gone and summed: sent again, they would count
    twice, however long the retention is by now.
    """

    limits: Mapping[str, int]
    retention: timedelta = timedelta.max
    dropped_before: date = date.min

    @classmethod
    def of(cls, stored: Iterable[tuple[str, object]]) -> Decisions:
        found = dict(stored)
        days = retention_of(found.get(RETENTION))
        return cls(
            limits_of(found.get(LIMITS)),
            timedelta.max if days is None else timedelta(days=days),
            _day(found.get(DROPPED_BEFORE)),
        )


DEFAULTS = Decisions(DEFAULT_LIMITS)


def limits_of(value: object) -> dict[str, int]:
    """Every limit in force, where `value` holds those that are not the default."""
    changed = value if isinstance(value, dict) else {}
    return {name: _count(changed.get(name), of) for name, of in DEFAULT_LIMITS.items()}


def retention_of(value: object) -> int | None:
    """In days; None where nothing was decided."""
    return _count(value, 0) or None


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return date.min


def _count(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return default
    return value if 0 <= value < MOST else default
