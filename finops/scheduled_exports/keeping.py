"""Scheduled exports as people keep them: each act on record, the keys of buckets never."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, QuerySet, Subquery

from finops.channels import secrets
from finops.models import ExportRun, ExportSchedule
from finops.organisation.stored import Act, log
from finops.scheduled_exports.terms import Terms

TAKEN = "There is a scheduled export of this name already."
PLAIN = (
    *("name", "format", "occasion", "day", "hour", "destination", "endpoint", "region", "bucket"),
    *("prefix", "path_style", "access_key_id"),
)
# Whoever gives another one has to have the key.
OPENED_BY = ("endpoint", "region", "bucket", "access_key_id")
NEEDED = "The bucket is another one: write its secret key too."
OPEN = (ExportRun.State.WAITING, ExportRun.State.SENDING)


def everything() -> QuerySet[ExportSchedule]:
    """Each with the number of its last run as `last_run`."""
    last = ExportRun.objects.filter(schedule=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    found = ExportSchedule.objects.filter(removed_at=None)
    return found.annotate(last_run=Subquery(last)).order_by("name", "pk")


def get(number: int) -> ExportSchedule:
    """Raises ExportSchedule.DoesNotExist."""
    return ExportSchedule.objects.get(pk=number, removed_at=None)


def add(terms: Terms, act: Act) -> ExportSchedule:
    """Raises ValidationError by field."""
    made = ExportSchedule(since=act.at, created_at=act.at, created_by=act.by.get_username())
    with transaction.atomic():
        _store(made, terms)
        log("export_schedule.add", made.name, act, after=described(made))
    return made


def change(number: int, terms: Terms, act: Act) -> ExportSchedule:
    """What waits goes out by the new terms. Raises ValidationError by field, DoesNotExist."""
    with transaction.atomic():
        held = ExportSchedule.objects.select_for_update().get(pk=number, removed_at=None)
        before, secret = described(held), held.secret
        if not terms.secret_access_key and any(
            getattr(held, name) != getattr(terms, name) for name in OPENED_BY
        ):
            raise ValidationError({"secret_access_key": NEEDED})
        if (held.occasion, held.day, held.hour) != (terms.occasion, terms.day, terms.hour):
            held.since = act.at
        _store(held, terms)
        if described(held) != before or bytes(held.secret) != bytes(secret):
            log("export_schedule.change", held.name, act, before=before, after=described(held))
    return held


def turn(number: int, *, pause: bool, act: Act) -> ExportSchedule:
    """While it is paused nothing becomes due; what was missed then is not made up for."""
    with transaction.atomic():
        held = ExportSchedule.objects.select_for_update().get(pk=number, removed_at=None)
        if bool(held.paused_at) != pause:
            held.paused_at = act.at if pause else None
            held.since = held.since if pause else act.at
            held.save()
            log(f"export_schedule.{'pause' if pause else 'resume'}", held.name, act)
    return held


def remove(number: int, act: Act) -> None:
    """Its keys are forgotten, what waits is not sent; its runs stay."""
    with transaction.atomic():
        held = ExportSchedule.objects.select_for_update().get(pk=number, removed_at=None)
        log("export_schedule.remove", held.name, act, before=described(held))
        held.removed_at, held.secret = act.at, b""
        held.save()
        waiting = ExportRun.objects.filter(schedule=held, state__in=OPEN)
        waiting.update(
            state=ExportRun.State.CANCELLED, ended_at=act.at, detail="The schedule was removed."
        )


def ask(number: int, month: date, act: Act) -> ExportRun:
    """Send the file of this month now, as it stands. Raises DoesNotExist."""
    with transaction.atomic():
        held = ExportSchedule.objects.select_for_update().get(pk=number, removed_at=None)
        run = ExportRun.objects.create(
            schedule=held,
            occasion=f"asked {uuid4().hex}",
            month=month,
            due_at=act.at,
            next_at=act.at,
            asked_by=act.by.get_username(),
        )
        log("export_schedule.run", held.name, act, after={"month": f"{month:%Y-%m}"})
    return run


def again(number: int, run: int, act: Act) -> ExportRun:
    """Try what failed or waits now. Raises ExportRun.DoesNotExist."""
    with transaction.atomic():
        held = ExportRun.objects.select_for_update().get(
            pk=run, schedule=number, schedule__removed_at=None
        )
        if held.state in (ExportRun.State.WAITING, ExportRun.State.FAILED):
            held.state, held.next_at, held.ended_at = ExportRun.State.WAITING, act.at, None
            held.save()
            after = {"month": f"{held.month:%Y-%m}", "occasion": held.occasion}
            log("export_schedule.retry", held.schedule.name, act, after=after)
    return held


def _store(schedule: ExportSchedule, terms: Terms) -> None:
    for name in PLAIN:
        setattr(schedule, name, getattr(terms, name))
    schedule.addresses = list(terms.addresses)
    if terms.destination == ExportSchedule.Destination.EMAIL:
        schedule.secret = b""
    elif terms.secret_access_key:
        schedule.secret = secrets.seal({"secret_access_key": terms.secret_access_key})
    elif not schedule.secret:
        raise ValidationError({"secret_access_key": "Write the secret key of the bucket."})
    try:
        with transaction.atomic():
            schedule.save()
    except IntegrityError:
        raise ValidationError({"name": TAKEN}) from None


def described(schedule: ExportSchedule) -> Mapping[str, object]:
    """What the audit log may know."""
    return {**{name: getattr(schedule, name) for name in PLAIN}, "addresses": schedule.addresses}


def terms_of(schedule: ExportSchedule) -> dict[str, object]:
    """As they were given, without the secret key."""
    return dict(described(schedule))
