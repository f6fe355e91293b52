"""Addresses of queries: every state of a page is a canonical query string."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from finops import access
from finops.labels import DRILL_PATH
from finops.query import CostQuery

START_OF_PATH = ("team", "feature", "model", "operation", "user")


def asked(request: HttpRequest, now: datetime, ignore: tuple[str, ...] = ()) -> CostQuery:
    """The query of the page's address, narrowed to what the reader may see."""
    params = {name: values for name, values in request.GET.lists() if name not in ignore}
    query = CostQuery.from_params(params, now=now, zone=settings.REPORTING_ZONE)
    return access.narrow(query, request.user)


def address(page: str, query: CostQuery, **more: str) -> str:
    """/explore?group_by=team&period=7d"""
    params = urlencode([*query.to_params(), *more.items()], safe=",:")
    return f"{reverse(page)}?{params}" if params else reverse(page)


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


def next_dimension(query: CostQuery) -> str | None:
    """What to group by after `query.group_by` is settled: deeper on the path, not yet fixed."""
    fixed = {each.dimension for each in query.filters if not each.exclude and len(each.values) == 1}
    depths = [DRILL_PATH.index(name) for name in query.group_by if name in DRILL_PATH]
    deeper = DRILL_PATH[max(depths) + 1 :] if depths else START_OF_PATH
    return next((name for name in deeper if name not in fixed), None)


def only_filters(query: CostQuery) -> CostQuery:
    """The same requests without a way to add them up."""
    return query.replace(group_by=(), limit=None, compare=False)
