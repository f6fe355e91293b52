"""How many values a dimension may have before new ones are counted as (overflow)."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError

from finops import labels
from finops.organisation import stored
from finops.organisation.stored import Act
from ingest import decisions
from ingest.cardinality import (
    COMBINATIONS,
    DEFAULT_LIMITS,
    LIMITS,
    MOST_COMBINATIONS,
    TAG,
    USER,
)

NAMES = {
    **{dimension: labels.dimension(dimension) for dimension in LIMITS},
    TAG: "Values of each tag",
    USER: "User",
    COMBINATIONS: "Combinations of all of them",
}
# Least and most. Below, ordinary names would overflow; above, figures get slow and processes large.
BOUNDS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(LIMITS, (10, 10_000)),
    TAG: (10, 10_000),
    USER: (1_000, 20_000_000),
    COMBINATIONS: (1_000, MOST_COMBINATIONS),
}


def in_force() -> dict[str, int]:
    """Every limit by name, those of ingest.cardinality.DEFAULT_LIMITS."""
    return decisions.limits_of(stored.value(decisions.LIMITS))


def problems(wanted: Mapping[str, int | None]) -> dict[str, str]:
    """What is wrong with which limit."""
    return {
        name: f"Write a whole number from {BOUNDS[name][0]:,} to {BOUNDS[name][1]:,}, or nothing."
        for name, limit in wanted.items()
        if limit is not None and not BOUNDS[name][0] <= limit <= BOUNDS[name][1]
    }


def change(wanted: Mapping[str, int | None], act: Act) -> dict[str, int]:
    """Let these hold, None for the default; the limits that are others now, by name.

    Raises ValidationError with every limit that is out of its bounds.
    """
    if wrong := problems(wanted):
        raise ValidationError(wrong)
    before = in_force()
    after = {
        name: DEFAULT_LIMITS[name] if limit is None else limit
        for name, limit in {**before, **wanted}.items()
    }
    changed = {name: limit for name, limit in after.items() if limit != before[name]}
    stored.store(
        decisions.LIMITS,
        {name: limit for name, limit in after.items() if limit != DEFAULT_LIMITS[name]} or None,
        act,
        subject="Cardinality limits",
        before={name: before[name] for name in changed},
        after=changed,
    )
    return changed
