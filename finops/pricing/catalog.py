"""genai-prices as ledger lines.

Each model × service tier × span of dates × daily window × context length becomes one complete
line. The library itself says what it charges for a bucket: it is asked once, for every set of
price keys it uses, which keys one token of a bucket is charged by. A bucket that no key charges
has no price (None), and tokens there make a request unpriced.

Decisions, each the library's own rule unless said otherwise:
- dates begin at midnight UTC; a context threshold is exceeded, not reached, by the whole input;
- a tier's variant overrides the standard prices key by key;
- variants only start where the catalogue learned of them (October 2026 for most). Before that the
  library silently takes the standard price; here the tier is dated back as long as the standard
  price was the same as at its start, and the line's note says so;
- a model without any price is free where the catalogue says so, else it has no line: unpriced;
- prices for what requests do not report (audio hours, web searches) are named in the line's note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from typing import NamedTuple

from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from finops.pricing.lines import BUCKETS, TOKEN_BUCKETS, PriceLine, UnitPrices

SOURCE = f"genai-prices {version('genai-prices')}"

# The library's words for our service tiers; '' is standard.
TIERS: dict[str, dict[str, str]] = {
    "": {},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
# One token of a bucket, as the library counts: totals include their parts.
BUCKET_USAGE: dict[str, tuple[str, ...]] = {
    "uncached_input": ("input_tokens",),
    "cache_read_input": ("input_tokens", "cache_read_tokens"),
    "cache_creation_5m_input": ("input_tokens", "cache_write_tokens", "cache_write_5m_tokens"),
    "cache_creation_1h_input": ("input_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    "input_audio": ("input_tokens", "input_audio_tokens"),
    "text_output": ("output_tokens",),
    "reasoning_output": ("output_tokens", "output_reasoning_tokens"),
    "output_audio": ("output_tokens", "output_audio_tokens"),
    "request": (),
}
FREE = re.compile(r"free of charge|included in the subscription", re.IGNORECASE)

Price = Decimal | TieredPrices


class Level(NamedTuple):
    """Prices of one daily window above one context threshold."""

    daily_from: time | None
    daily_to: time | None
    context_over: int
    prices: UnitPrices


class Span(NamedTuple):
    """What one tier of a model costs between two dates; levels are None where it is not listed."""

    start: datetime | None
    end: datetime | None
    levels: tuple[Level, ...] | None


def lines() -> Iterator[PriceLine]:
    """Every line of the installed catalogue, without ids."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            yield from model_lines(provider.id, model)


def model_lines(provider: str, model: ModelInfo) -> Iterator[PriceLine]:
    """The lines of one model, tier by tier, in order of their dates."""
    standard = _spans(model, "")
    for tier in TIERS:
        template = PriceLine(
            "catalog", provider, model.id, UnitPrices(), service_tier=tier, source=SOURCE
        )
        spans = _spans(model, tier)
        if tier:
            yield from _expand(_backdated(spans, standard), _backdating_note(template, spans))
        yield from _expand(_merged(spans), replace(template, note=_unmeasured(model)))


def _expand(spans: list[Span], template: PriceLine) -> Iterator[PriceLine]:
    for span in spans:
        for level in span.levels or ():
            if any(price is not None for price in level.prices):
                yield replace(
                    template,
                    prices=level.prices,
                    context_over=level.context_over,
                    daily_from=level.daily_from,
                    daily_to=level.daily_to,
                    effective_from=span.start,
                    effective_to=span.end,
                )


def _constraints(model: ModelInfo) -> Iterator[StartDateConstraint | TimeOfDateConstraint | None]:
    if not isinstance(model.prices, ModelPrice):
        yield from (price.constraint for price in model.prices)
    yield from (variant.constraint for variant in model.price_variants or ())


def _spans(model: ModelInfo, tier: str) -> list[Span]:
    """One span per date at which anything of the model changes, whatever the tier."""
    dates = sorted(
        {
            constraint.start_date
            for constraint in _constraints(model)
            if isinstance(constraint, StartDateConstraint)
        }
    )
    first_day = dates[0] - timedelta(days=1) if dates else date(2020, 1, 1)
    bounds = [None, *(datetime(day.year, day.month, day.day, tzinfo=UTC) for day in dates), None]
    return [
        Span(start, end, _levels(model, tier, day))
        for (start, end), day in zip(pairwise(bounds), [first_day, *dates], strict=True)
    ]


def _levels(model: ModelInfo, tier: str, day: date) -> tuple[Level, ...] | None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if tier and not _is_listed(model, tier, midnight):
        return None
    windows = [
        (start, _context_levels(model, tier, datetime.combine(day, start, UTC)))
        for start in _daily_starts(model)
    ]
    # Windows of equal prices are one; the last one runs past midnight into an equal first.
    changes = [
        (start, levels)
        for (_, before), (start, levels) in zip([windows[-1], *windows], windows, strict=False)
        if before != levels
    ]
    if not changes:
        return tuple(Level(None, None, over, prices) for over, prices in windows[0][1])
    ends = [start for start, _ in changes[1:]] + [changes[0][0]]
    return tuple(
        Level(start, end, over, prices)
        for (start, levels), end in zip(changes, ends, strict=True)
        for over, prices in levels
    )


