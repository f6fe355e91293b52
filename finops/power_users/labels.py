"""What is unusual about a user, with the evidence in words and numbers.

Rules of few thresholds, each of a plain meaning, instead of a trained model: `bench/power_users.py`
measures them beside scikit-learn's IsolationForest, which finds fewer of the same users at more
false labels and cannot say why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from finops import formats
from finops.costs import UserDay
from finops.power_users.concentration import Concentration

HEAVY, GROWING, BURSTY, BOT, LOOP = "heavy", "growing", "bursty", "bot_like", "runaway_loop"
NAMES = {
    HEAVY: "Heavy",
    GROWING: "Growing",
    BURSTY: "Bursty",
    BOT: "Bot-like",
    LOOP: "Runaway loop",
}

# Fewer users than this have no peers to speak of.
FEWEST_PEERS = 5
# Heavy: so many times the median user, and among the first percent or so much of the whole cost.
TIMES_MEDIAN = 10
TOP_PERCENT = 1
LARGE_SHARE = Decimal("0.05")
# Growing: a week of so many times the usual one, more than any of those before, whose days cost
# more than so many of the same weekdays then. Days that differ by chance alone rarely do all that.
WEEK = 7
USUAL_WEEKS = 4
FEWEST_WEEKS = 2
GROWN = Decimal("1.5")
GROWN_DAYS = 0.8
# Bursty: the busiest tenth of days holds half of the cost, its peak far above an active day and
# further above the last of the busiest fifth, as bursts are few. Who is there on less than half of
# the days is no user with bursts but a rare one.
FEWEST_DAYS = 14
FEWEST_ACTIVE_DAYS = 5
BURST_DAYS = 10
BURST_SHARE = Decimal("0.5")
PEAK, ABOVE_FIFTH = 5, 8
ACTIVE_SHARE = Decimal("0.5")
DAY = timedelta(days=1)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Label:
    """`kind` is one of NAMES; `evidence` is a sentence without its full stop."""

    kind: str
    evidence: str

    @property
    def name(self) -> str:
        return NAMES[self.kind]


@dataclass(frozen=True, slots=True)
class Past:
    """A user's whole days from the first one with usage on, days without any included, in order.

    The last is the last day that is over.
    """

    days: tuple[UserDay, ...]

    @classmethod
    def of(cls, days: Sequence[UserDay], last: date) -> Past:
        held = {each.day: each for each in days if each.day <= last}
        if not held:
            return cls(())
        count = (last - min(held)).days + 1
        steps = (last - (count - 1 - n) * DAY for n in range(count))
        return cls(tuple(held.get(day) or UserDay(day, ZERO, 0, 0, 0, 0, 0) for day in steps))

    @property
    def active(self) -> tuple[UserDay, ...]:
        return tuple(each for each in self.days if each.requests)

    def usual_requests(self, before: date) -> float:
        """The median of the active days before one; 0 where there are none."""
        held = [each.requests for each in self.active if each.day < before]
        return float(median(held)) if held else 0.0


def heavy(place: int, cost: Decimal | None, peers: Concentration, currency: str) -> Label | None:
    if cost is None or cost <= 0 or peers.users < FEWEST_PEERS:
        return None
    usual = peers.cost_at(50)
    is_first = place * 100 <= peers.users * TOP_PERCENT or place == 1
    is_large = cost >= peers.cost * LARGE_SHARE
    if cost < TIMES_MEDIAN * usual or not (is_first or is_large):
        return None
    times = f"{formats.count_short(cost / usual)} times" if usual > 0 else "beside"
    return Label(
        HEAVY,
        f"{formats.share_short(cost, peers.cost)} of what all users cost, number {place} of "
        f"{formats.count_long(peers.users)}; {times} the median user's "
        f"{formats.money_short(usual, currency)}",
    )


def growing(past: Past, currency: str) -> Label | None:
    weeks = [past.days[max(end - WEEK, 0) : end] for end in range(len(past.days), 0, -WEEK)]
    whole = [week for week in weeks if len(week) == WEEK]
    if len(whole) <= FEWEST_WEEKS:
        return None
    latest, *before = [sum((day.cost for day in week), ZERO) for week in whole[: USUAL_WEEKS + 1]]
    usual = Decimal(median(before))
    above = part_above(whole[0], whole[1 : USUAL_WEEKS + 1])
    if usual <= 0 or latest < GROWN * usual or latest <= max(before) or above < GROWN_DAYS:
        return None
    return Label(
        GROWING,
        f"{formats.money_short(latest, currency)} in the last 7 days, {latest / usual:.1f} times "
        f"the usual {formats.money_short(usual, currency)} of the {len(before)} weeks before; its "
        f"days cost more than {above * 100:.0f}{formats.SPACE}% of the same weekdays then",
    )


def part_above(week: Sequence[UserDay], before: Sequence[Sequence[UserDay]]) -> float:
    """Of the pairs of a day and the same weekday of a week before, in how many the first costs
    more; equals count half."""
    pairs = [(day.cost, each[n].cost) for each in before for n, day in enumerate(week)]
    return sum(now > then or (now == then) / 2 for now, then in pairs) / len(pairs)


def bursty(past: Past, currency: str) -> Label | None:
    active = past.active
    if len(past.days) < FEWEST_DAYS or len(active) < FEWEST_ACTIVE_DAYS:
        return None
    if len(active) < ACTIVE_SHARE * len(past.days):
        return None
    costs = sorted((day.cost for day in past.days), reverse=True)
    count = max(1, len(costs) // BURST_DAYS)
    busiest, other = costs[:count], costs[2 * count - 1] if count > 1 else costs[count]
    whole, held = sum(costs, ZERO), sum(busiest, ZERO)
    usual = Decimal(median(day.cost for day in active))
    least = max(PEAK * usual, ABOVE_FIFTH * other)
    if whole <= 0 or held < whole * BURST_SHARE or costs[0] < least:
        return None
    return Label(
        BURSTY,
        f"{formats.share_short(held, whole)} of {len(costs)} days' cost fell on "
        f"{count} {'day' if count == 1 else 'days'}, "
        f"up to {formats.money_short(costs[0], currency)} a day; an active day usually costs "
        f"{formats.money_short(usual, currency)}",
    )
