"""Lines of the ledger in words, for every table and page of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.http import urlencode

from finops import formats
from finops.models import Price
from finops.periods import local_day
from finops.price_listing import Use
from finops.pricing.lines import TOKEN_BUCKETS
from finops.pricing.terms import MILLION

HOUR = 3600
WORDS = {
    "uncached_input": "Input",
    "cache_read_input": "Input from cache",
    "cache_creation_5m_input": "Cache write, 5 min",
    "cache_creation_1h_input": "Cache write, 1 h",
    "input_audio": "Input, audio",
    "text_output": "Output",
    "reasoning_output": "Output, reasoning",
    "output_audio": "Output, audio",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the desk shows it."""

    pk: int
    href: str
    name: str
    kind: str
    holds: str
    input: str
    output: str
    more: str
    begins: str
    ends: str
    source: str
    author: str
    recorded: str
    superseded: str
    is_superseded: bool
    requests: str
    cost: str
    note: str


def shown(price: Price, now: datetime, use: Mapping[int, Use] | None = None) -> Line:
    """`use` is None where it is not known, or not asked for."""
    used = None if use is None else use.get(price.pk, Use(0, None))
    ended = f"{moment(price.superseded_at, now)}" if price.superseded_at else ""
    return Line(
        pk=price.pk,
        href=reverse("prices-line", args=[price.pk]),
        name=name_of(price),
        kind=price.get_kind_display(),
        holds=", ".join(_conditions(price)),
        input=_per_million(price, "uncached_input"),
        output=_per_million(price, "text_output"),
        more=", ".join(_more(price)),
        begins=moment(price.effective_from, now) or "always",
        ends=moment(price.effective_to, now),
        source=price.source,
        author=price.author,
        recorded=moment(price.recorded_at, now),
        superseded=f"{ended} by {price.superseded_by}" if price.superseded_by else ended,
        is_superseded=price.superseded_at is not None,
        requests=formats.count_long(used.requests) if used else formats.MISSING,
        cost=formats.money_long(used.cost, settings.CURRENCY) if used else formats.MISSING,
        note=price.note,
    )


def name_of(price: Price) -> str:
    """openai / gpt-5; what a line of patterns or of a fleet is for."""
    if price.cache:
        return f"cache hit ({price.cache})"
    if price.fleet and not price.model:
        return f"fleet {price.fleet}"
    return f"{price.provider or '*'} / {price.model or '*'}"


def model_href(provider: str, model: str) -> str:
    return f"{reverse('prices-model')}?{urlencode({'provider': provider, 'model': model})}"


def is_of_one_model(price: Price) -> bool:
    return bool(price.model) and not set("*?[") & set(price.model + price.provider)


def amounts(price: Price) -> list[tuple[str, str, str]]:
    """Every price the line names: of what, readable, and per single unit."""
    found = [
        (
            WORDS[bucket],
            formats.unit_price_short(each, "token", price.currency),
            formats.unit_price_long(each, "token", price.currency),
        )
        for bucket in TOKEN_BUCKETS
        if (each := getattr(price, f"{bucket}_price")) is not None
    ]
    if price.request_price is not None:
        exact = formats.money_exact(price.request_price, price.currency)
        found.append(("Request", f"{exact} / request", ""))
    if price.gpu_second_price is not None:
        hour = formats.money_long(price.gpu_second_price * HOUR, price.currency)
        exact = formats.money_exact(price.gpu_second_price, price.currency)
        found.append(("GPU time", f"{hour} / GPU-hour", f"{exact} per GPU-second"))
    if price.discount_percent is not None:
        found.append(("Discount", f"{price.discount_percent.normalize():f} % off list", ""))
    return found


def _per_million(price: Price, bucket: str) -> str:
    amount = getattr(price, f"{bucket}_price")
    return (
        formats.MISSING if amount is None else formats.money_exact(amount / MILLION, price.currency)
    )


def _more(price: Price) -> list[str]:
    """What is priced besides input and output."""
    found = []
    if price.discount_percent is not None:
        found.append(f"{price.discount_percent.normalize():f} % off")
    if price.request_price:
        found.append(f"{formats.money_exact(price.request_price, price.currency)} / request")
    if price.gpu_second_price:
        found.append(
            f"{formats.money_long(price.gpu_second_price * HOUR, price.currency)} / GPU-hour"
        )
    if price.cache_read_input_price is not None and not price.cache:
        cached = formats.money_exact(price.cache_read_input_price / MILLION, price.currency)
        found.append(f"from cache {cached}")
    return found


def _conditions(price: Price) -> list[str]:
    found = [price.service_tier or ("" if price.kind == "catalog" else "every tier")]
    if price.kind == "catalog" and not price.service_tier:
        found = ["standard"]
    if price.fleet and price.model:
        found.append(f"fleet {price.fleet}")
    if price.context_over:
        found.append(f"over {price.context_over:,} input tokens")
    if price.daily_from and price.daily_to:
        found.append(f"{price.daily_from:%H:%M}–{price.daily_to:%H:%M} UTC")
    return [each for each in found if each]


def moment(at: datetime | None, now: datetime) -> str:
    """A midnight of the reporting time zone is a day."""
    if at is None:
        return ""
    zone = settings.REPORTING_ZONE
    local, today = at.astimezone(zone), local_day(now, zone)
    if (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0):
        return formats.day(local.date(), today)
    return formats.moment(at, zone, today)
