"""The calendar of planned events: what people know beforehand, so that it is no anomaly."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from finops import audit
from finops.access import Standing
from finops.anomalies.series import Key
from finops.models import Anomaly, PlannedEvent
from finops.organisation.stored import Act
from finops.periods import InvalidQuery, parse_instant
from finops.query import is_dimension, is_text

LONGEST_NAME = 200
LONGEST_SPAN = timedelta(days=366)
MOST_VALUES = 100
LEAST_FACTOR, MOST_FACTOR = Decimal("0.001"), Decimal(10_000)
FIELDS = ("name", "start", "end", "filters", "factor")


@dataclass(frozen=True, slots=True)
class Plan:
    """One span that is excused. `factor` is how many times the usual is expected, None where
    anything is."""

    start: datetime
    end: datetime
    filters: Mapping[str, Sequence[str]]
    factor: float | None = None

    def concerns(self, key: Key) -> bool:
        """Whether any usage of the series may be part of it."""
        return all(value in self.filters.get(name, (value,)) for name, value in key.filters)

    def holds(self, key: Key) -> bool:
        """Whether all usage of the series is."""
        own = dict(key.filters)
        return all(own.get(name) in values for name, values in self.filters.items())


@dataclass(frozen=True, slots=True)
class Draft:
    name: str
    start: datetime
    end: datetime
    filters: dict[str, list[str]]
    factor: Decimal | None


def plans(since: datetime) -> list[Plan]:
    """What is excused and ends after `since`."""
    return [
        Plan(each.start, each.end, each.filters, float(each.factor) if each.factor else None)
        for each in PlannedEvent.objects.filter(removed_at=None, end__gt=since)
    ]


def visible(standing: Standing) -> QuerySet[PlannedEvent]:
    """Those of teams that are seen, and those that somebody planned for all usage."""
    found = PlannedEvent.objects.filter(removed_at=None)
    if standing.teams is None:
        return found
    held = found.only("pk", "filters", "anomaly_id")
    return found.filter(pk__in=[each.pk for each in held if is_shown(each, standing.teams)])


def is_shown(event: PlannedEvent, teams: Collection[str] | None) -> bool:
    """Whether who sees these teams (None: all) may read its name. One of a feature, a model or a
    user may be any team's; so may what was seen of all usage."""
    named = set(event.filters.get("team", ()))
    if teams is None or named:
        return teams is None or named <= set(teams)
    return not event.filters and event.anomaly_id is None


def may_keep(standing: Standing, filters: Mapping[str, Sequence[str]]) -> bool:
    """Who sees teams of their own plans for those alone."""
    teams = set(filters.get("team", ()))
    return standing.teams is None or bool(teams and teams <= standing.teams)


def read(given: Mapping[str, Any], zone: ZoneInfo) -> Draft:
    """A draft of what a person or a program wrote. Raises ValidationError by field."""
    wrong: dict[str, str] = {}
    for name in given:
        if name not in FIELDS:
            wrong[str(name)[:80]] = f"is no field; known are {', '.join(FIELDS)}"
    title = given.get("name")
    if not isinstance(title, str) or not title.strip() or not is_name(title):
        wrong["name"] = f"Write a name of at most {LONGEST_NAME} characters of plain text."
    start, end = (instant(given, field, zone, wrong) for field in ("start", "end"))
    if start and end and not start < end <= start + LONGEST_SPAN:
        wrong["end"] = f"must be after start, by {LONGEST_SPAN.days} days at most."
    filters, factor = filters_of(given, wrong), factor_of(given, wrong)
    if wrong or start is None or end is None:
        raise ValidationError(wrong)
    return Draft(str(title).strip(), start, end, filters, factor)


def is_name(text: str) -> bool:
    return len(text.strip()) <= LONGEST_NAME and is_text(text.strip())


