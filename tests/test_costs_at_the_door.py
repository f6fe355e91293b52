"""What the ingest process works out equals the reference of the formula to the last digit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from struct import Struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from priced_requests import costs_of, priced_requests
from psycopg.types.numeric import NumericBinaryLoader

from finops.pricing.formula import Quantities, rate
from finops.pricing.lines import PriceLine, UnitPrices
from finops.pricing.resolution import RateCard
from ingest.costs import COST_COLUMNS, numeric
from ingest.rating import Rate
from ingest.usage import TokenBuckets

LENGTH = Struct(">i")
LOADER = NumericBinaryLoader(0)
LIST_ID, CONTRACT_ID = 1, 2


def decoded(copied: bytes) -> list[Decimal | None]:
    """The columns of a COPY row, as PostgreSQL would read them."""
    values, place = [], 0
    while place < len(copied):
        (size,) = LENGTH.unpack_from(copied, place)
        place += LENGTH.size
        values.append(None if size < 0 else LOADER.load(copied[place : place + size]))
        place += max(size, 0)
    return values


@given(priced_requests)
def test_costs_equal_the_reference(
    drawn: tuple[Quantities, PriceLine | None, PriceLine | None],
) -> None:
    used, listed, contract = drawn
    listed = replace(listed or PriceLine("catalog", "p", "m", UnitPrices()), id=LIST_ID)
    contract = contract and replace(contract, id=CONTRACT_ID)
    card = RateCard([line for line in (listed, contract) if line], 1)
    tariff = card.tariff(Rate(LIST_ID, CONTRACT_ID if contract else None))
    found = decoded(tariff.costs(TokenBuckets(*used[:8]), used.gpu_seconds))
    assert len(found) == COST_COLUMNS
    assert found == list(costs_of(rate(used, listed, contract)))


@given(st.integers(0, 10**60), st.integers(0, 20).map(lambda groups: groups * 4))
@example(1, 4)
@example(10**8, 8)
@example(12_345_000, 4)
def test_a_number_is_written_as_postgresql_writes_it_without_trailing_zeros(
    units: int, places: int
) -> None:
    [value] = decoded(numeric(units, places))
    expected = Decimal(f"{units}E-{places}")
    assert value == expected
    assert value is not None
    written = f"{value:f}"
    assert "." not in written or not written.endswith("0")


@pytest.mark.parametrize(
    ("units", "places", "written"),
    [(0, 12, "0"), (5, 4, "0.0005"), (120_000, 4, "12"), (10_001, 4, "1.0001"), (7, 0, "7")],
)
def test_numbers(units: int, places: int, written: str) -> None:
    assert [str(value) for value in decoded(numeric(units, places))] == [written]
