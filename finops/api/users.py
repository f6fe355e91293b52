"""GET /api/v1/users: end users by cost, how concentrated it is, one of them, and limits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import costs, power_users
from finops.api import user_schema
from finops.api.costs import query_json, read_query
from finops.api.costs_csv import period_name
from finops.api.tables import csv_response
from finops.api.values import csv_value, instant, json_value
from finops.cells import text_cell
from finops.costs import RankedUser
from finops.periods import InvalidQuery
from finops.power_users import Concentration, Line
from finops.power_users.concentration import DIGITS, share
from finops.power_users.limits import Limits, read_amount, read_span
from finops.query import CostQuery, is_text, parse_filter

OWN = ("q", "cursor", "limit")
SHAPE = ("granularity", "group_by", "metrics", "compare")
LABELLED = 50
EVERYBODY = 10_000_000
CSV_COLUMNS = (
    *("place", "user", "effective_cost", "share", "cumulated_share"),
    *("requests", "unpriced_requests"),
)


class UsersView(APIView):
    @extend_schema(**user_schema.USERS_SCHEMA)
    def get(self, request: Request) -> Response:
        query = usage(request, OWN)
        search = single(request, "q", "")
        if not is_text(search):
            raise InvalidQuery("q", "must be text of at most 200 characters")
        size = whole_number(request, "limit", power_users.PAGE, 1, user_schema.LARGEST_PAGE)
        after = whole_number(request, "cursor", 0, 0, EVERYBODY)
        found = power_users.listing(
            query,
            *(timezone.now(), settings.CURRENCY),
            after=after,
            size=size,
            search=search,
            labelled=size <= LABELLED,
        )
        return Response(
            {
                **asked_json(query, found.ranking.freshness),
                "users": [line_json(each) for each in found.lines],
                "nobody": nobody_json(found.ranking.nobody),
                "note": found.note,
                "next_cursor": str(found.next_after) if found.next_after else None,
            }
        )


class ConcentrationView(APIView):
    @extend_schema(**user_schema.CONCENTRATION_SCHEMA)
    def get(self, request: Request) -> Response:
        query = usage(request)
        ranking = costs.rank_users(query)
        return Response(
            {
                **asked_json(query, ranking.freshness),
                **concentration_json(power_users.concentration(ranking.hundredths)),
                "users_without_known_cost": ranking.unknown,
                "nobody": nobody_json(ranking.nobody),
            }
        )


class LimitsView(APIView):
    @extend_schema(**user_schema.LIMITS_SCHEMA)
    def get(self, request: Request) -> Response:
        query = usage(request, ("span", "amount"))
        span = read_span(single(request, "span", power_users.DAY))
        chosen = read_amount(single(request, "amount", ""))
        return Response(limits_json(power_users.limits(query, span, timezone.now(), chosen)))


class UserView(APIView):
    @extend_schema(**user_schema.USER_SCHEMA)
    def get(self, request: Request, user: str) -> Response:
        if "user" in request.query_params:
            raise InvalidQuery("user", "stands in the path already")
        kept = parse_filter("user", user)
        if kept.exclude:
            raise InvalidQuery("user", "names one user; write a \\ before a name that begins so")
        query = usage(request)
        # Beside what narrows the query, and not merged with it.
        query = query.replace(filters=(*query.filters, kept))
        found = power_users.picture(query, timezone.now(), settings.CURRENCY)
        if found.user is None:
            raise NotFound("Nobody of this name used anything in this period that you see.")
        peers = found.peers
        return Response(
            {
                **asked_json(query, found.freshness),
                **user_json(found.user, found.share),
                "users": peers.users,
                "median_user_cost": json_value(peers.cost_at(50)) if peers.users else None,
                "labels": labels_json(found.profile.labels),
                "note": found.note,
                "days": [
                    {
                        "day": each.day.isoformat(),
                        "effective_cost": json_value(each.cost),
                        "requests": each.requests,
                        "unpriced_requests": each.unpriced_requests,
                    }
                    for each in found.profile.days
                ],
                "parts": {
                    dimension: [
                        {
                            "name": each.name,
                            "effective_cost": json_value(each.cost),
                            "requests": each.requests,
                        }
                        for each in parts
                    ]
                    for dimension, parts in found.parts.items()
                },
                "proposed_daily_limit": json_value(
                    found.own_limit.amount if found.own_limit else None
                ),
            }
        )


class UsersCsvView(APIView):
    """Every user, as the page's table; of sessions of the browser."""

    schema = None
    http_method_names = ("get", "head")

    def get(self, request: Request) -> StreamingHttpResponse:
        query = usage(request)
        ranking = costs.rank_users(query, size=EVERYBODY)
        peers = power_users.concentration(ranking.hundredths)
        name = f"users-{period_name(query)}.csv"
        rows = csv_rows((*ranking.page, *ranking.nobody), peers)
        return csv_response(name, CSV_COLUMNS, rows)


