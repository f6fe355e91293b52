"""CostQuery: the one question behind every page, API answer, CSV, budget and report.

It parses from URL parameters and prints them back in canonical form: sorted, defaults left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from finops.periods import (
    DEFAULT_PERIOD,
    GRANULARITIES,
    JANUARY,
    InvalidQuery,
    Period,
    bucket_starts,
    parse_period,
    single,
    whole_day,
)

__all__ = ["DIMENSIONS", "METRICS", "CostQuery", "Filter", "InvalidQuery"]

# What groups and filters; "tag:<key>" does too, for every activated tag.
DIMENSIONS = (
    "provider",
    "model",
    "operation",
    "service",
    "feature",
    "team",
    "cost_center",
    "user",
    "environment",
    "region",
    "latency_tier",
    "service_tier",
    "status",
    "cache",
    "fleet",
    "variant",
)
TAG_PREFIX = "tag:"
# The value of a dimension of which a request has none.
UNATTRIBUTED = "Unattributed"
# Each metric with what its numbers are: money (Decimal), count (int) or milliseconds (float).
METRIC_KINDS = {
    "effective_cost": "money",
    "list_cost": "money",
    "billed_cost": "money",
    "requests": "count",
    "errors": "count",
    "input_tokens": "count",
    "output_tokens": "count",
    "cache_read_input_tokens": "count",
    "users": "count",
    "cost_per_request": "money",
    "cost_per_user": "money",
    "cost_per_million_tokens": "money",
    "latency_p50": "milliseconds",
    "latency_p95": "milliseconds",
    "latency_p99": "milliseconds",
    "ttft_p95": "milliseconds",
    "unpriced_requests": "count",
    "unpriced_tokens": "count",
}
METRICS = tuple(METRIC_KINDS)
LATENCY_METRICS = tuple(name for name, kind in METRIC_KINDS.items() if kind == "milliseconds")
DEFAULT_METRICS = ("effective_cost", "requests")
OWN_PARAMETERS = (
    "period",
    "start",
    "end",
    "granularity",
    "group_by",
    "metrics",
    "limit",
    "compare",
)
MAX_GROUPS = 4
MAX_LIMIT = 1_000
MAX_FILTER_VALUES = 500
MAX_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep only (or, with `exclude`, drop) the requests whose dimension has one of the values."""

    dimension: str
    values: tuple[str, ...]
    exclude: bool = False


@dataclass(frozen=True, slots=True)
class CostQuery:
    period: Period
    granularity: str
    group_by: tuple[str, ...]
    filters: tuple[Filter, ...]
    metrics: tuple[str, ...]
    limit: int | None
    compare: bool
    zone: ZoneInfo
    fiscal_month: int = JANUARY
    # Whose usage its reader sees, where that is not everybody's; finops.access says so.
    reader_teams: tuple[str, ...] | None = None

    @classmethod
    def from_params(
        cls,
        params: Mapping[str, Sequence[str]],
        *,
        now: datetime,
        zone: ZoneInfo,
        fiscal_month: int = JANUARY,
    ) -> CostQuery:
        """Parse URL parameters (name → values); raises InvalidQuery naming the wrong one."""
        check_names(params)
        period = parse_period(params, now=now, zone=zone, fiscal_month=fiscal_month)
        group_by = parse_list(params, "group_by", DIMENSIONS, "dimension")
        if len(group_by) > MAX_GROUPS:
            raise InvalidQuery("group_by", f"takes at most {MAX_GROUPS} dimensions")
        filters = parse_filters(params)
        granularity = single(params, "granularity") or grain_for(period)
        if granularity not in GRANULARITIES:
            raise InvalidQuery("granularity", unknown("granularity", granularity, GRANULARITIES))
        bucket_starts(period, granularity, zone)
        return cls(
            period=period,
            granularity=granularity,
            group_by=group_by,
            filters=filters,
            metrics=parse_list(params, "metrics", METRICS, "metric") or DEFAULT_METRICS,
            limit=parse_limit(single(params, "limit")),
            compare=parse_compare(single(params, "compare")),
            zone=zone,
            fiscal_month=fiscal_month,
        )

    def to_params(self) -> list[tuple[str, str]]:
        """The canonical URL parameters, sorted, defaults left out."""
        params = period_params(self.period, self.zone)
        if self.granularity != grain_for(self.period):
            params.append(("granularity", self.granularity))
        if self.group_by:
            params.append(("group_by", ",".join(self.group_by)))
        if self.metrics != DEFAULT_METRICS:
            params.append(("metrics", ",".join(self.metrics)))
        if self.limit is not None:
            params.append(("limit", str(self.limit)))
        if self.compare:
            params.append(("compare", "previous"))
        for each in self.filters:
            params += [(each.dimension, written(value, each.exclude)) for value in each.values]
        return sorted(params)

    def replace(self, **changes: object) -> CostQuery:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def with_filter(self, dimension: str, *values: str, exclude: bool = False) -> CostQuery:
        """Add values to what the dimension keeps (or drops)."""
        added = Filter(dimension, values, exclude)
        return self.replace(filters=merged([*self.filters, added]))

    def without_filter(self, dimension: str, *values: str) -> CostQuery:
        """Drop the dimension's filters, or only these values of them."""
        kept = []
        for each in self.filters:
            left = tuple(value for value in each.values if values and value not in values)
            if each.dimension != dimension:
                kept.append(each)
            elif left:
                kept.append(dataclasses.replace(each, values=left))
        return self.replace(filters=tuple(kept))

    def dimensions(self) -> set[str]:
        """Every dimension that the answer depends on."""
        return {*self.group_by, *(each.dimension for each in self.filters)}


