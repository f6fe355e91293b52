"""Sending what is due: raised once by a unique row, held by a lease, tried until it arrives.

Whoever dies between the other side's answer and its record here sends that file again: to a bucket
the same object, to a mailbox the same message id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from tempfile import TemporaryFile
from typing import IO
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from finops.alerts import raise_alert
from finops.channels import outcomes
from finops.channels.outcomes import Outcome, Result
from finops.costs import QueryTooSlow
from finops.models import Alert, ExportRun, ExportSchedule, StatementVersion
from finops.periods import InvalidQuery
from finops.rollups import ZoneChanged
from finops.scheduled_exports import bucket, mailing, occasions
from finops.scheduled_exports.files import Made, Superseded, make

log = logging.getLogger(__name__)

State, Occasion = ExportRun.State, ExportSchedule.Occasion
# Longer than any attempt takes: making the file, and bucket.SECONDS twice or mails one by one.
LEASE = timedelta(minutes=40)
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=2)
GIVE_UP = timedelta(days=3)
# In a row, before it is given up.
MOST_DEATHS = 4
# People are told then: some twenty minutes after the first attempt.
TOLD_AFTER = 5


def raise_due(now: datetime, zone: ZoneInfo) -> int:
    """Write down what has become due, however many workers do so; how many runs are new."""
    count = 0
    for schedule in ExportSchedule.objects.filter(removed_at=None, paused_at=None):
        known = set(schedule.runs.values_list("occasion", flat=True))
        for key, month, version, at in due(schedule, now, zone):
            if key in known:
                continue
            _, is_new = ExportRun.objects.get_or_create(
                schedule=schedule,
                occasion=key,
                defaults={"month": month, "version": version, "due_at": at, "next_at": now},
            )
            count += is_new
    return count


def due(
    schedule: ExportSchedule, now: datetime, zone: ZoneInfo
) -> Iterator[tuple[str, date, int | None, datetime]]:
    """Occasions that have come since the schedule is what it is."""
    if schedule.occasion == Occasion.CLOSE:
        closed = StatementVersion.objects.filter(closed_at__gte=schedule.since)
        for month, version, at in closed.values_list("month", "version", "closed_at"):
            yield f"{month:%Y-%m} v{version}", month, version, at
        return
    if schedule.occasion == Occasion.MONTHLY:
        found = occasions.monthly(schedule.day or 1, schedule.hour, now, zone)
    else:
        found = occasions.daily(schedule.hour, now, zone)
    if found.at >= schedule.since:
        yield found.key, found.month, None, found.at


def proceed(clock: Callable[[], datetime], go_on: Callable[[], bool]) -> Iterator[ExportRun]:
    """Send what is due until there is nothing left, or `go_on` says no; yields each attempt."""
    while go_on() and (run := claim(clock())):
        turn = run.attempts
        with TemporaryFile() as file:
            outcome, made = attempt(run, file, clock())
        yield record(run.pk, turn, outcome, made, clock())


def claim(now: datetime) -> ExportRun | None:
    """A run that nobody else sends, the one that waits longest."""
    with transaction.atomic():
        free = ExportRun.objects.filter(
            Q(leased_until=None) | Q(leased_until__lte=now),
            state__in=(State.WAITING, State.SENDING),
            next_at__lte=now,
        )
        free = free.select_for_update(skip_locked=True, of=("self",)).select_related("schedule")
        for run in free.order_by("next_at", "pk"):
            if run.state == State.SENDING and run.died >= MOST_DEATHS:
                run.state, run.ended_at, run.leased_until = State.FAILED, now, None
                run.detail = "Whoever made or sent it died each time: see the worker's log."
                run.save()
                tell(run, now)
                continue
            run.died += run.state == State.SENDING
            run.state, run.leased_until = State.SENDING, now + LEASE
            run.attempts += 1
            run.save()
            return run
    return None


def attempt(run: ExportRun, file: IO[bytes], now: datetime) -> tuple[Outcome, Made | None]:
    schedule = run.schedule
    try:
        made = make(schedule.format, run.month, run.version, now, file)
    except Superseded as error:
        return outcomes.refused(str(error)), None
    except (InvalidQuery, QueryTooSlow, ZoneChanged) as error:
        return outcomes.later(f"The file could not be made: {error}"), None
    except Exception as error:
        log.exception("the file of export run %d could not be made", run.pk)
        return outcomes.later(f"The file could not be made: {type(error).__name__}."), None
    try:
        if schedule.destination == ExportSchedule.Destination.BUCKET:
            return bucket.put(schedule, made, file, now), made
        return mailed(run, made, file, now), made
    except Exception as error:
        log.exception("export run %d could not be sent", run.pk)
        return outcomes.later(f"It could not be sent: {type(error).__name__}."), made


def mailed(run: ExportRun, made: Made, file: IO[bytes], now: datetime) -> Outcome:
    """To each mailbox that has not got it yet; the outcome is the worst one."""
    found: list[Outcome] = []
    for address in run.schedule.addresses:
        if address not in run.reached:
            outcome = mailing.send(run.schedule, run, made, file, address, now)
            found.append(outcome)
            if outcome.result == Result.SENT:
                run.reached.append(address)
                ExportRun.objects.filter(pk=run.pk).update(reached=run.reached)
    missed = [each for each in found if each.result != Result.SENT]
    if not missed:
        return found[-1] if found else outcomes.sent()
    worst = next((each for each in missed if each.result == Result.LATER), missed[0])
    count = f"{len(missed)} of {len(run.schedule.addresses)} mailboxes: "
    return Outcome(worst.result, count + worst.detail, worst.status)


def record(number: int, turn: int, outcome: Outcome, made: Made | None, now: datetime) -> ExportRun:
    """What became of this turn. Where somebody has taken over meanwhile, as the lease had run out,
    only that it arrived counts."""
    with transaction.atomic():
        run = (
            ExportRun.objects.select_for_update(of=("self",))
            .select_related("schedule")
            .get(pk=number)
        )
        is_late = run.state == State.SENT or run.attempts != turn
        if is_late and outcome.result != Result.SENT:
            return run
        run.leased_until, run.died, run.detail = None, 0, outcome.detail
        if made:
            run.file_name, run.size, run.sha256 = made.name, made.size, made.sha256
            run.version = made.summary.version
        is_over = now - run.due_at > GIVE_UP or outcome.result != Result.LATER
        if run.state == State.CANCELLED and outcome.result != Result.SENT:
            pass
        elif outcome.result == Result.SENT:
            run.state, run.ended_at = State.SENT, now
        elif is_over:
            run.state, run.ended_at = State.FAILED, now
        else:
            run.state = State.WAITING
            run.next_at = now + min(FIRST_WAIT * 2 ** (run.attempts - 1), LONGEST_WAIT)
        run.save()
        if outcome.detail:
            log.warning("export run %d is %s: %s", run.pk, run.state, outcome.detail)
        if run.state == State.FAILED or (run.state == State.WAITING and run.attempts >= TOLD_AFTER):
            tell(run, now)
    return run


def tell(run: ExportRun, now: datetime) -> None:
    """Once for each run, by the channels of alerts about Farthing itself."""
    schedule = run.schedule
    raise_alert(
        key=f"export-run-{run.pk}",
        kind=Alert.Kind.EXPORT_NOT_SENT,
        severity=Alert.Severity.WARNING,
        title=f"The export {schedule.name} of {run.month:%B %Y} does not arrive",
        facts={
            "export": schedule.name,
            "month": f"{run.month:%B %Y}",
            "sent_to": where(schedule),
            "said": run.detail,
            "attempts": run.attempts,
        },
        now=now,
    )


def where(schedule: ExportSchedule) -> str:
    if schedule.destination == ExportSchedule.Destination.BUCKET:
        return f"{schedule.bucket} at {bucket.endpoint_of(schedule)}"
    return ", ".join(schedule.addresses)
