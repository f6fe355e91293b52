"""Usage without a price: it has left the sums of cost, which is not the same as having ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.conf import settings

from finops.costs.leaf_sums import Both, Keys
from finops.root_cause.findings import Cause, Localization
from finops.root_cause.measures import Measure
from finops.root_cause.tables import Table, totals
from finops.root_cause.wording import contribution, named

SIDES = ("before", "after")
UNKNOWN = "No request {} has a price: what they cost is unknown, and no change of it can be told."


def told_apart(found: Localization, table: Table, asked: Measure) -> Localization:
    """The same, with causes and note that call nothing new or gone of which requests are left."""
    if asked.kind != "money" or asked.denominator is not None:
        return found
    unknown = [
        name
        for name, sums in zip(SIDES, totals(table, asked), strict=True)
        if is_unknown(asked, sums)
    ]
    note = UNKNOWN.format(" or ".join(unknown)) if unknown else found.note
    causes = tuple(
        reworded(cause, table, asked, members, found.difference or Decimal(0))
        for cause, members in with_members(found.causes, table)
    )
    return dataclasses.replace(found, causes=causes, note=note)


def with_members(causes: Sequence[Cause], table: Table) -> Iterator[tuple[Cause, list[Both]]]:
    """Each with the leaves that no cause before it holds."""
    left: dict[Keys, Both] = dict(table.leaves)
    for cause in causes:
        places = [(table.dimensions.index(name), value) for name, value in cause.elements]
        held = [keys for keys in left if all(keys[at] == value for at, value in places)]
        yield cause, [left.pop(keys) for keys in held]


def reworded(
    cause: Cause, table: Table, asked: Measure, members: Sequence[Both], difference: Decimal
) -> Cause:
    leaves: dict[Keys, Both] = {(str(number),): each for number, each in enumerate(members)}
    own = totals(Table(("number",), leaves), asked)
    is_before, is_after = (is_unknown(asked, sums) for sums in own)
    if not (is_before or is_after):
        return cause
    counts = [f"{of(asked, sums, 'requests'):,.0f} requests" for sums in own]
    tell = asked.tell(settings.CURRENCY)
    if is_before and is_after:
        moved = f"has no price ({counts[0]} before, {counts[1]} after)"
    elif is_after:
        moved = f"has no price any more ({counts[1]}), from {tell(cause.expected or Decimal(0))}"
    else:
        moved = f"came to {tell(cause.actual or Decimal(0))}, after {counts[0]} without a price"
    subject = f"the rest of {named(cause.elements)}" if cause.is_rest else named(cause.elements)
    reason = f"{subject} {moved}, {contribution(cause.difference, difference)}"
    return dataclasses.replace(cause, reason=reason)


def is_unknown(asked: Measure, sums: Sequence[Decimal]) -> bool:
    """Whether there are requests and none has a price."""
    requests, unpriced = (of(asked, sums, name) for name in ("requests", "unpriced_requests"))
    return bool(requests) and requests == unpriced and not asked.figures(asked.columns, sums)[0]


def of(asked: Measure, sums: Sequence[Decimal], name: str) -> Decimal:
    return sums[asked.columns.index(name)]
