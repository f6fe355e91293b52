"""What the ingest process counts, in Prometheus' text format."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LATEST = 500
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Commits:
    """How long commits took: all of them as a histogram, and the latest one by one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._all = Histogram(
            "farthing_ingest_commit_seconds",
            "Time from taking the waiting requests to their commit.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self.latest: deque[float] = deque(maxlen=LATEST)
        self.total = 0.0  # seconds of all writers together

    def observe(self, seconds: float) -> None:
        self._all.observe(seconds)
        self.latest.append(seconds)
        self.total += seconds


class Metrics:
    """One process's counters, in a registry of their own.

    Those of every request are kept by their labels, as finding them takes longer than counting.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        events = Counter(
            "farthing_ingest_events",
            "Events received, by what became of them and why they were refused.",
            ["outcome", "reason"],
            registry=self.registry,
        )
        self.events = cache(events.labels)
        self.unknown_fields = Counter(
            "farthing_ingest_unknown_fields",
            "Fields of events that the schema does not know.",
            registry=self.registry,
        )
        requests = Counter(
            "farthing_ingest_requests",
            "Requests to the ingest doors, by status.",
            ["status"],
            registry=self.registry,
        )
        self.requests = cache(requests.labels)
        self.limited = Counter(
            "farthing_ingest_limited_requests",
            "Requests that the limit of their key refused, by the span of that limit.",
            ["span"],
            registry=self.registry,
        )
        self.commit_seconds = Commits(self.registry)
        self.settlements = Counter(
            "farthing_ingest_settlements",
            "Settlements, by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.waiting_settlements = Gauge(
            "farthing_ingest_waiting_settlements",
            "Settlements that wait for the event that they correct.",
            registry=self.registry,
        )
        self.queued_events = Gauge(
            "farthing_ingest_queued_events",
            "Events decoded and waiting to be committed.",
            registry=self.registry,
        )
        self.overflows = Gauge(
            "farthing_ingest_overflows",
            "Attribution values folded into (overflow) since start, by dimension.",
            ["dimension"],
            registry=self.registry,
        )

    def show(self, name: str, help: str, value: Callable[[], float]) -> None:
        """A gauge of what is asked for when somebody looks."""
        Gauge(f"farthing_ingest_{name}", help, registry=self.registry).set_function(value)

    def text(self, overflows: Mapping[str, int]) -> bytes:
        for dimension, count in dict(overflows).items():
            self.overflows.labels(dimension).set(count)
        return generate_latest(self.registry)
