"""How much of the cost few users make: the Pareto curve, shares of the top, the Gini coefficient.

All of it is exact: sums of `Decimal`, divided once. Usage without a user is in none of it, nor are
users none of whose requests has a price, since what they cost is not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from finops.costs import Hundredth

# The shares that are asked about: the book's "20 % of users make 70-80 % of the cost", and its tip.
TOPS = (1, 5, 20)
DIGITS = 120
RATIO_DIGITS = 18
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Point:
    """The `users` that cost most cost this much together."""

    users: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Top:
    """The top `percent` of users, rounded up to whole ones; `share` of the cost is None where
    nothing cost anything."""

    percent: int
    users: int
    cost: Decimal
    share: Decimal | None


@dataclass(frozen=True, slots=True)
class Concentration:
    """`points` are in order, one for each percent of users that is another number of them.

    `gini` is 0 where all cost the same, and (n - 1) / n where one costs everything. It is None
    where it is not defined; `reason` then says why.
    """

    users: int
    cost: Decimal
    tops: tuple[Top, ...]
    points: tuple[Point, ...]
    gini: Decimal | None
    reason: str
    hundredths: tuple[Hundredth, ...]

    def cost_at(self, percent: int) -> Decimal:
        """What the last of the top `percent` of users cost: 50 is the median user, 1 the first of
        a hundred. Raises ValueError where there are no users."""
        reached = [each.least for each in self.hundredths if each.number < percent]
        if not reached:
            raise ValueError("nobody has a known cost")
        return reached[-1]


def concentration(hundredths: Sequence[Hundredth]) -> Concentration:
    """Of hundredths in order, as costs.rank_users reads them."""
    with localcontext(prec=DIGITS):
        users = sum(each.users for each in hundredths)
        cost = sum((each.cost for each in hundredths), ZERO)
        points, count, sum_so_far = [], 0, ZERO
        for each in hundredths:
            count, sum_so_far = count + each.users, sum_so_far + each.cost
            points.append(Point(count, sum_so_far))
        tops = tuple(top(percent, hundredths, cost) for percent in TOPS if users)
        coefficient, reason = gini(hundredths, users, cost)
    return Concentration(users, cost, tops, tuple(points), coefficient, reason, tuple(hundredths))


def top(percent: int, hundredths: Sequence[Hundredth], whole: Decimal) -> Top:
    held = [each for each in hundredths if each.number < percent]
    cost = sum((each.cost for each in held), ZERO)
    return Top(percent, sum(each.users for each in held), cost, share(cost, whole))


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """A ratio to read; None of nothing."""
    if whole <= 0:
        return None
    with localcontext(prec=RATIO_DIGITS):
        return part / whole


def gini(hundredths: Sequence[Hundredth], users: int, cost: Decimal) -> tuple[Decimal | None, str]:
    """With costs x in ascending order i = 1 … n: G = sum((2 i - n - 1) x) / (n sum(x)); see
    Damgaard and Weiner, "Describing inequality in plant size or fecundity", Ecology 81 (2000).

    Places count from the most expensive user, so i = n + 1 - place.
    """
    if not users:
        return None, "no user has a known cost"
    if hundredths[-1].least < 0:
        return None, "corrections leave some users with less than nothing"
    if cost == 0:
        return None, "no user's requests cost anything"
    weighted = sum((each.weighted for each in hundredths), ZERO)
    above = (users + 1) * cost - 2 * weighted
    with localcontext(prec=RATIO_DIGITS):
        return above / (users * cost), ""
