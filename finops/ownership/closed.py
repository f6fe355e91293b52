"""What is closed stays as it was: no change of who pays reaches into a month whose books are
closed."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError

from finops.books import months
from finops.ownership.conditions import FIRST, LAST, Days
from finops.periods import add_months


def open_from() -> date | None:
    """The first day that is not closed; None where nothing is."""
    return months.closed_until()


def spans() -> list[Days]:
    """All days that are closed, in their order."""
    first = open_from()
    later = [Days(month, add_months(month, 1)) for month in months.closed_later()]
    return [Days(None, first), *later] if first else []


def refuse(days: Days, field: str = "effective_from") -> None:
    """Raises ValidationError, of that field, where any of the days is closed."""
    first = open_from()
    if first and (days.start or FIRST) < first:
        raise ValidationError(
            {
                field: f"The books before {first} are closed: choose {first} or a later "
                "day, or have the month reopened."
            }
        )
    refuse_later(days, field)


def refuse_later(days: Days, field: str = "effective_to") -> None:
    """The same of months that are closed after one that is open again."""
    for month in months.closed_later():
        if days.overlaps(Days(month, add_months(month, 1))):
            raise ValidationError(
                {
                    field: f"{month:%B %Y} is closed too: choose days that end before it, "
                    "or have it reopened as well."
                }
            )


def refuse_change(was: Days, becomes: Days) -> None:
    """The same of the days on which they differ: both begin on the same day."""
    ends = (was.end or LAST, becomes.end or LAST)
    if ends[0] != ends[1]:
        refuse(Days(max(min(ends), was.start or FIRST), max(ends)))
