"""The calculator: what a month of requests would cost."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from finops import formats, projections
from finops.pages.prices import frame
from finops.periods import InvalidQuery

EXAMPLE = {
    "requests_per_day": "100000",
    "input_tokens": "500",
    "output_tokens": "300",
    "cached_percent": "45",
    "cost_per_cached_request": "0.0001",
    "input_price_per_million": "30",
    "output_price_per_million": "60",
}
LOAD = (
    ("requests_per_day", "Requests a day", ""),
    ("input_tokens", "Input tokens of a request", ""),
    ("output_tokens", "Output tokens of a request", ""),
    ("cached_percent", "Answered from the cache, %", ""),
    ("cost_per_cached_request", f"Cost of a cached request, {settings.CURRENCY}", ""),
    ("days", "Days of the month", "30 when left out."),
)
PRICE = (
    ("input_price_per_million", f"Input, {settings.CURRENCY} per million tokens", ""),
    ("output_price_per_million", f"Output, {settings.CURRENCY} per million tokens", ""),
)
MODEL = (
    ("model", "Model", "As clients name it; its price in the ledger now, contracts included."),
    ("provider", "Provider", "Can be left out where the model's name says it."),
    ("service_tier", "Service tier", "standard when left out."),
)


@require_GET
def calculator(request: HttpRequest) -> HttpResponse:
    """What is asked is in the address; an empty one shows the example."""
    asked = {name: text for name in request.GET if (text := request.GET[name].strip())}
    params = asked or EXAMPLE
    context = frame(request, "calculator", "What would it cost?")
    now = timezone.now()
    errors = projections.problems(params, now)
    if errors:
        fields = {name for group in (LOAD, PRICE, MODEL) for name, *_ in group}
        context["others"] = [each for name, each in errors.items() if name not in fields]
        context["has_errors"] = True
    else:
        found = projections.answer(params, now)
        context |= {"kpis": _kpis(found), "lines": found.lines}
    context["groups"] = [
        (title, [_field(each, params, errors.get(each[0])) for each in fields])
        for title, fields in (
            ("The load", LOAD),
            ("At these prices", PRICE),
            ("Or at a model's price", MODEL),
        )
    ]
    return render(request, "prices/calculator.html", context, status=400 if errors else 200)


def _field(
    field: tuple[str, str, str], params: dict[str, str], error: InvalidQuery | None
) -> dict[str, str]:
    name, label, hint = field
    wrong = f"{label} {error.message}." if error else ""
    return {
        "name": name,
        "label": label,
        "help": hint,
        "value": params.get(name, ""),
        "error": wrong,
    }


def _kpis(answer: projections.Answer) -> list[dict[str, str]]:
    found = answer.projection
    amounts = (
        ("A month", found.monthly_cost, f"{answer.load.days} days"),
        ("A request", found.cost_per_request, "cached ones included"),
        ("A request to the model", found.request_cost, ""),
        ("A day", found.daily_cost, ""),
        ("The cache's part of the month", found.cached_cost, ""),
    )
    return [
        {"label": label, "value": formats.money_exact(amount, settings.CURRENCY), "note": note}
        for label, amount, note in amounts
    ]
