"""What one event costs, to the last digit, as numbers PostgreSQL copies in.

The formula is that of sql/rating.sql, which rates events again; tests hold both equal, and both to
finops/pricing/formula.py. Prices are whole numbers of one small unit here, so that an event takes a
few multiplications of integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, Inexact
from operator import mul
from struct import Struct

from ingest.usage import TokenBuckets

# input, cache_read, cache_creation, output, request, effective, list: as usage_event names them.
COST_COLUMNS = 7
_TOKEN_BUCKETS = 8
_REQUEST, _GPU_SECOND = 8, 9

_BASE = 10_000  # PostgreSQL keeps numbers in digits of base 10,000
_BASE_DIGITS = 4
_EXACT = Context(prec=200, traps=[Inexact])
_NULL = b"\xff\xff\xff\xff"
UNPRICED = _NULL * COST_COLUMNS
# Length in bytes; then how many digits, the first one's weight, the sign, decimal places, digits.
_ZERO = Struct(">i4h").pack(8, 0, 0, 0, 0)
_ONE_DIGIT = Struct(">i5h").pack
_TWO_DIGITS = Struct(">i6h").pack
_THREE_DIGITS = Struct(">i7h").pack
_FOUR_DIGITS = Struct(">i8h").pack
_TRAILING_ZEROS = bytes(
    0 if digit % 10 else 1 if digit % 100 else 2 if digit % 1000 else 3 for digit in range(_BASE)
)


class Tariff:
    """The unit prices of one kind of request, ready to be multiplied.

    `listed` and `effective` are what one unit of each bucket costs in the order of TokenBuckets,
    then a request and a GPU-second; None where there is no price.
    """

    __slots__ = ("_charges_time", "_effective", "_is_discounted", "_listed", "_lists", "_places")

    def __init__(
        self, listed: Sequence[Decimal | None], effective: Sequence[Decimal | None]
    ) -> None:
        prices = [price for price in (*listed, *effective) if price is not None]
        # A multiple of four, so that decimal places and digits of base 10,000 end together.
        self._places = max(map(_places, prices), default=0)
        self._lists = tuple(listed) if None in listed[:_TOKEN_BUCKETS] else ()
        self._listed = [self._units(price) for price in listed]
        self._effective = [self._units(price) for price in effective]
        self._charges_time = bool(self._listed[_GPU_SECOND] or self._effective[_GPU_SECOND])
        self._is_discounted = self._listed != self._effective
        if not self._is_discounted:
            self._listed = self._effective

    def _units(self, price: Decimal | None) -> int:
        return 0 if price is None else _scaled(price, self._places)

    def costs(self, tokens: TokenBuckets, gpu_seconds: Decimal | None) -> bytes:
        """The seven costs as COPY takes them, each after its length; NULL when unpriced."""
        for count, price in zip(tokens, self._lists, strict=False):
            if count and price is None:
                return UNPRICED
        places, listed, effective = self._places, self._listed, self._effective
        if self._charges_time:
            if gpu_seconds is None:
                return UNPRICED
            more = _places(gpu_seconds)
            time = _scaled(gpu_seconds, more)
            places += more
            effective = _with_time(effective, time, 10**more)
            listed = _with_time(listed, time, 10**more) if self._is_discounted else effective
        return _encoded(tokens, effective, listed, places)

    def estimate(self, tokens: TokenBuckets) -> tuple[Decimal, Decimal] | None:
        """Effective and list cost; None when unpriced, as by time that nobody knows yet."""
        is_unpriced = any(
            count and price is None for count, price in zip(tokens, self._lists, strict=False)
        )
        if is_unpriced or self._charges_time:
            return None
        effective, listed = (
            _EXACT.scaleb(Decimal(sum(map(mul, tokens, prices)) + prices[_REQUEST]), -self._places)
            for prices in (self._effective, self._listed)
        )
        return effective, listed


def _with_time(prices: Sequence[int], time: int, finer: int) -> list[int]:
    """The prices in a finer unit, the one per request with that of its GPU time."""
    in_unit = [price * finer for price in prices]
    in_unit[_REQUEST] += prices[_GPU_SECOND] * time
    return in_unit


def _encoded(
    tokens: TokenBuckets, effective: Sequence[int], listed: Sequence[int], places: int
) -> bytes:
    uncached, read, created_5m, created_1h, audio, text, reasoning, audio_out = tokens
    input_cost = uncached * effective[0] + audio * effective[4]
    read_cost = read * effective[1]
    creation_cost = created_5m * effective[2] + created_1h * effective[3]
    output_cost = text * effective[5] + reasoning * effective[6] + audio_out * effective[7]
    request_cost = effective[_REQUEST]
    total = input_cost + read_cost + creation_cost + output_cost + request_cost
    effective_cost = list_cost = numeric(total, places)
    if listed is not effective:
        at_list = sum(map(mul, tokens, listed)) + listed[_REQUEST]
        list_cost = numeric(at_list, places)
    return b"".join(
        (
            numeric(input_cost, places) if input_cost else _ZERO,
            numeric(read_cost, places) if read_cost else _ZERO,
            numeric(creation_cost, places) if creation_cost else _ZERO,
            numeric(output_cost, places) if output_cost else _ZERO,
            numeric(request_cost, places) if request_cost else _ZERO,
            effective_cost,
            list_cost,
        )
    )


def numeric(units: int, places: int) -> bytes:
    """units × 10^-places, units ≥ 0 and places a multiple of 4, as PostgreSQL sends a numeric.

    Without trailing zeros, as trim_scale leaves it: equal numbers look equal on every page.
    """
    if not units:
        return _ZERO
    units, digit = divmod(units, _BASE)
    while not digit:
        places -= _BASE_DIGITS
        units, digit = divmod(units, _BASE)
    scale = places - _TRAILING_ZEROS[digit] if places > 0 else 0
    weight = -places // _BASE_DIGITS
    if not units:
        return _ONE_DIGIT(10, 1, weight, 0, scale, digit)
    units, second = divmod(units, _BASE)
    if not units:
        return _TWO_DIGITS(12, 2, weight + 1, 0, scale, second, digit)
    units, third = divmod(units, _BASE)
    if not units:
        return _THREE_DIGITS(14, 3, weight + 2, 0, scale, third, second, digit)
    if units < _BASE:
        return _FOUR_DIGITS(16, 4, weight + 3, 0, scale, units, third, second, digit)
    digits = [third, second, digit]
    while units:
        units, digit = divmod(units, _BASE)
        digits.insert(0, digit)
    count = len(digits)
    return Struct(f">i{4 + count}h").pack(
        8 + 2 * count, count, weight + count - 1, 0, scale, *digits
    )


def _places(number: Decimal) -> int:
    """Its decimal places, rounded up to whole digits of base 10,000."""
    exponent = number.as_tuple().exponent
    return -(min(int(exponent), 0) // _BASE_DIGITS * _BASE_DIGITS)


def _scaled(number: Decimal, places: int) -> int:
    """number × 10^places, exactly; it has no more decimal places than that."""
    return int(_EXACT.scaleb(number, places))
