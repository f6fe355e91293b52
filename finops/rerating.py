"""Rating events again with the ledger as it is now.

The one way in which history changes: asked for, previewed (rating_previews), on record as a
RatingRun. Every event
of the range is resolved anew; those whose price line or cost differ are written day by day of the
reporting zone, in one transaction with what that adds to the hours, days and users of the rollups.
A run is an operation (finops.operations), which goes on after the last day it wrote.

Only unpriced events are rated again by themselves (`rerate_unpriced`), when the ledger changed or
they came after it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, Max
from django.db.models.functions import Now

from finops import exchange_rates, ledger, rebuilds, rollups
from finops.locks import Lock, hold
from finops.models import Price, RatingRun
from finops.periods import local_day, start_of_day
from finops.pricing.resolution import RateCard, Request
from finops.rating_changes import Change, Rerating
from finops.rating_spans import Span
from finops.sql import statement
from ingest.rating import Rate

log = logging.getLogger(__name__)

AUTOMATIC = "price ledger"
ADJUST = (
    *("adjust_hours", "adjust_days", "adjust_user_days", "adjust_minutes"),
    "unsettle_rerated",
)
# The ingest process may rate with the former card this long after a change, and more to spare.
CARD_GRACE = timedelta(seconds=30)


def begin(
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    *,
    requested_by: str,
    reason: str = "",
    only_unpriced: bool = False,
) -> RatingRun:
    """Put on record that [start, end) is to be rated again. Raises rollups.ZoneChanged."""
    refuse_other_zone(zone)
    return RatingRun.objects.create(
        start=start,
        end=end,
        requested_by=requested_by,
        reason=reason,
        only_unpriced=only_unpriced,
        is_queued=True,
    )


def apply_day(
    run: RatingRun, span: Span, card: RateCard, zone: ZoneInfo, record: Callable[[Rerating], None]
) -> None:
    """Rate one day of a run again by `card` and adjust its rollups; `record` is called in the
    transaction.

    Raises rollups.ZoneChanged, and rebuilds.EventsDropped for a day whose events are dropped in
    part: it stays as it is.
    """
    _apply_span(run, span, card, zone, record)


def rerate_unpriced(zone: ZoneInfo) -> Rerating | None:
    """Rate unpriced events again that the ledger covers; None when neither the ledger has changed
    since the last time nor such events have come since.

    Days whose events are dropped in part stay as they are. Raises rollups.ZoneChanged."""
    refuse_other_zone(zone)
    changed_at = ledger.changed_at()
    if changed_at is None:
        return None
    newest = _newest_batch()
    handled = _handled(ledger.version(), changed_at)
    if handled and newest <= handled.to_batch:
        return None
    card = _current_card()
    days = sorted(_covered_days(card, zone, handled.to_batch if handled else 0, newest))
    if handled and not days:
        RatingRun.objects.filter(pk=handled.pk).update(to_batch=newest)
        return None
    spans = [
        Span(start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)) for day in days
    ]
    run = RatingRun.objects.create(
        start=spans[0].start if spans else changed_at,
        end=spans[-1].end if spans else changed_at,
        requested_by=AUTOMATIC,
        reason="Events came without a price." if handled else "The price ledger changed.",
        ledger_version=card.version,
        only_unpriced=True,
        to_batch=newest,
    )
    return _apply(run, spans, card, zone)


def _newest_batch() -> int:
    """The newest batch that no commit under way can still come before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM ingest_batch WHERE committed_at < now() - make_interval(secs => %s)"
            " ORDER BY id DESC LIMIT 1",
            [CARD_GRACE.total_seconds()],
        )
        row = cursor.fetchone()
    return row[0] if row else 0


def refuse_other_zone(zone: ZoneInfo) -> None:
    """Before a run is on record that could not do anything."""
    with connection.cursor() as cursor:
        rollups.refuse_other_zone(cursor, zone)


def _handled(version: int, changed_at: datetime) -> RatingRun | None:
    """The last automatic run that has seen the ledger as it is."""
    runs = RatingRun.objects.filter(
        requested_by=AUTOMATIC,
        ledger_version=version,
        created_at__gte=changed_at + CARD_GRACE,
        finished_at__isnull=False,
    )
    return runs.order_by("-pk").first()


def _covered_days(card: RateCard, zone: ZoneInfo, after: int, to: int) -> set[date]:
    """Days of the zone that hold unpriced events of a combination that now has a price; of batches
    after `after` up to `to`, or of all while there is nothing to come after."""
    with connection.cursor() as cursor:
        if after:
            cursor.execute(statement("unpriced_of_batches"), {"after": after, "to": to})
        else:
            cursor.execute(statement("unpriced_events"))
        rows = cursor.fetchall()
    days: set[date] = set()
    for day, *request in rows:
        if any(card.table(Request(*request)).rates):
            midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
            last = midnight + timedelta(days=1, microseconds=-1)
            days |= {local_day(midnight, zone), local_day(last, zone)}
    return days


