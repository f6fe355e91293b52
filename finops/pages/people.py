"""People: who may do what, and who is in which team."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from finops import formats, people
from finops.models import Role, Team
from finops.pages.requester import address_of, signed_in
from finops.people import Person
from finops.periods import local_day

ROLES = {
    Role.ADMINISTRATOR: "Administrator: everything, of every team",
    Role.FINANCE: "Finance: all figures, prices, the audit log",
    Role.ENGINEER: "Engineer: figures, ingest, keys of their teams",
    Role.VIEWER: "Viewer: figures of their teams",
}


class RoleForm(forms.Form):
    """`confirmed` is asked for where somebody changes themselves."""

    role = forms.ChoiceField(choices=[(role.value, text) for role, text in ROLES.items()])
    teams = forms.ModelMultipleChoiceField(
        Team.objects.order_by("name"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Engineers and viewers see only the usage of their teams.",
    )
    confirmed = forms.BooleanField(
        required=False,
        label="I mean it, although these are my own rights",
        help_text="Needed to give up the administrator's role yourself.",
    )


@dataclass(frozen=True, slots=True)
class Line:
    person: Person
    role: str
    last_sign_in: str
    is_self: bool


@never_cache
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    lines = [
        Line(
            each,
            each.role.label if each.role else "",
            moment(each.last_sign_in, now),
            each.id == request.user.pk,
        )
        for each in people.everybody()
    ]
    context = {"section": "people", "tab": "people", "lines": lines}
    return render(request, "people/page.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    found = found_person(user_id)
    initial = {"role": found.role or Role.VIEWER, "teams": list(found.team_ids)}
    form = RoleForm(request.POST if request.method == "POST" else None, initial=initial)
    if found.id != request.user.pk:
        del form.fields["confirmed"]
    if request.method == "POST" and form.is_valid() and changed(request, found, form):
        return redirect("people")
    context = {"section": "people", "tab": "people", "person": found, "form": form}
    return render(request, "people/person.html", context, status=400 if form.errors else 200)


def changed(request: HttpRequest, found: Person, form: RoleForm) -> bool:
    """Whether it was done; if not, the form says why."""
    chosen = form.cleaned_data
    try:
        is_new = people.change(
            found.id,
            Role(chosen["role"]),
            [each.pk for each in chosen["teams"]],
            by=signed_in(request),
            at=timezone.now(),
            address=address_of(request),
            confirmed=chosen.get("confirmed", False),
        )
    except people.LastAdministrator as error:
        form.add_error("role", str(error))
        return False
    except people.NeedsConfirmation as error:
        form.add_error("confirmed", str(error))
        return False
    messages.success(request, f"{found.username} is changed." if is_new else "Nothing was changed.")
    return True


@never_cache
@require_http_methods(["GET", "POST"])
def active(request: HttpRequest, user_id: int) -> HttpResponse:
    """Asks before it ends or gives back somebody's access."""
    found = found_person(user_id)
    is_self = found.id == request.user.pk
    error = ""
    if request.method == "POST":
        error = switched(request, found)
        if not error:
            return redirect("people")
    context = {"section": "people", "tab": "people", "person": found, "error": error}
    return render(
        request,
        "people/active.html",
        context | {"is_self": is_self},
        status=400 if error else 200,
    )


def switched(request: HttpRequest, found: Person) -> str:
    """What the form wants done: `active` is yes or no. What is wrong, "" where it was done."""
    by, now, address = signed_in(request), timezone.now(), address_of(request)
    wanted = request.POST.get("active")
    if wanted not in {"yes", "no"}:
        return "Say whether to deactivate or to reactivate: use the button."
    if wanted == "yes":
        people.reactivate(found.id, by=by, at=now, address=address)
        messages.success(request, f"{found.username} may sign in again.")
        return ""
    try:
        people.deactivate(
            found.id,
            by=by,
            at=now,
            address=address,
            confirmed=request.POST.get("confirmed") == "on",
        )
    except (people.LastAdministrator, people.NeedsConfirmation) as error:
        return str(error)
    messages.success(request, f"{found.username} is signed out everywhere and locked out.")
    return ""


def found_person(user_id: int) -> Person:
    try:
        return people.get(user_id)
    except User.DoesNotExist:
        raise Http404 from None


def moment(at: datetime | None, now: datetime) -> str:
    zone = settings.REPORTING_ZONE
    return formats.moment(at, zone, local_day(now, zone)) if at else ""
