"""Users made of ServeGen's clients, and users that are injected among them, for power_users.py."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")
django.setup()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from finops.costs import UserDay  # noqa: E402
from finops.power_users.labels import BOT, BURSTY, GROWING, HEAVY, LOOP  # noqa: E402
from finops.requests import MOST_REQUESTS, Pulse  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CLIENTS = DATA / "servegen_bailian_clients"
DAYS, WINDOWS, WINDOW_SECONDS = 35, 144, 600
MOST_OF_DAYS = 20
SIDES = {"input_tokens": "input", "text_tokens": "input", "output_tokens": "output"}
LAST = date(2026, 10, 14)
INPUT_PRICE, OUTPUT_PRICE = 2.5e-6, 1e-5
KINDS = (HEAVY, GROWING, BURSTY, BOT, LOOP)
Floats = NDArray[np.float64]


@dataclass
class User:
    """`counts` are requests by day and ten minutes; `tokens` medians and spreads of input and
    output; `pulses` what single days are instead of drawn."""

    counts: Floats
    variation: float
    tokens: tuple[float, float, float, float]
    injected: str = ""
    pulses: dict[int, Pulse] = field(default_factory=dict)

    def days(self) -> list[UserDay]:
        middle_in, spread_in, middle_out, spread_out = self.tokens
        each = middle_in * math.exp(spread_in**2 / 2) * INPUT_PRICE
        each += middle_out * math.exp(spread_out**2 / 2) * OUTPUT_PRICE
        found = []
        for number, count in enumerate(self.counts.sum(axis=1)):
            if count >= 1:
                day = LAST - timedelta(days=DAYS - 1 - number)
                cost = Decimal(f"{count * each:.9f}")
                found.append(UserDay(day, cost, int(count), 0, 0, 0, 0))
        return found

    def pulse(self, day: date, dice: np.random.Generator) -> Pulse:
        number = DAYS - 1 - (LAST - day).days
        if number in self.pulses:
            return self.pulses[number]
        moments = [
            window * WINDOW_SECONDS + arrivals(int(count), self.variation, dice)
            for window, count in enumerate(self.counts[number])
            if count
        ]
        seconds = np.sort(np.concatenate([np.zeros(0), *moments]))[:MOST_REQUESTS]
        middle, spread, *_ = self.tokens
        tokens = np.round(middle * np.exp(spread * dice.standard_normal(len(seconds))))
        return pulse_of(seconds, tokens)


def arrivals(count: int, variation: float, dice: np.random.Generator) -> Floats:
    """Moments within ten minutes whose intervals vary so much."""
    shape = 1 / max(variation, 0.05) ** 2
    gaps = dice.gamma(shape, size=count + 1)
    return np.cumsum(gaps)[:-1] / max(gaps.sum(), 1e-9) * WINDOW_SECONDS


def pulse_of(seconds: Any, tokens: Any, prompts: Any = None) -> Pulse:
    nothing = np.zeros(len(seconds), dtype=np.int64)
    hashes = nothing if prompts is None else np.asarray(prompts, dtype=np.int64)
    return Pulse(np.asarray(seconds), np.asarray(tokens).astype(np.int64), nothing, hashes, nothing)


def clients(dice: np.random.Generator) -> list[User]:
    """All of ServeGen's here with at least ten requests a day and known tokens."""
    rates = pd.read_parquet(CLIENTS / "rates_10min.parquet")
    sizes = sizes_of(pd.read_parquet(CLIENTS / "token_stats.parquet"))
    found = []
    windows = rates.groupby("model").t_s.max() // WINDOW_SECONDS + 1
    for key, held in rates.groupby(["model", "client_id"], sort=True):
        if key not in sizes:
            continue
        # A model's record is of two weeks or of one day, its last step often missing.
        line = np.zeros(-(-int(windows[key[0]]) // WINDOWS) * WINDOWS)
        line[(held.t_s // WINDOW_SECONDS).astype(int)] = (held.rate_rps * WINDOW_SECONDS).round()
        whole = line.reshape(-1, WINDOWS)
        repeated = whole[np.arange(DAYS) % len(whole)]
        noise = np.exp(0.2 * dice.standard_normal((DAYS, 1)))
        counts = np.round(repeated * noise)
        if counts.sum() >= 10 * DAYS:
            variation = float(held.iat_cv.replace([np.inf], np.nan).median())
            found.append(User(counts, variation if variation > 0 else 1.0, sizes[key]))
    return found


def sizes_of(stats: pd.DataFrame) -> dict[Any, tuple[float, float, float, float]]:
    """Median and spread, as of a lognormal, of input and output tokens by client."""
    middle = stats.groupby(["model", "client_id", "field"])[["p50", "p95"]].median()
    found: defaultdict[Any, dict[str, tuple[float, float]]] = defaultdict(dict)
    for (model, client, name), row in middle.iterrows():
        low, high = max(row.p50, 1.0), max(row.p95, row.p50, 1.0)
        if side := SIDES.get(str(name)):
            found[model, client][side] = (low, math.log(high / low) / 1.645)
    return {key: (*each["input"], *each["output"]) for key, each in found.items() if len(each) == 2}


def inject(users: list[User], each: int, dice: np.random.Generator) -> None:
    """Makes so many of each kind out of users of most days that are neither first nor last."""
    order = sorted(range(len(users)), key=lambda n: -spent(users[n]))
    middle = [
        number
        for number in order[len(order) // 20 : len(order) * 19 // 20]
        if np.count_nonzero(users[number].counts.sum(axis=1)) >= MOST_OF_DAYS
    ]
    chosen = dice.permutation(middle)[: each * len(KINDS)]
    above = spent(users[order[len(order) // 100]])
    for place, number in enumerate(chosen):
        user, kind = users[number], KINDS[place % len(KINDS)]
        CHANGES[kind](user, dice, above)
        user.injected = kind


def spent(user: User) -> float:
    return float(sum(day.cost for day in user.days()))


def make_heavy(user: User, dice: np.random.Generator, above: float) -> None:
    """As much as the first percent."""
    user.counts = np.ceil(user.counts * (above * dice.uniform(1.2, 4) / max(spent(user), 1e-9)))


def make_growing(user: User, dice: np.random.Generator, above: float) -> None:
    """Two weeks on the way to twice to four times as much."""
    factor = dice.uniform(2, 4)
    way = np.clip((np.arange(DAYS) - (DAYS - 15)) / 10, 0, 1)
    user.counts = np.round(user.counts * (1 + (factor - 1) * way)[:, None])


def make_bursty(user: User, dice: np.random.Generator, above: float) -> None:
    """Two or three days of 20 to 60 times as much."""
    for day in dice.choice(DAYS - 8, size=int(dice.integers(2, 4)), replace=False):
        user.counts[day] = np.ceil(user.counts[day] * dice.uniform(20, 60)) + 1


def make_bot(user: User, dice: np.random.Generator, above: float) -> None:
    """Every so many seconds, give or take a tenth, all day, of few different sizes."""
    gap, jitter = dice.uniform(20, 900), dice.uniform(0, 0.2)
    size = round(dice.uniform(200, 5000))
    moments = np.arange(gap / 2, 86_400 - gap, gap)
    user.counts = np.full((DAYS, WINDOWS), WINDOW_SECONDS / gap)
    for number in range(DAYS):
        seconds = np.sort(moments + gap * jitter * dice.uniform(-1, 1, len(moments)))
        sizes = np.where(dice.random(len(moments)) < dice.uniform(0.3, 1), size, size + 1 + number)
        user.pulses[number] = pulse_of(seconds, sizes)


def make_loop(user: User, dice: np.random.Generator, above: float) -> None:
    """On one of the last seven days one to nine hours of the same request, among the usual ones."""
    number = DAYS - 1 - int(dice.integers(0, 7))
    usual = user.counts[:number].sum(axis=1)
    hours = float(dice.uniform(1, 9))
    least = 12 * float(np.median(usual[usual > 0]))
    count = int(max(dice.uniform(100, 1000) * hours, least))
    begins = float(dice.uniform(0, 86_400 - hours * 3600))
    own = user.pulse(LAST - timedelta(days=DAYS - 1 - number), dice)
    same = begins + np.sort(dice.uniform(0, hours * 3600, count))
    seconds = np.concatenate([same, own.seconds])
    prompts = np.concatenate([np.full(count, 7), np.arange(100, 100 + len(own))])
    tokens = np.concatenate([np.full(count, 1234), own.input_tokens])
    order = np.argsort(seconds)
    user.pulses[number] = pulse_of(seconds[order], tokens[order], prompts[order])
    user.counts[number] += count / WINDOWS


CHANGES: dict[str, Callable[[User, np.random.Generator, float], None]] = {
    HEAVY: make_heavy,
    GROWING: make_growing,
    BURSTY: make_bursty,
    BOT: make_bot,
    LOOP: make_loop,
}