def _apply(run: RatingRun, spans: Iterable[Span], card: RateCard, zone: ZoneInfo) -> Rerating:
    """All days of an automatic run; those whose events are dropped in part stay as they are."""
    rerating = Rerating()
    for span in spans:
        try:
            _apply_span(run, span, card, zone, rerating.merge)
        except rebuilds.EventsDropped as dropped:
            log.warning("Not rated again: %s", dropped)
    RatingRun.objects.filter(pk=run.pk).update(finished_at=Now())
    return rerating


def _apply_span(
    run: RatingRun, span: Span, card: RateCard, zone: ZoneInfo, record: Callable[[Rerating], None]
) -> None:
    part = Rerating()
    with transaction.atomic(), connection.cursor() as cursor:
        hold(Lock.RERATING)
        change = rate_again(cursor, card, span, part, only_unpriced=run.only_unpriced)
        if change.rows_changed:
            rebuilds.refuse_dropped(cursor, rebuilds.whole_days(span.start, span.end, zone))
            parameters = span.parameters(only_unpriced=run.only_unpriced)
            cursor.execute(statement("apply_rerated"), parameters)
            _adjust_rollups(cursor, span, zone)
        cursor.execute(
            "DROP TABLE IF EXISTS rerated_event, rerated_change, unfolded_batch, rate_window"
        )
        # The operation before its run, as whoever ends it locks them.
        record(part)
        _record(run, change, span)


def _adjust_rollups(cursor: CursorWrapper, span: Span, zone: ZoneInfo) -> None:
    """Add what rerated_event changes to its hours, its day and its users, and to nothing else.

    Nearly all of it is added up before the lock on folding is taken.
    """
    cursor.execute(rollups.WORK_MEM)
    cursor.execute(statement("change_tables"))
    cursor.execute(statement("gather_changes"), {"zone": zone.key, "was_unfolded": False})
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [rollups.FOLD_LOCK])
    rollups.refuse_other_zone(cursor, zone)
    cursor.execute("SELECT EXISTS (SELECT 1 FROM unfolded_batch)")
    if cursor.fetchone()[0]:
        cursor.execute(statement("gather_changes"), {"zone": zone.key, "was_unfolded": True})
    cursor.execute("ANALYZE rerated_change")
    for name in ADJUST:
        cursor.execute(statement(name), {"day": local_day(span.start, zone)})


def _record(run: RatingRun, change: Change, span: Span) -> None:
    """The run's totals grow in the transaction that changes the events."""
    RatingRun.objects.filter(pk=run.pk).update(
        events_examined=F("events_examined") + change.examined,
        events_changed=F("events_changed") + change.changed,
        cost_before=F("cost_before") + change.cost_before,
        cost_after=F("cost_after") + change.cost_after,
        unpriced_before=F("unpriced_before") + change.unpriced_before,
        unpriced_after=F("unpriced_after") + change.unpriced_after,
        done_to=span.end,
    )


def rate_again(
    cursor: CursorWrapper, card: RateCard, span: Span, rerating: Rerating, *, only_unpriced: bool
) -> Change:
    """Fill rerated_event for one span and add the difference to `rerating`."""
    parameters = span.parameters(only_unpriced=only_unpriced)
    cursor.execute(statement("rerated_attributions"), parameters)
    attributions = cursor.fetchall()
    whole = Change()
    if not only_unpriced:
        cursor.execute(statement("skipped_events"), parameters)
        rerating.skipped += cursor.fetchone()[0]
    if not attributions:
        return whole
    cursor.execute(statement("rate_windows"))
    with cursor.copy("COPY rate_window FROM STDIN") as copy:
        for attribution, *request in attributions:
            for window in card.table(Request(*request)).windows():
                copy.write_row(
                    (attribution, *window[:-1], *window.rate, *card.factors(window.rate))
                )
    cursor.execute("ANALYZE rate_window")
    cursor.execute(statement("gather_rerated"), parameters)
    cursor.execute(statement("sum_rerated"))
    for provider, model, price, contract, *counts in cursor.fetchall():
        change = Change(*counts)
        rate = None if price is None else Rate(price, contract)
        rerating.add((provider, model), rate, change)
        whole.add(change)
    return whole


def card_in_force() -> RateCard:
    newest = Price.objects.aggregate(newest=Max("pk"))["newest"]
    return _card_of(ledger.version(), newest)


@lru_cache(maxsize=1)
def _card_of(version: int, newest: int | None) -> RateCard:
    """The ledger in force, read once for all days of a run: it has thousands of lines."""
    return _current_card()


def _current_card() -> RateCard:
    version = ledger.version()
    return RateCard(ledger.current_lines(), version, exchange_rates.load())
