"""Asking for more of a budget, and deciding about it."""

from __future__ import annotations

from typing import NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import access, budgets, formats, labels
from finops.access import Ability
from finops.budgets import deciding, increases, wanted
from finops.budgets.increases import Doing, NotWaiting
from finops.budgets.ranking import worst_of
from finops.models import Budget, BudgetIncrease
from finops.pages.budgets import frame, seen_budget, wording
from finops.pages.budgets.states import INCREASES
from finops.pages.budgets.told import until_text
from finops.pages.requester import address_of, signed_in

State = BudgetIncrease.State


class Verb(NamedTuple):
    name: str
    label: str
    tone: str
    done: str


VERBS = {
    each.name: each
    for each in (
        Verb("approve", "Approve", "primary", "Approved: it is part of the amount."),
        Verb("refuse", "Refuse", "danger", "Refused; whoever asked is told why."),
        Verb("withdraw", "Withdraw it", "", "Withdrawn."),
        Verb("end", "End it now", "danger", "Ended: the amount is what it was without it."),
    )
}


class AskForm(forms.Form):
    amount = forms.CharField(
        required=False,
        label=f"How much more, {settings.CURRENCY}",
        help_text="Beside the amount there is.",
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
    )
    until = forms.CharField(
        required=False,
        label="Until",
        help_text="The last day on which it holds; at most a year ahead.",
        widget=forms.DateInput({"type": "date"}),
    )
    reason = forms.CharField(
        required=False, label="What for", widget=forms.Textarea({"rows": 3, "maxlength": 2000})
    )
    value = forms.CharField(required=False, help_text="Empty: for every one of them.")

    def __init__(self, data: object, budget: Budget, initial: dict[str, str]) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type]
        if budget.for_each:
            self.fields["value"].label = f"For which {labels.dimensions((budget.for_each,))}"
        else:
            del self.fields["value"]


class NoteForm(forms.Form):
    note = forms.CharField(
        required=False,
        label="Note",
        help_text="Whoever asked reads it. Needed to refuse.",
        widget=forms.Textarea({"rows": 2, "maxlength": 2000}),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    found, now = seen_budget(request, pk), timezone.now()
    given = request.POST if request.method == "POST" else None
    form = AskForm(given, found, {"value": request.GET.get("value", "")[:200]})
    if given is not None and form.is_valid():
        try:
            asked = wanted.read(form.cleaned_data, found, now, settings.REPORTING_ZONE)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            made = increases.ask(found, asked, doing(request))
            messages.success(request, "Asked. Whoever manages budgets is told.")
            return redirect("budget-increase", made.pk)
    heading = f"More for {found.name}?"
    crumbs = ((found.name, reverse("budget", args=[pk])), ("Ask for an increase", ""))
    context = frame(request, heading, *crumbs) | {
        "budget": found,
        "form": form,
        "standing": standing_text(found),
    }
    return render(request, "budgets/increase_new.html", context, status=400 if form.errors else 200)


def doing(request: HttpRequest) -> Doing:
    return Doing(signed_in(request), timezone.now(), address_of(request))


def standing_text(found: Budget, value: str = "") -> str:
    """ "$4,120.00 of $5,000.00 is spent." """
    own = found.statuses.filter(value=value).first()
    status = worst_of([found.pk] if found.for_each else []).get(found.pk, own) if not value else own
    if status is None or status.amount is None:
        return f"The amount is {wording.amount(found)}."
    nearest = "" if value else ", which is nearest to its amount"
    whose = f"By {status.value}{nearest}: " if status.value else ""
    spent, amount = (
        formats.money_long(status.actual, settings.CURRENCY),
        formats.money_long(status.amount, settings.CURRENCY),
    )
    return f"{whose}{spent} of {amount} is spent."


@never_cache
@require_http_methods(["GET", "POST"])
def increase(request: HttpRequest, pk: int) -> HttpResponse:
    found = BudgetIncrease.objects.select_related("budget").filter(pk=pk).first()
    if found is None or not budgets.visible(request.user).filter(pk=found.budget_id).exists():
        raise Http404("There is no such increase, or its budget is gone or not of your teams.")
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and done(request, found, form):
        messages.success(request, said(VERBS[request.POST["verb"]], found.budget_id))
        return redirect("budget", found.budget_id)
    return shown(request, found, form)


def said(verb: Verb, budget: int) -> str:
    """What was done; the amount on the next page is the new one, or it says when it will be."""
    is_shown = verb.name not in deciding.CHANGING or budgets.check(
        budget, timezone.now(), settings.REPORTING_ZONE
    )
    return verb.done if is_shown else f"{verb.done} The page shows it within 20 seconds."


def done(request: HttpRequest, found: BudgetIncrease, form: NoteForm) -> bool:
    """Whether it was done; if not, the form says why."""
    verb, note = request.POST.get("verb", ""), form.cleaned_data["note"].strip()
    try:
        deciding.do(request.user, found, verb, note, doing(request))
    except NotWaiting as error:
        form.add_error(None, str(error))
    except ValidationError as error:
        for name, said in error.message_dict.items():
            form.add_error(name if name in form.fields else None, said)
    return not form.errors


def shown(request: HttpRequest, found: BudgetIncrease, form: NoteForm) -> HttpResponse:
    verbs = [VERBS[name] for name in deciding.open_to(request.user, found, timezone.now())]
    of = found.budget
    crumbs = ((of.name, reverse("budget", args=[of.pk])), ("Increase", ""))
    context = frame(
        request,
        f"{formats.money_long(found.amount, settings.CURRENCY)} more for {of.name}?",
        *crumbs,
    ) | {
        "budget": of,
        "mark": INCREASES[State(found.state)],
        "facts": facts(found),
        "form": form if verbs or form.errors else None,
        "verbs": verbs,
        "has_note": any(verb.name != deciding.WITHDRAW for verb in verbs),
        "own": deciding.OWN if own_waits(request, found) else "",
        "standing": standing_text(of),
    }
    return render(request, "budgets/increase.html", context, status=400 if form.errors else 200)


def own_waits(request: HttpRequest, found: BudgetIncrease) -> bool:
    """Whether who reads this could decide, if they had not asked for it themselves."""
    manages = access.standing(request.user).may(Ability.MANAGE_BUDGETS)
    is_open = manages and found.state == State.ASKED
    return is_open and deciding.waits_for_others(request.user, found)


def facts(found: BudgetIncrease) -> list[tuple[str, str]]:
    now = timezone.now()
    said = [
        ("More", formats.money_exact(found.amount, settings.CURRENCY)),
        ("For", found.value),
        ("Until", until_text(found.until, now)),
        ("What for", found.reason),
        ("Asked", f"by {found.asked_by}, {wording.moment(found.asked_at, now)}"),
        ("Budget", standing_text(found.budget, found.value)),
    ]
    if found.decided_at:
        decided = f"{found.decided_by}, {wording.moment(found.decided_at, now)}"
        said.append((found.get_state_display().capitalize(), f"by {decided}"))
    if found.ended_at:
        said.append(("Ended", wording.moment(found.ended_at, now)))
    said.append(("Note", found.note))
    return [(name, text) for name, text in said if text]
