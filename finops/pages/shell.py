"""What every page of figures does alike: parse, narrow, answer, say in place what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from finops import access, anomalies
from finops.costs import QueryTooSlow
from finops.pages import wants_fragment
from finops.pages.anomalies.rows import GoingOn, going_on_of
from finops.pages.filters import filter_bar
from finops.pages.links import address, nearest, parsed
from finops.periods import InvalidQuery
from finops.query import CostQuery
from finops.rollups import ZoneChanged

Context = dict[str, Any]
Controls = Callable[[CostQuery, datetime], Context]
# Of the query, and of the query without its reader's own filters: all of it that they may see.
Figures = Callable[[CostQuery, CostQuery, datetime], Context]


def going_on(request: HttpRequest) -> GoingOn | None:
    """What is not as expected now, in one line; None where nothing is."""
    return going_on_of(anomalies.open_now(access.standing(request.user)))


def show(
    request: HttpRequest,
    page: str,
    params: QueryDict,
    *,
    figures: Figures,
    controls: Controls,
    position: dict[str, str] | None = None,
    carried: dict[str, str] | None = None,
) -> HttpResponse:
    """The page, or for htmx its changing part, with `figures` of the query that `params` stand for.

    A wrong or unanswerable query leaves the controls standing. `position` is where in the answer
    the reader is, which belongs to the address and not to the query; `carried` is what the page
    asks besides the query, which links to other filters of it keep.
    """
    carried = carried or {}
    now = timezone.now()
    is_fragment = wants_fragment(request)
    context: Context = {"section": page, "is_fragment": is_fragment}
    context["may_budget"] = access.allows("budget-new", "POST", request.user)
    if page == "overview":
        context["going_on"] = going_on(request)
    status = 200
    query = None
    try:
        query = parsed(params, request.user, now)
        seen = access.narrow(query.replace(filters=()), request.user)
        context |= figures(query, seen, now)
    except InvalidQuery as error:
        query = nearest(params, request.user, now, error.field)
        kept = {} if error.field in carried else carried
        context |= {"error": error, "way_on": address(page, query, **kept)}
        status = 400
    except (QueryTooSlow, ZoneChanged) as error:
        assert query is not None
        context |= {"error": {"message": str(error)}, "way_on": ""}
        status = 503
    context |= controls(query, now) | {"bar": filter_bar(page, query, now, carried)}
    template = f"{page}/_results.html" if is_fragment else f"{page}/page.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    if is_fragment and status == 200:
        response["HX-Push-Url"] = address(page, query, **(position or {}), **carried)
    return response
