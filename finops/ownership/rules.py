"""The ordered list of rules: of all that hold for some usage on its day the first one decides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet

from finops import labels
from finops.models import ActivatedTag, CostCenter, NameHashing, OwnershipRule
from finops.organisation.stored import Act, log
from finops.ownership import closed, mapping
from finops.ownership.conditions import ALWAYS, ASKED, USER, Days, refuse
from ingest.user_names import Naming


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """`position` begins with 1; None asks for the last place."""

    conditions: Mapping[str, str]
    cost_center: str
    days: Days = ALWAYS
    position: int | None = None


def every() -> QuerySet[OwnershipRule]:
    return OwnershipRule.objects.order_by("position")


def dimensions_asked() -> list[str]:
    """Those that any rule asks for, in the order in which they are known, tags last."""
    shapes = OwnershipRule.objects.order_by().values_list("dimensions", flat=True).distinct()
    names = {name for shape in shapes for name in shape}
    return [*(name for name in ASKED if name in names), *sorted(names.difference(ASKED))]


def days_of(rule: OwnershipRule) -> Days:
    return Days(rule.effective_from, rule.effective_to)


def make(entry: RuleEntry, act: Act) -> OwnershipRule:
    """Raises ValidationError, whose message_dict is by field."""
    refuse(entry.conditions, entry.days, activated())
    refuse_center(entry.cost_center)
    entry = dataclasses.replace(entry, conditions=storing()(entry.conditions))
    with mapping.changing():
        closed.refuse(entry.days)
        _refuse_overlap(entry)
        last = OwnershipRule.objects.aggregate(last=Max("position"))["last"] or 0
        position = min(entry.position or last + 1, last + 1)
        if position <= last:
            mapping.make_room(position)
        rule = OwnershipRule.objects.create(
            position=position,
            conditions=dict(entry.conditions),
            dimensions=sorted(entry.conditions),
            cost_center=entry.cost_center,
            effective_from=entry.days.start,
            effective_to=entry.days.end,
        )
        mapping.forget([rule.conditions])
        mapping.look_up()
        _record("ownership.rule", rule, act, after=described(rule))
    return rule


def end(rule_id: int, day: date | None, act: Act) -> OwnershipRule:
    """From that day on the rule holds no more; None: it holds for ever. Raises ValidationError and
    OwnershipRule.DoesNotExist."""
    with mapping.changing():
        rule = OwnershipRule.objects.get(pk=rule_id)
        before, was = described(rule), days_of(rule)
        becomes = Days(rule.effective_from, day)
        refuse(rule.conditions, becomes, activated() | _own_tags(rule))
        closed.refuse_change(was, becomes)
        entry = RuleEntry(rule.conditions, rule.cost_center, becomes)
        _refuse_overlap(entry, apart_from=rule.pk)
        rule.effective_to = day
        rule.save()
        _look_up_again(rule)
        _record("ownership.rule", rule, act, before=before, after=described(rule))
    return rule


def remove(rule_id: int, act: Act) -> None:
    """As if it had never been there. Raises ValidationError where a month that is closed was made
    with it, and OwnershipRule.DoesNotExist."""
    with mapping.changing():
        rule = OwnershipRule.objects.get(pk=rule_id)
        closed.refuse(days_of(rule))
        before = described(rule)
        rule.delete()
        _look_up_again(rule)
        _record("ownership.rule", rule, act, before=before)


def move(rule_id: int, position: int, act: Act) -> OwnershipRule:
    """Let it come before what has this position now. Raises ValidationError and
    OwnershipRule.DoesNotExist."""
    with mapping.changing():
        rule = OwnershipRule.objects.get(pk=rule_id)
        closed.refuse(days_of(rule))
        before = described(rule)
        last = OwnershipRule.objects.aggregate(last=Max("position"))["last"] or 0
        position = max(1, min(position, last + 1))
        mapping.make_room(position)
        rule.refresh_from_db()
        rule.position = position
        rule.save()
        _look_up_again(rule)
        _record("ownership.rule", rule, act, before=before, after=described(rule))
    return rule


def activated() -> set[str]:
    return set(ActivatedTag.objects.values_list("key", flat=True))


def storing() -> Callable[[Mapping[str, str]], dict[str, str]]:
    """How conditions are kept: a user by the name that usage has."""
    held = NameHashing.objects.first()
    naming = Naming(settings.USER_HASH_KEY, held.state, held.key_check) if held else Naming()

    def stored(conditions: Mapping[str, str]) -> dict[str, str]:
        if USER not in conditions:
            return dict(conditions)
        return {USER: naming.stored(conditions[USER])}

    return stored


def refuse_center(code: str) -> None:
    held = CostCenter.objects.filter(code=code).first()
    if held is None:
        raise ValidationError({"cost_center": f"There is no cost center {code!r}; make it first."})
    if not held.is_active:
        raise ValidationError({"cost_center": f"The cost center {code!r} is not in use any more."})


def sentence(conditions: Mapping[str, str]) -> str:
    """The conditions in words for people."""
    return " and ".join(
        f"{labels.dimension(name).lower()} {value}" for name, value in sorted(conditions.items())
    )


def described(rule: OwnershipRule) -> dict[str, object]:
    return {
        "position": rule.position,
        "conditions": rule.conditions,
        "cost_center": rule.cost_center,
        "effective_from": rule.effective_from and rule.effective_from.isoformat(),
        "effective_to": rule.effective_to and rule.effective_to.isoformat(),
    }


def _refuse_overlap(entry: RuleEntry, apart_from: int | None = None) -> None:
    same: Iterable[OwnershipRule] = OwnershipRule.objects.filter(
        conditions=dict(entry.conditions)
    ).exclude(pk=apart_from or 0)
    for other in same:
        if entry.days.overlaps(days_of(other)):
            raise ValidationError(
                {
                    "conditions": f"Rule {other.position} asks for the same and holds "
                    f"{days_of(other)}, for {other.cost_center}. End it first or choose other days."
                }
            )


def _own_tags(rule: OwnershipRule) -> set[str]:
    return {name.removeprefix("tag:") for name in rule.conditions}


def _look_up_again(rule: OwnershipRule) -> None:
    mapping.forget([rule.conditions])
    mapping.look_up()


def _record(
    action: str,
    rule: OwnershipRule,
    act: Act,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    log(action, sentence(rule.conditions)[:200], act, before=before, after=after)
