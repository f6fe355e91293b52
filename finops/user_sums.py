"""What very many users used, as arrays: added up and ranked in milliseconds, to the last digit.

Pure. A number is a sum of planes, each a column of whole numbers for one power of 10**8 (two digits
as PostgreSQL keeps them). Planes are added as they are, in floats that hold every whole number that
occurs, and carried once at the end, so nothing is ever rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

BASE, BASE_DIGITS = 10**8, 8
# numeric_send writes four numbers of two bytes, then the digits of base 10,000.
NUMERIC_HEAD, NUMERIC_BASE = 4, 10_000
NEGATIVE = 0x4000
DIGITS = 120
STORED = np.dtype("<i4")


@dataclass(frozen=True, slots=True)
class Amounts:
    """One number for each user: the sum of planes[i] × BASE ** (lowest + i)."""

    lowest: int
    planes: Numbers

    @classmethod
    def of_integers(cls, values: Numbers) -> Amounts:
        """None of them below zero."""
        planes = []
        while values.any():
            values, plane = np.divmod(values, BASE)
            planes.append(plane)
        return cls(0, stacked(planes, len(values)))

    @classmethod
    def of_numerics(cls, lengths: bytes, numerics: bytes) -> Amounts:
        """Joined results of numeric_send, and the length of each in bytes (int4send)."""
        words = np.frombuffer(numerics, dtype=">i2")
        ends = np.cumsum(np.frombuffer(lengths, dtype=">i4").astype(np.int64) // 2)
        starts = np.concatenate([ends[:0], [0], ends[:-1]]) if len(ends) else ends
        counts, weights = words[starts].astype(np.int64), words[starts + 1].astype(np.int64)
        signs = np.where(words[starts + 2] == NEGATIVE, -1, 1)
        used = np.flatnonzero(counts)
        if not len(used):
            return cls(0, np.zeros((0, len(starts)), dtype=np.int64))
        lowest = int((weights - counts + 1)[used].min()) // 2
        highest = int(weights[used].max()) // 2
        planes = np.zeros((highest - lowest + 1, len(starts)), dtype=np.int64)
        for place in range(int(counts.max())):
            some = np.flatnonzero(counts > place)
            power = weights[some] - place
            digit = words[starts[some] + NUMERIC_HEAD + place].astype(np.int64) * signs[some]
            planes[power // 2 - lowest, some] += np.where(power % 2, digit * NUMERIC_BASE, digit)
        return cls(lowest, planes)

    @classmethod
    def stored(cls, lowest: int, planes: bytes, users: int) -> Amounts:
        held = np.frombuffer(planes, dtype=STORED).astype(np.int64)
        return cls(lowest, held.reshape(len(held) // max(users, 1), users))

    def to_bytes(self) -> bytes:
        return self.planes.astype(STORED).tobytes()

    def at(self, places: NDArray[np.intp]) -> Amounts:
        return Amounts(self.lowest, self.planes[:, places])

    def carried(self) -> Amounts:
        """The same numbers with planes below BASE, and none but the highest below zero: so they
        compare plane by plane."""
        planes, over = [], np.zeros(self.planes.shape[1], dtype=np.int64)
        for plane in self.planes:
            over, rest = np.divmod(plane + over, BASE)
            planes.append(rest)
        return Amounts(self.lowest, stacked([*planes, over], len(over)))

    def differs_from(self, other: Amounts) -> NDArray[np.bool_]:
        """Where the two, both carried and of the same lowest power, are not the same."""
        count = max(len(self.planes), len(other.planes))
        return np.asarray((self.padded(count) != other.padded(count)).any(axis=0))

    def padded(self, count: int) -> Numbers:
        """With planes of nothing above, so many in all."""
        more = np.zeros((count - len(self.planes), self.planes.shape[1]), dtype=np.int64)
        return np.concatenate([self.planes, more])

    def decimal(self, place: int) -> Decimal:
        return whole(self.lowest, self.planes[:, place])

    def sums(self, firsts: NDArray[np.intp]) -> list[Decimal]:
        """Of runs that begin at these places, in order and none of them empty."""
        if not len(firsts):
            return []
        if not len(self.planes):
            return [Decimal(0)] * len(firsts)
        added = np.add.reduceat(self.planes, firsts, axis=1)
        return [whole(self.lowest, column) for column in added.T]

    def times(self, factors: Numbers) -> Amounts:
        return Amounts(self.lowest, self.planes * factors)


@dataclass(frozen=True, slots=True)
class UserSums:
    """`users` are their numbers, in no order and repeated until they are added up."""

    users: NDArray[np.int32]
    requests: Amounts
    unpriced_requests: Amounts
    effective_cost: Amounts

    def at(self, places: NDArray[np.intp]) -> UserSums:
        measures = (self.requests, self.unpriced_requests, self.effective_cost)
        return UserSums(self.users[places], *(each.at(places) for each in measures))


def stacked(planes: Sequence[Numbers], count: int) -> Numbers:
    return np.array(planes, dtype=np.int64).reshape(len(planes), count)


def whole(lowest: int, planes: Numbers) -> Decimal:
    units = sum(plane * BASE**power for power, plane in enumerate(planes.tolist()))
    with localcontext(prec=DIGITS):
        return Decimal(units).scaleb(lowest * BASE_DIGITS)


def added(parts: Sequence[UserSums]) -> UserSums:
    """Each user once, by number, carried; without those who have no request left."""
    parts = [each for each in parts if len(each.users)] or parts[:1]
    last = max((int(each.users.max()) for each in parts if len(each.users)), default=-1)
    is_there = np.zeros(last + 1, dtype=np.bool_)
    for each in parts:
        is_there[each.users] = True
    users = np.flatnonzero(is_there).astype(np.int32)
    place_of = np.zeros(last + 1, dtype=np.int32)
    place_of[users] = np.arange(len(users), dtype=np.int32)
    places = [place_of[each.users] for each in parts]
    requests, unpriced, costs = (
        total([getattr(each, name) for each in parts], places, len(users))
        for name in ("requests", "unpriced_requests", "effective_cost")
    )
    sums = UserSums(users, requests, unpriced, costs)
    left = requests.planes.any(axis=0)
    return sums if left.all() else sums.at(np.flatnonzero(left))


def total(parts: Sequence[Amounts], places: Sequence[NDArray[np.int32]], users: int) -> Amounts:
    lowest = min((each.lowest for each in parts), default=0)
    highest = max((each.lowest + len(each.planes) for each in parts), default=0)
    planes = np.zeros((highest - lowest, users), dtype=np.int64)
    for each, place in zip(parts, places, strict=True):
        for power, plane in enumerate(each.planes, start=each.lowest - lowest):
            planes[power] += np.bincount(place, weights=plane, minlength=users).astype(np.int64)
    return Amounts(lowest, planes).carried()


def dearest_first(costs: Amounts, users: NDArray[np.int32]) -> NDArray[np.intp]:
    """The order of carried costs, of equal ones by the number of the user."""
    keys: list[Numbers] = [users.astype(np.int64)]
    for low, high in zip_pairs(costs.planes):
        keys.append(-(high * BASE + low))
    return np.lexsort(keys)


def zip_pairs(planes: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Neighbouring planes, the lowest first: two are one number of 64 bits, which sorts faster."""
    even = planes if len(planes) % 2 == 0 else np.concatenate([planes, planes[-1:] * 0])
    return list(zip(even[::2], even[1::2], strict=True))
