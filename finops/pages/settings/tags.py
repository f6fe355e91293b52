"""Activated tags on pages: which are dimensions, since when, and which could be."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import formats
from finops.models import ActivatedTag
from finops.organisation import tags
from finops.pages.settings.desk import act, context
from finops.periods import local_day

TAB = "settings-tags"


class TagForm(forms.Form):
    key = forms.CharField(
        required=False,
        max_length=tags.LONGEST,
        help_text="Exactly as events have it in their tags, capitals too.",
    )


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = TagForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        key = form.cleaned_data["key"].strip()
        try:
            tags.activate(key, act(request, now))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Events that come from now on have the dimension Tag {key}.")
            return redirect(TAB)
    zone, today = settings.REPORTING_ZONE, local_day(now, settings.REPORTING_ZONE)
    lines = [(each, formats.moment(each.activated_at, zone, today)) for each in tags.activated()]
    found = context(
        request,
        TAB,
        lines=lines,
        seen=tags.seen_lately(now),
        looked_at=tags.LOOKED_AT,
        form=form,
    )
    return render(request, "settings/tags.html", found, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def deactivate(request: HttpRequest, tag_id: int) -> HttpResponse:
    tag = get_object_or_404(ActivatedTag, pk=tag_id)
    if request.method == "POST":
        try:
            tags.deactivate(tag.pk, act(request, timezone.now()))
        except ActivatedTag.DoesNotExist:
            raise Http404 from None
        messages.success(request, f"Later events have no dimension Tag {tag.key} any more.")
        return redirect(TAB)
    return render(request, "settings/tag_removal.html", context(request, TAB, tag=tag))
