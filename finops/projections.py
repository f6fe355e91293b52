"""The price calculator: what somebody asks, at typed-in prices or at those of the ledger now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops import rate_cards
from finops.periods import InvalidQuery
from finops.pricing.formula import Quantities, rate
from finops.pricing.lines import PriceLine
from finops.pricing.projection import DAYS, Load, Projection, project, token_cost
from finops.pricing.terms import MILLION
from finops.query import is_text

# Enough for any fleet, and few enough digits for every product to be exact.
NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,24})?")
TYPED = ("input_price_per_million", "output_price_per_million")
FIELDS = (
    *("requests_per_day", "input_tokens", "output_tokens", "cached_percent"),
    *("cost_per_cached_request", "days", "provider", "model", "service_tier", *TYPED),
)
DEFAULT_TEXTS = {"cached_percent": "0", "cost_per_cached_request": "0", "days": str(DAYS)}


# What stands in for a wrong value, so that the next one is found.
HARMLESS = {
    **dict.fromkeys(("requests_per_day", "input_tokens", "output_tokens", "days"), "1"),
    **dict.fromkeys(("cached_percent", "cost_per_cached_request", *TYPED), "0"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`lines` are those of the ledger that gave the price; none where it was typed in."""

    load: Load
    cached_request_cost: Decimal
    projection: Projection
    lines: tuple[PriceLine, ...] = ()


def answer(params: Mapping[str, str], now: datetime) -> Answer:
    """Raises InvalidQuery, naming the parameter."""
    for name in params:
        if name not in FIELDS:
            raise InvalidQuery(name, "is no parameter of a projection")
    load = Load(
        requests_per_day=_whole(params, "requests_per_day"),
        input_tokens=_whole(params, "input_tokens"),
        output_tokens=_whole(params, "output_tokens"),
        cached_percent=_number(params, "cached_percent"),
        days=_whole(params, "days"),
    )
    if load.cached_percent > 100:
        raise InvalidQuery("cached_percent", "is at most 100")
    if not 1 <= load.days <= 366:
        raise InvalidQuery("days", "is from 1 to 366")
    cached_cost = _number(params, "cost_per_cached_request")
    request_cost, lines = _request_cost(params, load, now)
    return Answer(load, cached_cost, project(load, request_cost, cached_cost), lines)


def problems(params: Mapping[str, str], now: datetime) -> dict[str, InvalidQuery]:
    """Everything that `answer` would refuse, by field."""
    found: dict[str, InvalidQuery] = {}
    corrected = dict(params)
    while True:
        try:
            answer(corrected, now)
        except InvalidQuery as problem:
            if problem.field in found or problem.field not in HARMLESS:
                return found if problem.field in found else {**found, problem.field: problem}
            found[problem.field] = problem
            corrected[problem.field] = HARMLESS[problem.field]
        else:
            return found


def _request_cost(
    params: Mapping[str, str], load: Load, now: datetime
) -> tuple[Decimal, tuple[PriceLine, ...]]:
    if model := params.get("model", ""):
        for name in TYPED:
            if params.get(name):
                raise InvalidQuery(name, "is typed in beside a model: leave one of them out")
        return _ledger_cost(params, model, load, now)
    for name in ("provider", "service_tier"):
        if params.get(name):
            raise InvalidQuery("model", f"is missing: {name} is given without it")
    prices = [_number(params, name) * MILLION for name in TYPED]
    return token_cost(load, *prices), ()


def _ledger_cost(
    params: Mapping[str, str], model: str, load: Load, now: datetime
) -> tuple[Decimal, tuple[PriceLine, ...]]:
    """What the model costs now by the ledger, contracts included."""
    card = rate_cards.load(None)
    assert card is not None
    found = card.rates(
        provider=_name(params, "provider") or "unknown",
        model=_name(params, "model"),
        service_tier=_name(params, "service_tier") or "standard",
        cache="none",
        fleet="",
    ).at(now, load.input_tokens)
    if found is None:
        raise InvalidQuery("model", f"{model[:200]!r} has no price in the ledger now")
    listed, contract = card.lines(found)
    used = Quantities(uncached_input=load.input_tokens, text_output=load.output_tokens)
    cost = rate(used, listed, contract).effective_cost
    if cost is None:
        raise InvalidQuery("model", f"{model[:200]!r} has no price for these tokens in the ledger")
    return cost, (listed,) if contract is None else (listed, contract)


def _name(params: Mapping[str, str], field: str) -> str:
    text = params.get(field, "").strip()
    if len(text) > 200 or not is_text(text):
        raise InvalidQuery(field, "is a name of at most 200 characters")
    return text


def _number(params: Mapping[str, str], field: str) -> Decimal:
    text = params.get(field, "").strip() or DEFAULT_TEXTS.get(field, "")
    if not text:
        raise InvalidQuery(field, "is missing")
    if not NUMBER.fullmatch(text):
        raise InvalidQuery(field, "is a number such as 0.25: digits and a point, nothing else")
    return Decimal(text)


def _whole(params: Mapping[str, str], field: str) -> int:
    number = _number(params, field)
    if number != int(number):
        raise InvalidQuery(field, "is a whole number")
    return int(number)
