"""The change in words: one sentence for all of it, a line for each part, what to keep in mind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext

from finops import formats, labels
from finops.explanations import Explanation
from finops.pages.comparison import comparison
from finops.pages.filters import last_day as last_day_of
from finops.pages.filters import period_text
from finops.periods import local_day
from finops.query import CostQuery
from finops.variance_bridge import DIGITS, Group, Side, adding_up

PARTS = {
    "days": "Length of the period",
    "volume": "Volume",
    "mix": "Mix",
    "input_length": "Input length",
    "output_length": "Output length",
    "length": "Tokens per request",
    "cache": "Cache",
    "price": "List prices",
    "rate": "Cost per token",
    "discount": "Discounts",
    "per_request": "Request and GPU prices",
    "unpriced": "Without a price",
    "rest": "Corrections",
}
# Parts whose figures are told of one group, where that makes most of them.
OF_ONE_GROUP = frozenset({"input_length", "output_length", "length", "cache", "discount"})
# A sentence names the largest parts, until they are so much of all; never more than a few.
ENOUGH = Decimal("0.9")
MOST_NAMED = 4
PLACES = 12
# Periods whose lengths differ by less than this part are of one length to a reader.
SAME_LENGTH = Decimal("0.01")


def headline(found: Explanation, now: datetime) -> str:
    """Cost rose by $412.10 (+38.0 %): volume +$250.00, list prices +$120.00, the rest +$42.10."""
    whole, currency = found.bridge.whole, found.result.currency
    before, after = whole.before, whole.after
    later, earlier = (period_text(each.query, now) for each in (found.result, found.before))
    if not before.requests:
        return f"There was no usage in {earlier}: all of {money(after, currency)} is new."
    if not after.requests:
        return f"There was no usage in {later}: the {money(before, currency)} of {earlier} is gone."
    if whole.difference == 0:
        same = f"Cost is the same in both periods, {money(after, currency)}"
        cancel = any(whole.parts.values())
        return f"{same}, as its parts cancel out: {named_parts(found)}." if cancel else f"{same}."
    places = places_for(whole.difference, *whole.parts.values())
    size = unsigned(whole.difference, round(whole.difference, places), places, currency)
    verb = "rose" if whole.difference > 0 else "fell"
    change = formats.change_short(after.effective_cost, before.effective_cost)
    percent = "" if change == "new" else f" ({change})"
    return f"Cost {verb} by {size}{percent}: {named_parts(found)}."


def named_parts(found: Explanation) -> str:
    """The largest parts, and the rest, which add up to the difference as it is written."""
    parts = {name: amount for name, amount in found.bridge.whole.parts.items() if amount}
    ranked = sorted(parts, key=lambda name: -abs(parts[name]))
    every = sum(map(abs, parts.values()), Decimal(0))
    named: list[str] = []
    while ranked and len(named) < MOST_NAMED:
        if sum((abs(parts[name]) for name in named), Decimal(0)) >= ENOUGH * every:
            break
        named.append(ranked.pop(0))
    rest = sum((parts[name] for name in ranked), Decimal(0))
    amounts = [*(parts[name] for name in named), *([rest] if ranked else [])]
    words = [*(PARTS[name].lower() for name in named), *(["the rest"] if ranked else [])]
    difference = found.bridge.whole.difference
    places = places_for(difference, *parts.values())
    texts = signed_column(amounts, difference, places, found.result.currency)
    return ", ".join(f"{word} {text}" for word, text in zip(words, texts, strict=True))


def places_for(*amounts: Decimal) -> int:
    """Decimals for a column of amounts up to the largest of these: cents from a dollar on."""
    largest = max(map(abs, amounts))
    return 2 if largest >= 1 or not largest else min(PLACES, 3 - largest.adjusted())


def signed_column(
    amounts: Sequence[Decimal], total: Decimal, places: int, currency: str = ""
) -> list[str]:
    """Each with its sign and so many places, rounded so that they add up to the total as it is
    rounded: +$12.30, −$0.10, +<$0.01, $0.00."""
    with localcontext(prec=DIGITS):
        rounded = adding_up(dict(enumerate(amounts)), round(total, places), places)
    return [signed(each, rounded[n], places, currency) for n, each in enumerate(amounts)]


def signed(amount: Decimal, rounded: Decimal, places: int, currency: str = "") -> str:
    sign = "+" if amount > 0 else formats.MINUS if amount < 0 else ""
    return sign + unsigned(amount, rounded, places, currency)


def unsigned(amount: Decimal, rounded: Decimal, places: int, currency: str = "") -> str:
    """What is something is never shown as nothing."""
    is_lost = amount and not rounded
    size = Decimal(1).scaleb(-places) if is_lost else abs(rounded)
    return f"{'<' if is_lost else ''}{formats.symbol(currency)}{size:,.{places}f}"


def money(side: Side, currency: str) -> str:
    return formats.money_long(side.effective_cost, currency)


def meaning(part: str, found: Explanation, group: Group) -> str:
    """What the part is, in the group's figures of both periods where there are some."""
    before, after = group.before, group.after
    then, now = found.days
    match part:
        case "days":
            return f"{number(now)} days have gone by, {number(then)} before"
        case "volume":
            return pair("requests a day", per(after.requests, now), per(before.requests, then))
        case "mix":
            return f"which {mixed(found)} the requests were for"
        case "input_length":
            return lengths("input tokens a request", found, group, slice(0, 3))
        case "output_length":
            return lengths("output tokens a request", found, group, slice(3, 4))
        case "length":
            return lengths("tokens a request", found, group, slice(None))
        case "cache":
            return f"{cached(after)} of the input read from the cache, {cached(before)} before"
        case "price":
            return "what the same tokens of the same models cost at list"
        case "rate":
            return "prices, the cache, and how much of the tokens is output"
        case "discount":
            return f"{paid(after)} of list prices paid, {paid(before)} before"
        case "per_request":
            return "what is priced by the request or by GPU time"
        case "unpriced":
            count, earlier = after.unpriced_requests, before.unpriced_requests
            return pair("requests without a price", Decimal(count), Decimal(earlier))
        case _:
            return "costs that go with no request"


