"""Teams: members, cost centers, and the names in events that nobody belongs to."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import teams
from finops.models import AuditRecord, Team
from finops.pages.requester import address_of, signed_in
from finops.periods import local_day

OFFERED = 50
# Changes of a team; all are in the audit log.
SHOWN = 20
COST_CENTER_HELP = (
    "Who pays for usage of the team that no rule (Settings, Ownership) gives another."
)
SINCE_HELP = (
    "A new cost center holds from this day on; without a day, for all usage, past usage too."
)


class NewTeamForm(forms.Form):
    name = forms.CharField(
        max_length=teams.LONGEST, help_text="Exactly as events write it, capitals too."
    )
    cost_center = forms.CharField(
        max_length=teams.LONGEST, required=False, help_text=COST_CENTER_HELP
    )


class TeamForm(NewTeamForm):
    since = forms.DateField(
        label="Cost center since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=SINCE_HELP,
    )
    members = forms.ModelMultipleChoiceField(
        User.objects.order_by("username"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Engineers and viewers among them see the usage of this team.",
    )


@never_cache
@require_http_methods(["GET", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    form = NewTeamForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.make(
                form.cleaned_data["name"],
                form.cleaned_data["cost_center"],
                by=signed_in(request),
                at=timezone.now(),
                address=address_of(request),
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"The team {team.name} is there. Choose its members.")
            return redirect("team", team.pk)
    alone = [each for each in teams.named_by_events() if not each.members]
    context = {
        "section": "people",
        "tab": "teams",
        "teams": teams.everything(timezone.now()),
        "alone": alone[:OFFERED],
        "alone_count": len(alone),
        "form": form,
    }
    return render(request, "people/teams.html", context, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def team(request: HttpRequest, team_id: int) -> HttpResponse:
    try:
        entry = teams.get(team_id, timezone.now())
    except Team.DoesNotExist:
        raise Http404 from None
    initial = {
        "name": entry.name,
        "cost_center": entry.cost_center,
        "since": local_day(timezone.now(), settings.REPORTING_ZONE).replace(day=1),
        "members": list(entry.member_ids),
    }
    form = TeamForm(request.POST if request.method == "POST" else None, initial=initial)
    if entry.fixed_by:
        form.fields["name"].disabled = True
        form.fields["name"].help_text = (
            f"Fixed, because {entry.fixed_by}: under another name, past usage would belong to "
            "nobody. For a new name make a new team, and have services send that one."
        )
    if request.method == "POST" and form.is_valid() and changed(request, team_id, form):
        return redirect("teams")
    context = {
        "section": "people",
        "tab": "teams",
        "team": entry,
        "form": form,
        "past": past(entry),
    }
    return render(request, "people/team.html", context, status=400 if form.errors else 200)


def past(entry: teams.TeamEntry) -> list[AuditRecord]:
    """Who was in the team and who paid for it, the newest change first."""
    records = AuditRecord.objects.filter(action__in=("team.create", "team.change"))
    return list(records.filter(team=entry.name).order_by("-at", "-pk")[:SHOWN])


def changed(request: HttpRequest, team_id: int, form: TeamForm) -> bool:
    """Whether it was done; if not, the form says why."""
    chosen = form.cleaned_data
    try:
        is_new = teams.change(
            team_id,
            chosen["name"],
            chosen["cost_center"],
            [each.pk for each in chosen["members"]],
            by=signed_in(request),
            at=timezone.now(),
            address=address_of(request),
            since=chosen["since"],
        )
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, f"{chosen['name']} is changed." if is_new else "Nothing was changed.")
    return True
