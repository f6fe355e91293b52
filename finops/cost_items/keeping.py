"""Making, changing, ending and ordering cost items: checked, on record, never in closed months."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet

from finops import locks
from finops.cost_items.drafts import EMPTY, Draft, column, draft_of, fields_of, problems
from finops.cost_items.scopes import are_apart, scope_of
from finops.locks import Lock
from finops.models import ActivatedTag, CostCenter, CostItem, Team
from finops.organisation.stored import Act, log
from finops.ownership.closed import open_from, refuse_later
from finops.ownership.conditions import LAST, Days
from finops.query import TAG_PREFIX, UNATTRIBUTED


class Outdated(RuntimeError):
    """Somebody else has changed the item since it was read."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"Somebody has changed this cost item meanwhile: it is version {version} now. "
            "Read it again and make your change to that."
        )
        self.version = version


def every() -> QuerySet[CostItem]:
    """In the order in which they are shared out."""
    return CostItem.objects.order_by("position", "effective_from", "pk")


def make(draft: Draft, act: Act) -> CostItem:
    """At the end of the order. Raises ValidationError by field."""
    with transaction.atomic():
        locks.hold(Lock.COST_ITEMS)
        _check(draft)
        first = open_from()
        if first and draft.effective_from < first:
            raise ValidationError({"effective_from": closed(first)})
        refuse_later(_days(draft))
        last = CostItem.objects.aggregate(last=Max("position"))["last"] or 0
        item = _written(CostItem(), draft, act, position=last + 1)
        log("cost_item.create", item.name, act, after=_described(item))
    return item


def change(number: int, draft: Draft, act: Act, *, version: int | None = None) -> CostItem:
    """The item with these terms: from the first open day on, where it reaches into months that are
    closed, as another row. Raises ValidationError by field, CostItem.DoesNotExist and Outdated."""
    with transaction.atomic():
        locks.hold(Lock.COST_ITEMS)
        item = CostItem.objects.select_for_update().get(pk=number)
        if version is not None and version != item.version:
            raise Outdated(item.version)
        before = fields_of(draft_of(item))
        after = fields_of(draft)
        if before == after:
            return item
        if draft.kind != item.kind:
            raise ValidationError({"kind": "An item stays of its kind: end it and make another."})
        first = open_from()
        _check(draft, apart_from=item)
        for terms in (draft_of(item), draft):
            refuse_later(_days(terms))
        if first and item.effective_from < first:
            return _go_on(item, draft, first, act)
        if first and draft.effective_from < first:
            raise ValidationError({"effective_from": closed(first)})
        _written(item, draft, act, position=item.position)
        was, becomes = _apart(before, after), _apart(after, before)
        log("cost_item.change", item.name, act, before=was, after=becomes)
    return item


def end(number: int, day: date, act: Act, *, version: int | None = None) -> CostItem | None:
    """From that day on it is not paid any more; None where it then never was, and is gone. Raises
    as `change`."""
    with transaction.atomic():
        locks.hold(Lock.COST_ITEMS)
        item = CostItem.objects.select_for_update().get(pk=number)
        if version is not None and version != item.version:
            raise Outdated(item.version)
        first = open_from()
        if first and (day < first or (item.effective_to or LAST) < first):
            raise ValidationError({"effective_to": closed(first)})
        refuse_later(Days(day, item.effective_to))
        if CostItem.objects.filter(follows=item).exists():
            raise ValidationError({"effective_to": "It was changed later: end what it became."})
        before, ends = _described(item), dataclasses.replace(draft_of(item), effective_to=day)
        if day > item.effective_from and (wrong := problems(ends)):
            raise ValidationError({"effective_to": next(iter(wrong.values()))})
        if day <= item.effective_from:
            item.delete()
            log("cost_item.remove", item.name, act, before=before)
            return None
        item.effective_to = day
        _stamp(item, act)
        log("cost_item.end", item.name, act, before=before, after=_described(item))
    return item


def move(number: int, place: int, act: Act) -> CostItem:
    """Let it be the one at this place, beginning with 1, of the order; what it was before goes with
    it. Raises CostItem.DoesNotExist."""
    with transaction.atomic():
        locks.hold(Lock.COST_ITEMS)
        item = CostItem.objects.get(pk=number)
        order = list(dict.fromkeys(every().values_list("position", flat=True)))
        was = order.index(item.position) + 1
        order.remove(item.position)
        order.insert(max(0, min(place - 1, len(order))), item.position)
        rows = list(CostItem.objects.all())
        for row in rows:
            row.position = order.index(row.position) + 1
        CostItem.objects.bulk_update(rows, ["position"])
        item.refresh_from_db()
        if item.position != was:
            place_then, place_now = {"place": was}, {"place": item.position}
            log("cost_item.move", item.name, act, before=place_then, after=place_now)
    return item


