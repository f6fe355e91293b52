"""All users of a query in the order of what they cost, added up once: every hundredth of them, for
the Pareto curve, and one page of them by name.

Whole days that have settled are read as arrays of all users, coarsest spans first; what has not,
and whatever a filter keeps, row by row. PostgreSQL only joins the rows: to add up everybody
takes it ten times as long as user_sums.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from psycopg.sql import SQL

from finops import user_spans
from finops.costs.leaders import spans_of
from finops.costs.parameters import Parameters
from finops.costs.parts import part_of_usage
from finops.costs.reading import Reading, held_segments
from finops.costs.results import UNATTRIBUTED, Freshness
from finops.costs.runs import opened
from finops.costs.statements import Statement
from finops.query import CostQuery
from finops.sql import statement
from finops.user_sums import DIGITS, UserSums, added, dearest_first
from ingest.cardinality import OVERFLOW
from ingest.user_names import hashed

COLUMNS = ("requests", "unpriced_requests", "effective_cost")
# As user_spans.py names it.
OF_USER = SQL("    SELECT part.*, key_0 AS user_id FROM (\n{usage}\n    ) AS part")


@dataclass(frozen=True, slots=True)
class Hundredth:
    """The users whose places lie within one percent of all, `number` 0 the most expensive ones.

    `weighted` is the sum of place × cost, `least` what the last of them cost.
    """

    number: int
    users: int
    cost: Decimal
    weighted: Decimal
    least: Decimal


@dataclass(frozen=True, slots=True)
class RankedUser:
    """One user; `number` is the database's. `cost` is that of the requests that have a price, None
    where none has; those users come last."""

    number: int
    name: str
    place: int
    cost: Decimal | None
    requests: int
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """`users` have at least one request with a price, `unknown` none. `page` is some of all in
    order, and `cost_before` what those before it cost; `also` are others. `nobody` is usage without
    a user, and of users past the limit of names: neither is in any other number here."""

    hundredths: tuple[Hundredth, ...]
    page: tuple[RankedUser, ...]
    cost_before: Decimal
    unknown: int
    nobody: tuple[RankedUser, ...]
    also: tuple[RankedUser, ...]
    freshness: Freshness

    @property
    def users(self) -> int:
        return sum(each.users for each in self.hundredths)


def rank_users(
    query: CostQuery,
    *,
    after: int = 0,
    size: int = 0,
    search: str = "",
    also: Sequence[int] = (),
) -> Ranking:
    """The users of the query's period and filters, and `size` of them from the place that follows
    `after` on, where `search` is something in their names; and those of `also` that are there.

    Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    with opened(query) as reading:
        nobodies = numbers_of_nobody(reading)
        everybody = read_users(reading, query)
        is_nobody = np.isin(everybody.users, list(nobodies))
        order = Order.of(everybody.at(np.flatnonzero(~is_nobody)))
        some = order.places[after:]
        if search:
            some = some[np.isin(order.sums.users[some], numbers_like(reading, search))]
        page = some[:size]
        others = order.places[np.isin(order.sums.users[order.places], list(also))]
        names = nobodies | names_of(reading, order.sums.users[np.concatenate([page, others])])
    nobody = everybody.at(np.flatnonzero(is_nobody))
    return Ranking(
        order.hundredths(),
        order.ranked(page, names),
        order.cost_of_first(after),
        len(order.places) - order.known,
        tuple(ranked(nobody, n, 0, names) for n in range(len(nobody.users))),
        order.ranked(others, names),
        reading.freshness,
    )


def read_users(reading: Reading, query: CostQuery) -> UserSums:
    """Everybody who used something that the query keeps, by number."""
    asked = by_user(query)
    parts, rows = [], []
    for part in held_segments(reading, asked, per_user=True):
        # A filter by user, the only one that totals know, is of few: of these rows are read.
        if part.grain.span is None or asked.filters:
            rows.append(part)
            continue
        for span, start in spans_of(part, asked):
            found = reading.fetch(
                Statement(statement("read_user_span"), {"span": span, "start": start})
            )
            parts += [user_spans.stored(*row) for row in found]
    for part in rows:
        parameters = Parameters()
        usage = part_of_usage(asked, part, COLUMNS, parameters, reading.known)
        text = user_spans.JOINED.format(usage=OF_USER.format(usage=usage))
        [row] = reading.fetch(Statement(text, parameters.values))
        parts.append(user_spans.joined(*row))
    return added(parts)


