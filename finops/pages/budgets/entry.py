"""Making, changing and deleting a budget. Before it is saved it is tested on what was spent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import budgets
from finops.budgets import Draft
from finops.models import Budget
from finops.pages.budgets import frame, seen_budget, testing
from finops.pages.budgets.forms import BudgetForm
from finops.pages.budgets.rows import ThresholdRow, filter_rows, plan_rows
from finops.pages.budgets.wording import filters_of, plain
from finops.pages.requester import address_of, signed_in
from finops.periods import InvalidQuery, local_day
from finops.query import is_dimension, is_text, parse_filters

STARTED = {"period": "monthly", "cost": "effective_cost", "amount_kind": "fixed"}
CHANGED_MEANWHILE = "Somebody changed this budget meanwhile. Look at it again, then change it."


@never_cache
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = posted(request, now) if request.method == "POST" else started(request, now)
    return edited(request, form, None, now)


@never_cache
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    found = seen_budget(request, pk)
    form = posted(request, now) if request.method == "POST" else filled(found, now)
    return edited(request, form, found, now)


@never_cache
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    found = seen_budget(request, pk)
    if request.method == "POST":
        budgets.remove(
            found.pk, by=signed_in(request), at=timezone.now(), address=address_of(request)
        )
        messages.success(request, f"{found.name} is deleted.")
        return redirect("budgets")
    crumbs = ((found.name, reverse("budget", args=[pk])), ("Delete", ""))
    context = frame(request, f"Delete {found.name}?", *crumbs) | {"budget": found}
    return render(request, "budgets/removal.html", context)


def month_of(now: datetime) -> Any:
    return local_day(now, settings.REPORTING_ZONE).replace(day=1)


def posted(request: HttpRequest, now: datetime) -> BudgetForm:
    return BudgetForm.posted(request.POST, month_of(now))


def started(request: HttpRequest, now: datetime) -> BudgetForm:
    """An empty form, with what the address says: filters as Explore writes them, and fields."""
    given = {
        name: text for name in request.GET if is_text(text := request.GET[name]) and len(text) < 200
    }
    params = {name: request.GET.getlist(name) for name in request.GET if is_dimension(name)}
    try:
        filters = parse_filters(params)
    except InvalidQuery:
        filters = ()
    return BudgetForm(
        None,
        filters=filter_rows(filters),
        thresholds=threshold_rows(budgets.DEFAULTS),
        plan=plan_rows({}, month_of(now)),
        initial={**STARTED, **given},
    )


def filled(found: Budget, now: datetime) -> BudgetForm:
    """A form that makes the same budget."""
    numbers = ("amount", "change_percent", "unpriced_rate", "rolling_days", "throttle_percent")
    words = (
        *("name", "note", "for_each", "cost", "period", "amount_kind", "unpriced"),
        *("enforcement", "fail_closed"),
    )
    held = found.thresholds.filter(retired_at=None)
    plan = {f"{each.month:%Y-%m}": plain(each.amount) for each in found.plan.all()}
    return BudgetForm(
        None,
        filters=filter_rows(filters_of(found)),
        thresholds=threshold_rows(held),
        plan=plan_rows(plan, month_of(now)),
        initial={
            **{name: plain(getattr(found, name)) for name in numbers},
            **{name: getattr(found, name) for name in words},
            "owner": found.owner.get_username() if found.owner else "",
        },
    )


def threshold_rows(held: Any) -> list[ThresholdRow]:
    return [
        ThresholdRow(
            each.basis, each.kind, plain(each.value), plain(each.window_hours), each.severity
        )
        for each in held
    ]


def edited(
    request: HttpRequest, form: BudgetForm, found: Budget | None, now: datetime
) -> HttpResponse:
    """Tests what was filled in; saves it once exactly that was tested."""
    tested: Mapping[str, Any] = {}
    if request.method == "POST" and (draft := read(form)) is not None:
        is_tested = request.POST.get("tested") == form.digest()
        is_to_save = request.POST.get("act") == "save" and is_tested
        if is_to_save and (saved := save(request, form, draft, found, now)):
            # The page of a new one says itself when it will be checked.
            is_shown = budgets.check(saved.pk, now, settings.REPORTING_ZONE) or found is None
            later = "" if is_shown else " It is checked within 20 seconds."
            messages.success(request, f"{saved.name} is saved.{later}")
            return redirect("budget", saved.pk)
        if not form.has_errors:
            tested = testing.context(draft, now)
    return shown(request, form, found, tested)


def read(form: BudgetForm) -> Draft | None:
    """None where something is wrong, which is then beside its field."""
    is_complete = form.is_complete()
    try:
        draft = budgets.read(form.terms())
    except ValidationError as problem:
        form.show(problem)
        return None
    return draft if is_complete else None


def save(
    request: HttpRequest, form: BudgetForm, draft: Draft, found: Budget | None, now: datetime
) -> Budget | None:
    by, address = signed_in(request), address_of(request)
    try:
        if found is None:
            return budgets.make(draft, by=by, at=now, address=address)
        version = request.POST.get("version", "")
        return budgets.change(
            found.pk,
            draft,
            by=by,
            at=now,
            version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            address=address,
        )
    except budgets.Outdated:
        form.add_error(None, CHANGED_MEANWHILE)
    except ValidationError as problem:
        form.show(problem)
    return None


def shown(
    request: HttpRequest, form: BudgetForm, found: Budget | None, tested: Mapping[str, Any]
) -> HttpResponse:
    if found is None:
        context = frame(request, "What may it cost?", ("New budget", ""))
        cancel = reverse("budgets")
    else:
        cancel = reverse("budget", args=[found.pk])
        context = frame(request, f"Change {found.name}?", (found.name, cancel), ("Change", ""))
    context |= {
        "form": form,
        "has_errors": form.has_errors,
        "tested": form.digest() if tested else "",
        "version": request.POST.get("version") or (found.version if found else ""),
        "cancel_href": cancel,
        "back_test": tested,
    }
    return render(request, "budgets/form.html", context, status=400 if form.has_errors else 200)
