"""Latency tiers on pages: the list, adding, changing and removing one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import formats
from finops.models import LatencyTier
from finops.organisation import tiers
from finops.pages.settings.desk import act, context

TAB = "settings-tiers"
NUMBER = {"invalid": "Write a number of milliseconds, such as 500."}


class TierForm(forms.Form):
    """`others` are the tiers that it is to stand beside."""

    name = forms.CharField(
        required=False,
        max_length=tiers.LONGEST,
        help_text="Exactly as services write it where they name a tier themselves.",
    )
    max_latency_ms = forms.FloatField(
        required=False,
        label="Up to, ms (optional)",
        widget=forms.TextInput({"inputmode": "decimal"}),
        error_messages=NUMBER,
        help_text="A request that took no longer, and longer than the tier before, belongs here. "
        "Empty makes this the last tier, for everything slower; there is only one.",
    )
    target_p95_ms = forms.FloatField(
        required=False,
        label="Target: p95 latency, ms (optional)",
        widget=forms.TextInput({"inputmode": "decimal"}),
        error_messages=NUMBER,
        help_text="What 95 in 100 requests of the tier should keep. Explore, grouped by latency "
        "tier, shows whether they do.",
    )

    def __init__(self, *args: Any, others: list[LatencyTier], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._others = others

    def clean(self) -> None:
        """What is wrong with the tier stands beside what is no number, all at once."""
        for field, problem in tiers.problems(self.terms(), self._others).items():
            if field not in self.errors:
                self.add_error(field, problem)

    def terms(self) -> tiers.Terms:
        chosen = self.cleaned_data
        return tiers.Terms(
            chosen.get("name", "").strip(),
            chosen.get("max_latency_ms"),
            chosen.get("target_p95_ms"),
        )


@dataclass(frozen=True, slots=True)
class Line:
    tier: LatencyTier
    span: str
    target: str


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    held = tiers.everything()
    form = TierForm(request.POST if request.method == "POST" else None, others=held)
    if request.method == "POST" and form.is_valid():
        terms = form.terms()
        try:
            tiers.add(terms, act(request, timezone.now()))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Requests from now on can be {terms.name}.")
            return redirect(TAB)
    found = context(
        request,
        TAB,
        lines=lines(held),
        has_last=any(each.max_latency_ms is None for each in held),
        form=form,
    )
    return render(request, "settings/tiers.html", found, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def tier(request: HttpRequest, tier_id: int) -> HttpResponse:
    found = get_object_or_404(LatencyTier, pk=tier_id)
    initial = {
        "name": found.name,
        "max_latency_ms": plain(found.max_latency_ms),
        "target_p95_ms": plain(found.target_p95_ms),
    }
    others = [each for each in tiers.everything() if each.pk != tier_id]
    given = request.POST if request.method == "POST" else None
    form = TierForm(given, initial=initial, others=others)
    if request.method == "POST" and form.is_valid():
        try:
            is_new = tiers.change(found.pk, form.terms(), act(request, timezone.now()))
        except ValidationError as error:
            form.add_error(None, error)
        except LatencyTier.DoesNotExist:
            raise Http404 from None
        else:
            name = form.terms().name
            text = f"{name} is changed, for later events." if is_new else "Nothing was changed."
            messages.success(request, text)
            return redirect(TAB)
    shown = context(request, TAB, tier=found, form=form)
    return render(request, "settings/tier.html", shown, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, tier_id: int) -> HttpResponse:
    found = get_object_or_404(LatencyTier, pk=tier_id)
    if request.method == "POST":
        try:
            tiers.remove(found.pk, act(request, timezone.now()))
        except LatencyTier.DoesNotExist:
            raise Http404 from None
        messages.success(request, f"{found.name} is removed; requests that have it keep it.")
        return redirect(TAB)
    return render(request, "settings/tier_removal.html", context(request, TAB, tier=found))


def lines(held: list[LatencyTier]) -> list[Line]:
    found, below = [], 0.0
    for each in held:
        over = f"over {formats.duration(below)}" if below else ""
        upto = f"up to {formats.duration(each.max_latency_ms)}" if each.max_latency_ms else ""
        span = ", ".join(filter(None, (over, upto))) or "any"
        found.append(Line(each, span, formats.duration(each.target_p95_ms)))
        below = each.max_latency_ms or below
    return found


def plain(milliseconds: float | None) -> str:
    """As people write it: 500, not 500.0."""
    return "" if milliseconds is None else f"{milliseconds:.15g}"
