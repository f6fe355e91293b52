"""The p95 latency of a row beside the target of its latency tier: kept, or not."""

from __future__ import annotations

from dataclasses import dataclass

from finops import formats
from finops.costs import CostResult, Value
from finops.organisation import tiers

TIER, METRIC = "latency_tier", "latency_p95"


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands beside a figure; the icon and the words say what the tone's colour does."""

    icon: str
    text: str
    tone: str


def marks(result: CostResult) -> dict[str, list[Mark | None]]:
    """Metric → a mark for each row; nothing where no row is of one tier or no p95 is shown."""
    query = result.query
    if TIER not in query.group_by or METRIC not in query.metrics:
        return {}
    targets, place = tiers.targets(), query.group_by.index(TIER)
    if not targets:
        return {}
    return {
        METRIC: [
            None if row.is_other else mark(row.values[METRIC], targets.get(row.keys[place]))
            for row in result.rows
        ]
    }


def mark(p95: Value, target: float | None) -> Mark | None:
    if p95 is None or target is None:
        return None
    asked = formats.duration(target)
    return (
        Mark("✓", f"within {asked}", "ok") if p95 <= target else Mark("▲", f"over {asked}", "crit")
    )
