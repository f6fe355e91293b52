"""The users of a query in order: how concentrated their cost is, one page of them, and who of them,
or of those that led lately, is worth a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from finops import costs
from finops.costs import RankedUser, Ranking
from finops.periods import Period, previous
from finops.power_users.concentration import DIGITS, Concentration, concentration, share
from finops.power_users.labels import BOT, BURSTY, GROWING, HEAVY, LOOP
from finops.power_users.profiles import Profile, profiles, window_of
from finops.query import CostQuery

# With those who led lately no more than 50: finding the days of more takes as long as everybody's.
PAGE = 30
LEADERS = 10
# What comes first where several are worth a look.
URGENCY = (LOOP, BOT, GROWING, BURSTY, HEAVY)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """One user. `share` and `cumulated`, of all before and this one, are of the cost of all users;
    `before` is what the user cost in the period before: None where that is not known or not asked.
    `profile` is None where labels were not looked for."""

    user: RankedUser
    share: Decimal | None
    cumulated: Decimal | None
    before: Decimal | None
    profile: Profile | None

    @property
    def urgency(self) -> int:
        """A place in URGENCY; beyond it without labels."""
        kinds = {each.kind for each in self.profile.labels} if self.profile else set()
        return next((n for n, kind in enumerate(URGENCY) if kind in kinds), len(URGENCY))

    @property
    def is_only_heavy(self) -> bool:
        return self.urgency == URGENCY.index(HEAVY)


@dataclass(frozen=True, slots=True)
class Listing:
    """`lines` are the page; `noticed` the users of it, and of those that led the last day or week,
    that have a label, most urgent first. `next_after` is the place after which the next page
    begins, None on the last one; `note` says which labels could not be looked for."""

    ranking: Ranking
    concentration: Concentration
    lines: tuple[Line, ...]
    noticed: tuple[Line, ...]
    next_after: int | None
    note: str


def listing(
    query: CostQuery,
    now: datetime,
    currency: str,
    *,
    after: int = 0,
    size: int = PAGE,
    search: str = "",
    labelled: bool = True,
) -> Listing:
    """Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged."""
    with costs.snapshot():
        also = lately_leading(query, now) if labelled and not (after or search) else []
        ranking = costs.rank_users(query, after=after, size=size + 1, search=search, also=also)
        page = ranking.page[:size]
        users = list(dict.fromkeys((*page, *ranking.also)))
        peers = concentration(ranking.hundredths)
        found, note = profiles(query, users, peers, now, currency) if labelled else ({}, "")
        earlier = costs_before(query, users) if query.compare else {}
    spent = None if search else spent_by(page, ranking.cost_before)
    lines = [
        Line(
            user,
            None if user.cost is None else share(user.cost, peers.cost),
            share(spent[user.number], peers.cost) if spent and user.number in spent else None,
            earlier.get(user.number),
            found.get(user.number),
        )
        for user in users
    ]
    noticed = [each for each in lines if each.profile and each.profile.labels]
    return Listing(
        ranking,
        peers,
        tuple(lines[: len(page)]),
        tuple(sorted(noticed, key=lambda each: (each.urgency, each.user.place))),
        page[-1].place if len(ranking.page) > size else None,
        note,
    )


def lately_leading(query: CostQuery, now: datetime) -> list[int]:
    """Who cost most on the last day and in the last week: a sudden user may be far down a list."""
    window = window_of(query, now)
    end = window.period.end
    spans = (Period(window.last_day.start, end), Period(end - timedelta(days=7), end))
    found = [
        number
        for span in spans
        for number in costs.leading_users(query.replace(period=span), LEADERS)
    ]
    return list(dict.fromkeys(found))


def spent_by(page: Sequence[RankedUser], before: Decimal) -> Mapping[int, Decimal]:
    """What each user of the page and all before cost together."""
    found = {}
    with localcontext(prec=DIGITS):
        for user in page:
            before += user.cost or ZERO
            found[user.number] = before
    return found


def costs_before(query: CostQuery, users: Sequence[RankedUser]) -> dict[int, Decimal | None]:
    """What these users cost in the period before; 0 of those who used nothing."""
    earlier = query.replace(period=previous(query.period, query.zone))
    found = costs.read_user_costs(earlier, [each.number for each in users])
    return {each.number: found.get(each.number, ZERO) for each in users}