def closed(first: date) -> str:
    return (
        f"The books before {first} are closed: choose {first} or a later day, or have the month "
        "reopened."
    )


def _go_on(item: CostItem, draft: Draft, first: date, act: Act) -> CostItem:
    if (item.effective_to or LAST) <= first:
        raise ValidationError({"effective_to": closed(first)})
    if draft.effective_from not in {item.effective_from, first}:
        raise ValidationError({"effective_from": closed(first)})
    if draft.effective_to and draft.effective_to < first:
        raise ValidationError({"effective_to": closed(first)})
    before = _described(item)
    if _only_ends(fields_of(draft_of(item)), draft):
        item.effective_to = draft.effective_to
        _stamp(item, act)
        log("cost_item.end", item.name, act, before=before, after=_described(item))
        return item
    item.effective_to = first
    _stamp(item, act)
    follower = _written(CostItem(follows=item), draft, act, position=item.position, first=first)
    log("cost_item.change", follower.name, act, before=before, after=_described(follower))
    return follower


def _only_ends(before: dict[str, object], draft: Draft) -> bool:
    return before == {**fields_of(draft), "effective_to": before["effective_to"]}


def _written(
    item: CostItem, draft: Draft, act: Act, *, position: int, first: date | None = None
) -> CostItem:
    """The row with the terms of the draft, from `first` on where that is given."""
    for name in Draft.__slots__:
        value = getattr(draft, name)
        setattr(item, name, column(name, value) if name in EMPTY else value)
    item.effective_from = first or draft.effective_from
    item.position, item.currency = position, draft.currency or settings.CURRENCY
    _stamp(item, act)
    return item


def _stamp(item: CostItem, act: Act) -> None:
    item.changed_at, item.changed_by = act.at, act.by.get_username()
    if item.pk is None:
        item.created_at, item.created_by = act.at, act.by.get_username()
    else:
        item.version += 1
    item.save()


def _check(draft: Draft, apart_from: CostItem | None = None) -> None:
    """What only the database knows."""
    wrong: dict[str, str] = {}
    known = codes()
    for field, named in (
        ("weights", tuple(draft.weights or {})),
        ("targets", draft.targets),
        ("fallback", (draft.fallback,)),
    ):
        missing = [code for code in named if code and code not in known]
        if missing:
            wrong[field] = f"There is no cost center {missing[0][:80]!r}; make it first."
    tags = {name for each in draft.filters if (name := each.dimension).startswith(TAG_PREFIX)}
    activated = {f"{TAG_PREFIX}{key}" for key in ActivatedTag.objects.values_list("key", flat=True)}
    if unknown := sorted(tags - activated):
        wrong["filters"] = f"{unknown[0]} is not an activated tag: see Settings, Tags."
    if draft.is_capacity and (other := _also_covers(draft, apart_from)):
        wrong["filters"] = (
            f"{other.name} may cover the same usage: give both filters that keep them apart, such "
            "as different models, or exactly the same ones and the same unit."
        )
    if wrong:
        raise ValidationError(wrong)


def codes() -> set[str]:
    """What bears costs: cost centers, those that only teams name, and Unattributed."""
    own = CostCenter.objects.values_list("code", flat=True)
    of_teams = Team.objects.exclude(cost_center="").values_list("cost_center", flat=True)
    return {*own, *of_teams, UNATTRIBUTED}


def _days(draft: Draft) -> Days:
    """Of a one-off amount, that on which it falls."""
    one_off = draft.kind == CostItem.Kind.TRUE_UP
    end = draft.effective_from + timedelta(days=1) if one_off else draft.effective_to
    return Days(draft.effective_from, end)


def _also_covers(draft: Draft, apart_from: CostItem | None) -> CostItem | None:
    days = Days(draft.effective_from, draft.effective_to)
    for item in CostItem.objects.filter(kind__in=("commitment", "fleet")):
        other = draft_of(item)
        if item == apart_from or not days.overlaps(Days(item.effective_from, item.effective_to)):
            continue
        if not (are_apart(scope_of(draft), scope_of(other)) or _share_hours(draft, other)):
            return item
    return None


def _share_hours(one: Draft, other: Draft) -> bool:
    """What is used is then of the first of them as far as that reaches, and else of the next."""
    same = set(scope_of(one)) == set(scope_of(other))
    return same and one.kind == other.kind and one.capacity_unit == other.capacity_unit


def _described(item: CostItem) -> dict[str, object]:
    terms = fields_of(draft_of(item))
    return {name: value for name, value in terms.items() if value not in ("", None, [], {})}


def _apart(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in one.items() if other.get(name) != value}
