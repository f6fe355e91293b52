"""What people do about an alert: acknowledge it, or snooze its conversation.

Either is told to those who were told the alert, as a note in its conversation: silence that nobody
has announced looks like all being well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from finops import access, audit, formats
from finops.access import Ability, Reader
from finops.alerts.raising import raise_answer
from finops.audit import name_of
from finops.models import Alert, Delivery, Recipient, Snooze
from finops.periods import local_day
from finops.query import is_text

State = Delivery.State
LONGEST_SNOOZE = timedelta(days=31)
LONGEST_REASON = 200
# What there is nothing to take care of in.
UNANSWERED = (Alert.Kind.TEST, Alert.Kind.ANSWER)


class NotPossible(ValueError):
    """Why not, and what to do."""


def acknowledge(
    alert: Alert, *, by: Reader, now: datetime, reason: str = "", address: str = ""
) -> bool:
    """Somebody takes care: nothing more of this alert is sent, no reminder, and not the same
    threshold again. False where somebody has done so already. Raises NotPossible."""
    reason = checked(alert, reason)
    with transaction.atomic():
        held = Alert.objects.select_for_update().get(pk=alert.pk)
        if held.acknowledged_at:
            return False
        held.acknowledged_at, held.acknowledged_by = now, name_of(by)
        held.acknowledged_reason = reason
        held.save(update_fields=["acknowledged_at", "acknowledged_by", "acknowledged_reason"])
        detail = f"acknowledged by {held.acknowledged_by}"
        waiting = Delivery.objects.filter(
            alert=held, state=State.WAITING, message_id="", leader=None
        )
        # Those that a worker looks at now it will find acknowledged; waiting for it could deadlock.
        free = waiting.select_for_update(skip_locked=True).values_list("pk", flat=True)
        cancelled = Delivery.objects.filter(pk__in=list(free))
        cancelled.update(state=State.CANCELLED, detail=detail)
        _audit("alert.acknowledge", held, by, now, address, {}, reason)
        raise_answer(
            held,
            told(Delivery.objects.filter(alert=held)),
            key=f"acknowledged-{held.pk}",
            title=f"{name_of(by)} takes care of: {held.title}",
            facts=facts_of(held, reason),
            now=now,
        )
    return True


def snooze(
    alert: Alert,
    until: datetime,
    *,
    by: Reader,
    now: datetime,
    reason: str = "",
    address: str = "",
) -> Snooze:
    """Nothing of its conversation is sent before then, on any channel; what comes waits and goes
    out after. By who does not manage budgets it is no snooze of what is critical. Raises
    NotPossible."""
    if not now < until <= now + LONGEST_SNOOZE:
        raise NotPossible(f"Choose a moment within the next {LONGEST_SNOOZE.days} days.")
    reason = checked(alert, reason)
    spares_critical = not access.standing(by).may(Ability.MANAGE_BUDGETS)
    with transaction.atomic():
        _end_snooze(alert, now)  # what it held goes by the new one, which may end sooner
        made = Snooze.objects.create(
            thread=alert.thread, until=until, made_at=now, made_by=name_of(by), reason=reason,
            spares_critical=spares_critical,
        )  # fmt: skip
        _audit("alert.snooze", alert, by, now, address, {"until": until.isoformat()}, reason)
        zone = settings.REPORTING_ZONE
        end = formats.moment(until, zone, local_day(now, zone)).replace(formats.SPACE, " ")
        but = ", but for what is critical" if spares_critical else ""
        raise_answer(
            alert,
            # A budget may have been another team's when its conversation began.
            told(Delivery.objects.filter(alert__thread=alert.thread, alert__team=alert.team)),
            key=f"snoozed-{made.pk}",
            title=f"{made.made_by} has snoozed this until {end}{but}: {alert.title}",
            facts=facts_of(alert, reason),
            now=now,
        )
    return made


def wake(alert: Alert, *, by: Reader, now: datetime, address: str = "") -> bool:
    """End the snooze of its conversation; whether there was one."""
    with transaction.atomic():
        if not _end_snooze(alert, now):
            return False
        _audit("alert.wake", alert, by, now, address, {})
    return True


def _end_snooze(alert: Alert, now: datetime) -> bool:
    """Whether there was one."""
    ended, _ = Snooze.objects.filter(thread=alert.thread, until__gt=now).delete()
    if ended:
        waiting = Delivery.objects.filter(alert__thread=alert.thread, state=State.WAITING)
        waiting.filter(detail="snoozed").update(due_at=now, detail="")
    return ended > 0


def snoozed(alert: Alert, now: datetime) -> Snooze | None:
    """What keeps its conversation silent now."""
    return Snooze.objects.filter(thread=alert.thread, until__gt=now).order_by("-until").first()


def checked(alert: Alert, reason: str) -> str:
    """Raises NotPossible."""
    if alert.kind in UNANSWERED:
        raise NotPossible("There is nothing to take care of in this one.")
    reason = reason.strip()
    if len(reason) > LONGEST_REASON or not is_text(reason):
        raise NotPossible(f"Write at most {LONGEST_REASON} characters of plain text.")
    return reason


def told(deliveries: QuerySet[Delivery]) -> QuerySet[Recipient]:
    """To whom it was sent, or is sent whatever happens: not those whose turn never came. People's
    own mailboxes are for what answers them."""
    begun = deliveries.filter(~Q(message_id="") | Q(leader__isnull=False))
    begun = begun.exclude(state__in=(State.FAILED, State.CANCELLED))
    return Recipient.objects.filter(
        pk__in=begun.values("recipient"), channel__removed_at=None, channel__user=None
    )


def facts_of(alert: Alert, reason: str) -> dict[str, object]:
    return {"reason": reason, "url": f"/alerts/{alert.pk}"}


def _audit(
    action: str,
    alert: Alert,
    by: Reader,
    now: datetime,
    address: str,
    after: Mapping[str, object],
    reason: str = "",
) -> None:
    after = {"alert": alert.pk, **after}
    audit.record(
        action, alert.title, at=now, by=by, team=alert.team, after=after, reason=reason,
        address=address,
    )  # fmt: skip
