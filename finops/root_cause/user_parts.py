"""Users who alone make up much of a difference, told apart among its leaves."""

from __future__ import annotations

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

# Users are looked at one by one who cost most, and told apart where they alone changed so much.
LEADERS = 20
MOST_USERS = 3
LEAST_OF_USER = Decimal("0.1")
EVERYONE_ELSE = "everyone else"
# Leaves times days in which users are looked for at most: a million take 2.3 s.
MOST_LOOKED_UP = 150_000
# Of more requests users are read only where the totals of their days tell enough.
MOST_REQUESTS = 1_000_000


def parted_by_user(
    sides: Sides, table: Table, asked: Measure, scale: Decimal, difference: Decimal
) -> tuple[Table | None, str]:
    """The leaves with those users told apart, or None. In words who they are where there are too
    many leaves for that."""
    if not are_quick(sides) and totals(table, asked)[1][0] > MOST_REQUESTS:
        return None, "Users were not looked at: choose whole days and no filter, or fewer requests."
    try:
        leading = leading_users(sides, LEADERS, asked.columns)
    except InvalidQuery:
        return None, ""  # What users used in parts of days is not kept any more.
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
        return None, ""
    if len(table.leaves) * days(sides) > MOST_LOOKED_UP:
        names = names_of(sides, chosen)
        told = [f"{names[user]} ({share_short(changes[user], difference)})" for user in chosen]
        return None, f"Users who make up much of it by themselves: {', '.join(told)}."
    of_users = read_leaves_of_users(sides, chosen, table.dimensions, asked.columns)
    leaves = with_users(table.leaves, of_users, EVERYONE_ELSE)
    return Table((*table.dimensions, "user"), leaves), ""


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
