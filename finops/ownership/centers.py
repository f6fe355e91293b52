"""Cost centers: what bears costs, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from finops.costs import OTHER, UNATTRIBUTED
from finops.models import CostCenter
from finops.organisation.stored import Act, log
from finops.query import is_text

LONGEST = 200
LONGEST_ACCOUNT = 100
# A filter of these names means usage of nobody, or of many.
RESERVED = frozenset({UNATTRIBUTED.lower(), OTHER.lower()})


@dataclass(frozen=True, slots=True)
class CenterEntry:
    code: str
    name: str = ""
    gl_account: str = ""
    owner_email: str = ""
    is_active: bool = True


def everything() -> list[CostCenter]:
    return list(CostCenter.objects.order_by("code"))


def know(code: str) -> None:
    """Make it where there is none; '' is none."""
    if code:
        CostCenter.objects.get_or_create(code=code)


def keep(entry: CenterEntry, act: Act) -> CostCenter:
    """Make it, or change what has its code. Raises ValidationError, by field."""
    _refuse(entry)
    with transaction.atomic():
        center = CostCenter.objects.select_for_update().filter(code=entry.code).first()
        before = described(center) if center else None
        center = center or CostCenter(code=entry.code)
        center.name, center.gl_account = entry.name, entry.gl_account
        center.owner_email, center.is_active = entry.owner_email, entry.is_active
        center.save()
        after = described(center)
        if before != after:
            log("ownership.center", entry.code, act, before=before, after=after)
    return center


def described(center: CostCenter) -> Mapping[str, object]:
    return {
        "code": center.code,
        "name": center.name,
        "gl_account": center.gl_account,
        "owner_email": center.owner_email,
        "is_active": center.is_active,
    }


def _refuse(entry: CenterEntry) -> None:
    longest = {"code": LONGEST, "name": LONGEST, "gl_account": LONGEST_ACCOUNT}
    wrong = {
        field: f"Write at most {most} characters of plain text."
        for field, most in longest.items()
        if len(getattr(entry, field)) > most or not is_text(getattr(entry, field))
    }
    if not entry.code or entry.code != entry.code.strip():
        wrong["code"] = "Write the code that the general ledger knows it by."
    elif entry.code.lower() in RESERVED:
        wrong["code"] = f"{entry.code} stands for usage that is of no single cost center."
    if entry.owner_email:
        try:
            validate_email(entry.owner_email)
        except ValidationError:
            wrong["owner_email"] = "Write an e-mail address, such as ann@example.com."
    if wrong:
        raise ValidationError(wrong)
