"""Decisions that are one value each, by name, in the table `setting`; no row means the default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from finops import audit
from finops.models import Setting


@dataclass(frozen=True, slots=True)
class Act:
    """Who changes something, when and from where: what the audit log is told."""

    by: User
    at: datetime
    address: str = ""


def value(name: str) -> object:
    """None where nothing was decided."""
    return Setting.objects.filter(pk=name).values_list("value", flat=True).first()


def store(
    name: str,
    value: object,
    act: Act,
    *,
    subject: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> bool:
    """Whether that changed anything; None as value goes back to the default."""
    if before == after:
        return False
    with transaction.atomic():
        if value is None:
            Setting.objects.filter(pk=name).delete()
        else:
            given = {"value": value, "changed_at": act.at}
            Setting.objects.update_or_create(name=name, defaults=given)
        log("settings.change", subject, act, before=before, after=after)
    return True


def log(
    action: str,
    subject: str,
    act: Act,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Call it inside the transaction of the act."""
    audit.record(
        action, subject, at=act.at, by=act.by, address=act.address, before=before, after=after
    )
