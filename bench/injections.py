"""What goes wrong with spending, put into real series of it: ServeGen's clients, priced.

Requests by client and ten minutes, times the mean tokens of that client then, times a price. What
is put in begins after a week and a half at the latest and is told apart by the money that it adds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from bench.labelled import DATA

RATES = DATA / "servegen_bailian_clients" / "rates_10min.parquet"
TOKEN_STATS = DATA / "servegen_bailian_clients" / "token_stats.parquet"
STEP, TEN_MINUTES = timedelta(minutes=10), 600
HOUR, DAY = 6, 144
START = datetime(2025, 3, 3, tzinfo=UTC)
# USD per million tokens, input and output: of the size that each model's name says.
PRICES = {"large": (2.4, 9.6), "mid": (0.8, 2.0), "small": (0.3, 0.6), "r1": (0.55, 2.19)}
OTHER_PRICE = (0.8, 2.0)
# Clients below are not worth a look: USD per hour.
LEAST_PER_HOUR = 1.0
CLIENTS = 40
# Of the other models there is one day.
LEAST_DAYS = 10


@dataclass(frozen=True)
class Injected:
    """A series with something put in: what, where (first and last point), its money by point."""

    kind: str
    name: str
    values: np.ndarray
    first: int
    last: int
    added: np.ndarray


def costs() -> dict[str, np.ndarray]:
    """USD by ten minutes: the total, each category, model, and the largest clients."""
    rates = pd.read_parquet(RATES)
    lengths = rates.groupby("model", observed=True).t_s.max() / 86400
    rates = rates[rates.model.isin(lengths[lengths > LEAST_DAYS].index)].copy()
    rates["cost"] = rates.rate_rps * TEN_MINUTES * _cost_per_request(rates)
    rates["client"] = rates.model.astype(str) + " client " + rates.client_id.astype(str)
    count = int(rates.t_s.max()) // TEN_MINUTES + 1
    found = {}
    for column in ("all", "category", "model", "client"):
        groups = [("all", rates)] if column == "all" else rates.groupby(column, observed=True)
        for name, rows in groups:
            sums = np.zeros(count)
            np.add.at(sums, (rows.t_s // TEN_MINUTES).to_numpy(dtype=np.int64), rows.cost)
            if sums.mean() * HOUR >= LEAST_PER_HOUR:
                found[f"{column} {name}"] = sums
    clients = sorted(
        (name for name in found if name.startswith("client ")), key=lambda name: -found[name].sum()
    )
    for name in clients[CLIENTS:]:
        del found[name]
    return found


def _cost_per_request(rates: pd.DataFrame) -> np.ndarray:
    stats = pd.read_parquet(TOKEN_STATS)
    keys = ["category", "model", "client_id"]
    total = np.zeros(len(rates))
    for field, which in (("input_tokens", 0), ("output_tokens", 1)):
        rows = stats[stats.field == field]
        by_client = rows.groupby(keys, observed=True)["mean"].mean().rename("tokens").reset_index()
        by_model = rows.groupby("model", observed=True)["mean"].median()
        joined = rates[keys].merge(by_client, on=keys, how="left")
        usual = rates.model.astype(str).map(by_model.to_dict()).fillna(by_model.median())
        tokens = joined.tokens.fillna(pd.Series(usual.to_numpy())).to_numpy(dtype=float)
        price = np.array([_price(model)[which] for model in rates.model.astype(str)])
        total += tokens * price / 1e6
    return total


def _price(model: str) -> tuple[float, float]:
    return next((price for size, price in PRICES.items() if size in model), OTHER_PRICE)


def injected(series: dict[str, np.ndarray], seed: int) -> Iterator[Injected]:
    """Each kind once into each series, at a time and of a size by chance."""
    rng = np.random.default_rng(seed)
    for name, values in series.items():
        for kind in ("spike", "shift", "drift", "price", "runaway"):
            first = int(rng.integers(int(len(values) * 0.5), int(len(values) * 0.75)))
            added, last = _added(kind, values, first, rng)
            yield Injected(kind, name, values + added, first, last, added)


def _added(
    kind: str, values: np.ndarray, first: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    end = len(values)
    if kind == "spike":
        last = min(first + int(rng.integers(3, 3 * HOUR)), end - 1)
        factor = np.full(end, rng.uniform(2, 7))
    elif kind == "shift":
        last = min(first + int(rng.integers(2 * DAY, 4 * DAY)), end - 1)
        factor = np.full(end, rng.uniform(0.3, 1.0))
    elif kind == "drift":
        last = min(first + 5 * DAY, end - 1)
        factor = np.clip((np.arange(end) - first) / (5 * DAY), 0, 1) * rng.uniform(0.5, 1.5)
    elif kind == "price":
        last = end - 1
        factor = np.full(end, rng.uniform(0.25, 1.0))
    else:
        last = min(first + int(rng.integers(4 * HOUR, DAY)), end - 1)
        flow = rng.uniform(0.5, 2.0) * values[:first].mean() * rng.lognormal(0, 0.1, end)
        factor = flow / np.where(values > 0, values, np.inf)
    inside = (np.arange(end) >= first) & (np.arange(end) <= last)
    if kind == "runaway":
        return np.where(inside, flow, 0.0), last
    return np.where(inside, values * factor, 0.0), last
