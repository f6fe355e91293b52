"""How many incidents one is told as: `python bench/incidents.py [name]…`.

A company of three teams, five features and three models is used for five weeks, by the minute.
Then something happens to it, and turns are taken as the product takes them: minutes, hours and days
of all groupings are judged, and what is found is joined and grouped. Printed are the incidents of a
warning or worse that ever led (* to the end), each with its beginning, money and whether it is
over, beside the money that was really added. Nothing is stored: there is no database.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finops.settings")

import django  # noqa: E402

if __name__ == "__main__":
    django.setup()

from finops.anomalies import coarser, incidents, keeping, severities  # noqa: E402
from finops.anomalies.findings import Judged, judge_series  # noqa: E402
from finops.anomalies.gathering import LongSeries, Series  # noqa: E402
from finops.anomalies.keeping import Departure  # noqa: E402
from finops.anomalies.measures import BY_SCALE, Metric, Step  # noqa: E402
from finops.anomalies.minutes import UNIT, MinuteSeries  # noqa: E402
from finops.anomalies.scales import DAY, HOUR, MINUTE, Scale  # noqa: E402
from finops.anomalies.series import GROUPINGS, Key  # noqa: E402
from finops.models import Anomaly  # noqa: E402

ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 10, 15, 10, 3, tzinfo=UTC)  # a Thursday; when it happens
DAYS = 36
START = datetime(2026, 9, 10, tzinfo=UTC)
AFTER = timedelta(days=3)
LENGTH = int((NOW + AFTER - START) / timedelta(minutes=1))
AT = int((NOW - START) / timedelta(minutes=1))
# Team, feature, model, requests a minute, tokens of a request, cached share, cost of 1M tokens
COMPANY = (
    ("cx", "answers", "sonnet", 12.0, 3000, 0.6, 3.0),
    ("cx", "answers", "haiku", 20.0, 2000, 0.5, 0.8),
    ("cx", "summaries", "haiku", 8.0, 5000, 0.1, 0.8),
    ("dev", "agent", "sonnet", 5.0, 9000, 0.7, 3.0),
    ("dev", "agent", "opus", 1.5, 12000, 0.7, 12.0),
    ("dev", "review", "sonnet", 3.0, 8000, 0.2, 3.0),
    ("ads", "copy", "haiku", 10.0, 1500, 0.0, 0.8),
    ("ads", "copy", "sonnet", 2.0, 1500, 0.0, 3.0),
)
CACHED_COST = 0.1
# Those that turns judge each time, or say how a cost came about.
METRICS = {
    "minute": (Metric.COST,),
    "hour": (Metric.COST, Metric.UNIT_PRICE, Metric.CACHE_SHARE),
    "day": BY_SCALE["day"],
}
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass
class Leaf:
    """Minutes of one team, feature and model."""

    requests: Floats
    tokens: Floats
    cached: Floats
    price: Floats
    errors: Floats

    def cost(self) -> Floats:
        paid = (1 - self.cached) + self.cached * CACHED_COST
        found: Floats = self.requests * self.tokens * paid * self.price / 1e6
        return found


Leaves = dict[tuple[str, str, str], Leaf]


def company(seed: int = 1) -> Leaves:
    dice = np.random.default_rng(seed)
    minute = np.arange(LENGTH)
    hour = minute / 60 % 24
    day = (minute // 1440 + START.weekday()) % 7
    rhythm = (0.35 + 0.65 * np.exp(-(((hour - 14) / 5) ** 2))) * np.where(day < 5, 1.0, 0.45)
    found: Leaves = {}
    for team, feature, model, rate, tokens, cached, price in COMPANY:
        requests = dice.poisson(rate * rhythm).astype(float)
        spread = 0.6 / np.sqrt(np.maximum(requests, 1))
        found[team, feature, model] = Leaf(
            requests, tokens * np.exp(dice.normal(0, spread)),
            np.clip(cached + dice.normal(0, 0.1 * spread), 0, 1), np.full(LENGTH, price),
            dice.binomial(requests.astype(int), 0.01).astype(float),
        )  # fmt: skip
    return found


def span(minutes: float, after: float = 0) -> slice:
    return slice(AT + int(after), min(AT + int(after + minutes), LENGTH))


def runaway(leaves: Leaves, minutes: int = 45, requests: float = 30, after: int = 0) -> None:
    held, when = leaves["dev", "agent", "opus"], span(minutes, after)
    old = held.requests[when].copy()
    more = np.random.default_rng(5).poisson(requests, len(old))
    held.tokens[when] = (held.tokens[when] * old + 20_000 * more) / (old + more)
    held.cached[when] = (held.cached[when] * old + 0.2 * more) / (old + more)
    held.requests[when] = old + more


def feature_times(leaves: Leaves, times: float = 3, minutes: int = 6 * 60) -> None:
    for (_, feature, _), leaf in leaves.items():
        if feature == "answers":
            leaf.requests[span(minutes)] *= times


def price_change(leaves: Leaves, times: float = 2) -> None:
    for (_, _, model), leaf in leaves.items():
        if model == "haiku":
            leaf.price[span(LENGTH)] *= times


def model_switch(leaves: Leaves) -> None:
    old, new = leaves["ads", "copy", "haiku"], leaves["ads", "copy", "sonnet"]
    new.requests[span(LENGTH)] += old.requests[span(LENGTH)]
    old.requests[span(LENGTH)] = 0


def outage(leaves: Leaves, minutes: int = 150) -> None:
    for (_, feature, _), leaf in leaves.items():
        if feature == "answers":
            leaf.requests[span(minutes)] = 0


def cache_loss(leaves: Leaves) -> None:
    for (_, feature, _), leaf in leaves.items():
        if feature == "agent":
            leaf.cached[span(LENGTH)] = 0.0


def bursts(leaves: Leaves) -> None:
    for after in range(0, 400, 50):
        runaway(leaves, 15, 40, after)


def shift_and_runaway(leaves: Leaves) -> None:
    for (_, feature, _), leaf in leaves.items():
        if feature == "agent":
            leaf.requests[AT - 3 * 1440 :] *= 1.5
    runaway(leaves, 60)


@dataclass(frozen=True)
class Case:
    happens: Callable[[Leaves], None]
    minutes: int = LENGTH - AT


CASES = {
    "runaway": Case(runaway, 45),
    "long runaway": Case(lambda leaves: runaway(leaves, 30 * 60, 8), 30 * 60),
    "bursts": Case(bursts, 365),
    "feature": Case(feature_times, 360),
    "price": Case(price_change),
    "switch": Case(model_switch),
    "outage": Case(outage, 150),
    "cache": Case(cache_loss),
    "twice": Case(shift_and_runaway, 60),
    "nothing": Case(lambda leaves: None, 0),
}


def summed(leaves: Leaves, names: tuple[str, ...]) -> dict[Key, dict[str, Floats]]:
    """Columns by group."""
    found: dict[Key, dict[str, Floats]] = {}
    for (team, feature, model), leaf in leaves.items():
        labels = {"team": team, "feature": feature, "model": model}
        tokens = leaf.requests * leaf.tokens
        columns = {
            "requests": leaf.requests, "errors": leaf.errors, "tokens": tokens,
            "cached": tokens * leaf.cached * 0.9, "cost": leaf.cost(),
        }  # fmt: skip
        held = found.setdefault(Key.grouped(names, [labels[name] for name in names]), {})
        for name, column in columns.items():
            held[name] = held[name] + column if name in held else column
    return found


def series_at(
    groups: Mapping[Key, dict[str, Floats]], scale: Scale, end: datetime
) -> Iterator[Series]:
    size = int(scale.step / timedelta(minutes=1))
    upto = int((end - START) / timedelta(minutes=1))
    first = max(upto - int(scale.history / timedelta(minutes=1)), 0)
    first = -(-first // size) * size
    for key, held in groups.items():
        part = {name: column[first:upto] for name, column in held.items()}
        if scale is MINUTE:
            cost = np.round(part["cost"] * float(UNIT))
            rows = [part["requests"], part["errors"], cost, np.zeros_like(cost)]
            start = START + timedelta(minutes=first)
            yield MinuteSeries(key, start, np.array(rows).astype(np.int64))
            continue
        sums = {name: column.reshape(-1, size).sum(axis=1) for name, column in part.items()}
        steps = [
            Step(
                requests=int(sums["requests"][at]), errors=int(sums["errors"][at]),
                tokens=int(sums["tokens"][at]), input_tokens=int(sums["tokens"][at] * 0.9),
                cached_tokens=int(sums["cached"][at]),
                cost=Decimal(str(round(sums["cost"][at], 9))),
            )
            for at in range(len(sums["cost"]))
        ]  # fmt: skip
        starts = [START + timedelta(minutes=first) + scale.step * at for at in range(len(steps))]
        yield LongSeries(key, starts, steps)


@dataclass
class Record:
    """What the database would hold."""

    held: dict[tuple[str, str], list[Departure]] = field(default_factory=dict)
    judged: dict[str, datetime] = field(default_factory=dict)
    rows_made: int = 0

    def rows(self) -> list[Anomaly]:
        return [each.row for found in self.held.values() for each in found]

    def turn(self, leaves: Leaves, groups: Mapping[Key, dict[str, Floats]], now: datetime) -> None:
        for scale in (MINUTE, HOUR, DAY):
            end = scale.end(now, ZONE)
            if self.judged.get(scale.name) == end:
                continue
            self.judged[scale.name] = end
            judged, known = Judged(scale), coarser.by_slot(scale, self.rows())
            for series in series_at(groups, scale, end):
                judge_series(judged, series, end, [], METRICS[scale.name], known)
            self.keep(judged, now)

    def keep(self, judged: Judged, now: datetime) -> None:
        for found in self.held.values():
            for each in found:
                each.is_seen = False
        keeping.place(judged.findings, self.held, judged.scale, now)
        slots = {(key.name, str(metric)) for key, metric in judged.slots}
        for slot, found in self.held.items():
            for each in found:
                if each.is_seen or (slot in slots and keeping.let_go(each, judged.scale.name)):
                    keeping.settle(each.row, list(each.views.values()), now)
                    each.row.severity = severities.severity_of(each.row, severities.DEFAULTS)
        for row in self.rows():
            self.rows_made += not row.pk
            row.pk = row.pk or self.rows_made

    def leading(self) -> list[Anomaly]:
        rows = self.rows()
        found = incidents.leads(incidents.member(each) for each in rows)
        return [e for e in rows if e.pk not in found and e.severity != "info"]


def turns(minutes: int) -> list[datetime]:
    """A few of each kind of moment: within minutes, after hours, after midnights."""
    after = [8, 40, 75, 190, 400, minutes + 20, minutes + 80, 860, 2300]
    moments = sorted({each for each in after if each < AFTER / timedelta(minutes=1)})
    return [NOW + timedelta(minutes=each, seconds=100) for each in moments]


def main(names: list[str]) -> None:
    for name in names or CASES:
        case, leaves, usual = CASES[name], company(), company()
        case.happens(leaves)
        truth = sum(float((leaves[k].cost() - usual[k].cost())[AT:].sum()) for k in leaves)
        groups = {k: v for names in GROUPINGS for k, v in summed(leaves, names).items()}
        record, seen = Record(), dict[int, datetime]()
        for now in turns(case.minutes):
            record.turn(leaves, groups, now)
            for each in record.leading():
                seen.setdefault(each.pk, now)
        print(f"{name}: {case.minutes} min, {truth:+.2f} USD; {len(seen)} ever led", flush=True)
        final = {each.pk for each in record.leading()}
        for each in record.rows():
            if each.pk in seen:
                state = "open" if each.closed_at is None else "over"
                impact = "?" if each.impact is None else f"{each.impact:+.2f}"
                when = f"{each.started_at:%d %H:%M}–{each.ended_at:%d %H:%M} {state}"
                what = f"{'*' if each.pk in final else ' '} {each.metric} {each.series or 'all'}"
                print(f"   {what} {each.severity} {when} {impact} {'+'.join(each.spans)}")


if __name__ == "__main__":
    main(sys.argv[1:])
