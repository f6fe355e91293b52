"""Whose usage a call will be: the cost center of the first rule that holds for it today, else its
team's own. finops/costs/owners.py says the same of usage that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import product
from typing import NamedTuple

# The values of some dimensions, in the order of the dimensions' names → the rule's position and
# its cost center.
_ByValues = dict[tuple[str, ...], tuple[int, str]]


class Owners(NamedTuple):
    """Today's: `teams` by their names, `rules` by the dimensions that they ask for. A rule on what
    is not known before the call holds for none."""

    teams: Mapping[str, str] = {}
    rules: Mapping[tuple[str, ...], _ByValues] = {}

    def of(self, team: str, forms_of: Callable[[str], tuple[str, ...]]) -> str:
        """`forms_of` gives every form of the call's value of a dimension. '' is nobody's."""
        found = [
            rule
            for dimensions, by_values in self.rules.items()
            for values in product(*map(forms_of, dimensions))
            if (rule := by_values.get(values)) is not None
        ]
        return min(found)[1] if found else self.teams.get(team, "")


def gathered(
    rows: Iterable[tuple[int, Mapping[str, str], str]],
) -> dict[tuple[str, ...], _ByValues]:
    """Of rows of position, conditions and cost center; no two hold for the same."""
    found: dict[tuple[str, ...], _ByValues] = {}
    for position, conditions, cost_center in rows:
        dimensions = tuple(sorted(conditions))
        values = tuple(conditions[name] for name in dimensions)
        found.setdefault(dimensions, {})[values] = (position, cost_center)
    return found