def instant(
    given: Mapping[str, Any], field: str, zone: ZoneInfo, wrong: dict[str, str]
) -> datetime | None:
    text = given.get(field)
    if not isinstance(text, str) or not text.strip():
        wrong[field] = "Write a date like 2026-10-01, or an instant like 2026-10-01T08:00:00Z."
        return None
    try:
        return parse_instant(field, text.strip(), zone)
    except (InvalidQuery, OverflowError) as error:
        wrong[field] = error.message if isinstance(error, InvalidQuery) else "is out of range"
        return None


def filters_of(given: Mapping[str, Any], wrong: dict[str, str]) -> dict[str, list[str]]:
    held = given.get("filters") or {}
    if not isinstance(held, Mapping):
        wrong["filters"] = "Write an object: dimension → list of values."
        return {}
    found: dict[str, list[str]] = {}
    for name, values in held.items():
        listed = [values] if isinstance(values, str) else values
        if not (isinstance(name, str) and is_dimension(name)):
            wrong["filters"] = f"{str(name)[:80]!r} is no dimension."
        elif not (isinstance(listed, list) and 0 < len(listed) <= MOST_VALUES):
            wrong["filters"] = f"{name} needs a list of 1 to {MOST_VALUES} values."
        elif not all(isinstance(each, str) and each and is_name(each) for each in listed):
            wrong["filters"] = f"The values of {name} must be text."
        else:
            found[name] = sorted({each.strip() for each in listed})
    return found


def factor_of(given: Mapping[str, Any], wrong: dict[str, str]) -> Decimal | None:
    held = given.get("factor")
    if held is None or held == "":
        return None
    try:
        found = None if isinstance(held, bool) else Decimal(str(held))
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite() or not LEAST_FACTOR <= found <= MOST_FACTOR:
        wrong["factor"] = "Write how many times the usual is expected, such as 3, or nothing."
        return None
    return found.quantize(LEAST_FACTOR)


def add(draft: Draft, act: Act, *, of: Anomaly | None = None) -> PlannedEvent:
    """`of` is the anomaly that was called planned."""
    with transaction.atomic():
        made = PlannedEvent.objects.create(
            name=draft.name, start=draft.start, end=draft.end, filters=draft.filters,
            factor=draft.factor, anomaly=of, created_by=audit.name_of(act.by), created_at=act.at,
            changed_at=act.at,
        )  # fmt: skip
        log("planned_event.add", made, act, after=described(made))
    return made


def change(event: PlannedEvent, draft: Draft, act: Act) -> PlannedEvent:
    """Raises PlannedEvent.DoesNotExist."""
    with transaction.atomic():
        held = PlannedEvent.objects.select_for_update().get(pk=event.pk, removed_at=None)
        before = described(held)
        held.name, held.start, held.end = draft.name, draft.start, draft.end
        held.filters, held.factor, held.changed_at = draft.filters, draft.factor, act.at
        if described(held) != before:
            held.save()
            log("planned_event.change", held, act, before=before, after=described(held))
    return held


def remove(event: PlannedEvent, act: Act) -> None:
    """Raises PlannedEvent.DoesNotExist."""
    with transaction.atomic():
        held = PlannedEvent.objects.select_for_update().get(pk=event.pk, removed_at=None)
        held.removed_at = act.at
        held.save(update_fields=["removed_at"])
        log("planned_event.remove", held, act, before=described(held))


def described(event: PlannedEvent) -> dict[str, object]:
    return {
        "name": event.name,
        "start": event.start.isoformat(),
        "end": event.end.isoformat(),
        "filters": event.filters,
        "factor": None if event.factor is None else f"{event.factor.normalize():f}",
    }


def log(
    action: str,
    event: PlannedEvent,
    act: Act,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    teams: Iterable[str] = event.filters.get("team", ())
    team = next(iter(teams), "") if len(list(teams)) == 1 else ""
    audit.record(
        action, event.name, at=act.at, by=act.by, team=team, before=before, after=after,
        address=act.address,
    )  # fmt: skip
