"""Values of filters that no usage has: mostly slips of the pen, by which a limit never acts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from finops import labels
from finops.costs import UNATTRIBUTED, named_users, named_values
from finops.query import Filter

USER = "user"
NEAREST, SIMILAR = 3, 0.6


@dataclass(frozen=True, slots=True)
class Unused:
    """`near` are values like it that usage has, which may be of other teams."""

    dimension: str
    value: str
    is_excluded: bool
    near: tuple[str, ...]

    def said(self, *, with_near: bool) -> str:
        """No usage so far has the team “suport”, so nothing is counted by it. Did you mean …"""
        verb = "left out" if self.is_excluded else "counted"
        said = f"No usage so far has the {self.name} “{self.value}”, so nothing is {verb} by it."
        return f"{said} Did you mean {' or '.join(self.near)}?" if self.near and with_near else said

    @property
    def name(self) -> str:
        return labels.dimensions((self.dimension,))


def unused(*several: Sequence[Filter]) -> list[list[Unused]]:
    """Of the filters of several budgets, in the order of these."""
    whole = [each for filters in several for each in filters]
    names = {value for each in whole if each.dimension == USER for value in each.values}
    others = {each.dimension for each in whole} - {USER}
    known = named_values(others) if others else {}
    known[USER] = named_users(names) if names else set()
    return [
        [missing for each in filters for missing in _missing(each, known[each.dimension])]
        for filters in several
    ]


def _missing(each: Filter, known: Collection[str]) -> list[Unused]:
    absent = [value for value in each.values if value != UNATTRIBUTED and value not in known]
    is_listed = each.dimension != USER  # of users only those are read that were named
    return [
        Unused(each.dimension, value, each.exclude, _near(value, known) if is_listed else ())
        for value in absent
    ]


def _near(value: str, known: Collection[str]) -> tuple[str, ...]:
    written = {name.lower(): name for name in sorted(known)}
    close = get_close_matches(value.lower(), list(written), n=NEAREST, cutoff=SIMILAR)
    return tuple(written[name] for name in close)