def mixed(found: Explanation) -> str:
    if found.has_buckets or "user" not in found.mixed:
        return "models, tiers, teams and features"
    return " and ".join(f"{name}s" for name in labels.dimensions(found.mixed).split(" and "))


def pair(noun: str, now: Decimal | None, before: Decimal | None) -> str:
    return f"{number(now)} {noun}, {number(before)} before"


def number(value: Decimal | None) -> str:
    """12,345, 842, 6.42."""
    if value is None:
        return formats.MISSING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{round(value, 2).normalize():f}"


def per(count: int, of: Decimal | int) -> Decimal | None:
    return Decimal(count) / of if of else None


def lengths(noun: str, found: Explanation, group: Group, buckets: slice) -> str:
    names = found.bridge.scheme.buckets[buckets]
    now, before = (
        per(sum(side.tokens.get(name, 0) for name in names), side.requests)
        for side in (group.after, group.before)
    )
    return pair(noun, now, before)


def cached(side: Side) -> str:
    every = sum(side.tokens.values()) - side.tokens.get("output", 0)
    return formats.share_short(side.tokens.get("cache_read_input", 0), every)


def paid(side: Side) -> str:
    return formats.share_short(side.effective_cost, side.list_cost)


def notes(found: Explanation, now: datetime) -> list[str]:
    """What a reader has to know to read the figures rightly."""
    told = []
    compared = comparison(found.result, now)
    if compared.gap:
        told.append(f"{compared.name}: {compared.gap}. What was not recorded then looks new now.")
    then, length = found.days
    if abs(then - length) > SAME_LENGTH * max(then, length) and min(then, length) > 0:
        told.append(
            f"{number(length)} days that have gone by are set against {number(then)}. Sums are "
            f"compared as they are; what that makes is the step “{PARTS['days']}”."
        )
    period, other = found.query.period, found.before.query.period
    if other.start < period.end and period.start < other.end:
        told.append("The two periods overlap: what lies in both is in both sums.")
    if not found.has_buckets:
        told.append(
            "Of users, tokens are kept without their kinds: input, output and cache are one "
            "length, and prices, cache and the share of output one cost per token."
        )
    return told


def first_day(query: CostQuery) -> str:
    return local_day(query.period.start, query.zone).isoformat()


def last_day(query: CostQuery) -> str:
    return last_day_of(query).isoformat()
