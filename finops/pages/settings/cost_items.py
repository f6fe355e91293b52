"""Cost items on pages: the list in its order, the form of each kind, and what an item gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from finops import cost_items, formats
from finops.allocation import Share
from finops.cost_items import Draft, Placed, wording
from finops.cost_items.values import day as read_day
from finops.costs import QueryTooSlow
from finops.models import CostItem
from finops.ownership.conditions import Days
from finops.pages.settings.cost_item_forms import ItemForm
from finops.pages.settings.desk import act, context
from finops.periods import InvalidQuery, local_day
from finops.rollups import ZoneChanged

TAB = "settings-cost-items"
NEW = "new"
MOST_SHARES = 50
ABOUT = {
    CostItem.Kind.FIXED: "Seats, a platform, monitoring: so much a month.",
    CostItem.Kind.OVERHEAD: "What comes on top of direct cost, in percent.",
    CostItem.Kind.COMMITMENT: "Provisioned throughput or reserved GPUs, paid used or not.",
    CostItem.Kind.FLEET: "GPUs of your own or rented: how many, from when, at what price.",
    CostItem.Kind.CREDIT: "What a provider gives back: an amount a month or a percentage.",
    CostItem.Kind.TAX: "A percentage of what stands before it, or an amount.",
    CostItem.Kind.TRUE_UP: "One amount in one month, such as what a bill differs by.",
}


@dataclass(frozen=True, slots=True)
class Line:
    item: CostItem
    kind: str
    amount: str
    method: str
    days: str
    is_over: bool


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return redirect(TAB)
    today = local_day(timezone.now(), settings.REPORTING_ZONE)
    found = context(
        request,
        TAB,
        lines=[line_of(each, today) for each in cost_items.every()],
        kinds=[(kind.value, kind.label, ABOUT[kind]) for kind in CostItem.Kind],
    )
    return render(request, "settings/cost_items.html", found)


def line_of(item: CostItem, today: Any) -> Line:
    draft = cost_items.draft_of(item)
    return Line(
        item=item,
        kind=item.get_kind_display(),
        amount=wording.amount(draft, item.currency),
        method=wording.method(draft),
        days=str(Days(item.effective_from, item.effective_to)),
        is_over=bool(item.effective_to and item.effective_to <= today),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    now, kind = timezone.now(), request.GET.get("kind", "")
    if kind not in CostItem.Kind.values:
        raise Http404
    if request.method == "POST":
        form = ItemForm.posted(kind, request.POST)
        draft = form.draft()
        if draft and request.POST.get("act") == "save" and (made := saved(form, draft, request)):
            messages.success(request, f"{made.name} is shared out from {made.effective_from} on.")
            return redirect(TAB)
    else:
        today = local_day(now, settings.REPORTING_ZONE)
        form, draft = ItemForm.empty(kind, today), None
    found = context(
        request, TAB, form=form, kind=CostItem.Kind(kind).label, about=ABOUT[CostItem.Kind(kind)]
    )
    return shown(request, found, form, draft, NEW, now)


@never_cache
@require_http_methods(["GET", "POST"])
def item(request: HttpRequest, pk: int) -> HttpResponse:
    held, now = get_object_or_404(CostItem, pk=pk), timezone.now()
    if request.method == "POST":
        form = ItemForm.posted(held.kind, request.POST)
        draft = form.draft()
        if (
            draft
            and request.POST.get("act") == "save"
            and (made := saved(form, draft, request, held))
        ):
            messages.success(request, f"{made.name} is saved.")
            return redirect(TAB)
    else:
        draft = cost_items.draft_of(held)
        form = ItemForm.held(draft, held.version)
    kind = CostItem.Kind(held.kind)
    found = context(request, TAB, form=form, item=held, kind=kind.label, about=ABOUT[kind])
    return shown(request, found, form, draft, str(pk), now)


def saved(
    form: ItemForm, draft: Draft, request: HttpRequest, held: CostItem | None = None
) -> CostItem | None:
    """None where the form says what is wrong."""
    doing = act(request, timezone.now())
    try:
        if held is None:
            return cost_items.make(draft, doing)
        return cost_items.change(held.pk, draft, doing, version=form.version)
    except ValidationError as error:
        form.show(error)
    except cost_items.Outdated as error:
        form.add_error(None, str(error))
    except CostItem.DoesNotExist:
        raise Http404 from None
    return None


def shown(
    request: HttpRequest,
    found: dict[str, Any],
    form: ItemForm,
    draft: Draft | None,
    key: str,
    now: datetime,
) -> HttpResponse:
    """The form, and what the item gives to whom this month."""
    if draft and not form.has_errors:
        found |= preview(draft, key, now)
    return render(request, "settings/cost_item.html", found, status=400 if form.has_errors else 200)


def preview(draft: Draft, key: str, now: datetime) -> dict[str, Any]:
    month = local_day(now, settings.REPORTING_ZONE).replace(day=1)
    kept = cost_items.kept()
    items = [Placed(key, draft) if each.key == key else each for each in kept]
    if key == NEW:
        items.append(Placed(key, draft))
    try:
        allocated = cost_items.of_month(month, now=now, items=items)
    except (InvalidQuery, QueryTooSlow, ZoneChanged, ValueError) as error:
        return {"preview_problem": str(error)}
    charges = [each for each in allocated.charges if each.item == key]
    shares = [each for each in allocated.allocation.shares if each.item == key]
    return {
        "preview_month": f"{month:%B %Y}",
        "preview_charges": [(each.name, formats.money_long(each.amount, "")) for each in charges],
        "preview_shares": [share_cells(each) for each in shares[:MOST_SHARES]],
        "preview_left_out": wording.left_out(
            draft, draft.currency or settings.CURRENCY, settings.REPORTING_ZONE
        ),
        "preview_more": max(len(shares) - MOST_SHARES, 0),
        "currency": settings.CURRENCY,
    }


def share_cells(share: Share) -> tuple[str, str, str, str]:
    amount = formats.money_long(share.amount, "")
    return share.cost_center, share.name, wording.reason(share), amount


@never_cache
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    held = get_object_or_404(CostItem, pk=pk)
    try:
        day = read_day(request.POST.get("day", ""))
        if day is None:
            raise ValidationError("Write the first day on which it is not paid any more.")
        left = cost_items.end(pk, day, act(request, timezone.now()))
    except ValidationError as error:
        messages.error(request, f"{held.name} goes on: {' '.join(error.messages)}")
        return redirect("settings-cost-item", pk)
    except CostItem.DoesNotExist:
        raise Http404 from None
    said = f"{held.name} is removed."
    if left:
        more = wording.left_out(cost_items.draft_of(left), left.currency, settings.REPORTING_ZONE)
        said = f"{held.name} ends before {day}. {more}".strip()
    messages.success(request, said)
    return redirect(TAB)


@never_cache
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    held = get_object_or_404(CostItem, pk=pk)
    places = list(dict.fromkeys(cost_items.every().values_list("position", flat=True)))
    place = places.index(held.position) + 1
    step = -1 if request.POST.get("to") == "up" else 1
    try:
        cost_items.move(pk, place + step, act(request, timezone.now()))
    except CostItem.DoesNotExist:
        raise Http404 from None
    return redirect(TAB)
