"""Addresses of queries: every state of a page is a canonical query string."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.urls import reverse

from finops import access
from finops.labels import DRILL_PATH
from finops.organisation.calendar import fiscal_first_month
from finops.periods import Period
from finops.prospects import COSTS
from finops.query import DEFAULT_METRICS, CostQuery, Filter, InvalidQuery, grain_for, written

# Pages whose address without a period means another one than a query without it.
PAGE_PERIODS = {"overview": "mtd", "explain": "7d"}
PERIOD_PARAMETERS = ("period", "start", "end", "granularity")
START_OF_PATH = DRILL_PATH[1:]


def parsed(params: QueryDict, user: AbstractBaseUser | AnonymousUser, now: datetime) -> CostQuery:
    """The query that an address stands for, narrowed to what the reader may see.

    Raises InvalidQuery where it stands for none.
    """
    query = CostQuery.from_params(
        dict(params.lists()),
        now=now,
        zone=settings.REPORTING_ZONE,
        fiscal_month=fiscal_first_month(),
    )
    return access.narrow(query, user)


def nearest(
    params: QueryDict, user: AbstractBaseUser | AnonymousUser, now: datetime, wrong: str
) -> CostQuery:
    """What remains of a wrong address without its wrong parameters: filters are not lost."""
    kept = params.copy()
    kept.pop(wrong, None)
    while True:
        try:
            return parsed(kept, user, now)
        except InvalidQuery as error:
            # What is wrong only together with other parameters takes the period's with it.
            names = (error.field,) if error.field in kept else PERIOD_PARAMETERS
            if not any(kept.pop(name, None) for name in names):
                kept.clear()


def address(page: str, query: CostQuery, **more: str) -> str:
    """/explore?group_by=team&period=7d"""
    text = urlencode([*address_params(page, query), *more.items()], safe=",:")
    return f"{reverse(page)}?{text}" if text else reverse(page)


def address_params(page: str, query: CostQuery) -> list[tuple[str, str]]:
    """The parameters of a page's address, sorted, what the page would choose left out."""
    params = dict.fromkeys(query.to_params())
    if page in PAGE_PERIODS and query.period.label:
        params.pop(("period", query.period.label), None)
        if query.period.label != PAGE_PERIODS[page]:
            params["period", query.period.label] = None
    return sorted(params)


def drilled(query: CostQuery, keys: tuple[str, ...]) -> str:
    """One group's own page: its values as filters, grouped by the next dimension on the way down.

    At the end of the way it is the requests themselves.
    """
    for dimension, value in zip(query.group_by, keys, strict=True):
        query = query.without_filter(dimension).with_filter(dimension, value)
    onward = next_dimension(query)
    if onward is None:
        return address("requests", only_filters(query))
    return address("explore", query.replace(group_by=(onward,), limit=None))


def narrowed(query: CostQuery, dimension: str, value: str) -> str:
    """One value of one dimension of the grouping, by what else it is grouped by."""
    rest = tuple(name for name in query.group_by if name != dimension)
    if not rest:
        return drilled(query, (value,))
    only = query.without_filter(dimension).with_filter(dimension, value)
    return address("explore", only.replace(group_by=rest, limit=None))


def zoomed(query: CostQuery, start: datetime, end: datetime) -> str:
    """One step of the query in finer steps; of an hour the requests themselves."""
    period = Period(max(start, query.period.start), min(end, query.period.end))
    closer = query.replace(period=period, granularity=grain_for(period))
    if query.granularity == "hour":
        return address("requests", only_filters(closer))
    return address("explore", closer)


def next_dimension(query: CostQuery) -> str | None:
    """What to group by after `query.group_by` is settled: deeper on the path, not yet fixed."""
    fixed = {each.dimension for each in query.filters if is_single(each)}
    depths = [DRILL_PATH.index(name) for name in query.group_by if name in DRILL_PATH]
    deeper = DRILL_PATH[max(depths) + 1 :] if depths else START_OF_PATH
    return next((name for name in deeper if name not in fixed), None)


def explain_href(query: CostQuery) -> str:
    """Why these costs differ from those of the period before."""
    return address(
        "explain", only_filters(query).replace(group_by=query.group_by, metrics=DEFAULT_METRICS)
    )


def forecast_href(query: CostQuery, page: str = "forecast") -> str:
    """Where these costs are heading, by what they are grouped by first."""
    metrics = query.metrics[:1] if query.metrics[0] in COSTS else DEFAULT_METRICS[:1]
    kept = [(f.dimension, written(v, f.exclude)) for f in query.filters for v in f.values]
    grouped = [("group_by", name) for name in query.group_by[:1]]
    chosen = [("metrics", name) for name in metrics if name != DEFAULT_METRICS[0]]
    text = urlencode([*kept, *grouped, *chosen], safe=",:")
    return f"{reverse(page)}?{text}" if text else reverse(page)


def only_filters(query: CostQuery) -> CostQuery:
    """The same requests without a way to add them up."""
    return query.replace(
        group_by=(), limit=None, compare=False, granularity=grain_for(query.period)
    )


def breadcrumb(query: CostQuery) -> list[tuple[str, str]]:
    """The way from all costs down to this page; each crumb drops the filters to its right."""
    single = {f.dimension: f.values[0] for f in query.filters if is_single(f)}
    order = [*DRILL_PATH, *sorted(name for name in single if name not in DRILL_PATH)]
    path = [(name, single[name]) for name in order if name in single]
    top = query.replace(filters=tuple(f for f in query.filters if f.dimension not in single))
    crumbs = [("All costs", address("explore", top.replace(group_by=START_OF_PATH[:1])))]
    for dimension, value in path:
        top = top.with_filter(dimension, value).replace(group_by=(dimension,))
        onward = next_dimension(top) or dimension
        crumbs.append((value, address("explore", top.replace(group_by=(onward,)))))
    return crumbs


def is_single(each: Filter) -> bool:
    return not each.exclude and len(each.values) == 1
