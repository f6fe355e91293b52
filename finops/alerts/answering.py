"""What people do about an alert: acknowledge it, or snooze its conversation."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from finops import audit
from finops.access import Reader
from finops.audit import name_of
from finops.models import Alert, Delivery, Snooze

State = Delivery.State
LONGEST_SNOOZE = timedelta(days=31)


class NotPossible(ValueError):
    """Why not, and what to do."""


def acknowledge(alert: Alert, *, by: Reader, now: datetime, address: str = "") -> bool:
    """Somebody takes care: nothing more of this alert is sent, no reminder, and not the same
    threshold again. False where somebody has done so already."""
    with transaction.atomic():
        held = Alert.objects.select_for_update().get(pk=alert.pk)
        if held.acknowledged_at:
            return False
        held.acknowledged_at, held.acknowledged_by = now, name_of(by)
        held.save(update_fields=["acknowledged_at", "acknowledged_by"])
        detail = f"acknowledged by {held.acknowledged_by}"
        waiting = Delivery.objects.filter(
            alert=held, state=State.WAITING, message_id="", leader=None
        )
        # Those that a worker looks at now it will find acknowledged; waiting for it could deadlock.
        free = waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)
        cancelled = Delivery.objects.filter(pk__in=list(free))
        cancelled.update(state=State.CANCELLED, detail=detail)
        _audit("alert.acknowledge", held, by, now, address, {})
    return True


def snooze(
    alert: Alert, until: datetime, *, by: Reader, now: datetime, address: str = ""
) -> Snooze:
    """Nothing of its conversation is sent before then, on any channel; what comes waits and goes
    out after. Raises NotPossible."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise NotPossible(f"Choose a moment within the next {LONGEST_SNOOZE.days} days.")
    with transaction.atomic():
        Snooze.objects.filter(thread=alert.thread, until__gt=now).delete()
        made = Snooze.objects.create(
            thread=alert.thread, until=until, made_at=now, made_by=name_of(by)
        )
        _audit("alert.snooze", alert, by, now, address, {"until": until.isoformat()})
    return made


def wake(alert: Alert, *, by: Reader, now: datetime, address: str = "") -> bool:
    """End the snooze of its conversation; whether there was one."""
    with transaction.atomic():
        ended, _ = Snooze.objects.filter(thread=alert.thread, until__gt=now).delete()
        if not ended:
            return False
        waiting = Delivery.objects.filter(alert__thread=alert.thread, state=State.WAITING)
        waiting.filter(detail="snoozed").update(due_at=now, detail="")
        _audit("alert.wake", alert, by, now, address, {})
    return True


def snoozed_until(alert: Alert, now: datetime) -> datetime | None:
    held = Snooze.objects.filter(thread=alert.thread, until__gt=now).order_by("-until")
    return held.values_list("until", flat=True).first()


def _audit(
    action: str, alert: Alert, by: Reader, now: datetime, address: str, after: dict[str, object]
) -> None:
    after = {"alert": alert.pk, **after}
    audit.record(action, alert.title, at=now, by=by, team=alert.team, after=after, address=address)
