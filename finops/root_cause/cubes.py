"""The cube above the leaves: every combination of few dimensions, as groups of leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from finops.root_cause.leaves import Floats, Integers, Leaves

# The bound of the search. Of more dimensions those that tell changes apart best are looked at; as
# deep as there are no more cuboids than that, and no more of them times leaves.
MOST_DIMENSIONS = 8
MOST_CUBOIDS = 130
MOST_WORK = 40_000_000
# Up to so many times as many cells as leaves a table is quicker than sorting.
SPARSEST = 16


@dataclass(frozen=True, slots=True)
class Cuboid:
    """Groups of leaves that agree on `dimensions` (numbers of them): leaf i is of cell `cells[i]`.

    `first` is a leaf of each cell. `is_named` is false of cells of a value that names nothing, such
    as everybody who is not named.
    """

    dimensions: tuple[int, ...]
    cells: Integers
    first: Integers
    is_named: NDArray[np.bool_]

    def sums(self, values: Floats) -> Floats:
        found: Floats = np.bincount(self.cells, values, len(self.first)).astype(np.float64)
        return found


@dataclass(frozen=True, slots=True)
class Cube:
    """`twins` are dimensions whose values go one to one with those of one that is kept."""

    cuboids: tuple[Cuboid, ...]
    kept: tuple[int, ...]
    twins: dict[int, tuple[int, ...]]
    depth: int
    is_bounded: bool


def cube_of(leaves: Leaves, change: Floats, size: Floats, nameless: Mapping[str, str]) -> Cube:
    """All cuboids within the bound. `change` and `size` are sums of evidence, by leaf; `nameless`
    are values, by dimension, that name nothing."""
    singles = [
        single(leaves, number, nameless)
        for number in range(len(leaves.dimensions))
        if len(leaves.labels[number]) > 1
    ]
    distinct, twins = without_twins(singles)
    ranked = sorted(distinct, key=lambda each: (-gain(each, change, size), each.dimensions))
    chosen = sorted(ranked[:MOST_DIMENSIONS], key=lambda each: each.dimensions)
    depth = deepest(len(chosen), leaves.count)
    return Cube(
        tuple(iterate_cuboids(leaves, chosen, depth)),
        tuple(each.dimensions[0] for each in chosen),
        twins,
        depth,
        len(chosen) < len(distinct) or depth < len(chosen),
    )


def single(leaves: Leaves, number: int, nameless: Mapping[str, str]) -> Cuboid:
    """The cuboid of one dimension."""
    labels = leaves.labels[number]
    cells, first = dense(leaves.codes[number], len(labels))
    silent = nameless.get(leaves.dimensions[number])
    is_named = np.array([label != silent for label in labels])
    return Cuboid((number,), cells, first, is_named[leaves.codes[number][first]])


def deepest(dimensions: int, leaves: int) -> int:
    """How many elements a combination may have."""
    most = min(MOST_CUBOIDS, max(dimensions, MOST_WORK // max(leaves, 1)))
    depth = cuboids = 0
    while depth < dimensions and cuboids + comb(dimensions, depth + 1) <= most:
        depth += 1
        cuboids += comb(dimensions, depth)
    return depth


def iterate_cuboids(leaves: Leaves, singles: Sequence[Cuboid], depth: int) -> Iterator[Cuboid]:
    """The fewest dimensions first, then in their order."""
    if not depth:
        return
    layer = {each.dimensions: each for each in singles}
    yield from layer.values()
    of = {each.dimensions[0]: each for each in singles}
    for length in range(2, depth + 1):
        deeper = {}
        for numbers in combinations(of, length):
            parent, last = layer[numbers[:-1]], of[numbers[-1]]
            joined = parent.cells * len(last.first) + last.cells
            cells, first = dense(joined, len(parent.first) * len(last.first))
            is_named = parent.is_named[parent.cells[first]] & last.is_named[last.cells[first]]
            deeper[numbers] = Cuboid(numbers, cells, first, is_named)
        yield from deeper.values()
        layer = deeper


def dense(codes: Integers, limit: int) -> tuple[Integers, Integers]:
    """The codes (each below `limit`) numbered without holes, in their order; a leaf of each."""
    if limit > SPARSEST * len(codes) + 1000:
        _, first, cells = np.unique(codes, return_index=True, return_inverse=True)
        return cells.astype(np.int64), first.astype(np.int64)
    first_of = np.full(limit, -1, dtype=np.int64)
    first_of[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    is_held = first_of >= 0
    return (np.cumsum(is_held) - 1)[codes], first_of[is_held]


def without_twins(
    singles: Sequence[Cuboid],
) -> tuple[list[Cuboid], dict[int, tuple[int, ...]]]:
    """Of dimensions that part the leaves alike the first, with the others by its number."""
    distinct: list[Cuboid] = []
    twins: dict[int, tuple[int, ...]] = {}
    for each in singles:
        alike = next((other for other in distinct if part_alike(each, other)), None)
        if alike is None:
            distinct.append(each)
        else:
            number = alike.dimensions[0]
            twins[number] = (*twins.get(number, ()), each.dimensions[0])
    return distinct, twins


def part_alike(one: Cuboid, other: Cuboid) -> bool:
    """Whether two cuboids of as many cells have the same groups of leaves."""
    if len(one.first) != len(other.first):
        return False
    return bool(np.array_equal(one.cells[other.first][other.cells], one.cells))


def gain(cuboid: Cuboid, change: Floats, size: Floats) -> float:
    """How much more of the change its cells tell apart than the whole does."""
    sizes = cuboid.sums(size)
    held = sizes > 0
    return float(np.sum(cuboid.sums(change)[held] ** 2 / sizes[held]))
