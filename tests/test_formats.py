"""How numbers and dates are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops import formats

AMOUNTS = st.decimals("0", "1e9", places=15)


def plain(text: str) -> str:
    return text.replace(formats.SPACE, " ")


@pytest.mark.parametrize(
    ("amount", "short", "long"),
    [
        (None, "–", "–"),
        ("0", "$0", "$0.00"),
        ("0.000000012", "<$0.0001", "$0.000000012"),
        ("0.00421", "$0.0042", "$0.00421"),
        ("0.004213719", "$0.0042", "$0.004214"),
        ("0.5", "$0.50", "$0.50"),
        ("0.999", "$1.00", "$0.999"),
        ("12.345", "$12.34", "$12.34"),
        ("999.99", "$999.99", "$999.99"),
        ("1234.56", "$1,235", "$1,234.56"),
        ("12345.67", "$12.3k", "$12,345.67"),
        ("123456.7", "$123k", "$123,456.70"),
        ("999950", "$1.0M", "$999,950.00"),
        ("4123456.7", "$4.1M", "$4,123,456.70"),
        ("1200000000", "$1.2B", "$1,200,000,000.00"),
        ("-12.5", "−$12.50", "−$12.50"),
    ],
)
def test_money(amount: str | None, short: str, long: str) -> None:
    exact = None if amount is None else Decimal(amount)
    assert formats.money_short(exact, "USD") == short
    assert formats.money_long(exact, "USD") == long


@given(AMOUNTS.filter(lambda amount: amount != 0))
def test_a_cost_that_is_not_zero_never_reads_as_zero(amount: Decimal) -> None:
    for text in (formats.money_short(amount, "USD"), formats.money_long(amount, "USD")):
        assert any(digit in text for digit in "123456789")


def test_a_currency_without_a_sign_is_named() -> None:
    assert plain(formats.money_long(Decimal("12.5"), "CHF")) == "CHF 12.50"
    assert formats.money_long(Decimal("12.5"), "EUR") == "€12.50"
    assert formats.money_long(Decimal("12.5"), "") == "12.50"


def test_exact_money_keeps_every_digit() -> None:
    assert (
        formats.money_exact(Decimal("1234.56789012345678900000"), "USD") == "$1,234.567890123456789"
    )
    assert formats.money_exact(Decimal("5E+2"), "USD") == "$500.00"


@pytest.mark.parametrize(
    ("amounts", "total", "rest", "cells", "total_cell"),
    [
        (["0.333", "0.333", "0.334"], "1.000", None, ["0.33", "0.33", "0.34"], "1.00"),
        # The cent that rounding lost goes to the row it took most from.
        (["1.004", "1.003", "1.003"], "3.010", None, ["1.01", "1.00", "1.00"], "3.01"),
        (["1.004", "1.003", "1.003"], "3.010", 2, ["1.00", "1.00", "1.01"], "3.01"),
        (["5", None, "0.001"], "5.001", None, ["5.00", "–", "<0.01"], "5.00"),
        (["0.00421", "0.00001"], "0.00422", None, ["0.004210", "0.000010"], "0.004220"),
        ([], None, None, [], "0.00"),
    ],
)
def test_a_column_of_money_adds_up(
    amounts: list[str | None],
    total: str | None,
    rest: int | None,
    cells: list[str],
    total_cell: str,
) -> None:
    exact = [None if amount is None else Decimal(amount) for amount in amounts]
    exact_total = None if total is None else Decimal(total)
    assert formats.money_column(exact, exact_total, rest) == (cells, total_cell)


@given(st.lists(AMOUNTS, min_size=1, max_size=40), st.booleans())
def test_the_cells_of_any_column_add_up_to_its_total(
    amounts: list[Decimal], has_rest: bool
) -> None:
    rest = len(amounts) - 1 if has_rest else None
    cells, total = formats.money_column(amounts, sum(amounts, Decimal(0)), rest)
    assert sum((exact(cell) for cell in cells), Decimal(0)) == exact(total)


def exact(cell: str) -> Decimal:
    return Decimal(0) if "<" in cell else Decimal(cell.replace(",", "").replace(formats.MINUS, "-"))


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "–"), ("0", "0.0000"), ("0.00001", "<0.0001"), ("1234.5", "1,234.5000")],
)
def test_fixed_decimals_never_hide_a_cost(amount: str | None, text: str) -> None:
    assert formats.money_fixed(None if amount is None else Decimal(amount), 4) == text


@pytest.mark.parametrize(
    ("number", "short", "long"),
    [
        (None, "–", "–"),
        (0, "0", "0"),
        (842, "842", "842"),
        (9_999, "9,999", "9,999"),
        (12_345, "12.3k", "12,345"),
        (99_960, "100k", "99,960"),
        (1_234_567_890, "1.2B", "1,234,567,890"),
    ],
)
def test_counts(number: int | None, short: str, long: str) -> None:
    assert formats.count_short(number) == short
    assert formats.count_long(number) == long


@pytest.mark.parametrize(
    ("part", "whole", "short", "long"),
    [
        (None, 1, "–", "–"),
        (1, 0, "–", "–"),
        (0, 10, "0 %", "0 %"),
        (10, 10, "100 %", "100 %"),
        (Decimal("12.43"), 100, "12.4 %", "12.43 %"),
        (1, 100_000, "<0.1 %", "<0.01 %"),
        (99_999, 100_000, ">99.9 %", ">99.99 %"),
    ],
)
def test_shares(part: Decimal | int | None, whole: int, short: str, long: str) -> None:
    assert plain(formats.share_short(part, whole)) == short
    assert plain(formats.share_long(part, whole)) == long


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [("1.145", "1", "114.5"), ("2.125", "1", "212.5"), ("79.999", "100", "79.9"),
     ("80", "100", "80"), ("16.30", "0.79", "2,063.2"), ("0", "5", "0")],
)  # fmt: skip
def test_shares_that_are_reached_are_not_rounded_up(part: str, whole: str, said: str) -> None:
    assert formats.share_reached(Decimal(part), Decimal(whole)) == said


def test_the_last_day_is_that_before_an_end_at_midnight() -> None:
    today, midnight = date(2026, 11, 21), datetime(2026, 12, 1, tzinfo=UTC)
    zone = ZoneInfo("UTC")
    assert plain(formats.last_day(midnight, zone, today)) == "30 Nov"
    at_noon = midnight + timedelta(hours=12)
    assert plain(formats.last_day(at_noon, zone, today)) == "1 Dec, 12:00 UTC"


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (None, 1, "–"),
        (1, None, "–"),
        (0, 0, "no change"),
        (5, 0, "new"),
        (0, 5, "−100.0 %"),
        (Decimal("112.4"), 100, "+12.4 %"),
        (97, 100, "−3.0 %"),
        (1500, 100, "+1,400 %"),
    ],
)
def test_changes(now: Decimal | int | None, before: int | None, text: str) -> None:
    assert plain(formats.change_short(now, before)) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "–"),
        (0.4, "0.4 ms"),
        (842, "842 ms"),
        (999.7, "1.00 s"),
        (1_840, "1.84 s"),
        (59_400, "59.4 s"),
        (125_000, "2 min 5 s"),
        (3_599_900, "1 h 0 min"),
        (6_504_000, "1 h 48 min"),
    ],
)
def test_durations(milliseconds: float | None, text: str) -> None:
    assert plain(formats.duration(milliseconds)) == text


def test_unit_prices() -> None:
    price = Decimal("0.0000025")
    assert formats.unit_price_short(price, "token", "USD") == "$2.50 / 1M tokens"
    assert formats.unit_price_long(price, "token", "USD") == "$0.0000025 per token"
    assert formats.unit_price_short(Decimal("0.01"), "request", "USD") == "$0.01 / request"
    assert formats.unit_price_short(None, "token", "USD") == formats.MISSING


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 6, 14), date(2026, 6, 14), "14 Jun"),
        (date(2026, 6, 1), date(2026, 6, 30), "1–30 Jun"),
        (date(2026, 5, 28), date(2026, 6, 3), "28 May – 3 Jun"),
        (date(2025, 6, 1), date(2025, 6, 30), "1–30 Jun 2025"),
        (date(2025, 12, 30), date(2026, 1, 2), "30 Dec 2025 – 2 Jan 2026"),
    ],
)
def test_days_name_the_year_only_when_it_is_another(first: date, last: date, text: str) -> None:
    assert plain(formats.day_range(first, last, date(2026, 10, 15))) == text


def test_moments_name_their_zone() -> None:
    moment = datetime(2026, 10, 15, 12, 5, 9, tzinfo=UTC)
    zone = ZoneInfo("Asia/Kolkata")
    today = date(2026, 10, 15)
    assert plain(formats.moment(moment, zone, today)) == "15 Oct, 17:35 IST"
    assert plain(formats.moment(moment, zone, today, seconds=True)) == "15 Oct, 17:35:09 IST"
