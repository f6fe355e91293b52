"""What rating events again changes, in counts and money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal, localcontext
from typing import Any

from finops.pricing.formula import EXACT
from ingest.rating import Rate


@dataclass(slots=True)
class Change:
    """What a run does to some requests; costs are USD over those that are priced.

    `rows_changed` counts every row: an event whose figures a settlement replaced is three of them
    and one request.
    """

    examined: int = 0
    changed: int = 0
    cost_before: Decimal = Decimal(0)
    cost_after: Decimal = Decimal(0)
    unpriced_before: int = 0
    unpriced_after: int = 0
    rows_changed: int = 0

    def as_json(self) -> dict[str, int | str]:
        values = {column.name: getattr(self, column.name) for column in fields(Change)}
        return {n: str(v) if isinstance(v, Decimal) else v for n, v in values.items()}

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Change:
        """What `as_json` wrote."""
        costs = {name: Decimal(kept[name]) for name in ("cost_before", "cost_after")}
        return cls(**{**kept, **costs})

    @property
    def known_before(self) -> Decimal | None:
        """None where nothing had a price."""
        return self.cost_before if self.unpriced_before < self.examined else None

    @property
    def known_after(self) -> Decimal | None:
        """None where nothing gets a price."""
        return self.cost_after if self.unpriced_after < self.examined else None

    @property
    def difference(self) -> Decimal:
        with localcontext(EXACT):
            return self.cost_after - self.cost_before

    def add(self, other: Change) -> None:
        with localcontext(EXACT):
            for column in fields(Change):
                total = getattr(self, column.name) + getattr(other, column.name)
                setattr(self, column.name, total)


@dataclass(slots=True)
class Rerating:
    """The difference a run makes, in all, by (provider, model) and by the lines rated with.

    `skipped` events keep their price: what ingest rated them by has been folded into (overflow).
    `lacking` says of what stays unpriced for lack of which bucket's price, "" for lack of a line:
    a request counts in each bucket that it used. Only previews know it.
    """

    total: Change = field(default_factory=Change)
    by_model: dict[tuple[str, str], Change] = field(default_factory=dict)
    by_rate: dict[Rate | None, Change] = field(default_factory=dict)
    skipped: int = 0
    lacking: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)

    def add(self, model: tuple[str, str], rate: Rate | None, change: Change) -> None:
        self.total.add(change)
        self.by_model.setdefault(model, Change()).add(change)
        self.by_rate.setdefault(rate, Change()).add(change)

    def add_lacking(self, model: tuple[str, str], buckets: Iterable[str], requests: int) -> None:
        counts = self.lacking.setdefault(model, Counter())
        for bucket in buckets:
            counts[bucket] += requests

    def merge(self, other: Rerating) -> None:
        self.total.add(other.total)
        self.skipped += other.skipped
        for model, change in other.by_model.items():
            self.by_model.setdefault(model, Change()).add(change)
        for rate, change in other.by_rate.items():
            self.by_rate.setdefault(rate, Change()).add(change)
        for model, counts in other.lacking.items():
            self.lacking.setdefault(model, Counter()).update(counts)

    def as_json(self) -> dict[str, Any]:
        """What a run made so far, without `lacking`, kept from one of its days to the next."""
        return {
            "total": self.total.as_json(),
            "models": [[*model, change.as_json()] for model, change in self.by_model.items()],
            "rates": [
                [None if rate is None else list(rate), change.as_json()]
                for rate, change in self.by_rate.items()
            ],
            "skipped": self.skipped,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Rerating:
        """What `as_json` wrote; nothing yet of {}."""
        if not kept:
            return cls()
        return cls(
            Change.of(kept["total"]),
            {(provider, model): Change.of(each) for provider, model, each in kept["models"]},
            {None if rate is None else Rate(*rate): Change.of(e) for rate, e in kept["rates"]},
            kept["skipped"],
        )
