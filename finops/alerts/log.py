"""Reading the log of alerts, as far as its reader sees: newest first, a page at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet

from finops.access import Standing
from finops.alerts.answering import UNANSWERED
from finops.models import Alert, Channel, Delivery
from finops.periods import InvalidQuery

PAGE_SIZE = 50
COUNTED = timedelta(hours=24)
STATES = ("open", "acknowledged", "undelivered")


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which alerts; "" and None mean any. `state` is one of STATES."""

    severity: str = ""
    kind: str = ""
    state: str = ""
    budget: int | None = None
    team: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> LogQuery:
        """Raises InvalidQuery, which names the parameter."""
        severity, kind, state = (params.get(name, "") for name in ("severity", "kind", "state"))
        known: tuple[tuple[str, str, Sequence[str]], ...] = (
            ("severity", severity, Alert.Severity.values),
            ("kind", kind, Alert.Kind.values),
            ("state", state, STATES),
        )
        for name, value, values in known:
            if value and value not in values:
                raise InvalidQuery(name, f"{value[:80]!r} is none of {', '.join(values)}")
        team = params.get("team", "")
        if "\0" in team:
            raise InvalidQuery("team", "must be text")
        return cls(severity, kind, state, whole_number(params, "budget"), team)

    def to_params(self) -> dict[str, str]:
        given = {
            "severity": self.severity,
            "kind": self.kind,
            "state": self.state,
            "budget": str(self.budget) if self.budget is not None else "",
            "team": self.team,
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class LogPage:
    """`next_cursor` is the `cursor` of the page after; None on the last."""

    alerts: list[Alert]
    next_cursor: str | None


def visible(standing: Standing) -> QuerySet[Alert]:
    """Alerts of teams that are seen; what belongs to no team is for who sees all."""
    found = Alert.objects.all()
    if standing.teams is not None:
        found = found.filter(team__in=standing.teams - {""})
    return found


def page(query: LogQuery, standing: Standing, cursor: str = "", size: int = PAGE_SIZE) -> LogPage:
    """The alerts older than the one of the cursor. Raises InvalidQuery."""
    found = chosen(query, visible(standing)).order_by("-pk")
    before = whole_number({"cursor": cursor}, "cursor")
    if before is not None:
        found = found.filter(pk__lt=before)
    alerts = list(found.select_related("budget")[: size + 1])
    following = str(alerts[size - 1].pk) if len(alerts) > size else None
    return LogPage(alerts[:size], following)


def chosen(query: LogQuery, found: QuerySet[Alert]) -> QuerySet[Alert]:
    if query.severity:
        found = found.filter(severity=query.severity)
    if query.kind:
        found = found.filter(kind=query.kind)
    if query.team:
        found = found.filter(team=query.team)
    if query.budget is not None:
        found = found.filter(budget=query.budget)
    if query.state == "open":
        found = found.filter(acknowledged_at=None).exclude(kind__in=UNANSWERED)
    elif query.state == "acknowledged":
        found = found.exclude(acknowledged_at=None)
    elif query.state == "undelivered":
        undelivered = Q(deliveries__state__in=("waiting", "sending", "failed"))
        found = found.filter(undelivered).distinct()
    return found


def whole_number(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidQuery(name, f"{text[:80]!r} is no number of one")
    return int(text)


def counts(alerts: Sequence[Alert]) -> dict[int, Counter[str]]:
    """Of each alert how many deliveries are in which state."""
    found: dict[int, Counter[str]] = {each.pk: Counter() for each in alerts}
    rows = Delivery.objects.filter(alert__in=alerts).values_list("alert", "state").order_by()
    for alert, state, number in rows.annotate(number=Count("pk")):
        found[alert][state] = number
    return found


def written(alerts: Sequence[Alert]) -> Counter[int]:
    """Of each alert how many mails were sent no further than to a file."""
    found = Delivery.objects.filter(alert__in=alerts, state="sent").exclude(detail="")
    return Counter(found.values_list("alert", flat=True))


def deliveries(alert: Alert) -> list[Delivery]:
    """With their recipients and attempts; one that went out in a digest has its leader's."""
    found = Delivery.objects.filter(alert=alert).select_related("recipient__channel", "leader")
    return list(found.prefetch_related("attempts", "leader__attempts").order_by("pk"))


def detail_of(held: Delivery, *, with_answers: bool) -> str:
    """Why it waits or was not sent. What the other side answered may hold anything, so it is for
    those who manage channels; without it only what Farthing says by itself."""
    text = held.detail
    if not with_answers and held.state != "sent":
        said = {each.detail for each in (held.leader or held).attempts.all() if each.detail}
        for words in sorted(said, key=len, reverse=True):  # one may be the beginning of another
            text = text.replace(words, "")
    return text.removesuffix(": ")


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits for a channel: `since` the oldest was raised, tried again not before `until`."""

    number: int
    since: datetime
    until: datetime | None
    detail: str


def waiting(channel: Channel) -> Queue | None:
    """None where nothing does."""
    held = Delivery.objects.filter(
        recipient__channel=channel, state__in=("waiting", "sending")
    ).select_related("alert", "recipient")
    oldest = held.order_by("pk").first()
    if oldest is None:
        return None
    held_until = oldest.recipient.held_until
    until = max(oldest.due_at, held_until) if held_until else oldest.due_at
    detail = oldest.detail or channel.last_error
    return Queue(held.count(), oldest.alert.raised_at, until, detail)


def by_outcome(now: datetime) -> dict[tuple[str, str], int]:
    """(kind of channel, state) → deliveries, for /metrics: all that are open, and those that have
    ended of what was raised within COUNTED. Two indexes lead there, however long the log is."""
    is_open = Q(state__in=("waiting", "sending"))
    ended = Delivery.objects.filter(~is_open, alert__raised_at__gt=now - COUNTED)
    found: dict[tuple[str, str], int] = {}
    for held in (Delivery.objects.filter(is_open), ended):
        rows: QuerySet[Any, Any] = held.values_list("recipient__channel__kind", "state").order_by()
        found |= {
            (kind, state): number for kind, state, number in rows.annotate(number=Count("pk"))
        }
    return found
