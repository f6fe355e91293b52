"""Models without a price: how much they were used, by whom, what the catalogue has like them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from django.db.models import F

from finops import ledger
from finops.models import Price, RatingRun
from finops.price_listing import in_force
from finops.pricing.lines import TOKEN_BUCKETS
from finops.rerating import AUTOMATIC
from finops.timed_reads import rows_within

SHOWN = 100
SUGGESTIONS = 3
SIMILAR = 0.55
TIMEOUT_MILLISECONDS = 8_000
# As unpriced_models.sql counts them.
LACKING = (*TOKEN_BUCKETS, "gpu_second")


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """A model with the requests that have no price.

    `without_line` of them have no line of the ledger. `lacking` says of each bucket how many of the
    others use it and have a line that does not price it, and how many of all use it; gpu_second is
    used by whom a line charges GPU time that was not reported.
    """

    provider: str
    model: str
    requests: int
    tokens: int
    since: datetime
    latest: datetime
    teams: list[str]
    without_line: int
    lacking: tuple[tuple[str, int, int], ...]

    @property
    def has_line(self) -> bool:
        """A line of the ledger is for some of them, but not for everything that they used."""
        return self.without_line < self.requests


@dataclass(frozen=True, slots=True)
class Progress:
    """Of rating by itself: the last run, the last that gave a request a price, and whether the last
    has seen the ledger as it is."""

    run: RatingRun | None
    pricing: RatingRun | None
    is_settled: bool


def queue(teams: frozenset[str] | None) -> list[UnpricedModel] | None:
    """Most requests first, of these teams (None: all). None where there are too many to count
    while somebody waits."""
    parameters = {"teams": None if teams is None else sorted(teams), "limit": SHOWN}
    rows = rows_within(TIMEOUT_MILLISECONDS, "unpriced_models", parameters)
    if rows is None:
        return None
    return [UnpricedModel(*[*row[:8], tuple(_lacking(row[8:17], row[17:]))]) for row in rows]


def _lacking(without: Sequence[int | None], used: Sequence[int]) -> Iterator[tuple[str, int, int]]:
    for bucket, lack, use in zip(LACKING, without, used, strict=True):
        if lack or use:
            yield bucket, int(lack or 0), int(use)


def suggestions(models: Sequence[str], now: datetime) -> dict[str, list[Price]]:
    """Model → lines of the catalogue in force whose names are nearest to its."""
    catalog: dict[str, Price] = {}
    lines = in_force(now).filter(kind="catalog", service_tier="", context_over=0)
    for price in lines.order_by("-pk"):
        catalog[_bare(price.model)] = price
    names = list(catalog)
    return {
        model: [
            catalog[name]
            for name in get_close_matches(_bare(model), names, n=SUGGESTIONS, cutoff=SIMILAR)
        ]
        for model in models
    }


def progress() -> Progress:
    """How far rating what has no price by itself has come."""
    runs = RatingRun.objects.filter(requested_by=AUTOMATIC).order_by("-pk")
    run = runs.first()
    finished = runs.filter(finished_at__isnull=False)
    pricing = finished.filter(unpriced_after__lt=F("unpriced_before")).first()
    changed_at = ledger.changed_at()
    if run is None or changed_at is None:
        return Progress(run, pricing, changed_at is None)
    return Progress(run, pricing, run.finished_at is not None and run.created_at >= changed_at)


def _bare(model: str) -> str:
    """Without what gateways put before it."""
    return model.rpartition("/")[2].lower()