@dataclass(frozen=True, slots=True)
class Order:
    """Users by cost, the dearest first: `places` are places in `sums`. The first `known` of them
    have a request with a price."""

    sums: UserSums
    places: NDArray[np.intp]
    known: int

    @classmethod
    def of(cls, sums: UserSums) -> Order:
        unknown = ~sums.requests.differs_from(sums.unpriced_requests)
        places = dearest_first(sums.effective_cost, sums.users)
        is_unknown = unknown[places]
        known = places[~is_unknown]
        return cls(sums, np.concatenate([known, places[is_unknown]]), len(known))

    def hundredths(self) -> tuple[Hundredth, ...]:
        costs = self.sums.effective_cost.at(self.places[: self.known])
        number = np.arange(self.known, dtype=np.int64) * 100 // max(self.known, 1)
        numbers, firsts = np.unique(number, return_index=True)
        counts = np.diff([*firsts, self.known])
        # By the place within the hundredth: by that among all the products would be too large for
        # 64 bits from a million users on, by this one from ten million.
        within = np.arange(self.known, dtype=np.int64) - np.repeat(firsts, counts) + 1
        sums, weighted = costs.sums(firsts), costs.times(within).sums(firsts)
        with localcontext(prec=DIGITS):
            return tuple(
                Hundredth(
                    int(numbers[n]),
                    int(counts[n]),
                    sums[n],
                    weighted[n] + int(first) * sums[n],
                    costs.decimal(int(first + counts[n]) - 1),
                )
                for n, first in enumerate(firsts)
            )

    def cost_of_first(self, count: int) -> Decimal:
        some = self.sums.effective_cost.at(self.places[: min(count, self.known)])
        first = np.zeros(min(1, some.planes.shape[1]), dtype=np.intp)
        return sum(some.sums(first), Decimal(0))

    def ranked(self, some: NDArray[np.intp], names: dict[int, str]) -> tuple[RankedUser, ...]:
        """These, which are in order."""
        place_of = np.zeros(len(self.places), dtype=np.int64)
        place_of[self.places] = np.arange(1, len(self.places) + 1)
        return tuple(ranked(self.sums, int(n), int(place_of[n]), names) for n in some)


def ranked(sums: UserSums, n: int, place: int, names: dict[int, str]) -> RankedUser:
    number = int(sums.users[n])
    requests, unpriced = (int(each.decimal(n)) for each in (sums.requests, sums.unpriced_requests))
    cost = None if requests == unpriced else sums.effective_cost.decimal(n)
    return RankedUser(number, names[number], place, cost, requests, unpriced)


def numbers_of_nobody(reading: Reading) -> dict[int, str]:
    reading.cursor.execute("SELECT id FROM end_user WHERE name = %s", [OVERFLOW])
    return {0: UNATTRIBUTED} | {number: OVERFLOW for (number,) in reading.cursor.fetchall()}


def names_of(reading: Reading, numbers: NDArray[np.int32]) -> dict[int, str]:
    reading.cursor.execute("SELECT id, name FROM end_user WHERE id = ANY(%s)", [numbers.tolist()])
    return dict(reading.cursor.fetchall())


def by_user(query: CostQuery, granularity: str = "total") -> CostQuery:
    """The same usage by user."""
    return query.replace(
        group_by=("user",), granularity=granularity, limit=None, compare=False, metrics=COLUMNS
    )


def numbers_like(reading: Reading, search: str) -> list[int]:
    """Who has it somewhere in the name, or as the whole of a name that is stored as a hash."""
    reading.cursor.execute(
        "SELECT id FROM end_user WHERE strpos(lower(name), lower(%s)) > 0 OR name = %s",
        [search, hashed(settings.USER_HASH_KEY, search)],
    )
    return [number for (number,) in reading.cursor.fetchall()]
