"""One user: place among all, labels, what the usage was for, and a limit of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from finops import costs
from finops.costs import Freshness, RankedUser, UserDay, UserPart
from finops.periods import InvalidQuery
from finops.power_users.concentration import DIGITS, Concentration, concentration, share
from finops.power_users.limits import STEPS
from finops.power_users.profiles import Profile, profiles, window_of
from finops.query import CostQuery

PARTS = ("feature", "model")
# A limit that nine of ten active days stay below.
KEPT_DAYS = Decimal("0.9")
FEWEST_DAYS = 5
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """A round amount a day, what lay beyond it on the whole days that labels look at, and on how
    many of these."""

    amount: Decimal
    saved: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class UserPicture:
    """`user` is None where this user used nothing in the period; `parts` are by dimension."""

    name: str
    user: RankedUser | None
    peers: Concentration
    profile: Profile
    parts: dict[str, list[UserPart]]
    own_limit: OwnLimit | None
    share: Decimal | None
    note: str
    freshness: Freshness


def named(query: CostQuery) -> str:
    """The one user that the query keeps. Raises InvalidQuery where it is none, or nobody."""
    kept = [each for each in query.filters if each.dimension == "user"]
    if len(kept) != 1 or kept[0].exclude or len(kept[0].values) != 1:
        raise InvalidQuery("user", "names the one user whose page this is")
    [name] = kept[0].values
    if name == costs.UNATTRIBUTED:
        raise InvalidQuery("user", "is none here: Unattributed is usage that names no user")
    return name


def picture(query: CostQuery, now: datetime, currency: str) -> UserPicture:
    """Of the one user that the query keeps, among all that its other filters keep.

    Raises InvalidQuery, QueryTooSlow, or rollups.ZoneChanged.
    """
    name = named(query)
    everybody = query.without_filter("user")
    with costs.snapshot():
        number = costs.user_number(name)
        ranking = costs.rank_users(everybody, also=[] if number is None else [number])
        peers = concentration(ranking.hundredths)
        user = ranking.also[0] if ranking.also else None
        if number is None:
            nothing = Profile((), ())
            return UserPicture(name, None, peers, nothing, {}, None, None, "", ranking.freshness)
        asked = user or RankedUser(number, name, 0, None, 0, 0)
        found, note = profiles(everybody, [asked], peers, now, currency)
        parts = {each: costs.read_user_parts(everybody, number, each) for each in PARTS}
    window = window_of(query, now)
    profile = found[number]
    whole = [each for each in profile.days if each.day <= window.whole]
    held = share(user.cost, peers.cost) if user and user.cost is not None else None
    return UserPicture(
        user.name if user else name,
        *(user, peers, profile, parts, own_limit(whole), held, note),
        ranking.freshness,
    )


def own_limit(days: Sequence[UserDay]) -> OwnLimit | None:
    """The next round amount above what nine of ten active days cost; None of few days."""
    spent = sorted(each.cost for each in days if each.cost > 0)
    if len(spent) < FEWEST_DAYS:
        return None
    amount = rounded_up(spent[int((len(spent) - 1) * KEPT_DAYS)])
    with localcontext(prec=DIGITS):
        beyond = [cost - amount for cost in spent if cost > amount]
        return OwnLimit(amount, sum(beyond, ZERO), len(beyond))


def rounded_up(amount: Decimal) -> Decimal:
    """The next of 1, 2 and 5 times a power of ten."""
    exponent = amount.adjusted()
    steps = [Decimal(step).scaleb(exponent) for step in (*reversed(STEPS), 10)]
    return next(step for step in steps if step >= amount)
