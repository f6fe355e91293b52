"""What enforcement counts, for /metrics."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter


class Counts:
    def __init__(self, registry: CollectorRegistry) -> None:
        authorizations = Counter(
            "farthing_ingest_authorizations",
            "Calls that were asked about before they were made, by the decision.",
            ["decision"],
            registry=registry,
        )
        self.authorizations = cache(authorizations.labels)
        reservations = Counter(
            "farthing_ingest_reservations",
            "Reservations of budgets, by what became of them at this process.",
            ["outcome"],
            registry=registry,
        )
        self.reservations = cache(reservations.labels)