def grain_for(period: Period) -> str:
    """The granularity of a chart that a person can read: hours, days, weeks or months."""
    length = period.end - period.start
    if length <= timedelta(hours=48):
        return "hour"
    if length <= timedelta(days=40):
        return "day"
    return "week" if length <= timedelta(weeks=53) else "month"


def check_names(params: Mapping[str, Sequence[str]]) -> None:
    for name in params:
        if name not in OWN_PARAMETERS and not is_dimension(name):
            raise InvalidQuery(name, unknown("parameter", name, (*OWN_PARAMETERS, *DIMENSIONS)))


def is_dimension(name: str) -> bool:
    is_tag = name.startswith(TAG_PREFIX) and name != TAG_PREFIX
    return name in DIMENSIONS or (is_tag and is_text(name))


def is_text(value: str) -> bool:
    """Whether the database can hold it: short, no NUL, no half of a surrogate pair."""
    is_unicode = not any("\ud800" <= character <= "\udfff" for character in value)
    return len(value) <= MAX_VALUE_LENGTH + len(TAG_PREFIX) and "\x00" not in value and is_unicode


def unknown(noun: str, name: str, known: Sequence[str]) -> str:
    nearest = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(known)}"
    return f"unknown {noun} {name[:80]!r}; {hint}"


def parse_list(
    params: Mapping[str, Sequence[str]], field: str, known: Sequence[str], noun: str
) -> tuple[str, ...]:
    """Comma-separated or repeated names, in the order given, each once."""
    values = params.get(field, ())
    values = [values] if isinstance(values, str) else values
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    for name in names:
        if name not in known and not (noun == "dimension" and is_dimension(name)):
            raise InvalidQuery(field, unknown(noun, name, known))
    return tuple(dict.fromkeys(names))


def parse_filters(params: Mapping[str, Sequence[str]]) -> tuple[Filter, ...]:
    found = []
    for dimension, values in params.items():
        if is_dimension(dimension):
            given = [values] if isinstance(values, str) else values
            found += [parse_filter(dimension, value) for value in given]
    if len(found) > MAX_FILTER_VALUES:
        raise InvalidQuery(found[-1].dimension, f"at most {MAX_FILTER_VALUES} filter values")
    return merged(found)


def parse_filter(dimension: str, text: str) -> Filter:
    r"""`value` keeps, `!value` excludes; a value that begins with ! or \ has a \ before it."""
    exclude = text.startswith("!")
    value = text[1:] if exclude else text
    value = value[1:] if value.startswith("\\") else value
    if not value:
        raise InvalidQuery(dimension, "is empty; write Unattributed for requests without one")
    if not is_text(value) or len(value) > MAX_VALUE_LENGTH:
        raise InvalidQuery(dimension, f"must be text of at most {MAX_VALUE_LENGTH} characters")
    return Filter(dimension, (value,), exclude)


def written(value: str, exclude: bool) -> str:
    escaped = "\\" + value if value.startswith(("!", "\\")) else value
    return "!" + escaped if exclude else escaped


def merged(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """One filter per dimension and sense, values sorted: equal questions are equal objects."""
    values: dict[tuple[str, bool], set[str]] = {}
    for each in filters:
        values.setdefault((each.dimension, each.exclude), set()).update(each.values)
    return tuple(
        Filter(dimension, tuple(sorted(held)), exclude)
        for (dimension, exclude), held in sorted(values.items())
    )


def parse_limit(text: str) -> int | None:
    if not text:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= 6
    if not (is_number and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidQuery("limit", f"must be a whole number from 1 to {MAX_LIMIT:,}")
    return int(text)


def parse_compare(text: str) -> bool:
    if text not in {"", "previous"}:
        raise InvalidQuery("compare", f"{text[:80]!r} is unknown; write previous")
    return text == "previous"


def period_params(period: Period, zone: ZoneInfo) -> list[tuple[str, str]]:
    if period.label:
        return [] if period.label == DEFAULT_PERIOD else [("period", period.label)]
    return [
        ("start", instant_text(period.start, zone)),
        ("end", instant_text(period.end, zone)),
    ]


def instant_text(instant: datetime, zone: ZoneInfo) -> str:
    """A date where a day begins, else the instant in UTC."""
    day = whole_day(instant, zone)
    return day.isoformat() if day else instant.isoformat().replace("+00:00", "Z")
