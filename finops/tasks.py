"""What runs on a schedule or in the background; each task calls one domain function."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from finops import ledger, rerating

log = logging.getLogger(__name__)


@shared_task
def sync_prices() -> None:
    sync = ledger.sync_catalog(timezone.now())
    if sync.added or sync.superseded:
        log.info("price catalogue: %d lines added, %d superseded", sync.added, sync.superseded)


@shared_task
def rerate_unpriced() -> None:
    rerated = rerating.rerate_unpriced(settings.REPORTING_ZONE)
    if rerated and rerated.total.changed:
        log.info("%d unpriced events have a price now", rerated.total.changed)
