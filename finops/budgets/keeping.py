"""Making, changing and removing budgets: checked, on record, and seen by whom they concern."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from finops import audit
from finops.access import Reader, standing
from finops.budgets.drafts import Draft, filters_json, read, tags_of
from finops.budgets.watched import current, draft_of
from finops.models import ActivatedTag, Budget, BudgetPlan, Threshold

TAKEN = "There is a budget of this name already."


class Outdated(RuntimeError):
    """Somebody else has changed the budget since it was read."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"Somebody has changed this budget meanwhile: it is version {version} now. "
            "Read it again and make your change to that."
        )
        self.version = version


def visible(reader: Reader) -> QuerySet[Budget]:
    """The budgets that the reader may see: all, or those of teams that they are in. A budget
    without a team is the organisation's."""
    teams = standing(reader).teams
    return current() if teams is None else current().filter(team__in=teams)


def make(draft: Draft, *, by: User, at: datetime, address: str = "") -> Budget:
    """Raises ValidationError by field."""
    _check(draft)
    budget = Budget(created_at=at, created_by=by.get_username())
    _fill(budget, draft, by, at)
    with transaction.atomic():
        _save(budget)
        _keep_plan(budget, draft)
        _keep_thresholds(budget, draft, at)
        _log("budget.create", budget, by, at, address, after=fields_of(draft))
    return budget


def change(
    number: int,
    draft: Draft,
    *,
    by: User,
    at: datetime,
    version: int | None = None,
    address: str = "",
) -> Budget:
    """Raises ValidationError by field, Budget.DoesNotExist, and Outdated where `version` is given
    and is not the present one. Nothing is written where nothing changes."""
    _check(draft)
    with transaction.atomic():
        Budget.objects.select_for_update().get(pk=number, removed_at=None)
        budget = current().get(pk=number)
        if version is not None and version != budget.version:
            raise Outdated(budget.version)
        former = draft_of(budget)
        before, after = fields_of(former), fields_of(draft)
        changed = {name for name in after if before[name] != after[name]}
        if not changed:
            return budget
        if _amount(former) != _amount(draft):
            budget.amount_revision += 1
        budget.version += 1
        if _usage(former) != _usage(draft):
            # What was told is of other usage: everything is armed anew, and may be told today.
            budget.amount_revision += 1
            budget.crossings.filter(rearmed_at=None).update(rearmed_at=at)
        if _counting(former) != _counting(draft):
            # What periods came to is no measure of late usage any more.
            budget.closings.all().delete()
        _fill(budget, draft, by, at)
        _save(budget)
        _keep_plan(budget, draft)
        _keep_thresholds(budget, draft, at)
        _log(
            "budget.change",
            budget,
            by,
            at,
            address,
            before={name: before[name] for name in sorted(changed)},
            after={name: after[name] for name in sorted(changed)},
        )
        return current().get(pk=number)


def remove(
    number: int, *, by: User, at: datetime, version: int | None = None, address: str = ""
) -> None:
    """It is evaluated and seen no more; what was told of it stays. Raises as `change`."""
    with transaction.atomic():
        budget = Budget.objects.select_for_update().get(pk=number, removed_at=None)
        if version is not None and version != budget.version:
            raise Outdated(budget.version)
        before = fields_of(draft_of(budget))
        budget.removed_at = budget.changed_at = at
        budget.changed_by, budget.version = by.get_username(), budget.version + 1
        budget.save()
        budget.statuses.all().delete()
        _log("budget.remove", budget, by, at, address, before=before)


def amount_changed(number: int) -> None:
    """Have thresholds armed anew that a new amount, such as an increase, lifts above the figure.
    Call it in the transaction of the act."""
    Budget.objects.filter(pk=number).update(
        amount_revision=F("amount_revision") + 1, version=F("version") + 1
    )


def fields_of(draft: Draft) -> dict[str, Any]:
    """As JSON has it, and `drafts.read` reads it."""
    return {
        "name": draft.name,
        "filters": filters_json(draft.filters),
        "for_each": draft.for_each,
        "owner": draft.owner,
        "period": draft.period,
        "rolling_days": draft.rolling_days,
        "amount_kind": draft.amount_kind,
        "amount": _plain(draft.amount),
        "change_percent": _plain(draft.change_percent),
        "plan": {f"{month:%Y-%m}": _plain(amount) for month, amount in draft.plan},
        "cost": draft.cost,
        "unpriced": draft.unpriced,
        "unpriced_rate": _plain(draft.unpriced_rate),
        "thresholds": [
            {
                "basis": each.basis,
                "kind": each.kind,
                "value": _plain(each.value),
                "window_hours": each.window_hours,
                "severity": each.severity,
            }
            for each in sorted(draft.thresholds, key=_order)
        ],
        "note": draft.note,
        "enforcement": draft.enforcement.policy,
        "throttle_percent": _plain(draft.enforcement.throttle_percent),
        "fail_closed": draft.enforcement.fail_closed,
    }


