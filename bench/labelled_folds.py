"""The rate of alarms chosen on half of the labelled series and tried on the other half, many times.

`python bench/labelled_folds.py`: the least rate that finds 80 % of the events of both halves of NAB
and Microsoft is taken; what it finds and how often it is wrong is told of the halves not chosen by.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import labelled
from finops.detection import judge

RATES = (2.0, 2.75, 3.5, 4.0, 5.0, 6.5)
RECALL, TRIES = 0.8, 200


def counts(item: labelled.Labelled, rate: float) -> tuple[int, int, int, float]:
    """Events, those found, false alarms, weeks."""
    episodes = judge(item.series, alarms_per_month=rate, gathered=True).episodes
    events = item.events()
    found = sum(any(labelled.sees(e, event) for e in episodes) for event in events)
    false = sum(not any(labelled.sees(e, event) for event in events) for e in episodes)
    return len(events), found, false, item.weeks


def main() -> None:
    sets = {"NAB": list(labelled.nab()), "Microsoft": list(labelled.microsoft())}
    tables = {
        name: np.array([[counts(item, rate) for rate in RATES] for item in items])
        for name, items in sets.items()
    }
    rng = np.random.default_rng(0)
    tried: dict[str, list[tuple[float, float]]] = {name: [] for name in sets}
    for _ in range(TRIES):
        orders = {name: rng.permutation(len(table)) for name, table in tables.items()}
        near = [tables[n][o[: len(o) // 2]].sum(axis=0) for n, o in orders.items()]
        enough = np.all([half[:, 1] >= RECALL * half[:, 0] for half in near], axis=0)
        chosen = int(enough.argmax()) if enough.any() else len(RATES) - 1
        for name, order in orders.items():
            events, found, false, weeks = tables[name][order[len(order) // 2 :], chosen].sum(axis=0)
            tried[name].append((found / events, false / weeks))
    for name, rows in tried.items():
        recall, false = np.mean(rows, axis=0)
        low, high = np.quantile(rows, 0.1, axis=0)[0], np.quantile(rows, 0.9, axis=0)[1]
        print(
            f"{name}, held out: {recall:.1%} of the events at {false:.2f} false alarms a week; "
            f"nine in ten tries at least {low:.0%} and at most {high:.2f}"
        )


if __name__ == "__main__":
    main()
