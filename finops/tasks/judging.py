"""Figures judged: budgets, anomalies, users, and what ingest may let pass."""

from __future__ import annotations

import logging
import time
from threading import BoundedSemaphore

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from finops import anomalies, budgets, costs, enforcement, power_users, rollups
from finops.budgets import increases

log = logging.getLogger(__name__)

BUDGETS_SECONDS = 20.0
# What this worker has read of budgets' usage and need not read again.
MEMORY = budgets.Memory()
EVALUATING = BoundedSemaphore(2)
# One turn at a time; the minutes that it has read need not be read again.
JUDGING = BoundedSemaphore(1)
MINUTES = anomalies.Memory()
ANOMALIES_SECONDS = 60.0
# Users are watched in the same thread, between two turns.
WATCHING_WAITS = 10.0
# What the last refresh of enforcement read, and when the next one may begin.
ENFORCEMENT = enforcement.Kept()
REFRESH_AT = 0.0
MOST_SECONDS_BETWEEN_REFRESHES = 20.0


@shared_task(name="finops.tasks.evaluate_budgets")
def evaluate_budgets() -> None:
    if not EVALUATING.acquire(blocking=False):
        return
    until = time.monotonic() + BUDGETS_SECONDS
    try:
        report = budgets.evaluate(
            timezone.now(),
            settings.REPORTING_ZONE,
            memory=MEMORY,
            has_time=lambda: time.monotonic() < until,
        )
    except rollups.ZoneChanged as error:
        log.error("%s", error)
        return
    finally:
        EVALUATING.release()
    if report.failed:
        log.warning("%d of %d budgets could not be judged", report.failed, report.budgets)
    if report.alerts:
        log.info("%d budget alerts raised", report.alerts)


@shared_task(name="finops.tasks.judge_anomalies")
def judge_anomalies() -> None:
    if not JUDGING.acquire(blocking=False):
        return
    until = time.monotonic() + ANOMALIES_SECONDS
    try:
        report = anomalies.judge(
            timezone.now(),
            settings.REPORTING_ZONE,
            MINUTES,
            has_time=lambda: time.monotonic() < until,
        )
    except rollups.ZoneChanged as error:
        log.error("%s", error)
        return
    finally:
        JUDGING.release()
    if report.opened or report.closed:
        log.info("anomalies: %d opened, %d closed", report.opened, report.closed)


@shared_task(name="finops.tasks.watch_users")
def watch_users() -> None:
    if not JUDGING.acquire(timeout=WATCHING_WAITS):
        return
    try:
        raised = power_users.watch(timezone.now(), settings.REPORTING_ZONE)
    except (costs.QueryTooSlow, rollups.ZoneChanged) as error:
        log.error("%s", error)
        return
    finally:
        JUDGING.release()
    if raised:
        log.info("%d alerts of users raised", raised)


@shared_task(name="finops.tasks.refresh_enforcement")
def refresh_enforcement() -> None:
    """As often as it takes no more than a tenth of the time, and often enough in any case for the
    figures not to become stale (ingest/enforcement/authority.py) while it lasts."""
    global REFRESH_AT
    began = time.monotonic()
    if began < REFRESH_AT:
        return
    try:
        done = enforcement.refresh(timezone.now(), settings.REPORTING_ZONE, ENFORCEMENT)
    except rollups.ZoneChanged as error:
        log.error("%s", error)
        return
    pause = min(9 * (time.monotonic() - began), MOST_SECONDS_BETWEEN_REFRESHES)
    REFRESH_AT = time.monotonic() + pause
    if done.changed:
        log.debug("enforcement: %d rows of %d budgets changed", done.changed, done.budgets)


@shared_task(name="finops.tasks.end_budget_increases")
def end_budget_increases() -> None:
    if ended := increases.expire(timezone.now()):
        log.info("%d budget increases have expired", ended)
