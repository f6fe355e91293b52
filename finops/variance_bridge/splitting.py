"""Splits the difference of one group's cost into its parts: see the package for the formulas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from finops.variance_bridge.sides import ZERO, Count, Scheme, Side

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
Tokens = dict[str, Decimal]


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
    tokens = (priced_tokens(before, scheme), priced_tokens(after, scheme))
    lengths = [
        lengths_of(part, scheme.lengths[part], sides, tokens, paid) for part in scheme.lengths
    ]
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


def priced(side: Side) -> Count:
    """The requests that have costs; none where they cannot be told by requests."""
    return side.priced_requests if side.requests else 0


def priced_tokens(side: Side, scheme: Scheme) -> Tokens:
    """Those of requests that have costs, by bucket; none where costs cannot be told by tokens."""
    if not priced(side):
        return dict.fromkeys(scheme.buckets, ZERO)
    share = side.priced_share_of_tokens
    return {bucket: side.tokens.get(bucket, 0) * share for bucket in scheme.buckets}


def price_of(side: Side, bucket: str, tokens: Tokens, share: Decimal) -> Decimal | None:
    """What a token costs at list; not known where there is none."""
    price = ratio(side.costs.get(bucket, ZERO), tokens[bucket])
    return None if price is None or not share else price / share


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


def lengths_of(
    part: str,
    buckets: tuple[str, ...],
    sides: tuple[Side, Side],
    tokens: tuple[Tokens, Tokens],
    paid: Step,
) -> Lengths:
    """Buckets without a token in either period say nothing, and are left out."""
    totals = [sum((each[bucket] for bucket in buckets), ZERO) for each in tokens]
    shares, prices = {}, {}
    for bucket in buckets:
        if not (tokens[0][bucket] or tokens[1][bucket]):
            continue
        shares[bucket] = known(
            *(ratio(each[bucket], total) for each, total in zip(tokens, totals, strict=True))
        )
        prices[bucket] = known(
            *(
                price_of(side, bucket, each, share) if total else None
                for side, each, total, share in zip(sides, tokens, totals, paid, strict=True)
            )
        )
    length = known(*(ratio(total, priced(side)) for side, total in zip(sides, totals, strict=True)))
    return Lengths(part, length, shares, prices)


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
