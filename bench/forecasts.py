"""How good forecasts are on public series, beside reference methods, and what they cost.

    python bench/forecasts.py [--data ../shared/data]

NN5 (111 series of daily withdrawals from cash machines, with gaps, real zeros and holidays): the
last 56 of the days given are forecast from those before. Nothing was tuned on them: models and
constants were chosen at origins at least 56 days earlier. M4's hourly series are summed by day.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from finops.forecasts import band, fit, forecast, spread  # noqa: E402
from finops.forecasts.ahead import Series, look_ahead  # noqa: E402
from finops.forecasts.averages import by_weekdays  # noqa: E402
from finops.forecasts.fitting import filled  # noqa: E402
from finops.periods import days  # noqa: E402

Array = NDArray[np.float64]
Predict = Callable[[Array], Array]
WEEK, AHEAD = 7, 56
SERIES_REFRESHED = 1000
UTC = ZoneInfo("UTC")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--earlier", action="store_true", help="at earlier origins, for tuning")
    given = parser.parse_args()
    series, first = nn5(given.data)
    ends = [series.shape[1] - AHEAD * n for n in (1, 2, 3, 4, 5)] if given.earlier else []
    for cut in ends[1:] or [series.shape[1] - AHEAD]:
        points(series, first, cut)
    months(series, first, given.earlier)
    if not given.earlier:
        hourly_by_day(given.data)
        cost(series, first)
        cost_of_budgets(series)


def nn5(data: Path) -> tuple[Array, date]:
    """A row for each series, a column for each day, NaN where nothing is known."""
    frame = pd.read_parquet(data / "nn5_daily" / "nn5_dev.parquet")
    table = frame.pivot(index="date", columns="series", values="y").sort_index()
    return table.to_numpy(float).T, pd.Timestamp(table.index[0]).date()


def points(series: Array, first: date, cut: int) -> None:
    known, actual = series[:, :cut], series[:, cut : cut + AHEAD]
    whole = pooled(known)
    fits = [fit(each, AHEAD, first, whole) for each in known]
    ways: dict[str, Array] = {
        "Farthing": np.array([each.path for each in fits]),
        "Farthing, each series by itself": np.array([fit(s, AHEAD, first).path for s in known]),
        "weekday median of 8 weeks": by(known, lambda days: np.nanmedian(weeks(days, 8), axis=0)),
        "weekday mean of 8 weeks": by(known, lambda days: np.nanmean(weeks(days, 8), axis=0)),
        "seasonal naive": by(known, lambda days: filled(days)[-WEEK:]),
    }
    scale = np.nanmean(np.abs(known[:, WEEK:] - known[:, :-WEEK]), axis=1)
    print(f"\nNN5, {len(series)} series, {AHEAD} days from {first + timedelta(days=cut)}")
    print(f"{'':34}{'MASE(7)':>9}{'sMAPE':>9}")
    for name, paths in ways.items():
        off = np.abs(actual - paths)
        mase = np.nanmean(np.nanmean(off, axis=1) / scale)
        sizes = np.abs(actual) + np.abs(paths)
        smape = np.nanmean(np.nanmean(np.where(sizes > 0, 200 * off / sizes, 0), axis=1))
        print(f"{name:34}{mase:9.3f}{smape:9.2f}")
    low, high = (np.array(each) for each in zip(*(band(each) for each in fits), strict=True))
    inside = np.where(np.isnan(actual), np.nan, (low <= actual) & (actual <= high))
    print(f"80 % band of days holds {100 * np.nanmean(inside):.1f} % of them")
    for length in (7, 28, AHEAD):
        is_known = np.isfinite(actual[:, :length])
        sums = np.where(is_known, actual[:, :length], 0).sum(axis=1)
        held = []
        for made, came, known_days in zip(fits, sums, is_known, strict=True):
            weights = known_days.astype(float)
            expected = float(made.path[:length] @ weights)
            held.append(abs(came - expected) <= spread(made, weights))
        print(f"80 % interval of sums of {length} days holds {100 * np.mean(held):.1f} % of them")


def months(series: Array, first: date, earlier: bool) -> None:
    """The total of a calendar month, on the evening of its tenth day."""
    last = first + timedelta(days=series.shape[1])
    unseen = last - timedelta(days=AHEAD)
    print("\nNN5, total of a month on its day 10, mean absolute error in percent (interval holds)")
    found = []
    for begin, end in calendar_months(first, last):
        is_unseen = begin >= unseen
        if is_unseen == earlier or (begin - first).days < 420:
            continue
        errors, held = [], []
        cut, stop = (begin - first).days + 10, (end - first).days
        whole = pooled(series[:, :cut])
        for each in series:
            came = each[cut - 10 : stop]
            weights = np.isfinite(each[cut:stop]).astype(float)
            made = fit(each[:cut], stop - cut, first, whole)
            spent = np.nansum(each[cut - 10 : cut])
            expected = spent + made.path @ weights
            total = np.nansum(came)
            errors.append(abs(expected - total) / total)
            held.append(abs(expected - total) <= spread(made, weights))
        print(f"{begin:%B %Y}  {100 * np.mean(errors):.1f} %  ({100 * np.mean(held):.0f} %)")
        found.append(np.mean(errors))
    if found:
        print(f"mean  {100 * np.mean(found):.1f} %")


def calendar_months(first: date, last: date) -> Iterator[tuple[date, date]]:
    begin = first.replace(day=1)
    while begin < last:
        end = (begin + timedelta(days=32)).replace(day=1)
        if begin >= first and end <= last:
            yield begin, end
        begin = end


def hourly_by_day(data: Path) -> None:
    """M4's hourly series have 29 to 40 days: the last 14 days by those before, in all."""
    frame = pd.read_parquet(data / "m4" / "hourly_train.parquet")
    errors = []
    for _, rows in frame.groupby("series"):
        hours = rows.sort_values("k")["y"].to_numpy(float)
        count = len(hours) // 24
        days = hours[len(hours) - 24 * count :].reshape(count, 24).sum(axis=1)
        known, came = days[:-14], days[-14:]
        column = np.arange(-len(known), 0) % WEEK
        means = np.array([known[column == each].mean() for each in range(WEEK)])
        expected = means[np.arange(14) % WEEK].sum()
        errors.append(abs(expected - came.sum()) / came.sum())
    print(
        f"\nM4 hourly by day, {len(errors)} series of {count} days or so: the last 14 days in all "
        f"are off by {100 * np.mean(errors):.1f} % (too short for models: by the days of the week)"
    )


