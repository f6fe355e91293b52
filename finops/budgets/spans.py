"""Which period of a budget a day is in: whole days of the reporting calendar, [first, end)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from finops.periods import JANUARY, Period, add_months, bucket_day, days

DAY = timedelta(days=1)
MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
ROLLING = "rolling"


@dataclass(frozen=True, slots=True)
class Span:
    first: date
    end: date

    @property
    def length(self) -> int:
        """In days."""
        return (self.end - self.first).days

    @property
    def last(self) -> date:
        return self.end - DAY

    def period(self, zone: ZoneInfo) -> Period:
        return days(self.first, self.end, zone)

    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=ahead) for ahead in range(self.length))

    def months(self) -> Iterator[date]:
        """The first days of the months that it has days of."""
        month = self.first.replace(day=1)
        while month < self.end:
            yield month
            month = add_months(month, 1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """How long the periods of one budget are; quarters and years are those of the fiscal year."""

    period: str
    rolling_days: int | None = None
    fiscal_month: int = JANUARY

    @property
    def is_rolling(self) -> bool:
        return self.period == ROLLING

    def at(self, day: date) -> Span:
        """The period that holds the day; of a rolling budget the days up to it."""
        if self.is_rolling:
            end = day + DAY
            return Span(end - timedelta(days=self.rolling_days or 1), end)
        if months := MONTHS.get(self.period):
            first = day.replace(day=1)
            first = add_months(first, -((day.month - self.fiscal_month) % months))
            return Span(first, add_months(first, months))
        first = bucket_day(day, "week" if self.period == "weekly" else "day")
        return Span(first, first + timedelta(days=7 if self.period == "weekly" else 1))

    def before(self, span: Span) -> Span:
        """The period before; of a rolling budget as many days before."""
        if self.is_rolling:
            return Span(span.first - timedelta(days=span.length), span.first)
        return self.at(span.first - DAY)
