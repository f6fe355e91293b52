"""The bridge of all groups: parts of each, which add up to the parts of the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from finops.variance_bridge.rounding import adding_up
from finops.variance_bridge.sides import DIGITS, ZERO, Scheme, Side, sum_of
from finops.variance_bridge.splitting import ONE, Step, Whole, split

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One of the groups among which requests shift: nothing is split further down."""

    keys: Keys
    before: Side
    after: Side


@dataclass(frozen=True, slots=True)
class Group:
    """Some leaves together. `parts` add up to `difference` to the last digit."""

    keys: Keys
    before: Side
    after: Side
    parts: dict[str, Decimal]

    @property
    def difference(self) -> Decimal:
        with localcontext(prec=DIGITS):
            return self.after.effective_cost - self.before.effective_cost

    @property
    def known_difference(self) -> Decimal | None:
        """None where no request of either side has a price."""
        is_unknown = self.before.known_cost is None and self.after.known_cost is None
        return None if is_unknown else self.difference


@dataclass(frozen=True, slots=True)
class Bridge:
    """`whole` has no keys; the parts of `groups` add up to its parts."""

    scheme: Scheme
    whole: Group
    groups: tuple[Group, ...]


def bridge(
    leaves: Sequence[Leaf],
    *,
    days: tuple[Decimal, Decimal],
    scheme: Scheme,
    group_of: Callable[[Keys], Keys] = lambda keys: (),
) -> Bridge:
    """The bridge between two periods of so many days each, in groups of leaves as `group_of` names
    them; costs in one currency. Parts are rounded leaf by leaf, to a unit of 10⁻¹² or finer."""
    with localcontext(prec=DIGITS):
        whole = whole_of(leaves, days)
        split_leaves = [
            Group(leaf.keys, leaf.before, leaf.after, split_leaf(leaf, whole, scheme))
            for leaf in leaves
        ]
        members: dict[Keys, list[Group]] = {}
        for each in split_leaves:
            members.setdefault(group_of(each.keys), []).append(each)
        groups = tuple(together(keys, each, scheme) for keys, each in members.items())
        return Bridge(scheme, together((), groups, scheme), groups)


def split_leaf(leaf: Leaf, whole: Whole, scheme: Scheme) -> dict[str, Decimal]:
    difference = leaf.after.effective_cost - leaf.before.effective_cost
    return adding_up(split(leaf.before, leaf.after, whole, scheme), difference)


def proportional(leaves: Sequence[Leaf], times: Decimal, places: int) -> list[Leaf]:
    """The leaves with so many times of what was before; their costs are rounded to so many places
    and add up to the whole that is rounded so."""
    with localcontext(prec=DIGITS):
        costs = {at: leaf.before.effective_cost * times for at, leaf in enumerate(leaves)}
        whole = round(sum(costs.values(), ZERO), places)
        rounded = adding_up(costs, whole, places)
    return [
        replace(leaf, before=leaf.before.taken(times, rounded[at]))
        for at, leaf in enumerate(leaves)
    ]


def together(keys: Keys, groups: Iterable[Group], scheme: Scheme) -> Group:
    """Several groups as one."""
    every = list(groups)
    with localcontext(prec=DIGITS):
        return Group(
            keys,
            sum_of(each.before for each in every),
            sum_of(each.after for each in every),
            {part: sum((each.parts[part] for each in every), ZERO) for part in scheme.parts},
        )


def whole_of(leaves: Sequence[Leaf], days: tuple[Decimal, Decimal]) -> Whole:
    """Requests that cancel each other out have no shares: each group is then told by itself."""
    requests = (
        sum(leaf.before.requests for leaf in leaves),
        sum(leaf.after.requests for leaf in leaves),
    )
    for count, side in zip(requests, ("before", "after"), strict=True):
        if not count and any(getattr(leaf, side).requests for leaf in leaves):
            return Whole(Step(ONE, ONE), Step(ONE, ONE))
    length = Step(*days) if min(days) > 0 else Step(ONE, ONE)
    return Whole(length, Step(requests[0] / length.before, requests[1] / length.after))
