"""CPU seconds of a variance bridge of so many groups: python bench/variance_bridge.py

The groups are made up; reading them from the rollups is not in it (bench/explain.py has that).
"""

from __future__ import annotations

import random
import sys
import time
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from finops.variance_bridge import BY_BUCKET, Leaf, Side, bridge

PRICES = {
    "uncached_input": Decimal("0.0000025"),
    "cache_read_input": Decimal("0.00000025"),
    "cache_creation_input": Decimal("0.000003125"),
    "output": Decimal("0.00001"),
}
LENGTHS = {"uncached_input": 2000, "cache_read_input": 500, "cache_creation_input": 10}
DISCOUNT = Decimal("0.875")
MONTHS = (Decimal(30), Decimal(31))
FEATURES = 12


def side(dice: random.Random) -> Side:
    requests = dice.randrange(1, 10_000)
    tokens = {name: requests * dice.randrange(LENGTHS.get(name, 400)) for name in PRICES}
    costs = {name: tokens[name] * price * DISCOUNT for name, price in PRICES.items()}
    cost = sum(costs.values(), Decimal(0))
    return Side(requests, 0, tokens, 0, costs, Decimal(0), cost, cost / DISCOUNT)


def measured(count: int) -> float:
    dice = random.Random(count)
    leaves = [Leaf((str(n % FEATURES), str(n)), side(dice), side(dice)) for n in range(count)]
    began = time.process_time()
    found = bridge(leaves, days=MONTHS, scheme=BY_BUCKET, group_of=lambda keys: keys[:1])
    spent = time.process_time() - began
    assert sum(found.whole.parts.values()) == found.whole.difference
    return spent


if __name__ == "__main__":
    for count in (100, 1_000, 5_000):
        print(f"{count:6,} groups: {measured(count):.2f} s")