def _is_listed(model: ModelInfo, tier: str, at: datetime) -> bool:
    return any(
        variant.when.items() <= TIERS[tier].items()
        and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def _daily_starts(model: ModelInfo) -> list[time]:
    bounds = {time()}
    for constraint in _constraints(model):
        if isinstance(constraint, TimeOfDateConstraint):
            for bound in (constraint.start_time, constraint.end_time):
                at = datetime.combine(date(2020, 1, 1), bound)
                bounds.add((at.astimezone(UTC) if at.tzinfo else at).time())
    return sorted(bounds)


def _context_levels(
    model: ModelInfo, tier: str, at: datetime
) -> tuple[tuple[int, UnitPrices], ...]:
    """(threshold, prices above it), the first for any input; thresholds of all keys together."""
    listed: Mapping[str, Price] = {
        key: price
        for key, price in vars(model.get_prices(at, TIERS[tier])).items()
        if price is not None
    }
    thresholds = {
        step.start
        for price in listed.values()
        if isinstance(price, TieredPrices)
        for step in price.tiers
    }
    levels: list[tuple[int, UnitPrices]] = []
    for threshold in sorted({0, *thresholds}):
        prices = _unit_prices(listed, threshold + 1, is_free=not listed and _is_free(model))
        if not levels or levels[-1][1] != prices:
            levels.append((threshold, prices))
    return tuple(levels)


def _is_free(model: ModelInfo) -> bool:
    said = f"{model.price_comments or ''} {model.description or ''}"
    return model.id.endswith(":free") or FREE.search(said) is not None


def _unit_prices(listed: Mapping[str, Price], input_tokens: int, *, is_free: bool) -> UnitPrices:
    if is_free:
        return UnitPrices(**dict.fromkeys(TOKEN_BUCKETS, Decimal(0)))
    prices = {key: _price_at(price, input_tokens) for key, price in listed.items()}
    return UnitPrices(
        **{
            bucket: sum((prices[key] * share for key, share in shares.items()), Decimal(0))
            for bucket, shares in _charged(frozenset(prices)).items()
            if shares
        }
    )


def _price_at(price: Price, input_tokens: int) -> Decimal:
    if not isinstance(price, TieredPrices):
        return price
    reached = [step.price for step in price.tiers if input_tokens > step.start]
    return reached[-1] if reached else price.base


@cache
def _charged(keys: frozenset[str]) -> Mapping[str, Mapping[str, Decimal]]:
    """For each bucket, the price keys that one unit of it is charged by, and how much of each."""
    return {
        bucket: {
            key: share
            for key in keys
            if (share := _probe(keys, key, BUCKET_USAGE[bucket]) - _flat(keys, key, bucket))
        }
        for bucket in BUCKETS
        if bucket in BUCKET_USAGE
    }


def _flat(keys: frozenset[str], key: str, bucket: str) -> Decimal:
    """What the library charges for a request without any token: only the request bucket's."""
    return Decimal(0) if bucket == "request" else _probe(keys, key, ())


def _probe(keys: frozenset[str], key: str, usage: tuple[str, ...]) -> Decimal:
    prices = ModelPrice(**{name: Decimal(name == key) for name in keys})
    return prices.calc_price(Usage(**dict.fromkeys(usage, 1)))["total_price"]


def _merged(spans: list[Span]) -> list[Span]:
    """Neighbouring spans of equal prices are one."""
    merged: list[Span] = []
    for span in spans:
        if merged and merged[-1].levels == span.levels:
            merged[-1] = merged[-1]._replace(end=span.end)
        else:
            merged.append(span)
    return merged


def _backdated(spans: list[Span], standard: list[Span]) -> list[Span]:
    """The tier's first prices, over the time before while the standard price was the same."""
    first = next((index for index, span in enumerate(spans) if span.levels), 0)
    earliest = first
    while earliest > 0 and standard[earliest - 1].levels == standard[first].levels:
        earliest -= 1
    if earliest == first:
        return []
    return [Span(spans[earliest].start, spans[first].start, spans[first].levels)]


def _backdating_note(template: PriceLine, spans: list[Span]) -> PriceLine:
    start = next((span.start for span in spans if span.levels), None)
    return replace(
        template,
        note=f"Dated back: the catalogue lists this tier from {start:%Y-%m-%d} on, when the "
        "standard price was the same as here."
        if start
        else "",
    )


def _unmeasured(model: ModelInfo) -> str:
    prices = model.prices if isinstance(model.prices, ModelPrice) else model.prices[-1].prices
    keys = frozenset(key for key, price in vars(prices).items() if price is not None)
    measured = {key for shares in _charged(keys).values() for key in shares}
    unmeasured = sorted(keys - measured)
    return (
        f"Not charged, for requests do not report it: {', '.join(unmeasured)}."
        if unmeasured
        else ""
    )
