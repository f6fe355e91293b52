"""Amounts of one currency in another: rates by day, and the files that bring them. Pure.

rates      one day's rates and the factor between two currencies; which day's rates hold on a day
ecb        the reference rates of the European Central Bank as it publishes them: CSV, or zipped
"""

from __future__ import annotations

from finops.exchange.ecb import MOST_BYTES, WrongFile, parse
from finops.exchange.rates import (
    EURO,
    MOST_DAYS,
    USUAL_DAYS,
    Conversion,
    Exchange,
    Fixing,
    Reach,
    days_in_words,
    factor,
    is_currency,
    mean_conversion,
    overdue_days,
    unknown_days,
)

__all__ = [
    "EURO",
    "MOST_BYTES",
    "MOST_DAYS",
    "USUAL_DAYS",
    "Conversion",
    "Exchange",
    "Fixing",
    "Reach",
    "WrongFile",
    "days_in_words",
    "factor",
    "is_currency",
    "mean_conversion",
    "overdue_days",
    "parse",
    "unknown_days",
]
