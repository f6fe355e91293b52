"""Whether every statement is still what was closed."""

from __future__ import annotations

from collections.abc import Iterator

from finops.books import frozen, months
from finops.models import StatementVersion


def verify() -> Iterator[tuple[str, list[str]]]:
    """Each statement's name and what is wrong with it, and statements that are missing."""
    kept: dict[object, set[int]] = {}
    for statement in StatementVersion.objects.order_by("month", "version"):
        kept.setdefault(statement.month, set()).add(statement.version)
        yield str(statement), frozen.problems_of(statement)
    for month, held in months.every().items():
        for version in sorted(set(range(1, held.version + 1)) - kept.get(month, set())):
            yield f"{held} version {version}", ["it is not there"]
