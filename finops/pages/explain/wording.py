"""The change in words: one sentence for all of it, a line for each part, what to keep in mind."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, localcontext

from finops import formats, labels
from finops.explanations import Explanation
from finops.pages.comparison import comparison
from finops.pages.filters import last_day as last_day_of
from finops.pages.filters import period_text
from finops.periods import local_day
from finops.query import CostQuery
from finops.root_cause.explanations import ALIKE
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
    "discount": "Contract prices and discounts",
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
HOURS = 24
# Periods whose lengths differ by less than this part are of one length to a reader.
SAME_LENGTH = Decimal("0.01")


def headline(found: Explanation, now: datetime) -> str:
    """Cost rose by $412.10 (+38.0 %): volume +$250.00, list prices +$120.00, the rest +$42.10."""
    whole, currency = found.bridge.whole, found.result.currency
    before, after = whole.before, whole.after
    later, earlier = period_text(found.result.query, now), before_text(found, now)
    if before.known_cost is None or after.known_cost is None:
        return unknown(whole, earlier, later, currency)
    if not before.requests:
        return f"There was no usage in {earlier}: all of {money(after, currency)} is new."
    if not after.requests:
        return f"There was no usage in {later}: the {money(before, currency)} of {earlier} is gone."
    if whole.difference == 0:
        same = f"Cost is the same in both periods, {money(after, currency)}"
        cancel = any(whole.parts.values())
        return f"{same}, as its parts cancel out: {named_parts(found)}." if cancel else f"{same}."
    places = headline_places(whole)
    shown = sum(steps_of(whole, places).values(), Decimal(0))
    size = unsigned(whole.difference, shown, places, currency)
    verb = "rose" if whole.difference > 0 else "fell"
    if found.against.times is not None:
        verb = "is above the expected" if whole.difference > 0 else "is below the expected"
    change = formats.change_short(after.effective_cost, before.effective_cost)
    percent = "" if change == "new" else f" ({change})"
    return f"Cost {verb} by {size}{percent}: {named_parts(found)}."


def before_text(found: Explanation, now: datetime) -> str:
    """The period that another is set against, or that this is what was expected of it."""
    text = period_text(found.before.query, now)
    return text if found.against.times is None else f"what was expected by {text}"


def sum_text(found: Explanation, now: datetime) -> str:
    """What the first sum of the waterfall is called."""
    return "Expected" if found.against.times is not None else period_text(found.before.query, now)


def unknown(whole: Group, earlier: str, later: str, currency: str) -> str:
    """Where nothing of a period has a price, nobody knows what it cost."""
    said = [
        f"no price is known for any of the {side.requests:,} requests in {name}"
        if side.known_cost is None
        else f"what {name} cost is {money(side, currency)}"
        if side.requests
        else f"there was no usage in {name}"
        for side, name in ((whole.before, earlier), (whole.after, later))
    ]
    text = "; ".join(sorted(said, key=lambda each: not each.startswith("no price")))
    return f"{text[0].upper()}{text[1:]}. How much more or less that is cannot be told."


def headline_places(whole: Group) -> int:
    """As many as the steps below have, or more where the change is small beside the sums."""
    sums = places_for(whole.before.effective_cost, whole.after.effective_cost)
    return max(sums, places_for(whole.difference, *whole.parts.values()))


def steps_of(whole: Group, places: int) -> dict[str, Decimal]:
    """The parts as every place of the page writes them: they lead from the one sum, rounded, to the
    other."""
    change = round(whole.after.effective_cost, places) - round(whole.before.effective_cost, places)
    with localcontext(prec=DIGITS):
        return adding_up(whole.parts, change, places)


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
    places, currency = headline_places(found.bridge.whole), found.result.currency
    shown = steps_of(found.bridge.whole, places)
    told = [(PARTS[name].lower(), parts[name], shown[name]) for name in named]
    if ranked:
        rest, rounded = (sum((of[name] for name in ranked), Decimal(0)) for of in (parts, shown))
        told.append(("the rest", rest, rounded))
    return ", ".join(
        f"{word} {signed(amount, rounded, places, currency)}" for word, amount, rounded in told
    )


def places_for(*amounts: Decimal) -> int:
    """Decimals for a column of amounts up to the largest of these: cents from a dollar on."""
    largest = max(map(abs, amounts))
    return 2 if largest >= 1 or not largest else min(PLACES, 3 - largest.adjusted())


def signed(amount: Decimal, rounded: Decimal, places: int, currency: str = "") -> str:
    """With its sign, as it was rounded to so many places: +$12.30, −$0.10, +<$0.01, $0.00."""
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
            return f"{length(now)} of it, {length(then)} before"
        case "volume":
            unit, of_day = ("an hour", HOURS) if max(now, then) < 1 else ("a day", 1)
            rates = per(after.requests, now * of_day), per(before.requests, then * of_day)
            return pair(f"requests {unit}", *rates)
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
            return f"{paid(after)} of the list price paid, {paid(before)} before"
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


def length(days: Decimal) -> str:
    """6.08 days, 5.5 hours, 20 minutes."""
    for times, name in ((1, "day"), (HOURS, "hour")):
        if days * times >= 2 or (days * times).normalize() == 1:
            value = number(days * times)
            return f"{value} {name}{'' if value == '1' else 's'}"
    return f"{days * HOURS * 60:.0f} minutes"


def pair(noun: str, now: Decimal | None, before: Decimal | None) -> str:
    return f"{number(now)} {noun}, {number(before)} before"


def number(value: Decimal | None) -> str:
    """12,345, 842, 6.42."""
    if value is None:
        return formats.MISSING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{round(value, 2).normalize():f}"


def per(count: int | Decimal, of: Decimal | int) -> Decimal | None:
    return Decimal(count) / of if of else None


def lengths(noun: str, found: Explanation, group: Group, buckets: slice) -> str:
    names = found.bridge.scheme.buckets[buckets]
    now, before = (
        per(sum((side.tokens.get(name, 0) for name in names), Decimal(0)), side.requests)
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
    told: list[str] = []
    if found.against.times is not None:
        told.append(
            f"What was expected is parted as usage was in {period_text(found.before.query, now)}: "
            "requests and tokens of then are taken in proportion, prices as they were."
        )
    compared = comparison(found.result, now)
    if compared.gap:
        told.append(f"{compared.name}: {compared.gap}. What was not recorded then looks new now.")
    then, since = found.days
    if abs(then - since) > SAME_LENGTH * max(then, since) and min(then, since) > 0:
        told.append(
            f"{length(since)} that have gone by are set against {length(then)}. In the waterfall "
            f"and the table sums are compared as they are; what that makes is the step "
            f"“{PARTS['days']}”. {told_of_causes(then, since)}"
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


def told_of_causes(then: Decimal, since: Decimal) -> str:
    """Whether where it happened is told for like lengths, as it is where they differ clearly."""
    if abs(then - since) <= ALIKE * max(then, since):
        return "So it is in “Where it happened”."
    return "“Where it happened” takes what was before for as long a time, so its sums are others."


def first_day(query: CostQuery) -> str:
    return local_day(query.period.start, query.zone).isoformat()


def last_day(query: CostQuery) -> str:
    return last_day_of(query).isoformat()