def usage(request: Request, own: tuple[str, ...] = ()) -> CostQuery:
    """The usage that is asked about. Raises InvalidQuery, also for what shapes answers of costs."""
    for name in (*SHAPE, *(each for each in ("limit",) if each not in own)):
        if name in request.query_params:
            raise InvalidQuery(name, "is no parameter here")
    return read_query(request, without=own).replace(granularity="total")


def single(request: Request, name: str, default: str) -> str:
    values = request.query_params.getlist(name)
    if len(values) > 1:
        raise InvalidQuery(name, "is given more than once")
    return values[0].strip() if values and values[0].strip() else default


def whole_number(request: Request, name: str, default: int, least: int, most: int) -> int:
    text = single(request, name, str(default))
    is_number = text.isascii() and text.isdigit() and len(text) <= 8
    if not (is_number and least <= int(text) <= most):
        raise InvalidQuery(name, f"must be a whole number from {least:,} to {most:,}")
    return int(text)


def asked_json(query: CostQuery, freshness: costs.Freshness) -> dict[str, Any]:
    shape = {"granularity", "group_by", "metrics", "limit", "compare"}
    return {
        "query": {name: value for name, value in query_json(query).items() if name not in shape},
        "currency": settings.CURRENCY,
        "freshness": freshness_json(freshness),
    }


def freshness_json(freshness: costs.Freshness) -> dict[str, Any]:
    return {
        "rolled_up_to": instant(freshness.rolled_up_to),
        "pending_events": freshness.pending_events,
        "recorded_since": instant(freshness.recorded_since),
    }


def user_json(user: RankedUser, part: Decimal | None) -> dict[str, Any]:
    return {
        "user": user.name,
        "place": user.place,
        "effective_cost": json_value(user.cost),
        "share": json_value(part),
        "requests": user.requests,
        "unpriced_requests": user.unpriced_requests,
    }


def line_json(line: Line) -> dict[str, Any]:
    return {
        **user_json(line.user, line.share),
        "cumulated_share": json_value(line.cumulated),
        "labels": None if line.profile is None else labels_json(line.profile.labels),
    }


def labels_json(labels: tuple[power_users.Label, ...]) -> list[dict[str, str]]:
    return [{"label": each.kind, "evidence": each.evidence} for each in labels]


def nobody_json(nobody: tuple[RankedUser, ...]) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "effective_cost": json_value(each.cost), "requests": each.requests}
        for each in nobody
    ]


def concentration_json(found: Concentration) -> dict[str, Any]:
    return {
        "users": found.users,
        "effective_cost": json_value(found.cost),
        "gini": json_value(found.gini),
        "gini_reason": found.reason,
        "top": [
            {
                "percent": each.percent,
                "users": each.users,
                "effective_cost": json_value(each.cost),
                "share": json_value(each.share),
            }
            for each in found.tops
        ],
        "curve": [
            {
                "users": each.users,
                "effective_cost": json_value(each.cost),
                "share": json_value(share(each.cost, found.cost)),
            }
            for each in found.points
        ],
    }


def limits_json(found: Limits) -> dict[str, Any]:
    return {
        "span": found.span,
        "currency": settings.CURRENCY,
        "freshness": freshness_json(found.freshness),
        "users": found.users,
        "limits": [
            {
                "amount": json_value(each.amount),
                "is_proposed": each.is_proposed,
                "savings": [
                    {
                        "start": instant(period.start),
                        "end": instant(period.end),
                        "saved": json_value(saving.excess.cost),
                        "share_of_cost": json_value(saving.cost_share),
                        "users": saving.excess.users,
                        "user_steps": saving.excess.steps,
                        "share_of_requests": json_value(saving.request_share),
                    }
                    for period, saving in zip(found.periods, each.savings, strict=True)
                ],
            }
            for each in found.limits
        ],
        "reason": found.reason,
    }


def csv_rows(users: tuple[RankedUser, ...], peers: Concentration) -> Iterator[list[str]]:
    """Nobody's usage comes last, without a place or a share."""
    spent = Decimal(0)
    for each in users:
        if not each.place:
            cells = ["", text_cell(each.name), csv_value(each.cost), "", ""]
        else:
            with localcontext(prec=DIGITS):
                spent += each.cost or Decimal(0)
            part = None if each.cost is None else share(each.cost, peers.cost)
            cells = [
                *(str(each.place), text_cell(each.name), csv_value(each.cost)),
                *(csv_value(part), csv_value(share(spent, peers.cost))),
            ]
        yield [*cells, str(each.requests), str(each.unpriced_requests)]
