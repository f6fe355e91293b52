"""What was localized, with exact figures that sum to the difference, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import product

import numpy as np

from finops.root_cause.cubes import Cube, Cuboid
from finops.root_cause.findings import Cause, Elements, Localization
from finops.root_cause.leaves import EXACT_DIGITS, Integers, Leaves
from finops.root_cause.wording import Part, Words, absence, alike, reason

# More names for the same leaves than that help nobody.
MOST_NAMES = 3
ZERO = Decimal(0)
# Ratios are rounded to so many decimals, once: what is unexplained takes what is missing.
RATIOS = Decimal("1e-18")


@dataclass(frozen=True, slots=True)
class Found:
    """A cell that was chosen: its evidence, and its leaves that no cause before holds."""

    cuboid: Cuboid
    cell: int
    evidence: float
    members: Integers


def told(
    leaves: Leaves, cube: Cube, found: Sequence[Found], words: Words, *, is_alike: bool
) -> Localization:
    with localcontext(prec=EXACT_DIGITS):
        whole = sums(leaves, range(leaves.count))
        actual, expected = figures(whole, leaves.is_ratio)
        difference = None
        if actual is not None and expected is not None:
            difference = actual - expected
        causes = tuple(cause(leaves, cube, each, whole, difference, words) for each in found)
        explained = sum((each.difference for each in causes), ZERO)
        unexplained = None if difference is None else difference - explained
    notes = []
    if is_alike:
        notes.append(alike(actual, expected, words))
    elif not causes:
        notes.append(absence(leaves.count, len(cube.cuboids), actual, expected, words))
    if causes and cube.is_bounded:
        notes.append(bound(leaves, cube))
    return Localization(causes, actual, expected, difference, unexplained, " ".join(notes))


def bound(leaves: Leaves, cube: Cube) -> str:
    names = ", ".join(leaves.dimensions[number] for number in cube.kept)
    return f"Searched were combinations of up to {cube.depth} of {names}."


def cause(
    leaves: Leaves,
    cube: Cube,
    found: Found,
    whole: Sequence[Decimal],
    difference: Decimal | None,
    words: Words,
) -> Cause:
    own = sums(leaves, found.members)
    actual, expected = figures(own, leaves.is_ratio)
    added = contribution(own, whole, leaves.is_ratio)
    is_rest = len(found.members) < int(np.count_nonzero(found.cuboid.cells == found.cell))
    elements = elements_of(leaves, found.cuboid.dimensions, int(found.cuboid.first[found.cell]))
    part = Part(actual, expected)
    if leaves.is_ratio:
        part = Part(actual, expected, weight(own[1], whole[1]), weight(own[3], whole[3]))
    return Cause(
        elements=elements,
        actual=actual,
        expected=expected,
        difference=added,
        share_of_difference=float(added / difference) if difference else None,
        score=found.evidence,
        reason=reason(elements, part, added, difference or ZERO, words, is_rest=is_rest),
        is_rest=is_rest,
        same=tuple(other_names(leaves, cube, found)),
    )


def sums(leaves: Leaves, members: Iterable[int]) -> tuple[Decimal, ...]:
    places = [int(member) for member in members]
    return tuple(sum((row[place] for place in places), ZERO) for row in leaves.exact)


def figures(sums: Sequence[Decimal], is_ratio: bool) -> tuple[Decimal | None, Decimal | None]:
    if not is_ratio:
        return sums[0], sums[1]
    return weight(sums[0], sums[1]), weight(sums[2], sums[3])


def weight(part: Decimal, whole: Decimal) -> Decimal | None:
    return rounded(part / whole) if whole else None


def rounded(ratio: Decimal) -> Decimal:
    """Of a ratio of odd sizes all digits that there are."""
    return ratio.quantize(RATIOS) if ratio.adjusted() < EXACT_DIGITS // 2 else ratio


def contribution(own: Sequence[Decimal], whole: Sequence[Decimal], is_ratio: bool) -> Decimal:
    """What a part adds to the difference. Of a ratio it is what the part has beyond the former
    ratio of the whole, now less then: by a change of its own ratio, or of its weight. Of all leaves
    these sum to the difference."""
    if not is_ratio:
        return own[0] - own[1]
    if not (whole[1] and whole[3]):
        return ZERO
    mean = whole[2] / whole[3]
    added = (own[0] - mean * own[1]) / whole[1] - (own[2] - mean * own[3]) / whole[3]
    return rounded(added)


def elements_of(leaves: Leaves, dimensions: Iterable[int], leaf: int) -> Elements:
    return tuple(
        (leaves.dimensions[number], leaves.labels[number][leaves.codes[number][leaf]])
        for number in dimensions
    )


def other_names(leaves: Leaves, cube: Cube, found: Found) -> list[Elements]:
    """Combinations of as few elements that hold the very same leaves."""
    named = elements_of(leaves, found.cuboid.dimensions, int(found.cuboid.first[found.cell]))
    names = [elements for elements in iterate_names(leaves, cube, found) if elements != named]
    return list(dict.fromkeys(names))[:MOST_NAMES]


def iterate_names(leaves: Leaves, cube: Cube, found: Found) -> Iterator[Elements]:
    first = int(found.cuboid.first[found.cell])
    members = found.cuboid.cells == found.cell
    for cuboid in cube.cuboids:
        if len(cuboid.dimensions) == len(found.cuboid.dimensions) and (
            cuboid is found.cuboid or np.array_equal(cuboid.cells == cuboid.cells[first], members)
        ):
            choices = [(number, *cube.twins.get(number, ())) for number in cuboid.dimensions]
            for numbers in product(*choices):
                yield elements_of(leaves, sorted(numbers), first)
