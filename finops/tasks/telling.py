"""People told: alerts and their reminders, summaries, files that go out by themselves."""

from __future__ import annotations

import logging
import time
from threading import BoundedSemaphore

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from finops import alerts, rollups, scheduled_exports
from finops.tasks.turns import long

log = logging.getLogger(__name__)

# Other people's servers may take long to answer; their turn takes no other thread.
SENDING = BoundedSemaphore(1)
SENDING_SECONDS = 20.0
SUMMARIES_SECONDS = 30.0
EXPORTS_SECONDS = 20.0


@shared_task(name="finops.tasks.send_alerts")
def send_alerts() -> None:
    if not SENDING.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + SENDING_SECONDS
        for _ in alerts.proceed(timezone.now, lambda: time.monotonic() < until):
            pass
    finally:
        SENDING.release()


@shared_task(name="finops.tasks.send_exports")
def send_exports() -> None:
    """A file may take long to make and to send."""
    until = time.monotonic() + EXPORTS_SECONDS
    scheduled_exports.raise_due(timezone.now(), settings.REPORTING_ZONE)
    with long() as is_free:
        go_on = (lambda: time.monotonic() < until) if is_free else (lambda: False)
        for run in scheduled_exports.proceed(timezone.now, go_on):
            log.info("export run %d is %s", run.pk, run.state)


@shared_task(name="finops.tasks.follow_up_alerts")
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
