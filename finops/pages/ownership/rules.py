"""The list of rules, the form that adds to it, and one rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import labels
from finops.models import CostCenter, OwnershipRule
from finops.ownership import rules
from finops.ownership.conditions import ASKED, Days
from finops.ownership.rules import RuleEntry
from finops.pages.settings.desk import act, context
from finops.periods import local_day
from finops.query import MAX_VALUE_LENGTH, TAG_PREFIX

TAB = "settings-ownership"
SHOWN = 50
# Conditions that the form has room for; files take more.
ROOM = 4
BACK = {"unattributed": "unattributed"}


def day_field(label: str, help_text: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=help_text,
    )


def place_field(help_text: str, *, is_required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(
        label="Place",
        required=is_required,
        min_value=1,
        max_value=2**31 - 2,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=help_text,
    )


class RuleForm(forms.Form):
    """`dimension_1` and `value_1` and so on; what has no dimension is no condition."""

    cost_center = forms.ChoiceField()
    effective_from = day_field("From", "The first day of it; empty: ever.")
    effective_to = day_field("Until before", "The first day that is not in it; empty: for ever.")
    position = place_field("Empty: the last one.", is_required=False)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        center = self.fields["cost_center"]
        assert isinstance(center, forms.ChoiceField)
        center.choices = centers()
        choices = [("", "–"), *((name, labels.dimension(name)) for name in dimensions())]
        for number in range(1, ROOM + 1):
            self.fields[f"dimension_{number}"] = forms.ChoiceField(
                label=f"Dimension {number}", required=False, choices=choices
            )
            self.fields[f"value_{number}"] = forms.CharField(
                label=f"Value {number}", required=False, max_length=MAX_VALUE_LENGTH, strip=False
            )

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"dimension_{n}"], self[f"value_{n}"]) for n in range(1, ROOM + 1)]

    @property
    def terms(self) -> list[forms.BoundField]:
        return [
            self[name] for name in ("cost_center", "effective_from", "effective_to", "position")
        ]

    def entry(self) -> RuleEntry:
        """Raises ValidationError where a dimension is asked for twice."""
        given = self.cleaned_data
        found: dict[str, str] = {}
        for number in range(1, ROOM + 1):
            name = given[f"dimension_{number}"]
            if name in found:
                raise ValidationError({"conditions": f"{labels.dimension(name)} is there twice."})
            if name:
                found[name] = given[f"value_{number}"]
        days = Days(given["effective_from"], given["effective_to"])
        return RuleEntry(found, given["cost_center"], days, given["position"])


def dimensions() -> list[str]:
    return [*ASKED, *(TAG_PREFIX + key for key in sorted(rules.activated()))]


def centers() -> list[tuple[str, str]]:
    held = CostCenter.objects.filter(is_active=True).values_list("code", "name")
    return [(code, f"{code} {name}".strip()) for code, name in held]


@dataclass(frozen=True, slots=True)
class Line:
    pk: int
    position: int
    conditions: tuple[tuple[str, str], ...]
    cost_center: str
    days: str
    is_over: bool


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    initial = {name: value for name, value in request.GET.items() if name != "q"}
    form = RuleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and (made := made_of(request, form)):
        messages.success(
            request, f"Usage of {rules.sentence(made.conditions)} is {made.cost_center}'s now."
        )
        return redirect(BACK.get(request.POST.get("back", ""), TAB))
    search = request.GET.get("q", "").strip()[:MAX_VALUE_LENGTH].replace("\x00", "")
    held = rules.every()
    if search:
        held = held.filter(Q(cost_center__icontains=search) | Q(conditions__icontains=search))
    today = local_day(timezone.now(), settings.REPORTING_ZONE)
    shown = Paginator(held, SHOWN).get_page(request.GET.get("page"))
    found = context(
        request,
        TAB,
        view="rules",
        lines=[line(each, today) for each in shown],
        shown=shown,
        count=OwnershipRule.objects.count(),
        search=search,
        has_centers=CostCenter.objects.filter(is_active=True).exists(),
        form=form,
    )
    return render(request, "ownership/rules.html", found, status=400 if form.errors else 200)


def line(rule: OwnershipRule, today: Any) -> Line:
    return Line(
        rule.pk,
        rule.position,
        tuple((labels.dimension(name), value) for name, value in sorted(rule.conditions.items())),
        rule.cost_center,
        str(rules.days_of(rule)),
        bool(rule.effective_to and rule.effective_to <= today),
    )


def made_of(request: HttpRequest, form: RuleForm) -> OwnershipRule | None:
    """None where it cannot be made; the form says why."""
    if not form.is_valid():
        return None
    try:
        return rules.make(form.entry(), act(request, timezone.now()))
    except ValidationError as error:
        tell(form, error)
        return None


def tell(form: forms.Form, error: ValidationError) -> None:
    for field, said in error.message_dict.items():
        own = field if field in form.fields else None
        for message in said:
            name = "" if own or field == "conditions" else f"{labels.dimension(field)}: "
            form.add_error(own, f"{name}{message}")


class EndForm(forms.Form):
    effective_to = day_field("Until before", "The first day that is not in it; empty: for ever.")


class MoveForm(forms.Form):
    position = place_field("It comes before what has this place now.")


@never_cache
@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    held = get_object_or_404(OwnershipRule, pk=pk)
    what = request.POST.get("what", "")
    ending = EndForm(
        request.POST if what == "end" else None, initial={"effective_to": held.effective_to}
    )
    moving = MoveForm(request.POST if what == "move" else None, initial={"position": held.position})
    if request.method == "POST" and (said := changed(request, held, what, ending, moving)):
        messages.success(request, said)
        return redirect(TAB)
    today = local_day(timezone.now(), settings.REPORTING_ZONE)
    found = context(
        request, TAB, view="rules", rule=line(held, today), ending=ending, moving=moving
    )
    found["problem"] = getattr(request, "ownership_problem", "")
    wrong = ending.errors or moving.errors or found["problem"]
    return render(request, "ownership/rule.html", found, status=400 if wrong else 200)


def changed(
    request: HttpRequest, held: OwnershipRule, what: str, ending: EndForm, moving: MoveForm
) -> str:
    """What was done, in words; "" where it could not be, and a form says why."""
    by = act(request, timezone.now())
    try:
        if what == "end" and ending.is_valid():
            rules.end(held.pk, ending.cleaned_data["effective_to"], by)
            return "The rule has other days now."
        if what == "move" and moving.is_valid():
            moved = rules.move(held.pk, moving.cleaned_data["position"], by)
            return f"The rule has place {moved.position} now."
        if what == "remove":
            rules.remove(held.pk, by)
            return "The rule is removed."
    except OwnershipRule.DoesNotExist:
        raise Http404 from None
    except ValidationError as error:
        request.ownership_problem = " ".join(error.messages)  # type: ignore[attr-defined]
    return ""
