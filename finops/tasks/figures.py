"""Figures kept true: prices, ratings, roll-ups, what is asked of history, the checks of a night."""

from __future__ import annotations

import logging
import time
from datetime import UTC

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from finops import (
    alerts,
    anomalies,
    batches,
    costs,
    erasures,
    intake,
    ledger,
    name_hashing,
    operations,
    rating_jobs,
    rerating,
    rollup_checks,
    rollups,
)
from finops.books import changes
from finops.conninfo import conninfo
from finops.organisation import retention
from finops.ownership import mapping
from finops.tasks.turns import long
from ingest import partitions

log = logging.getLogger(__name__)

PRIVACY_SECONDS = 2.0
OPERATIONS_SECONDS = 2.0


@shared_task(name="finops.tasks.sync_prices")
def sync_prices() -> None:
    sync = ledger.sync_catalog(timezone.now())
    if sync.added or sync.superseded:
        log.info("price catalogue: %d lines added, %d superseded", sync.added, sync.superseded)
    if sync.held:
        log.warning("price catalogue: %d prices are held for review", sync.held)


@shared_task(name="finops.tasks.rerate_unpriced")
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


@shared_task(name="finops.tasks.work_on_ratings")
def work_on_ratings() -> None:
    with long() as is_free:
        if is_free and (done := rating_jobs.work(settings.REPORTING_ZONE)):
            log.info("%d previews of rating again are done", done)


@shared_task(name="finops.tasks.work_on_operations")
def work_on_operations() -> None:
    """A few seconds at a time, like the next."""
    until = time.monotonic() + OPERATIONS_SECONDS
    zone = settings.REPORTING_ZONE
    with long() as is_free:
        if not is_free:
            return
        for done in operations.proceed(timezone.now(), zone, lambda: time.monotonic() < until):
            log.info("%s: %s", done, done.state)


@shared_task(name="finops.tasks.work_on_privacy")
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


@shared_task(name="finops.tasks.fold_rollups")
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


@shared_task(name="finops.tasks.keep_up_books")
def keep_up_books() -> None:
    """So that nobody waits for it who looks at the month that bears it."""
    try:
        with long() as is_free:
            if is_free and (count := changes.keep_up(timezone.now())):
                log.info("%d closed months were read again", count)
    except (rollups.ZoneChanged, costs.QueryTooSlow) as error:
        log.error("%s", error)


@shared_task(name="finops.tasks.check_rollups")
def check_rollups() -> None:
    checks = rollup_checks.check_nightly(timezone.now(), settings.REPORTING_ZONE)
    log.info("rollups of %d days checked", len(checks))


@shared_task(name="finops.tasks.maintain_partitions")
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
