"""Splits the difference of one group's cost into its parts: see the package for the formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from finops.variance_bridge.sides import ZERO, Scheme, Side

ONE = Decimal(1)


class Step(NamedTuple):
    """A factor before and after."""

    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        return self.after - self.before

    @property
    def mean(self) -> Decimal:
        return (self.before + self.after) / 2

    def times(self, other: Step) -> Step:
        return Step(self.before * other.before, self.after * other.after)


UNCHANGED = Step(ONE, ONE)


class Whole(NamedTuple):
    """What all groups together come to: days and requests a day."""

    days: Step
    requests_per_day: Step


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of one length (input, output): tokens per priced request; and by bucket its share of them and
    the list price of a token."""

    part: str
    tokens: Step
    shares: dict[str, Step]
    prices: dict[str, Step]


def known(before: Decimal | None, after: Decimal | None) -> Step:
    """What is not known in one period is as in the other."""
    if before is None:
        before = after
    if after is None:
        after = before
    return Step(before if before is not None else ZERO, after if after is not None else ZERO)


def ratio(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def split(before: Side, after: Side, whole: Whole, scheme: Scheme) -> dict[str, Decimal]:
    """The parts of the difference of the group's effective cost, which add up to it but for the
    last of DIGITS digits."""
    sides = (before, after)
    found = dict.fromkeys(scheme.parts, ZERO)
    paid = paid_share(sides, scheme)
    lengths = [lengths_of(part, sides, paid, scheme) for part in scheme.lengths]
    by_request = by_the_request(sides, paid)
    cost = cost_of_a_request(sides, lengths, by_request, paid)
    requests = Step(Decimal(before.requests), Decimal(after.requests))
    is_priced = known(*(ratio(priced(each), each.requests) for each in sides))
    made = requests.times(is_priced)
    share = known(
        ratio(before.requests, whole.days.before * whole.requests_per_day.before),
        ratio(after.requests, whole.days.after * whole.requests_per_day.after),
    )
    at_cost = cost.mean * is_priced.mean
    all_requests = whole.days.times(whole.requests_per_day)
    found["days"] = at_cost * share.mean * whole.requests_per_day.mean * whole.days.change
    found["volume"] = at_cost * share.mean * whole.days.mean * whole.requests_per_day.change
    found["mix"] = at_cost * all_requests.mean * share.change
    found["unpriced"] = cost.mean * requests.mean * is_priced.change
    for part, amount in parts_of_a_request(lengths, by_request, paid, scheme):
        found[part] += made.mean * amount
    modelled = made.times(cost)
    found["rest"] = after.effective_cost - before.effective_cost - modelled.change
    return found


def parts_of_a_request(
    lengths: list[Lengths], by_request: Step, paid: Step, scheme: Scheme
) -> Iterator[tuple[str, Decimal]]:
    """How much each part changes what one priced request costs."""
    for length in lengths:
        for bucket, share in length.shares.items():
            listed = length.prices[bucket]
            price = listed.times(paid)
            tokens = length.tokens.times(share)
            yield length.part, price.mean * share.mean * length.tokens.change
            if scheme.shift:
                yield scheme.shift, price.mean * length.tokens.mean * share.change
            yield scheme.price, tokens.mean * paid.mean * listed.change
            yield "discount", tokens.mean * listed.mean * paid.change
    yield "per_request", paid.mean * by_request.change
    yield "discount", by_request.mean * paid.change


def priced(side: Side) -> int:
    """The requests that have costs; none where they cannot be told by requests."""
    return side.priced_requests if side.requests else 0


def priced_tokens(side: Side, bucket: str) -> Decimal:
    """Nothing where costs cannot be told by tokens."""
    return side.tokens.get(bucket, 0) * side.priced_share_of_tokens if priced(side) else ZERO


def price_of(side: Side, bucket: str, length: Decimal) -> Decimal | None:
    """What a token costs in effect; not known where there is none."""
    tokens = priced_tokens(side, bucket)
    return ratio(side.costs.get(bucket, ZERO), tokens) if length else None


def length_of(side: Side, part: str, scheme: Scheme) -> Decimal:
    return sum((priced_tokens(side, bucket) for bucket in scheme.lengths[part]), ZERO)


def paid_share(sides: tuple[Side, Side], scheme: Scheme) -> Step:
    """Effective by list cost; 1 where that says nothing of the prices."""
    found = known(*(ratio(each.effective_cost, each.list_cost) for each in sides))
    for side, share in zip(sides, found, strict=True):
        costs = (side.per_request, *side.costs.values(), side.effective_cost)
        if share == 0 and any(costs):
            return UNCHANGED
    return found


def by_the_request(sides: tuple[Side, Side], paid: Step) -> Step:
    """What a priced request costs at list besides its tokens."""
    found = []
    for side, share in zip(sides, paid, strict=True):
        cost = ratio(side.per_request, priced(side))
        found.append(None if cost is None or not share else cost / share)
    return known(*found)


def lengths_of(part: str, sides: tuple[Side, Side], paid: Step, scheme: Scheme) -> Lengths:
    totals = [length_of(side, part, scheme) for side in sides]
    shares, prices = {}, {}
    for bucket in scheme.lengths[part]:
        shares[bucket] = known(
            *(
                ratio(priced_tokens(side, bucket), total)
                for side, total in zip(sides, totals, strict=True)
            )
        )
        listed = []
        for side, total, share in zip(sides, totals, paid, strict=True):
            price = price_of(side, bucket, total)
            listed.append(None if price is None or not share else price / share)
        prices[bucket] = known(*listed)
    tokens = known(*(ratio(total, priced(side)) for side, total in zip(sides, totals, strict=True)))
    return Lengths(part, tokens, shares, prices)


def cost_of_a_request(
    sides: tuple[Side, Side], lengths: list[Lengths], by_request: Step, paid: Step
) -> Step:
    """What the factors make of a priced request."""
    found = by_request.times(paid)
    for length in lengths:
        for bucket, share in length.shares.items():
            cost = length.tokens.times(share).times(length.prices[bucket]).times(paid)
            found = Step(found.before + cost.before, found.after + cost.after)
    return found
