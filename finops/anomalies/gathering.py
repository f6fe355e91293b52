"""Reads the series that are judged: the largest by money, of each grouping."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from finops import costs
from finops.anomalies.measures import Metric, Step, value
from finops.anomalies.minutes import Minutes, MinuteSeries, series_of
from finops.anomalies.scales import Scale
from finops.anomalies.series import GROUPINGS, MOST_USERS, USERS, WHOLE, Key
from finops.costs import UNATTRIBUTED, CostRow, QueryTooSlow
from finops.periods import Period, local_day, start_of_day
from finops.query import CostQuery

MOST_MINUTE_SERIES = 60
USER_DAYS = timedelta(days=60)
METRICS = (
    *("effective_cost", "requests", "errors", "input_tokens", "output_tokens"),
    *("cache_read_input_tokens", "unpriced_requests", "unpriced_tokens"),
)
WITH_LATENCY = frozenset({(), ("feature",), ("model",)})


class Series(Protocol):
    """A series at one scale, from the first step in which anything was used."""

    @property
    def key(self) -> Key: ...
    @property
    def start(self) -> datetime: ...
    def __len__(self) -> int: ...
    def starts(self) -> Sequence[datetime]: ...
    def values(self, metric: Metric) -> list[float | None]: ...
    def steps(self, first: int, last: int) -> list[Step]: ...


@dataclass(frozen=True, slots=True)
class LongSeries:
    """Hours or days, from the first that anything was used in."""

    key: Key
    begins: Sequence[datetime]
    held: Sequence[Step]

    @property
    def start(self) -> datetime:
        return self.begins[0]

    def starts(self) -> Sequence[datetime]:
        return self.begins

    def __len__(self) -> int:
        return len(self.held)

    def values(self, metric: Metric) -> list[float | None]:
        known = (value(metric, each) for each in self.held)
        return [None if each is None else float(each) for each in known]

    def steps(self, first: int, last: int) -> list[Step]:
        return list(self.held[first : last + 1])


@dataclass(slots=True)
class Gathered:
    """`left_out` counts series that are there and not judged; `problems` say what was not read."""

    series: list[Series]
    left_out: int = 0
    problems: list[str] | None = None


def of_minutes(held: Minutes, end: datetime, wanted: Collection[Key]) -> Gathered:
    """The largest by the cost of the last day, and what is `wanted` however small it is."""
    places = {key: at for names in GROUPINGS for key, at in held.groups(names).items()}
    sizes = {key: held.cost_of(at) for key, at in places.items()}
    ranked = sorted(sizes, key=lambda key: (key not in wanted, -sizes[key], len(key.filters), key))
    chosen = [key for key in ranked if key in wanted or says_more(key, sizes)]
    found: list[Series] = []
    for key in chosen[: MOST_MINUTE_SERIES + len(wanted)]:
        series: MinuteSeries = series_of(held, key, places[key], end)
        if len(series):
            found.append(series)
    return Gathered(found, len(chosen) - len(found))


def says_more(key: Key, sizes: Mapping[Key, float]) -> bool:
    """Whether a feature's model is less than all of that feature, or of that model."""
    if dict(key.filters).keys() != {"feature", "model"}:
        return True
    wider = [sizes.get(Key((each,)), 0) for each in key.filters]
    return all(sizes[key] < WHOLE * each for each in wider)


def of_long(scale: Scale, end: datetime, zone: ZoneInfo) -> Iterator[Gathered]:
    """Hours or days of every grouping, one after the other."""
    for names, most in GROUPINGS.items():
        has_latency = scale.name == "hour" and names in WITH_LATENCY
        yield gathered(scale, end, zone, names, most, scale.history, has_latency=has_latency)
    if scale.name == "day":
        yield gathered(scale, end, zone, USERS, MOST_USERS, USER_DAYS)


def gathered(
    scale: Scale,
    end: datetime,
    zone: ZoneInfo,
    names: tuple[str, ...],
    most: int,
    history: timedelta,
    *,
    has_latency: bool = False,
) -> Gathered:
    start = start_of_day(local_day(end - history, zone), zone)
    query = question(scale, Period(start, end), zone, has_latency=has_latency)
    query = query.replace(group_by=names, limit=most + (names == USERS) if names else None)
    try:
        result = costs.run(query)
    except QueryTooSlow:
        by = " and ".join(names) or "all usage"
        return Gathered([], problems=[f"{by} takes too long to read"])
    rows: dict[Key, dict[datetime, Step]] = {}
    for row in result.rows:
        # Usage without a user is nobody's: no user, and no place of one.
        is_nobody = names == USERS and row.keys == (UNATTRIBUTED,)
        if not row.is_other and row.start and not is_nobody:
            rows.setdefault(Key.grouped(names, row.keys), {})[row.start] = step_of(row)
    starts = scale.starts(start, end, zone)
    found = [series for key, held in rows.items() if (series := long_series(key, held, starts))]
    is_more = any(row.is_other for row in result.rows)
    return Gathered(list(found), 1 if is_more else 0)


def question(scale: Scale, period: Period, zone: ZoneInfo, *, has_latency: bool) -> CostQuery:
    return CostQuery(
        period=period,
        granularity=scale.name,
        group_by=(),
        filters=(),
        metrics=(*METRICS, "latency_p95") if has_latency else METRICS,
        limit=None,
        compare=False,
        zone=zone,
    )


def long_series(
    key: Key, held: Mapping[datetime, Step], starts: Sequence[datetime]
) -> LongSeries | None:
    """From the first step with usage; in steps without any nothing was used."""
    first = next((at for at, start in enumerate(starts) if start in held), None)
    if first is None:
        return None
    return LongSeries(key, starts[first:], [held.get(start) or Step() for start in starts[first:]])


def step_of(row: CostRow) -> Step:
    def count(name: str) -> int:
        return int(row.values[name] or 0)

    latency = row.values.get("latency_p95")
    return Step(
        requests=count("requests"),
        unpriced_requests=count("unpriced_requests"),
        errors=count("errors"),
        tokens=count("input_tokens") + count("output_tokens"),
        unpriced_tokens=count("unpriced_tokens"),
        input_tokens=count("input_tokens"),
        cached_tokens=count("cache_read_input_tokens"),
        cost=Decimal(row.values["effective_cost"] or 0),
        latency_p95=None if latency is None else float(latency),
    )
