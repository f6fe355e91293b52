"""How long single events are kept. What is dropped are their partitions, day by day; rollups stay.

The environment says how long at most (FARTHING_EVENT_RETENTION_DAYS); administrators may decide on
less. The door and the nightly drop obey the smaller of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import connection

from finops.organisation import stored
from finops.organisation.stored import Act
from finops.periods import local_day, start_of_day
from finops.sql import statement
from ingest import decisions

LEAST_DAYS = 1
# After midnight of the reporting zone: see finops/schedule.py.
DROPPED_AFTER_MIDNIGHT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Expiring:
    """What the next nightly drop would take: UTC days before `cutoff` that have single events."""

    cutoff: date
    days: int
    first_day: date | None
    requests: int

    @property
    def phrase(self) -> str:
        """What an administrator types to say that they mean it; "" where nothing would go."""
        return f"drop {self.days} day{'s' if self.days != 1 else ''}" if self.requests else ""


def decided() -> int | None:
    """In days; None where the environment alone decides."""
    return decisions.retention_of(stored.value(decisions.RETENTION))


def in_force(longest: int) -> int:
    """In days; `longest` is what the environment allows."""
    return min(decided() or longest, longest)


def expiring(days: int, now: datetime, zone: ZoneInfo) -> Expiring:
    """What would go in the night to come if events were kept for so many days."""
    next_drop = start_of_day(local_day(now, zone) + timedelta(days=1), zone)
    cutoff = (next_drop + DROPPED_AFTER_MIDNIGHT).astimezone(UTC).date() - timedelta(days=days)
    with connection.cursor() as cursor:
        cursor.execute(statement("expiring_events"), {"cutoff": cutoff})
        count, first_day, requests = cursor.fetchone()
    return Expiring(cutoff, count, first_day, int(requests))


def check(days: int | None, longest: int) -> None:
    """Raises ValidationError."""
    if days is not None and not LEAST_DAYS <= days <= longest:
        raise ValidationError(
            {
                "days": f"Write {LEAST_DAYS} to {longest:,} days, or nothing. "
                "FARTHING_EVENT_RETENTION_DAYS allows no more: raise it there first."
            }
        )


def keep(days: int | None, longest: int, act: Act) -> bool:
    """Whether that changed anything; None leaves it to the environment. Raises ValidationError."""
    check(days, longest)
    before = {"days": decided()}
    subject = "Retention of single events"
    after = {"days": days}
    return stored.store(decisions.RETENTION, days, act, subject=subject, before=before, after=after)
