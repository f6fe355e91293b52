"""The groups whose percentile is largest, of one read: histograms cannot be ranked in SQL."""

from __future__ import annotations

from finops.costs.metrics import PERCENTILES, Sums, added, rank
from finops.costs.reading import Group, Reading, Usage, read_usage
from finops.costs.statements import MAX_ROWS, Key, Statement
from finops.histograms import Histogram
from finops.periods import bucket_starts
from finops.query import CostQuery


def read(reading: Reading, query: CostQuery) -> Usage | None:
    """The answer to a question for the groups with the largest percentile; None where it is none,
    or where so many groups may be in so many steps that they are ranked first."""
    if not (query.limit and query.group_by and query.metrics[0] in PERCENTILES):
        return None
    if not fits(reading, query):
        return None
    usage = read_usage(reading, query.replace(limit=None), None)
    named = largest(usage, *PERCENTILES[query.metrics[0]])[: query.limit]
    return with_others(usage, set(named))


def fits(reading: Reading, query: CostQuery) -> bool:
    """Whether no more rows can come than a statement may return."""
    [(attributions,)] = reading.fetch(Statement("SELECT count(*) FROM attribution", {}))
    steps = len(bucket_starts(query.period, query.granularity, query.zone)) or 1
    return bool(attributions * steps <= MAX_ROWS)


def largest(usage: Usage, histogram: str, fraction: float) -> list[tuple[Key, ...]]:
    """The groups by their percentile over the whole period."""
    held: dict[tuple[Key, ...], list[Histogram]] = {}
    for (_, _, keys), sums in usage.groups.items():
        held.setdefault(keys, []).append(sums.histograms[histogram])
    values = {
        keys: Histogram.merged(histograms).percentile(fraction) for keys, histograms in held.items()
    }
    return sorted(values, key=lambda keys: rank(values[keys], keys))


def with_others(usage: Usage, named: set[tuple[Key, ...]]) -> Usage:
    """The named groups, and the others of each step as one."""
    groups: dict[Group, Sums] = {}
    others: dict[Group, list[Sums]] = {}
    for (bucket, is_other, keys), sums in usage.groups.items():
        if keys in named:
            groups[bucket, is_other, keys] = sums
        else:
            others.setdefault((bucket, True, (None,) * len(keys)), []).append(sums)
    return Usage(
        {**groups, **{group: added(parts) for group, parts in others.items()}}, usage.total
    )
