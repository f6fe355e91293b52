"""GET /healthz, /readyz and /metrics, for whoever watches the processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from finops import access, exchange_rates, health, operations, price_holds, rollup_checks
from finops.alerts import log as alert_log
from finops.api.tokens import TokenAuthentication


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    checks = health.readiness(timezone.now(), settings.REPORTING_ZONE)
    failing = [check.name for check in checks if not check.is_ok]
    body = {
        "status": "failing" if failing else "ok",
        "failing": failing,
        "checks": {check.name: {"ok": check.is_ok, "detail": check.detail} for check in checks},
    }
    return JsonResponse(body, status=503 if failing else 200)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    registry = CollectorRegistry()
    try:
        registry.register(PipelineCollector(timezone.now(), sees_all(request)))
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return HttpResponse("# the database is away\n", status=503, content_type="text/plain")


def sees_all(request: HttpRequest) -> bool:
    """Whether who asks, by session or by API token, sees the usage of all teams."""
    try:
        known = TokenAuthentication().authenticate(Request(request))
    except AuthenticationFailed:
        return False
    return access.standing(known[0] if known else request.user).teams is None


class PipelineCollector(Collector):
    """Reads the database when asked: these figures belong to no process.

    Services and what each of them sent are named only with `by_source`: anybody may ask for sums.
    """

    def __init__(self, now: datetime, by_source: bool) -> None:
        self.now = now
        self.by_source = by_source

    def collect(self) -> Iterator[Metric]:
        pipeline = health.read_pipeline()
        yield gauge(
            "rollup_lag_seconds",
            "Age of the oldest batch that is in no figure yet.",
            pipeline.lag(self.now).total_seconds(),
        )
        yield gauge(
            "rollup_pending_events", "Events that are in no figure yet.", pipeline.pending_events
        )
        if pipeline.folded_at:
            yield gauge(
                "rollup_last_look_timestamp_seconds",
                "When the worker last folded.",
                pipeline.folded_at.timestamp(),
            )
        yield gauge(
            "rollup_check_differing_days",
            "Days whose rollups differ from their events.",
            len(rollup_checks.differing_days()),
        )
        yield gauge(
            "unpriced_requests", "Requests for which no price is known.", health.unpriced_requests()
        )
        yield gauge(
            "price_holds_waiting",
            "Prices of the catalogue that are held for review.",
            price_holds.count_waiting(),
        )
        yield exchange_gauge(self.now.astimezone(UTC).date())
        yield from operation_gauges()
        yield delivery_gauge(self.now)
        recent = health.recent_events(self.now)
        explained = "Events accepted in the last 5 minutes."
        yield gauge("recent_events", explained, sum(recent.values()))
        if self.by_source:
            accepted = GaugeMetricFamily(
                "farthing_recent_events_by_source", explained, labels=["source"]
            )
            for source, count in recent.items():
                accepted.add_metric([source], count)
            yield accepted


def exchange_gauge(day: date) -> Metric:
    """Without samples where all prices and cost items are in the reporting currency."""
    found = GaugeMetricFamily(
        "farthing_exchange_rate_days_left",
        "Days after today on which the last imported rate of a currency still holds; -1 if none "
        "holds today.",
        labels=["currency"],
    )
    for each in exchange_rates.reaches(day):
        found.add_metric([each.currency], each.days_left)
    return found


def delivery_gauge(now: datetime) -> Metric:
    """Outcomes are those of the log: waiting, sending, sent, failed, cancelled."""
    counted = GaugeMetricFamily(
        "farthing_alert_deliveries",
        "Deliveries of alerts by kind of channel: all that wait or are being sent, and what became "
        "of those raised in the last 24 hours.",
        labels=["channel", "outcome"],
    )
    for labels, count in alert_log.by_outcome(now).items():
        counted.add_metric(labels, count)
    return counted


def operation_gauges() -> Iterator[Metric]:
    """Of what has not ended; each at once in how many there are and how far they have come."""
    counted = GaugeMetricFamily(
        "farthing_operations", "Operations that have not ended.", labels=["kind", "state"]
    )
    for labels, count in operations.by_state().items():
        counted.add_metric(labels, count)
    yield counted
    done = GaugeMetricFamily(
        "farthing_operation_done_ratio", "How far an operation is.", labels=["id", "kind"]
    )
    for each in operations.recent(0):
        done.add_metric([str(each.pk), each.kind], each.share)
    yield done


def gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"farthing_{name}", documentation, value=value)