def changed_draft(budget: Budget, given: Mapping[str, object]) -> Draft:
    """The terms of the budget with these fields in place of its own. Raises ValidationError."""
    return read({**fields_of(draft_of(budget)), **given})


def _check(draft: Draft) -> None:
    """What only the database knows."""
    wrong = {}
    if draft.owner and not User.objects.filter(username=draft.owner, is_active=True).exists():
        wrong["owner"] = f"There is no active user {draft.owner[:80]!r}."
    tags = tags_of(draft)
    known = set(ActivatedTag.objects.filter(key__in=tags).values_list("key", flat=True))
    if missing := sorted(tags - known):
        field = "for_each" if draft.for_each == f"tag:{missing[0]}" else "filters"
        wrong[field] = f"The tag {missing[0]} is not activated: see Settings, Tags."
    if wrong:
        raise ValidationError(wrong)


def _fill(budget: Budget, draft: Draft, by: User, at: datetime) -> None:
    budget.name, budget.filters = draft.name, filters_json(draft.filters)
    budget.for_each, budget.team = draft.for_each, draft.team
    budget.owner = User.objects.filter(username=draft.owner).first() if draft.owner else None
    budget.period, budget.rolling_days = draft.period, draft.rolling_days
    budget.amount_kind, budget.amount = draft.amount_kind, draft.amount
    budget.change_percent, budget.cost = draft.change_percent, draft.cost
    budget.unpriced, budget.unpriced_rate = draft.unpriced, draft.unpriced_rate
    budget.note, enforced = draft.note, draft.enforcement
    budget.enforcement, budget.fail_closed = enforced.policy, enforced.fail_closed
    budget.throttle_percent = enforced.throttle_percent
    budget.changed_at, budget.changed_by = at, by.get_username()


def _save(budget: Budget) -> None:
    try:
        with transaction.atomic():
            budget.save()
    except IntegrityError as error:
        if "budget_name_once" not in str(error):
            raise
        raise ValidationError({"name": TAKEN}) from error


def _keep_plan(budget: Budget, draft: Draft) -> None:
    budget.plan.all().delete()
    BudgetPlan.objects.bulk_create(
        BudgetPlan(budget=budget, month=month, amount=amount) for month, amount in draft.plan
    )


def _keep_thresholds(budget: Budget, draft: Draft, at: datetime) -> None:
    """Each of the same terms stays the same one, so that what was told of it is not told again."""
    held = {
        (each.basis, each.kind, each.value, each.window_hours): each
        for each in budget.thresholds.all()
    }
    wanted = {each.terms: each for each in draft.thresholds}
    for terms, each in held.items():
        if terms not in wanted and each.retired_at is None:
            each.retired_at = at
            each.save(update_fields=["retired_at"])
    for terms, draft_of_one in wanted.items():
        row = held.get(terms) or Threshold(budget=budget)
        row.basis, row.kind, row.value, row.window_hours = terms
        row.severity, row.retired_at = draft_of_one.severity, None
        row.save()


def _amount(draft: Draft) -> tuple[object, ...]:
    return draft.amount_kind, draft.amount, draft.change_percent, draft.plan


def _usage(draft: Draft) -> tuple[object, ...]:
    """What makes its figures those of other requests, or of another cost."""
    return filters_json(draft.filters), draft.for_each, draft.cost


def _counting(draft: Draft) -> tuple[object, ...]:
    return *_usage(draft), draft.unpriced, draft.unpriced_rate


def _order(each: Any) -> tuple[str, int, str, Any]:
    return each.basis, each.window_hours or 0, each.kind, each.value


def _plain(number: Any) -> str | None:
    """All digits, no exponent, no trailing zeros."""
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _log(action: str, budget: Budget, by: User, at: datetime, address: str, **changes: Any) -> None:
    audit.record(
        action,
        f"{budget.name} (#{budget.pk})",
        at=at,
        by=by,
        team=budget.team,
        address=address,
        **changes,
    )
