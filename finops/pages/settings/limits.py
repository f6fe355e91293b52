"""Cardinality limits on a page: each dimension with its values, its limit and the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import formats, intake
from finops.organisation import limits
from finops.pages.settings.desk import act, context
from ingest.cardinality import DEFAULT_LIMITS, TAG

TAB = "settings-limits"
NUMBER = {"invalid": "Write a whole number, or nothing for the default."}


class LimitsForm(forms.Form):
    """A field for each limit; empty is the default."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, default in DEFAULT_LIMITS.items():
            least, most = limits.BOUNDS[name]
            attributes = {
                "inputmode": "numeric",
                "placeholder": str(default),
                "title": f"{least:,} to {most:,}",
            }
            self.fields[name] = forms.IntegerField(
                required=False,
                label=limits.NAMES[name],
                widget=forms.TextInput(attributes),
                error_messages=NUMBER,
            )

    def clean(self) -> None:
        for name, problem in limits.problems(self.cleaned_data).items():
            self.add_error(name, problem)


@dataclass(frozen=True, slots=True)
class Line:
    """`values` counts what the limit is about: for tags, those of the key that has most."""

    name: str
    field: forms.BoundField
    values: str
    limit: str
    default: str
    bounds: str
    is_full: bool


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    held = limits.in_force()
    own = {name: held[name] for name in held if held[name] != DEFAULT_LIMITS[name]}
    form = LimitsForm(request.POST if request.method == "POST" else None, initial=own)
    if request.method == "POST" and form.is_valid():
        changed = limits.change(form.cleaned_data, act(request, timezone.now()))
        messages.success(request, said(changed))
        return redirect(TAB)
    found = context(request, TAB, form=form, lines=lines(form, held))
    return render(request, "settings/limits.html", found, status=400 if form.errors else 200)


def said(changed: dict[str, int]) -> str:
    if not changed:
        return "Nothing was changed."
    texts = (f"{limits.NAMES[name]}: {limit:,}" for name, limit in changed.items())
    text = f"{'; '.join(texts)}. This holds for new values, within two seconds."
    counted = value_counts()
    full = [limits.NAMES[name] for name, limit in changed.items() if counted.get(name, 0) >= limit]
    if full:
        text += (
            f" {', '.join(full)}: as many values are known already or more. Those stay, and every "
            "new one is counted as (overflow) from now on."
        )
    return text


def value_counts() -> dict[str, int]:
    """Known values by the name of their limit; for tags, those of the key that has most."""
    counted = intake.attribution_values()
    of_tags = [count for name, count in counted.items() if name.startswith(f"{TAG}:")]
    return {**counted, TAG: max(of_tags, default=0)}


def lines(form: LimitsForm, held: dict[str, int]) -> list[Line]:
    counted = value_counts()
    return [
        Line(
            name=limits.NAMES[name],
            field=form[name],
            values=formats.count_long(counted.get(name, 0)),
            limit=formats.count_long(limit),
            default=formats.count_long(DEFAULT_LIMITS[name]),
            bounds="{:,} to {:,}".format(*limits.BOUNDS[name]),
            is_full=counted.get(name, 0) >= limit,
        )
        for name, limit in held.items()
    ]
