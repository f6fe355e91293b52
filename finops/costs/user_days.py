"""What single users used day by day, and who leads a period: of a few users, never of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops.costs import leaders
from finops.costs.metrics import known_cost
from finops.costs.reading import held_segments, read_sums, read_usage
from finops.costs.runs import opened
from finops.costs.snapshots import snapshot, user_numbers
from finops.costs.statements import Top, sums_statement
from finops.costs.user_ranking import COLUMNS, by_user, numbers_of_nobody
from finops.query import CostQuery

METRICS = ("effective_cost", "input_tokens", "output_tokens", "errors")


@dataclass(frozen=True, slots=True)
class UserDay:
    """One day of one user. `cost` is that of the requests that have a price."""

    day: date
    cost: Decimal
    requests: int
    unpriced_requests: int
    input_tokens: int
    output_tokens: int
    errors: int


def read_user_days(query: CostQuery, numbers: Sequence[int]) -> dict[int, list[UserDay]]:
    """The days on which these users used something, in order; who used nothing is not there.

    At most parts.MOST_LOOKED_FOR users are found by keys; more take as long as everybody.
    """
    if not numbers:
        return {}
    asked = by_user(query, "day").replace(metrics=METRICS)
    with opened(query) as reading:
        usage = read_usage(reading, asked, None, list(numbers))
    found: dict[int, list[UserDay]] = {}
    for (day, _, (number,)), sums in usage.groups.items():
        assert isinstance(day, date)
        found.setdefault(number, []).append(
            UserDay(
                day,
                sums.sums["effective_cost"],
                *(
                    sums.count(name)
                    for name in (
                        *("requests", "unpriced_requests", "input_tokens"),
                        *("output_tokens", "errors"),
                    )
                ),
            )
        )
    return {number: sorted(days, key=lambda each: each.day) for number, days in found.items()}


def read_user_costs(query: CostQuery, numbers: Sequence[int]) -> dict[int, Decimal | None]:
    """What these users cost in the query's period, None where no price is known; who used nothing
    is not there."""
    if not numbers:
        return {}
    asked = by_user(query).replace(metrics=METRICS[:1])
    with opened(query) as reading:
        usage = read_usage(reading, asked, None, list(numbers))
    return {
        keys[0]: known_cost(sums, "effective_cost") for (_, _, keys), sums in usage.groups.items()
    }


@dataclass(frozen=True, slots=True)
class UserPart:
    """What one user used of one value of a dimension; `cost` is None where no price is known."""

    name: str
    cost: Decimal | None
    requests: int
    unpriced_requests: int


def read_user_parts(query: CostQuery, number: int, dimension: str) -> list[UserPart]:
    """What this user used, by a dimension, the most expensive first; of whole days by keys."""
    asked = by_user(query).replace(group_by=(dimension,), metrics=METRICS[:1])
    with opened(asked) as reading:
        # Days by user, as what is kept without users knows nothing of one.
        parts = held_segments(reading, asked.replace(group_by=("user", dimension)), per_user=True)
        rows = reading.fetch(
            sums_statement(asked, parts, reading.known, COLUMNS, (), None, [number])
        )
    found = [
        (name, read_sums(sums, COLUMNS, ())) for is_total, _, _, name, *sums in rows if not is_total
    ]
    listed = [
        UserPart(
            name,
            known_cost(sums, "effective_cost"),
            sums.count("requests"),
            sums.count("unpriced_requests"),
        )
        for name, sums in found
    ]
    return sorted(listed, key=lambda each: (-(each.cost or Decimal(0)), each.name))


def user_number(name: str) -> int | None:
    """Of who is stored by this name or by its hash; None of nobody."""
    with snapshot() as cursor:
        number = user_numbers(cursor, [name]).get(name)
    return number or None


def user_names(numbers: Sequence[int]) -> dict[int, str]:
    """What these users are stored as."""
    with snapshot() as cursor:
        cursor.execute("SELECT id, name FROM end_user WHERE id = ANY(%s)", [list(numbers)])
        return dict(cursor.fetchall())


def usage_of_nobody(query: CostQuery) -> tuple[Decimal, Decimal]:
    """Cost and requests of usage without a user, and of users past the limit of names."""
    with opened(query) as reading:
        nobodies = list(numbers_of_nobody(reading))
        usage = read_usage(reading, by_user(query).replace(metrics=METRICS[:1]), None, nobodies)
    return usage.total.sums["effective_cost"], usage.total.sums["requests"]


def leading_users(query: CostQuery, count: int) -> list[int]:
    """The numbers of those who cost most, in order, without usage that is nobody's."""
    with opened(query) as reading:
        nobodies = numbers_of_nobody(reading)
        asked = by_user(query).replace(metrics=METRICS[:1], limit=count + len(nobodies))
        usage = leaders.read(reading, asked) or read_usage(
            reading, asked, Top(rank_by="effective_cost")
        )
    groups = [
        (keys[0], sums.sums["effective_cost"])
        for (_, is_other, keys), sums in usage.groups.items()
        if not is_other and keys[0] not in nobodies
    ]
    return [number for number, _ in sorted(groups, key=lambda group: -group[1])[:count]]
