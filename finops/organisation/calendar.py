"""The fiscal calendar: the month in which the organisation's year begins."""

from __future__ import annotations

from finops.organisation import stored
from finops.organisation.stored import Act
from finops.periods import JANUARY

NAME = "fiscal_first_month"
DECEMBER = 12


def fiscal_first_month() -> int:
    """1 to 12; January where nothing was decided."""
    held = stored.value(NAME)
    return held if isinstance(held, int) and JANUARY <= held <= DECEMBER else JANUARY


def begin_fiscal_year(month: int, act: Act) -> bool:
    """Whether that changed anything."""
    before = {"fiscal year begins in month": fiscal_first_month()}
    after = {"fiscal year begins in month": month}
    kept = None if month == JANUARY else month
    return stored.store(NAME, kept, act, subject="Fiscal year", before=before, after=after)
