"""Forecasts of short histories with days that ran away, and how much bands of days hold where.

    python bench/forecast_checks.py short|bands [--data ../shared/data]

Of NN5's series, and none of the last 56 days given. `short` gives three to seven weeks of days, and
the same with two of them 4 to 12 times as large, to averages by day of the week and asks for four
weeks: mean error as a part of the mean day. `bands` tells at twelve origins how many of the days
1 to 7, 8 to 28 and 29 to 56 ahead lie within the band that is to hold four of five.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from bench.forecasts import AHEAD, WEEK, Array, nn5  # noqa: E402
from finops.forecasts import band, fit, path_of  # noqa: E402
from finops.forecasts.fitting import filled  # noqa: E402

SHORT_AHEAD = 28
EVERY = 2
REACHES = {"1 to 7": (0, 7), "8 to 28": (7, 28), "29 to 56": (28, 56), "all": (0, 56)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("short", "bands"))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = parser.parse_args()
    series, first = nn5(given.data)
    {"short": short, "bands": bands}[given.what](series[::EVERY], first)


def short(series: Array, first: date) -> None:
    dice = np.random.default_rng(5)
    ways: dict[str, Callable[[Array], Array]] = {
        "Farthing": by_farthing,
        "means": lambda days: by_weekday(days, np.mean),
        "medians": lambda days: by_weekday(days, np.median),
    }
    print(f"{'weeks':8}{'':12}" + "".join(f"{name:>10}" for name in ways))
    for weeks in (3, 4, 5, 6, 7):
        errors: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        for each in series:
            for cut in range(200, series.shape[1] - AHEAD - SHORT_AHEAD, 90):
                plain = filled(each[cut - WEEK * weeks : cut].copy())
                actual = each[cut : cut + SHORT_AHEAD]
                if not np.isfinite(actual).any() or plain.mean() <= 0:
                    continue
                injected = plain.copy()
                injected[dice.choice(len(plain), 2, replace=False)] *= dice.uniform(4, 12, 2)
                for name, way in ways.items():
                    for kind, days in (("as it is", plain), ("ran away", injected)):
                        off = np.nanmean(np.abs(way(days) - actual)) / plain.mean()
                        errors[kind, name].append(float(off))
        for kind in ("as it is", "ran away"):
            told = "".join(f"{np.mean(errors[kind, name]):10.3f}" for name in ways)
            print(f"{weeks:<8}{kind:12}{told}")


def by_farthing(days: Array) -> Array:
    begin = date(2026, 1, 5)
    known = [(begin + timedelta(days=n), Decimal(float(each))) for n, each in enumerate(days)]
    return path_of(known, SHORT_AHEAD).expected


def by_weekday(days: Array, middle: Callable[[Array], float]) -> Array:
    column = np.arange(-len(days), 0) % WEEK
    return np.resize([middle(days[column == each]) for each in range(WEEK)], SHORT_AHEAD)


def bands(series: Array, first: date) -> None:
    held: defaultdict[str, list[float]] = defaultdict(list)
    length = series.shape[1]
    origins = [length - AHEAD * n for n in range(2, 9)]
    origins += [length - AHEAD * n - 23 for n in range(2, 7)]
    for cut in sorted(origins):
        own: defaultdict[str, list[float]] = defaultdict(list)
        for each in series:
            low, high = band(fit(each[:cut], AHEAD, first))
            actual = each[cut : cut + AHEAD]
            for name, (begin, end) in REACHES.items():
                days = np.s_[begin:end]
                inside = (low <= actual) & (actual <= high)
                own[name] += inside[days][np.isfinite(actual[days])].tolist()
        print(f"{first + timedelta(days=cut)}", *(f"{np.mean(own[n]):8.1%}" for n in REACHES))
        for name, some in own.items():
            held[name] += some
    print("          ", *(f"{name:>8}" for name in REACHES))
    print("together  ", *(f"{np.mean(held[name]):8.1%}" for name in REACHES))


if __name__ == "__main__":
    main()
