"""/api/v1/exchange-rates: rates by day, to read and to import."""

from __future__ import annotations

from datetime import date, timedelta
from tempfile import TemporaryFile
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from finops import exchange_imports
from finops.api import exchange_schema as schema
from finops.api.ownership import act, receive
from finops.api.parameters import given
from finops.api.values import instant
from finops.exchange import EURO
from finops.models import ExchangeFixing
from finops.periods import InvalidQuery

MOST_DAYS = 3_700


class ExchangeRatesView(APIView):
    @extend_schema(**schema.RATES_SCHEMA)
    def get(self, request: Request) -> Response:
        asked = given(request, ("start", "end", "superseded"))
        newest = ExchangeFixing.objects.order_by("-day").values_list("day", flat=True).first()
        end = day_of(asked, "end") or (newest or date.today()) + timedelta(days=1)
        start = day_of(asked, "start") or end - timedelta(days=31)
        if not start < end <= start + timedelta(days=MOST_DAYS):
            raise InvalidQuery("end", f"is after start, by at most {MOST_DAYS} days")
        held = ExchangeFixing.objects.filter(day__gte=start, day__lt=end)
        if is_not(asked, "superseded"):
            held = held.filter(superseded_at=None)
        return Response(
            {
                "base": EURO,
                "currency": settings.CURRENCY,
                "rates": [fixing_json(each) for each in held],
            }
        )

    @extend_schema(**schema.IMPORT_SCHEMA)
    def post(self, request: Request) -> Response:
        asked = given(request, ("source", "corrects"))
        corrects = not is_not(asked, "corrects")
        with TemporaryFile() as file:
            receive(request, file)
            content = file.read()
        source = asked.get("source", exchange_imports.ECB)
        done = exchange_imports.take(content, source, act(request), corrects=corrects)
        return Response(exchange_imports.told(done), status=201 if done.is_new else 200)


def is_not(asked: dict[str, str], name: str) -> bool:
    if asked.get(name, "") not in {"", "1"}:
        raise InvalidQuery(name, "is 1 or left out")
    return not asked.get(name)


def day_of(asked: dict[str, str], name: str) -> date | None:
    if not (text := asked.get(name, "")):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidQuery(name, "is a day like 2026-11-20") from None


def fixing_json(each: ExchangeFixing) -> dict[str, Any]:
    return {
        "id": each.pk,
        "day": each.day.isoformat(),
        "rates": each.rates,
        "source": each.source,
        "imported_at": instant(each.imported_at),
        "imported_by": each.imported_by,
        "superseded_at": instant(each.superseded_at),
    }
