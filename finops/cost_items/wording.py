"""Why a cost center bears its share, and what an item is, in words."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from finops import formats
from finops.allocation import Share
from finops.cost_items.capacity import outside
from finops.cost_items.drafts import Draft
from finops.models import CostItem

MEASURES = {
    "direct_cost": "direct cost",
    "so_far": "cost so far",
    "requests": "requests",
    "tokens": "tokens",
    "used": "capacity that was used, by the hour",
}
UNITS = {"tokens": "tokens", "requests": "requests", "gpu_seconds": "GPU-seconds"}


def reason(share: Share) -> str:
    """ "28.4 % of the tokens: 1,200 of 4,225"."""
    part = formats.share_short(share.weight, share.of_weight)
    match share.method:
        case "even":
            return f"one of {share.of_weight:f} equal shares"
        case "fixed":
            return f"{plain(share.weight)}{formats.SPACE}% as fixed"
        case "weighted":
            return f"weight {plain(share.weight)} of {plain(share.of_weight)}"
    if not share.of_weight:
        return "nobody used anything that it could be measured by"
    measure = MEASURES[share.measure]
    if share.measure in {"requests", "tokens"}:
        own, whole = formats.count_long(share.weight), formats.count_long(share.of_weight)
    else:
        own, whole = formats.money_long(share.weight, ""), formats.money_long(share.of_weight, "")
    less = ", less its requests' own cost" if is_used_part(share) else ""
    return f"{part} of the {measure}: {own} of {whole}{less}"


def is_used_part(share: Share) -> bool:
    """Of capacity: what is borne for having used it, and not for what nobody used."""
    return share.measure == "used" and share.column == "shared_cost"


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def amount(draft: Draft, currency: str) -> str:
    """What is paid: "310.00 USD a month", "20 % of direct cost", "4 GPUs"."""
    money = formats.money_exact(draft.amount, currency) if draft.amount is not None else ""
    match draft.kind:
        case CostItem.Kind.FLEET:
            return fleet(draft, currency)
        case CostItem.Kind.COMMITMENT:
            hourly = formats.money_exact(draft.hour_price, currency) if draft.hour_price else ""
            parts = (money and f"{money} for the term", hourly and f"{hourly} an hour")
            return " and ".join(filter(None, parts))
        case CostItem.Kind.TRUE_UP:
            return f"{money} once"
    if draft.percent is not None:
        return f"{plain(draft.percent)}{formats.SPACE}% of {MEASURES[draft.percent_of]}"
    return f"{money} a month"


def fleet(draft: Draft, currency: str) -> str:
    """What it comes to last: the last size of each way to buy."""
    last = {size.option: size for size in sorted(draft.sizes, key=lambda each: each.day)}
    count = sum((size.count for size in last.values()), Decimal(0))
    hourly = sum((size.count * size.hour_price for size in last.values()), Decimal(0))
    gpus = f"{plain(count)} GPU{'s' if count != 1 else ''}"
    return f"{gpus}, {formats.money_exact(hourly, currency)} an hour"


def left_out(draft: Draft, currency: str, zone: ZoneInfo) -> str:
    """Of a commitment, what of its term's amount no month bears; '' where all of it is borne."""
    amount = outside(draft, zone)
    if not amount:
        return ""
    return (
        f"{formats.money_exact(amount, currency)} of the amount for the term falls on days "
        "on which the item does not count: no month bears that."
    )


def method(draft: Draft, column: str = "") -> str:
    """How it is shared out; of capacity, what was used of it (`shared_cost`) by who used it."""
    if draft.is_capacity and column == "shared_cost":
        return f"by {MEASURES['used']}"
    match draft.method:
        case "even":
            return "evenly"
        case "fixed":
            return "by fixed percentages"
        case "weighted":
            return "by weights"
    return f"by {MEASURES[draft.measure]}"
