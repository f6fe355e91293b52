"""How well causes are found: `python bench/root_cause.py`.

Runs finops.root_cause on labelled incidents of ../shared/data and prints, for each set, how many of
the true combinations were named exactly (precision, recall and F1 over all combinations of all
cases) and how long a case takes, beside published scores of whole sets. Settings are the
product's, the same for all sets. --folds also says what is found where the settings are chosen on
other cases than they are tried on.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from finops.root_cause import ADDITIVE, RATIO, Search, localize  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
ROBUSTSPOT = DATA / "rca_robustspot_rs"
RISKLOC = DATA / "rca_riskloc_S20"
SQUEEZE = DATA / "rca_squeeze_sample"
# F1 on whole sets, as ../shared/data/README.md has them; forecast of RobustSpot's: mean of the 4
# minutes before.
PUBLISHED = {
    "RobustSpot": "RobustSpot .420, Adtributor .274, AutoRoot .261, RiskLoc .025",
    "RiskLoc S": "RiskLoc .686, Adtributor .039",
    "Squeeze": "–",
}
MINUTES_BEFORE = 4
# What folds choose among.
GRID = [{"least_of_first": least} for least in (0.01, 0.03, 0.1, 0.2, 0.3, 0.6)]

Combination = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Case:
    name: str
    dimensions: tuple[str, ...]
    leaves: dict[tuple[str, ...], Any]
    measure: str
    truth: frozenset[Combination]


@dataclass(frozen=True)
class Score:
    found: int
    named: int
    true: int

    @property
    def precision(self) -> float:
        return self.found / self.named if self.named else 0.0

    @property
    def recall(self) -> float:
        return self.found / self.true

    @property
    def f1(self) -> float:
        return 2 * self.found / (self.named + self.true)


def robustspot() -> Iterator[Case]:
    """Viewers that stall, of all viewers, by minute: the incident's minute against those before."""
    labels = pd.read_csv(ROBUSTSPOT / "labels.csv")
    cases = dict(iter(pd.read_parquet(ROBUSTSPOT / "cases.parquet").groupby("case", sort=False)))
    for label in labels.itertuples():
        if label.ts_in_data:
            dimensions = tuple(str(label.dims).split("|"))
            truth = json.loads(str(label.cause))
            causes = truth if isinstance(truth, list) else [truth]
            yield Case(
                str(label.case),
                dimensions,
                minutes(cases[label.case], dimensions, int(label.anomaly_ts)),
                RATIO,
                frozenset(frozenset((k, text(v)) for k, v in each.items()) for each in causes),
            )


def minutes(rows: pd.DataFrame, dimensions: Sequence[str], at: int) -> dict[tuple[str, ...], Any]:
    """Numerator and denominator of each leaf in the minute, and their mean in those before."""
    rows = rows.assign(**{name: rows[name].map(text) for name in dimensions})
    columns = ["stalling_viewers", "total_viewers"]
    now = rows[rows.unix_s == at].groupby(list(dimensions))[columns].sum()
    times = sorted(t for t in rows.unix_s.unique() if t < at)[-MINUTES_BEFORE:]
    before = rows[rows.unix_s.isin(times)].groupby(list(dimensions))[columns].sum() / len(times)
    joined = now.join(before, how="outer", suffixes=("_now", "")).fillna(0)
    return {
        keys: ((float(now_n), float(now_d)), (float(then_n), float(then_d)))
        for keys, now_n, now_d, then_n, then_d in joined.itertuples(name=None)
    }


def text(value: Any) -> str:
    """4500 for 4500.0 too."""
    number = isinstance(value, int | float | np.number)
    return str(int(value)) if number and float(value).is_integer() else str(value)


