"""Which combinations of dimensions explain a difference, one by one.

Each step takes the combination of the cube with most evidence (`evidence.py`), of equal ones that
of fewest elements, and puts its leaves aside. It is the coarsest that holds: a part of it leaves
out evidence, and more than it thins what there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finops.root_cause.cubes import Cube, Cuboid, cube_of
from finops.root_cause.evidence import Evidence, evidence_of
from finops.root_cause.findings import Cause, Localization
from finops.root_cause.leaves import ADDITIVE, Floats, Integers, Leaves
from finops.root_cause.telling import Found, told
from finops.root_cause.wording import Words

# What holds so much of all changes is told however few leaves there are to judge by.
TELLING = 0.25
# Of so many times as many as are told; the others hold too little.
LOOKED_AT = 3


@dataclass(frozen=True, slots=True)
class Search:
    """`least_of_first`: a further cause has at least this part of the evidence of the first.
    `direction`: +1 only rises, −1 only falls. `least_share`: how much of all changes a cause must
    hold. `nameless`: dimension → its value that stands for what has no name, and is no cause.
    `power`: how scatter grows with size; None reads it from the leaves. COUNTS weighs a combination
    by how much it changed times how much of itself that is."""

    most_causes: int = 5
    least_of_first: float = 0.1
    direction: int = 0
    least_share: float = 0.0
    nameless: Mapping[str, str] = field(default_factory=dict)
    power: float | None = None


DEFAULT = Search()
PLAIN = Words()


@dataclass(frozen=True, slots=True)
class Candidate:
    cuboid: Cuboid
    cell: int
    evidence: float

    def order(self) -> tuple[float, int, tuple[int, ...], int]:
        """The most evidence first, then the fewest elements."""
        numbers = self.cuboid.dimensions
        return (-self.evidence, len(numbers), numbers, self.cell)


def localize(
    leaves: Mapping[tuple[str, ...], Any],
    dimensions: Sequence[str],
    measure: str = ADDITIVE,
    *,
    search: Search = DEFAULT,
    words: Words = PLAIN,
) -> list[Cause]:
    """The causes of a difference; `examine` says more.

    `leaves` are values of the dimensions → (actual, expected), or, of a ratio, → ((numerator,
    denominator) as they are, (numerator, denominator) as expected). Of twins the dimension named
    first is told. Raises ValueError for what is no leaf or no finite number.
    """
    table = Leaves.of(leaves, dimensions, measure)
    return list(examine(table, search=search, words=words).causes)


def examine(table: Leaves, *, search: Search = DEFAULT, words: Words = PLAIN) -> Localization:
    """The causes with what they leave unexplained, and in words why there is none."""
    evidence = evidence_of(table, search.power)
    cube = cube_of(table, evidence.x, evidence.y, search.nameless)
    found, is_alike = chosen(table, cube, evidence, search)
    return told(table, cube, found, words, is_alike=is_alike)


def chosen(
    leaves: Leaves, cube: Cube, evidence: Evidence, search: Search
) -> tuple[list[Found], bool]:
    """The cells that explain the difference, and whether all leaves changed alike beside them."""
    x, y = evidence.x.copy(), evidence.y.copy()
    gross = float(np.abs(evidence.change).sum())
    enough = float(np.log(max(sum(len(each.first) for each in cube.cuboids), 1))) + 1
    best = strongest(cube, x, y, search)
    is_alike = best is not None and whole_changed(cube, leaves, evidence, best, enough)
    if is_alike:
        x -= y * (x.sum() / y.sum())
        best = strongest(cube, x, y, search)
    found: list[Found] = []
    is_left = np.ones(leaves.count, dtype=bool)
    for _ in range(LOOKED_AT * search.most_causes):
        if best is None or len(found) == search.most_causes:
            break
        members = np.flatnonzero((best.cuboid.cells == best.cell) & is_left)
        held = abs(float(evidence.change[members].sum()))
        if best.evidence < enough and (found or held < TELLING * gross):
            break
        if held >= search.least_share * gross:
            found.append(Found(best.cuboid, best.cell, best.evidence, members))
            enough = max(enough, search.least_of_first * found[0].evidence)
            is_left[members] = False
        x[members] = y[members] = 0.0
        best = strongest(cube, x, y, search)
    return found, is_alike


def strongest(cube: Cube, x: Floats, y: Floats, search: Search) -> Candidate | None:
    """The combination with most evidence; None where there is none."""
    found = []
    for cuboid in cube.cuboids:
        sums, sizes = cuboid.sums(x), cuboid.sums(y)
        held = (sizes > 0) & (sums * search.direction >= 0) & cuboid.is_named
        evidence = np.zeros_like(sums)
        evidence[held] = sums[held] ** 2 / (2 * sizes[held])
        if len(evidence):
            # Of those that differ by rounding only the first.
            cell = int(np.argmax(evidence >= evidence.max() * (1 - 1e-9)))
            found.append(Candidate(cuboid, cell, rounded(float(evidence[cell]))))
    return min((each for each in found if each.evidence > 0), key=Candidate.order, default=None)


def whole_changed(
    cube: Cube, leaves: Leaves, evidence: Evidence, best: Candidate, enough: float
) -> bool:
    """Whether all leaves changed alike: there is more evidence for that than for any combination,
    less what speaks against it, that by one dimension the parts changed each in its own way."""
    x, y, change = evidence.x, evidence.y, evidence.change
    if 2 * evidence.shift > abs(float(change.sum())):
        return False
    whole = weighed(np.zeros(leaves.count, dtype=np.int64), x, y)
    parts = max(weighed(leaves.codes[number], x, y) for number in cube.kept)
    is_telling = abs(float(change.sum())) >= TELLING * float(np.abs(change).sum())
    is_sure = whole >= enough or is_telling
    return is_sure and rounded(2 * whole - parts) > best.evidence


def weighed(codes: Integers, x: Floats, y: Floats) -> float:
    """The evidence of groups of leaves, each for itself, in all."""
    sums, sizes = np.bincount(codes, x), np.bincount(codes, y)
    held = sizes > 0
    return float(np.sum(sums[held] ** 2 / (2 * sizes[held])))


def rounded(number: float) -> float:
    """Without the last digits, in which sums of floats differ by their order."""
    return float(f"{number:.9g}")
