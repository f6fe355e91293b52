"""Numbers of very many users as arrays: what plain Python adds up and puts in order."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from decimal import Decimal, localcontext

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finops.costs.user_ranking import Order
from finops.user_spans import joined, stored
from finops.user_sums import UserSums, added

amounts = st.one_of(
    st.decimals(0, 10**6, places=9),
    st.decimals(-(10**12), 10**12, places=30),
    st.sampled_from([Decimal(0), Decimal("1e-40"), Decimal(10**25), Decimal("0.5")]),
)
rows = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 10**12), st.booleans(), amounts), max_size=60
)


def numeric_send(value: Decimal) -> bytes:
    """As PostgreSQL does."""
    places = max(0, -int(value.as_tuple().exponent))
    places += -places % 4
    with localcontext(prec=120):
        units, digits = int(abs(value).scaleb(places)), []
    while units:
        units, digit = divmod(units, 10_000)
        digits.append(digit)
    sign = 0x4000 if value < 0 else 0
    weight = len(digits) - 1 - places // 4
    return struct.pack(f">HhHH{len(digits)}H", len(digits), weight, sign, places, *digits[::-1])


def of_rows(found: list[tuple[int, int, bool, Decimal]]) -> UserSums:
    sent = [numeric_send(cost) for *_, cost in found]
    return joined(
        b"".join(struct.pack(">i", user) for user, *_ in found),
        b"".join(struct.pack(">q", requests) for _, requests, *_ in found),
        b"".join(struct.pack(">q", requests * unpriced) for _, requests, unpriced, _ in found),
        b"".join(struct.pack(">i", len(each)) for each in sent),
        b"".join(sent),
    )


def kept(sums: UserSums) -> UserSums:
    """Written to a row of arrays and read again."""
    measures = (sums.requests, sums.unpriced_requests, sums.effective_cost)
    return stored(
        sums.users.astype("<i4").tobytes(),
        *(each.to_bytes() for each in measures),
        sums.effective_cost.lowest,
    )


@given(rows, rows)
def test_sums_of_joined_and_of_kept_rows_are_exact(
    one: list[tuple[int, int, bool, Decimal]], other: list[tuple[int, int, bool, Decimal]]
) -> None:
    requests: Counter[int] = Counter()
    unpriced: Counter[int] = Counter()
    costs: defaultdict[int, Decimal] = defaultdict(Decimal)
    with localcontext(prec=120):
        for user, count, is_unpriced, cost in (*one, *other):
            requests[user] += count
            unpriced[user] += count * is_unpriced
            costs[user] += cost
        sums = added([of_rows(one), kept(of_rows(other))])
        assert sums.users.tolist() == sorted(user for user, count in requests.items() if count)
        for n, user in enumerate(sums.users.tolist()):
            assert sums.requests.decimal(n) == requests[user]
            assert sums.unpriced_requests.decimal(n) == unpriced[user]
            assert sums.effective_cost.decimal(n) == costs[user]
        known = [user for user in sums.users.tolist() if requests[user] > unpriced[user]]
        order = Order.of(sums)
        ranked = sums.users[order.places].tolist()
        assert ranked[: order.known] == sorted(known, key=lambda user: (-costs[user], user))
        whole = sum((costs[user] for user in known), Decimal(0))
        found = order.hundredths()
        weighted = sum(n * costs[user] for n, user in enumerate(ranked[: order.known], start=1))
        assert sum(each.users for each in found) == len(known)
        assert sum(each.cost for each in found) == whole == order.cost_of_first(len(ranked))
        assert sum(each.weighted for each in found) == weighted


def test_a_settlement_takes_back_what_was_used() -> None:
    taken = [(3, 5, False, Decimal("1.25")), (4, 2, False, Decimal(1))]
    back = of_rows(taken)
    minus = UserSums(
        back.users,
        *(
            each.times(np.full(len(back.users), -1))
            for each in (back.requests, back.unpriced_requests, back.effective_cost)
        ),
    )
    sums = added([of_rows([*taken, (9, 1, True, Decimal(0))]), minus])
    assert sums.users.tolist() == [9]
