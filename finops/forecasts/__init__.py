"""What a period will have cost when it is over, from the sums of its days and those before.

Pure. Sums are exact in `Decimal` up to the edge of the models, which reckon in floats; equal days
forecast exactly themselves, with no room around them.

ahead      what is known of a period, and what is left of it
averages   forecasts by averages of days, exact, for short or even histories
models     one way each to go on from whole weeks of days
fitting    which of them do best on the series' own past
intervals  how far off those were
feasts     days that differ each year
changes    what is known of the days to come: planned events and prices
outlooks   this month and the next ones, day by day, with their back-tests
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import localcontext
from zoneinfo import ZoneInfo

from finops.forecasts.ahead import MOST_DAYS, WEEK, Series, look_ahead
from finops.forecasts.averages import (
    COMPLETE,
    ENDED,
    LEAST_DAYS,
    LEAST_WEEKS,
    METHODS,
    MODEL,
    NONE,
    PROPORTION,
    WEEKDAYS,
    Forecast,
)
from finops.forecasts.changes import NOTHING, Change, Coming
from finops.forecasts.fitting import Fit, fit
from finops.forecasts.intervals import band, spread
from finops.forecasts.outlooks import LONG_DAYS, MONTHS, BackTest, DayAhead, Outlook, Part, outlook
from finops.forecasts.paths import Path, forecast_with, path_of
from finops.periods import Period

__all__ = [
    "COMPLETE",
    "ENDED",
    "LEAST_DAYS",
    "LEAST_WEEKS",
    "LONG_DAYS",
    "METHODS",
    "MODEL",
    "MONTHS",
    "MOST_DAYS",
    "NONE",
    "NOTHING",
    "PROPORTION",
    "WEEK",
    "WEEKDAYS",
    "BackTest",
    "Change",
    "Coming",
    "DayAhead",
    "Fit",
    "Forecast",
    "Outlook",
    "Part",
    "Path",
    "band",
    "fit",
    "forecast",
    "outlook",
    "path_of",
    "spread",
]

DIGITS = 120


def forecast(
    series: Series, period: Period, as_of: datetime, zone: ZoneInfo, coming: Coming = NOTHING
) -> Forecast:
    """What the period will come to, by what was spent up to the instant `as_of`.

    `series` are sums by day of the reporting zone, of this period and of earlier ones, in any
    order; a day that it lacks between others had no cost. It goes by the last eight weeks: by
    models chosen on them, with less by the days of the week (three weeks) or the average day
    (three days), else it says why it cannot. What is known to be `coming` is taken in.
    """
    with localcontext(prec=DIGITS):
        known = look_ahead(series, period, as_of, zone)
        if as_of >= period.end:
            return Forecast(known.spent, known.spent, known.spent, COMPLETE, "The period is over.")
        found = forecast_with(replace(known, excused=coming.excused), coming.changes)
        if found.expected is None:
            return found
        return replace(found, reason=found.reason + coming.text)
