"""Whose usage the accounts of bills are: one by one, or all of them as a file."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import access
from finops.bills import account_files, accounts
from finops.bills.accounts import Charged
from finops.bills.imports import MOST_BYTES
from finops.pages.reconcile.page import month_of
from finops.pages.settings.desk import act


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    month, problems = month_of(request), []
    if request.method == "POST":
        try:
            changed(request)
            return redirect(
                f"{reverse('reconcile-accounts')}?{urlencode({'month': spelled(month)})}"
            )
        except ValidationError as error:
            problems = error.messages[:100]
    context: dict[str, Any] = {
        "section": "reconcile",
        "month": month,
        "month_text": spelled(month),
        "problems": problems,
        "may_change": access.allows("reconcile-accounts", "POST", request.user),
        **rows(month),
    }
    return render(request, "reconcile/accounts.html", context, status=400 if problems else 200)


def changed(request: HttpRequest) -> None:
    """Raises ValidationError."""
    by = act(request, timezone.now())
    given = {name: request.POST.get(name, "") for name in accounts.HEADER}
    if file := request.FILES.get("file"):
        if (file.size or 0) > MOST_BYTES:
            raise ValidationError(f"The file is larger than {MOST_BYTES // 2**20} MiB.")
        found = account_files.accounts_in(file.read())
        accounts.replace(found, by)
        messages.success(request, f"There are {len(found):,} accounts with a service or team now.")
    elif "upload" in request.POST:
        raise ValidationError("Choose a file.")
    elif "forget" in request.POST:
        accounts.forget(given["provider"], given["account"], by)
        messages.success(request, f"Nobody's usage is said to be that of {given['account']} now.")
    else:
        mapped = accounts.read(given)
        accounts.put(mapped, by)
        messages.success(
            request, f"{mapped.account} of {mapped.provider} is the bill of {mapped.target} now."
        )


def rows(month: date) -> dict[str, Any]:
    """The accounts of the month's bills, and those that other months know."""
    charged = accounts.charged(month)
    named = {(each.mapped.provider, each.mapped.account) for each in charged}
    others = [
        Charged(each, {}, 0)
        for each in accounts.every()
        if (each.provider, each.account) not in named
    ]
    listed = [(each, amounts(each)) for each in (*charged, *others)]
    return {"accounts": listed, "unmapped": sum(not each.mapped.value for each in charged)}


def amounts(each: Charged) -> str:
    return ", ".join(f"{amount:f} {currency}" for currency, amount in each.amounts.items()) or "–"


def spelled(month: date) -> str:
    return f"{month:%Y-%m}"
