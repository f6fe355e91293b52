"""What runs on a schedule or in the background; each task calls one domain function."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from threading import BoundedSemaphore

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from finops import (
    alerts,
    anomalies,
    batches,
    budgets,
    costs,
    enforcement,
    erasures,
    intake,
    ledger,
    name_hashing,
    operations,
    power_users,
    rating_jobs,
    rerating,
    rollup_checks,
    rollups,
    scheduled_exports,
)
from finops.books import changes
from finops.budgets import increases
from finops.conninfo import conninfo
from finops.organisation import retention
from finops.ownership import mapping
from ingest import partitions

log = logging.getLogger(__name__)

PRIVACY_SECONDS = 2.0
OPERATIONS_SECONDS = 2.0
BUDGETS_SECONDS = 20.0
# What this worker has read of budgets' usage and need not read again.
MEMORY = budgets.Memory()
# Of the worker's threads (finops/startup.py). One of the others folds, one is for the night, one
# sends alerts, one judges anomalies, and two evaluate budgets: one of them may wait for what is
# slow to read.
LONG = BoundedSemaphore(2)
# Other people's servers may take long to answer; their turn takes no other thread.
SENDING = BoundedSemaphore(1)
SENDING_SECONDS = 20.0
SUMMARIES_SECONDS = 30.0
EXPORTS_SECONDS = 20.0
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


@contextmanager
def long() -> Iterator[bool]:
    """Whether what may take long may begin; otherwise its next turn comes soon."""
    is_free = LONG.acquire(blocking=False)
    try:
        yield is_free
    finally:
        if is_free:
            LONG.release()


@shared_task
def sync_prices() -> None:
    sync = ledger.sync_catalog(timezone.now())
    if sync.added or sync.superseded:
        log.info("price catalogue: %d lines added, %d superseded", sync.added, sync.superseded)
    if sync.held:
        log.warning("price catalogue: %d prices are held for review", sync.held)


@shared_task
def rerate_unpriced() -> None:
    rerated = None
    try:
        with long() as is_free:
            if is_free:
                rerated = rerating.rerate_unpriced(settings.REPORTING_ZONE)
    except rollups.ZoneChanged as error:
        log.error("%s", error)
    if rerated and rerated.total.changed:
        log.info("%d unpriced events have a price now", rerated.total.changed)


@shared_task
def work_on_ratings() -> None:
    with long() as is_free:
        if is_free and (done := rating_jobs.work(settings.REPORTING_ZONE)):
            log.info("%d previews of rating again are done", done)


@shared_task
def work_on_operations() -> None:
    """A few seconds at a time, like the next."""
    until = time.monotonic() + OPERATIONS_SECONDS
    zone = settings.REPORTING_ZONE
    with long() as is_free:
        if not is_free:
            return
        for done in operations.proceed(timezone.now(), zone, lambda: time.monotonic() < until):
            log.info("%s: %s", done, done.state)


@shared_task
def work_on_privacy() -> None:
    """Some seconds at a time, so that it needs no turn of those that take long."""
    until = time.monotonic() + PRIVACY_SECONDS
    for erasure in erasures.proceed(timezone.now(), lambda: time.monotonic() < until):
        log.info("the history of a user is erased: certificate %d", erasure.pk)
    try:
        if names := name_hashing.convert(timezone.now(), lambda: time.monotonic() < until):
            log.info("%d names of users are hashed", names)
    except name_hashing.WrongKey as error:
        log.error("%s", error)


@shared_task
def send_alerts() -> None:
    if not SENDING.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + SENDING_SECONDS
        for _ in alerts.proceed(timezone.now, lambda: time.monotonic() < until):
            pass
    finally:
        SENDING.release()


@shared_task
def send_exports() -> None:
    """A file may take long to make and to send: it has a turn of what may take long."""
    now, zone = timezone.now(), settings.REPORTING_ZONE
    if raised := scheduled_exports.raise_due(now, zone):
        log.info("%d scheduled exports are due", raised)
    until = time.monotonic() + EXPORTS_SECONDS
    with long() as is_free:
        if not is_free:
            return
        for run in scheduled_exports.proceed(timezone.now, lambda: time.monotonic() < until):
            if run.detail:
                log.warning("export run %d is %s: %s", run.pk, run.state, run.detail)


@shared_task
def follow_up_alerts() -> None:
    now = timezone.now()
    if reminders := alerts.remind(now):
        log.info("%d alerts that nobody has acknowledged are sent again", reminders)
    if ended := alerts.give_up(now):
        log.warning("%d deliveries of alerts are given up: their channels are stopped", ended)
    try:
        until = time.monotonic() + SUMMARIES_SECONDS
        summaries = alerts.raise_summaries(
            now, settings.REPORTING_ZONE, lambda: time.monotonic() < until
        )
        if summaries:
            log.info("%d summaries of last week are on their way", len(summaries))
    except rollups.ZoneChanged as error:
        log.error("%s", error)


@shared_task
def fold_rollups() -> None:
    now, zone = timezone.now(), settings.REPORTING_ZONE
    try:
        report = rollups.fold_waiting(now, zone)
    except rollups.ZoneChanged as error:
        log.error("%s", error)
        return
    if report.events:
        log.debug("folded %d events of %d batches", report.events, report.batches)
        mapping.look_up_new()
    if not report.busy:
        rollups.settle(now)


@shared_task
def keep_up_books() -> None:
    """So that nobody waits for it who looks at the month that bears it."""
    try:
        with long() as is_free:
            if is_free and (count := changes.keep_up(timezone.now())):
                log.info("%d closed months were read again", count)
    except (rollups.ZoneChanged, costs.QueryTooSlow) as error:
        log.error("%s", error)


@shared_task
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


@shared_task
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


@shared_task
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


@shared_task
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


@shared_task
def end_budget_increases() -> None:
    if ended := increases.expire(timezone.now()):
        log.info("%d budget increases have expired", ended)


@shared_task
def check_rollups() -> None:
    checks = rollup_checks.check_nightly(timezone.now(), settings.REPORTING_ZONE)
    log.info("rollups of %d days checked", len(checks))


@shared_task
def maintain_partitions() -> None:
    now, kept_days = timezone.now(), retention.in_force(settings.EVENT_RETENTION_DAYS)
    expired = partitions.maintain(conninfo(), now.astimezone(UTC).date(), kept_days)
    if operations.ask_retention(expired, kept_days, now=now, by="retention"):
        log.info("events of %d days are past their retention and will be dropped", len(expired))
    removed = batches.remove_old(now)
    if removed:
        log.info("%d batches without events are removed", removed)
    if forgotten := alerts.forget_old(now):
        log.info("%d alerts are past their retention and removed", forgotten)
    if over := anomalies.forget(now):
        log.info("%d anomalies are past their retention and removed", over)
    intake.forget_old(now)
    rollups.forget_minutes(now)
