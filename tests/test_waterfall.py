"""Where the bars of a waterfall are."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from finops.waterfall import waterfall

amounts = st.decimals(-(10**9), 10**9, places=4) | st.just(Decimal(0))


def test_each_bar_begins_where_the_one_before_it_ends() -> None:
    drawn = waterfall(Decimal(50), [Decimal(50), Decimal(-20)])
    assert [(bar.tone, bar.start, bar.width) for bar in drawn.bars] == [
        ("total", 0, 50),
        ("up", 50, 50),
        ("down", 80, 20),
        ("total", 0, 80),
    ]
    assert [bar.entered for bar in drawn.bars] == [None, 50, 100, 80]
    assert [bar.left for bar in drawn.bars] == [50, 100, 80, None]
    assert (drawn.begins_at, drawn.zero) == (0, 0)


def test_small_steps_of_large_sums_are_drawn_from_later_than_zero() -> None:
    drawn = waterfall(Decimal(1000), [Decimal(20), Decimal(-10)])
    assert drawn.zero is None
    assert drawn.begins_at == 993
    assert drawn.bars[1].width > 50


def test_what_goes_below_zero_is_drawn_from_there() -> None:
    drawn = waterfall(Decimal(10), [Decimal(-30), Decimal(40)])
    assert drawn.zero == 50
    assert [bar.start for bar in drawn.bars] == [50, 0, 0, 50]


@settings(max_examples=40)
@given(amounts, st.lists(amounts, max_size=11))
def test_every_bar_is_within_the_width(before: Decimal, steps: list[Decimal]) -> None:
    drawn = waterfall(before, steps)
    assert len(drawn.bars) == len(steps) + 2
    for bar, step in zip(drawn.bars[1:-1], steps, strict=True):
        assert 0 <= bar.start <= 100
        assert bar.start + bar.width <= 100.02
        assert (bar.width > 0) == (step != 0)
