"""The audit log: every administrative act, written in the transaction that does it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.models import AnonymousUser

from finops.access import Reader
from finops.models import AuditRecord


def record(
    action: str,
    subject: str,
    *,
    at: datetime,
    by: Reader | str,
    team: str = "",
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    address: str = "",
) -> AuditRecord:
    """Write that `by` (a user, or the name of a program) did `action` to `subject`.

    Call it inside the transaction of the act: both are there or neither is. `before` and `after`
    hold what changed, as JSON can say it, and never a secret.
    """
    actor = by if isinstance(by, str) else name_of(by)
    return AuditRecord.objects.create(
        at=at,
        actor=actor,
        action=action,
        subject=subject[:400],
        team=team,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        address=address,
    )


def record_revocation(
    action: str,
    subject: str,
    *,
    at: datetime,
    by: Reader | str,
    team: str = "",
    reason: str = "",
    address: str = "",
) -> AuditRecord:
    """Write that a credential has ended."""
    return record(
        action,
        subject,
        at=at,
        by=by,
        team=team,
        before={"revoked_at": None},
        after={"revoked_at": at.isoformat()},
        reason=reason,
        address=address,
    )


def name_of(user: Reader) -> str:
    return "nobody" if isinstance(user, AnonymousUser) else user.get_username()
