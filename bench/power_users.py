"""Labels of users on real traffic: of injected users, how many get their label; of others, how many
get one that nobody injected.

    python bench/power_users.py [--each 20] [--seeds 3] [--forest]

ServeGen's clients (alibaba/ServeGen, Apache-2.0, arXiv 2505.09999) are users: their ten-minute
request counts, repeated to five weeks with a fifth more or less a day; times within ten minutes are
drawn by their published spread of intervals, tokens by their published quantiles. Sessions of
Claude Code (callanjfox/kv-cache-tester, Apache-2.0) are users of a day each: nobody there is known
to be a bot or to have run away. --forest compares with scikit-learn's IsolationForest on nine
features, told to find as many users as the rules do; scikit-learn is no dependency: install it.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd

from bench.user_clients import (
    DATA,
    DAYS,
    KINDS,
    LAST,
    User,
    clients,
    inject,
    pulse_of,
)
from finops.costs import Hundredth
from finops.periods import days as period_of_days
from finops.power_users import labels, rhythm
from finops.power_users.concentration import Concentration, concentration
from finops.power_users.labels import BOT, LOOP, Past
from finops.power_users.profiles import Window, label_of, suspects_of

SESSIONS = DATA / "kv_cache_tester_claude_code" / "requests.parquet"
WHERE = ZoneInfo("UTC")


def window() -> Window:
    first = LAST - timedelta(days=DAYS - 1)
    one_day = timedelta(days=1)
    return Window(
        WHERE,
        period_of_days(first, LAST + one_day, WHERE),
        period_of_days(LAST, LAST + one_day, WHERE),
        LAST,
        LAST,
    )


def peers_of(costs: list[Decimal]) -> tuple[Concentration, list[int]]:
    """All users as the database ranks them, and the place of each."""
    order = sorted(range(len(costs)), key=lambda n: -costs[n])
    places = [0] * len(costs)
    held: defaultdict[int, list[tuple[int, Decimal]]] = defaultdict(list)
    for place, number in enumerate(order, start=1):
        places[number] = place
        held[(place - 1) * 100 // len(costs)].append((place, costs[number]))
    hundredths = [
        Hundredth(
            number,
            len(each),
            sum((cost for _, cost in each), Decimal(0)),
            sum((place * cost for place, cost in each), Decimal(0)),
            each[-1][1],
        )
        for number, each in sorted(held.items())
    ]
    return concentration(hundredths), places


def kinds_of(
    user: User, cost: Decimal, place: int, peers: Concentration, dice: np.random.Generator
) -> set[str]:
    days, seen = user.days(), window()
    past = Past.of(days, LAST)
    told = [
        labels.heavy(place, cost, peers, "USD"),
        labels.growing(past, "USD"),
        labels.bursty(past, "USD"),
    ]
    for suspect in suspects_of(0, days, seen):
        told.append(label_of(user.pulse(suspect.day, dice), suspect, seen))
    return {label.kind for label in told if label}


def features_of(user: User, cost: Decimal, dice: np.random.Generator) -> list[float]:
    """What a model is given to tell users apart by."""
    days = user.days()
    costs = np.array([float(day.cost) for day in days] or [0.0])
    counts = np.array([day.requests for day in days] or [0.0])
    weeks = [costs[max(end - 7, 0) : end].sum() for end in range(len(costs), 0, -7)]
    pulse = user.pulse(days[-1].day, dice) if days else None
    gaps = rhythm.spread_of_gaps(pulse.seconds) if pulse is not None and len(pulse) > 3 else None
    hours = len(np.unique(pulse.seconds // 3600)) if pulse is not None else 0
    same = rhythm.largest_share(pulse.input_tokens) if pulse is not None and len(pulse) else 0.0
    return [
        math.log(float(cost) + 1e-9),
        math.log(float(np.median(counts)) + 1),
        math.log(float(costs.sum() / max(counts.sum(), 1)) + 1e-9),
        math.log(user.tokens[0]),
        hours,
        gaps[1] if gaps else 3.0,
        same,
        math.log((weeks[0] + 1e-9) / (float(np.median(weeks[1:5] or [weeks[0]])) + 1e-9)),
        math.log(float(counts.max()) / max(float(np.median(counts)), 1.0) + 1e-9),
    ]


def trial(each: int, seed: int, is_compared: bool) -> Iterator[tuple[str, str, int, int]]:
    """What happened to the users of each kind: kind, way, how many of how many."""
    dice = np.random.default_rng(seed)
    users = clients(dice)
    inject(users, each, dice)
    costs = [sum((day.cost for day in user.days()), Decimal(0)) for user in users]
    peers, places = peers_of(costs)
    found = [
        kinds_of(user, cost, place, peers, dice)
        for user, cost, place in zip(users, costs, places, strict=True)
    ]
    for kind in KINDS:
        theirs = [kinds for user, kinds in zip(users, found, strict=True) if user.injected == kind]
        yield kind, "found by its own label", sum(kind in kinds for kinds in theirs), len(theirs)
        others = [kinds for user, kinds in zip(users, found, strict=True) if not user.injected]
        yield kind, "untouched users with it", sum(kind in kinds for kinds in others), len(others)
    if not is_compared:
        return
    from sklearn.ensemble import IsolationForest  # type: ignore[import-not-found]

    marked = sum(bool(kinds) for kinds in found)
    matrix = np.array([features_of(*each, dice) for each in zip(users, costs, strict=True)])
    scores = IsolationForest(n_estimators=200, random_state=seed).fit(matrix).score_samples(matrix)
    by_forest = set(np.argsort(scores)[:marked].tolist())
    for kind in KINDS:
        theirs_at = [n for n, user in enumerate(users) if user.injected == kind]
        yield kind, "any label", sum(bool(found[n]) for n in theirs_at), len(theirs_at)
        yield kind, "forest", sum(n in by_forest for n in theirs_at), len(theirs_at)
    rest = [n for n, user in enumerate(users) if not user.injected]
    yield "untouched", "any label", sum(bool(found[n]) for n in rest), len(rest)
    yield "untouched", "forest", sum(n in by_forest for n in rest), len(rest)


def sessions() -> Iterator[tuple[str, str, int, int]]:
    """Labels of the rhythm on real sessions, each a user's first day."""
    requests = pd.read_parquet(SESSIONS)
    found: Counter[str] = Counter()
    groups = list(requests.groupby("trace_id"))
    for _, held in groups:
        seconds = np.sort(held.t_s.to_numpy(dtype=np.float64))
        seconds = seconds[seconds < 86_400]
        tokens = held.sort_values("t_s").input_tokens.to_numpy()[: len(seconds)]
        pulse = pulse_of(seconds, tokens)
        for label in (rhythm.runaway_loop(pulse, LAST, 0.0, LAST), rhythm.bot_like(pulse)):
            found.update([label.kind] if label else [])
    for kind in (BOT, LOOP):
        yield kind, "Claude Code sessions with it", found[kind], len(groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--forest", action="store_true")
    options = parser.parse_args()
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    told = [*sessions()]
    for seed in range(options.seeds):
        told += trial(options.each, seed, options.forest)
    for kind, way, count, of in told:
        sums[way, kind][0] += count
        sums[way, kind][1] += of
    for (way, kind), (count, of) in sums.items():
        print(f"{way:30} {kind:14} {count:6} of {of:6}  {count / max(of, 1):7.2%}")


if __name__ == "__main__":
    main()
