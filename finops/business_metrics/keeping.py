"""Making, changing and removing business metrics: checked, and on record."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from finops import locks
from finops.business_metrics import storing
from finops.business_metrics.terms import Draft, draft_of, fields_of, tags_of
from finops.locks import Lock
from finops.models import ActivatedTag, BusinessMetric
from finops.organisation.stored import Act, log
from finops.query import TAG_PREFIX

# What its values mean: with another one they would say something else.
FIXED = ("key", "kind", "adds_up", "dimensions")
STAYS = "It stays as it was made: its values would mean something else. Make another metric."


def make(draft: Draft, act: Act) -> BusinessMetric:
    """Raises ValidationError by field."""
    with transaction.atomic():
        locks.hold(Lock.BUSINESS_METRICS)
        _refuse_unknown_tags(draft)
        if BusinessMetric.objects.filter(key=draft.key).exists():
            raise ValidationError({"key": f"There is a metric {draft.key!r} already."})
        is_money = draft.kind == BusinessMetric.Kind.MONEY
        metric = BusinessMetric(
            **fields_of(draft),
            currency=settings.CURRENCY if is_money else "",
            created_at=act.at,
            created_by=act.by.get_username(),
        )
        metric.save()
        log("business_metric.create", metric.name, act, after=fields_of(draft))
    return metric


def change(key: str, draft: Draft, act: Act) -> BusinessMetric:
    """Raises ValidationError by field, and BusinessMetric.DoesNotExist."""
    with transaction.atomic():
        locks.hold(Lock.BUSINESS_METRICS)
        metric = BusinessMetric.objects.select_for_update().get(key=key)
        before, after = fields_of(draft_of(metric)), fields_of(draft)
        if before == after:
            return metric
        if wrong := [name for name in FIXED if before[name] != after[name]]:
            raise ValidationError(dict.fromkeys(wrong, STAYS))
        _refuse_unknown_tags(draft)
        for name, value in after.items():
            setattr(metric, name, value)
        metric.save()
        log(
            "business_metric.change",
            metric.name,
            act,
            before=_apart(before, after),
            after=_apart(after, before),
        )
    return metric


def remove(key: str, act: Act) -> None:
    """With its values. Raises BusinessMetric.DoesNotExist."""
    with transaction.atomic():
        locks.hold(Lock.BUSINESS_METRICS)
        metric = BusinessMetric.objects.select_for_update().get(key=key)
        before = {**fields_of(draft_of(metric)), "values": storing.count(metric)}
        log("business_metric.remove", metric.name, act, before=before)
        metric.delete()


def _apart(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in one.items() if other[name] != value}


def _refuse_unknown_tags(draft: Draft) -> None:
    known = set(ActivatedTag.objects.values_list("key", flat=True))
    if missing := sorted(tags_of(draft) - known):
        named = {TAG_PREFIX + key for key in missing}
        field = "dimensions" if named & set(draft.dimensions) else "filters"
        raise ValidationError(
            {field: f"The tag {missing[0]!r} is not activated (Settings, Tags), so no usage has it "
             "as a dimension."}
        )  # fmt: skip
