"""What prices that the ledger has for a later day will make of a forecast.

The rule: what a model used in the last 28 days (tokens of input, cache reads and output, requests)
is rated by the ledger as of noon today and as of noon of the day that a line begins or ends. From
that day on its part of the cost of those 28 days is taken times the quotient of the two; all other
costs stay. A model that has no price on one of the two days, and what is paid by GPU time, stays as
it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Q

from finops import costs, rate_cards
from finops.costs import CostRow
from finops.forecasts import Change
from finops.forecasts.ahead import ONE, ZERO
from finops.forecasts.changes import PRICE
from finops.models import Price
from finops.periods import days, local_day
from finops.pricing.formula import Quantities, rate
from finops.pricing.resolution import RateCard
from finops.query import CostQuery, Filter

USED_DAYS = 28
KEYS = ("provider", "model", "service_tier")
METRICS = (
    *("effective_cost", "list_cost", "billed_cost", "requests"),
    *("input_tokens", "cache_read_input_tokens", "output_tokens"),
)
# A quotient nearer to one than that is no change that anybody would see.
LEAST = Decimal("0.001")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Used:
    """What one model at one service tier used, and what it cost."""

    provider: str
    model: str
    service_tier: str
    cost: Decimal
    quantities: Quantities


def changes(query: CostQuery, now: datetime, end: datetime) -> list[Change]:
    """Of everything that the query's filters keep."""
    dates = turning_days(query, now, end)
    if not dates:
        return []
    return changes_of(read(query, (), now).get("", []), dates, end, query, now)


def changes_by_value(
    query: CostQuery, dimension: str, names: Collection[str], now: datetime, end: datetime
) -> dict[str, list[Change]]:
    """Of each of these values of the dimension."""
    dates = turning_days(query, now, end)
    if not dates:
        return {}
    # Beside the filters that there are, so that it can only narrow them.
    only = Filter(dimension, tuple(sorted(names)))
    kept = query.replace(filters=(*query.filters, only))
    used = read(kept, (dimension,), now)
    return {name: changes_of(used.get(name, []), dates, end, query, now) for name in names}


def turning_days(query: CostQuery, now: datetime, end: datetime) -> list[date]:
    """The days after today on which a line of the ledger begins or ends."""
    in_force = Price.objects.filter(superseded_at=None)
    later = in_force.filter(
        Q(effective_from__gt=now, effective_from__lt=end)
        | Q(effective_to__gt=now, effective_to__lt=end)
    )
    instants = {
        at
        for line in later.values_list("effective_from", "effective_to")
        for at in line
        if at is not None and now < at < end
    }
    today = local_day(now, query.zone)
    return sorted({day for at in instants if (day := local_day(at, query.zone)) > today})


def read(query: CostQuery, group_by: tuple[str, ...], now: datetime) -> dict[str, list[Used]]:
    """What was used lately, by value of the dimension, "" without one."""
    tomorrow = local_day(now, query.zone) + DAY
    keys = tuple(dict.fromkeys((*group_by, *KEYS)))
    result = costs.run(
        query.replace(
            period=days(tomorrow - timedelta(days=USED_DAYS), tomorrow, query.zone),
            granularity="total",
            group_by=keys,
            metrics=METRICS,
            limit=None,
            compare=False,
        )
    )
    found: dict[str, list[Used]] = defaultdict(list)
    for row in result.rows:
        named = dict(zip(keys, row.keys, strict=True))
        found[named[group_by[0]] if group_by else ""].append(used(named, row, query.metrics[0]))
    return found


def used(named: Mapping[str, str], row: CostRow, cost: str) -> Used:
    count = {name: int(row.values[name] or 0) for name in METRICS[3:]}
    cached = min(count["cache_read_input_tokens"], count["input_tokens"])
    return Used(
        provider=named["provider"],
        model=named["model"],
        service_tier=named["service_tier"],
        cost=Decimal(row.values[cost] or 0),
        quantities=Quantities(
            uncached_input=count["input_tokens"] - cached,
            cache_read_input=cached,
            text_output=count["output_tokens"],
            requests=count["requests"],
        ),
    )


def changes_of(
    rows: Sequence[Used], dates: Sequence[date], end: datetime, query: CostQuery, now: datetime
) -> list[Change]:
    """One for each day on which something changes, until the next of them."""
    whole = sum((each.cost for each in rows), ZERO)
    card = rate_cards.load(None)
    if not whole or card is None:
        return []
    today = local_day(now, query.zone)
    found = []
    ends: list[date | None] = [*dates[1:], None]
    for first, until in zip(dates, ends, strict=True):
        quotients = {each: quotient(card, each, today, first) for each in rows if each.cost}
        moved = {each: part for each, part in quotients.items() if abs(part - 1) >= LEAST}
        if moved:
            factor = ONE + sum((e.cost * (part - 1) for e, part in moved.items()), ZERO) / whole
            found.append(Change(PRICE, text_of(moved, whole), first, until, factor))
    return found


def quotient(card: RateCard, each: Used, today: date, later: date) -> Decimal:
    """What the same usage will cost on that day, as a multiple of what it costs today."""
    now, then = (cost_on(card, each, day) for day in (today, later))
    return then / now if now and then is not None else ONE


def cost_on(card: RateCard, each: Used, day: date) -> Decimal | None:
    table = card.rates(
        provider=each.provider,
        model=each.model,
        service_tier=each.service_tier,
        cache="none",
        fleet="",
    )
    tokens = each.quantities.uncached_input + each.quantities.cache_read_input
    noon = datetime.combine(day, time(12), UTC)
    found = table.at(noon, tokens // max(each.quantities.requests, 1))
    if found is None:
        return None
    return rate(each.quantities, *card.lines(found)).effective_cost


def text_of(moved: Mapping[Used, Decimal], whole: Decimal) -> str:
    """ "gpt-4o × 0.8 (22 % of the cost)", the largest part first."""
    ranked = sorted(moved, key=lambda each: -each.cost)
    said = [
        f"{each.model} × {moved[each]:.3g} ({100 * each.cost / whole:.0f} % of the cost)"
        for each in ranked[:3]
    ]
    more = f" and {len(ranked) - 3} more" if len(ranked) > 3 else ""
    return f"Prices in the ledger: {', '.join(said)}{more}"