def predicted(folder: Path, column: str) -> Iterator[Case]:
    """Sets that say what was expected of each leaf."""
    truths = pd.read_csv(folder / "injection_info.csv").set_index("timestamp")["set"]
    for file in sorted(folder.glob("*.parquet")):
        rows = pd.read_parquet(file)
        if column not in rows:
            rows = rows.assign(**{column: int(file.stem)})
        for name, case in rows.groupby(column, sort=False):
            dimensions = tuple(each for each in case if each not in {column, "real", "predict"})
            table = case.groupby(list(dimensions))[["real", "predict"]].sum()
            yield Case(
                str(name),
                dimensions,
                {keys: (real, expected) for keys, real, expected in table.itertuples(name=None)},
                ADDITIVE,
                combinations(str(truths[int(str(name))])),
            )


def combinations(written: str) -> frozenset[Combination]:
    """Of "b=b6&d=d1;b=b11&d=d4"."""
    return frozenset(
        frozenset((name, value) for name, value in re.findall(r"([^&;=]+)=([^&;]+)", each))
        for each in written.split(";")
    )


def score(cases: Sequence[Case], answers: Sequence[frozenset[Combination]]) -> Score:
    pairs = list(zip(cases, answers, strict=True))
    return Score(
        sum(len(case.truth & answer) for case, answer in pairs),
        sum(len(answer) for _, answer in pairs),
        sum(len(case.truth) for case, _ in pairs),
    )


def answer(case: Case, **settings: Any) -> frozenset[Combination]:
    # An incident of a ratio is one that rises.
    direction = 1 if case.measure == RATIO else 0
    search = Search(direction=direction, most_causes=10, **settings)
    causes = localize(case.leaves, case.dimensions, case.measure, search=search)
    return frozenset(frozenset(cause.elements) for cause in causes)


def held_out(cases: Sequence[Case], folds: int) -> Score:
    """Each fold's cases with the settings that are best on the others."""
    answers = [[answer(case, **settings) for case in cases] for settings in GRID]
    chosen: list[frozenset[Combination]] = [frozenset()] * len(cases)
    for fold in range(folds):
        rest = [n for n in range(len(cases)) if n % folds != fold]
        best = max(
            answers, key=lambda each: score([cases[n] for n in rest], [each[n] for n in rest]).f1
        )
        for n in range(fold, len(cases), folds):
            chosen[n] = best[n]
    return score(cases, chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=0, help="also the held-out score of so many")
    parser.add_argument("--misses", action="store_true", help="also what is named wrongly")
    arguments = parser.parse_args()
    sets = {
        "RobustSpot": (ROBUSTSPOT, robustspot),
        "RiskLoc S": (RISKLOC, lambda: predicted(RISKLOC, "case")),
        "Squeeze": (SQUEEZE, lambda: predicted(SQUEEZE, "timestamp")),
    }
    print("| set | cases | precision | recall | F1 | seconds a case | F1 of others, whole set |")
    print("|---|---|---|---|---|---|---|")
    for name, (folder, read) in sets.items():
        if not folder.exists():
            print(f"| {name} | not there: {folder.name} |")
            continue
        report(name, list(read()), arguments)


def report(name: str, cases: Sequence[Case], arguments: argparse.Namespace) -> None:
    answers, seconds = [], []
    for case in cases:
        begun = time.perf_counter()
        answers.append(answer(case))
        seconds.append(time.perf_counter() - begun)
    result = score(cases, answers)
    print(
        f"| {name} | {len(cases)} | {result.precision:.3f} | {result.recall:.3f} | {result.f1:.3f} "
        f"| {statistics.median(seconds):.2f}, at most {max(seconds):.2f} | {PUBLISHED[name]} |"
    )
    if arguments.folds and len(cases) >= arguments.folds:
        other = held_out(cases, arguments.folds)
        print(f"| held out | {arguments.folds} folds | | | {other.f1:.3f} | | |")
    if arguments.misses:
        for case, each in zip(cases, answers, strict=True):
            if each != case.truth:
                print(f"  {case.name}: {written(each)} instead of {written(case.truth)}")


def written(found: frozenset[Combination]) -> str:
    return "; ".join(sorted("&".join(f"{k}={v}" for k, v in sorted(each)) for each in found)) or "–"


if __name__ == "__main__":
    main()
