"""Users who alone make up much of a difference, told apart among its leaves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from finops.costs.leaf_sums import (
    Both,
    Sides,
    leading_users,
    names_of,
    read_leaves_of_users,
    with_users,
)
from finops.formats import share_short
from finops.periods import whole_day
from finops.query import InvalidQuery
from finops.root_cause.measures import Measure
from finops.root_cause.tables import Table, totals
from finops.root_cause.wording import Tell

# Users are looked at one by one who cost most, and told apart where they alone changed so much.
LEADERS = 20
MOST_USERS = 3
LEAST_OF_USER = Decimal("0.1")
EVERYONE_ELSE = "everyone else"
NOT_LOOKED_AT = "Users were not looked at: choose whole days and no filter, or fewer requests."
MINUS = "\N{MINUS SIGN}"
# Leaves times days in which users are looked for at most: a million take 2.3 s.
MOST_LOOKED_UP = 150_000
# Of more requests users are read only where the totals of their days tell enough.
MOST_REQUESTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Parted:
    """The leaves with users told apart, None where there are too many of them for that; `alone` is
    what each of them adds to the difference, the most first. `note` says why nobody was looked
    at."""

    table: Table | None = None
    alone: Mapping[str, Decimal] = field(default_factory=dict)
    note: str = ""

    def told(self, named: Collection[str], difference: Decimal, tell: Tell) -> str:
        """Who else but those that causes name makes up much of it, in words."""
        others = [
            f"{name} {tell_change(change, tell)}{part_of(change, difference)}"
            for name, change in self.alone.items()
            if name not in named
        ]
        return f"Users by themselves: {', '.join(others)}." if others else self.note


def parted_by_user(
    sides: Sides, table: Table, asked: Measure, scale: Decimal, difference: Decimal
) -> Parted:
    """The users who by themselves make up much of the difference."""
    if not are_quick(sides) and totals(table, asked)[1][0] > MOST_REQUESTS:
        return Parted(note=NOT_LOOKED_AT)
    try:
        leading = leading_users(sides, LEADERS, asked.columns)
    except InvalidQuery:
        return Parted()  # What users used in parts of days is not kept any more.
    whole = totals(table, asked)
    changes = {
        user: part_of_difference(asked, both, whole, scale) for user, both in leading.items()
    }
    least = LEAST_OF_USER * abs(difference)
    chosen = sorted(
        (user for user, change in changes.items() if abs(change) >= least),
        key=lambda user: (-abs(changes[user]), user),
    )[:MOST_USERS]
    if not chosen:
        return Parted()
    names = names_of(sides, chosen)
    alone = {names[user]: changes[user] for user in chosen}
    if len(table.leaves) * days(sides) > MOST_LOOKED_UP:
        return Parted(alone=alone)
    of_users = read_leaves_of_users(sides, chosen, table.dimensions, asked.columns)
    leaves = with_users(table.leaves, of_users, EVERYONE_ELSE)
    return Parted(Table((*table.dimensions, "user"), leaves), alone)


def part_of(change: Decimal, difference: Decimal) -> str:
    """Nothing of what went the other way."""
    return f" ({share_short(change, difference)})" if change * difference > 0 else ""


def tell_change(change: Decimal, tell: Tell) -> str:
    return f"{'+' if change > 0 else MINUS}{tell(abs(change))}"


def are_quick(sides: Sides) -> bool:
    """Whether users are told by their totals of days."""
    query = sides.after
    edges = (query.period.start, query.period.end)
    return not query.filters and all(whole_day(edge, query.zone) for edge in edges)


def days(sides: Sides) -> int:
    lengths = (each.period.end - each.period.start for each in (sides.before, sides.after))
    return sum(length.days + 1 for length in lengths)


def part_of_difference(asked: Measure, both: Both, whole: Both, scale: Decimal) -> Decimal:
    """About what a user adds to the difference."""
    then, now = (asked.figures(asked.columns, side) for side in both)
    if asked.denominator is None:
        return now[0] - then[0] * scale
    all_then, all_now = (asked.figures(asked.columns, side) for side in whole)
    if not (all_then[1] and all_now[1]):
        return Decimal(0)
    mean = all_then[0] / all_then[1]
    return (now[0] - mean * now[1]) / all_now[1] - (then[0] - mean * then[1]) / all_then[1]