def cost(series: Array, first: date) -> None:
    started = time.process_time()
    whole = pooled(series)
    for number in range(SERIES_REFRESHED):
        each = filled(series[number % len(series)]) * (1 + number / 1e6)  # none is kept already
        made = fit(each, 123, first, whole)
        band(made)
        spread(made, np.ones(30))
    passed = time.process_time() - started
    print(
        f"\n{SERIES_REFRESHED} series of {series.shape[1]} days refreshed: {passed:.1f} CPU seconds"
    )


def cost_of_budgets(series: Array) -> None:
    """What an evaluation takes for the forecasts of 1,000 budgets, beside averages alone."""
    end = date(2026, 11, 11)
    month = days(end.replace(day=1), date(2026, 12, 1), UTC)
    as_of = month.start + timedelta(days=10, hours=12)
    budgets = [
        [
            (end - timedelta(days=AHEAD - n), Decimal(round(each * (1 + number / 1e6), 4)))
            for n, each in enumerate(filled(series[number % len(series)])[-AHEAD:])
        ]
        for number in range(SERIES_REFRESHED)
    ]
    ways: dict[str, Callable[[Series], object]] = {
        "averages by day of the week": lambda known: by_weekdays(
            look_ahead(known, month, as_of, UTC)
        ),
        "the first evaluation of a day": lambda known: forecast(known, month, as_of, UTC),
        "each later one": lambda known: forecast(known, month, as_of, UTC),
    }
    print(f"\nForecasts of {SERIES_REFRESHED} budgets, CPU seconds an evaluation")
    for name, way in ways.items():
        started = time.process_time()
        for known in budgets:
            way(known)
        print(f"{name:34}{time.process_time() - started:9.2f}")


def pooled(known: Array) -> Array:
    """What the series are a part of, each as large as the others."""
    return np.mean([filled(each) / np.nanmean(each) for each in known], axis=0)


def by(known: Array, week_of: Predict) -> Array:
    return np.array([np.resize(week_of(days), AHEAD) for days in known])


def weeks(days: Array, count: int) -> Array:
    return days[len(days) - WEEK * count :].reshape(count, WEEK)


if __name__ == "__main__":
    main()
