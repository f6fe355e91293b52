"""Business metrics on pages: the list, making, changing and removing one, and files of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from finops import business_metrics, labels
from finops.business_metrics import Draft, imports, storing
from finops.business_metrics.imports import MOST_BYTES
from finops.business_metrics.terms import fields_of
from finops.csv_lines import encoding_of
from finops.models import BusinessMetric, BusinessMetricUpload
from finops.pages.settings.desk import act, context

TAB = "settings-business-metrics"
MOST_IMPORTS = 20
MOST_CHARACTERS = 2_000


class MetricForm(forms.Form):
    name = forms.CharField(required=False, max_length=200, help_text="Such as Tickets resolved.")
    key = forms.CharField(
        required=False,
        max_length=60,
        help_text="A short name for addresses and the API, such as tickets_resolved. It stays.",
    )
    kind = forms.ChoiceField(
        required=False,
        choices=BusinessMetric.Kind.choices,
        help_text=f"Money is in {settings.CURRENCY}, and set against cost as a margin.",
    )
    unit = forms.CharField(
        required=False,
        max_length=40,
        help_text="One of what is counted, such as ticket or active user. Not of money.",
    )
    dimensions = forms.CharField(
        required=False,
        max_length=MOST_CHARACTERS,
        help_text="What values are by, with commas between them: team, feature, tag:customer. "
        "Empty: one value for all.",
    )
    adds_up = forms.BooleanField(
        required=False,
        label="Values add up over days, and over teams or customers",
        help_text="Orders do. Active users do not: who came on two days is one user. Then the "
        "value of a month is its own, and never a sum.",
    )
    absent_is_zero = forms.BooleanField(
        required=False,
        label="Who has no value on a day that has any had none",
        help_text="For files that list only who bought something. Otherwise that is unknown, and "
        "what it cost is in no figure.",
    )
    filters = forms.CharField(
        required=False,
        max_length=MOST_CHARACTERS,
        label="Usage that it is about",
        widget=forms.Textarea({"rows": 3}),
        help_text="A line each, such as feature=support-bot; ! before a value excludes it. Empty: "
        "all usage.",
    )

    FIXED = ("key", "kind", "dimensions", "adds_up")

    def __init__(self, *given: Any, held: BusinessMetric | None = None, **named: Any) -> None:
        super().__init__(*given, **named)
        self.held = held
        for name in self.FIXED if held else ():
            del self.fields[name]

    def draft(self) -> Draft | None:
        """None where the form says what is wrong."""
        if not self.is_valid():
            return None
        given: dict[str, Any] = dict(self.cleaned_data)
        try:
            given["filters"] = filters_of(given["filters"])
            if self.held:
                own = fields_of(business_metrics.draft_of(self.held))
                return business_metrics.read({**own, **given})
            names = (name.strip() for name in given["dimensions"].split(","))
            return business_metrics.read({**given, "dimensions": [name for name in names if name]})
        except ValidationError as error:
            self.show(error)
        return None

    def show(self, error: ValidationError) -> None:
        for name, said in error.message_dict.items():
            field = name.partition(".")[0]
            self.add_error(field if field in self.fields else None, said)


def filters_of(text: str) -> dict[str, list[str]]:
    """Lines of dimension=value. Raises ValidationError."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, mark, value = line.partition("=")
        if not line.strip():
            continue
        if not mark or not value.strip():
            raise ValidationError({"filters": f"{line.strip()[:80]!r}: write dimension=value."})
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def filters_text(filters: Mapping[str, list[str]]) -> str:
    return "\n".join(f"{name}={value}" for name, values in filters.items() for value in values)


@dataclass(frozen=True, slots=True)
class Line:
    metric: BusinessMetric
    by: str
    about: str
    values: str
    reach: str


@never_cache
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    form = MetricForm(request.POST if request.method == "POST" else None, initial={"adds_up": True})
    if request.method == "POST" and (draft := form.draft()):
        try:
            made = business_metrics.make(draft, act(request, timezone.now()))
        except ValidationError as error:
            form.show(error)
        else:
            messages.success(request, f"{made.name} is there: send its values.")
            return redirect("settings-business-metric", made.key)
    lines = [line_of(each) for each in BusinessMetric.objects.all()]
    found = context(request, TAB, form=form, lines=lines)
    status = 400 if form.errors else 200
    return render(request, "settings/business_metrics.html", found, status=status)


def line_of(metric: BusinessMetric) -> Line:
    reach = storing.reach(metric)
    return Line(
        metric,
        labels.dimensions(tuple(metric.dimensions)) if metric.dimensions else "one for all",
        filters_text(metric.filters).replace("\n", ", ") or "all usage",
        f"{storing.count(metric):,}",
        f"{reach[0]} to {reach[1]}" if reach else "",
    )


@never_cache
@require_http_methods(["GET", "POST"])
def metric(request: HttpRequest, key: str) -> HttpResponse:
    held = get_object_or_404(BusinessMetric, key=key)
    found: dict[str, Any] = {}
    form = MetricForm(held=held, initial={**vars(held), "filters": filters_text(held.filters)})
    try:
        if request.method == "POST" and "apply" in request.POST:
            taken = imports.take_kept(held, act(request, timezone.now()))
            messages.success(request, said_of(taken))
            return redirect("settings-business-metric", key)
        if request.method == "POST" and "change" in request.POST:
            form = MetricForm(request.POST, held=held)
            if changed(request, held, form):
                return redirect("settings-business-metric", key)
        elif request.method == "POST":
            found = looked_at(request, held)
    except BusinessMetricUpload.DoesNotExist:
        found = {"problems": ["That file is gone: choose it again."]}
    except ValidationError as error:
        found = {"problems": error.messages}
    is_wrong = bool(found.get("problems") or form.errors)
    more = {
        "metric": held,
        "line": line_of(held),
        "form": form,
        "columns": ",".join(["period", "value", *held.dimensions]),
        "example": example(held),
        "address": request.build_absolute_uri(f"/api/v1/business-metrics/{key}/values"),
        "imports": held.imports.all()[:MOST_IMPORTS],
        "most": MOST_BYTES // 2**20,
    }
    shown = context(request, TAB, **more, **found)
    status = 400 if is_wrong else 200
    return render(request, "settings/business_metric.html", shown, status=status)


def changed(request: HttpRequest, held: BusinessMetric, form: MetricForm) -> bool:
    draft = form.draft()
    if draft is None:
        return False
    try:
        business_metrics.change(held.key, draft, act(request, timezone.now()))
    except ValidationError as error:
        form.show(error)
        return False
    except BusinessMetric.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{draft.name} is saved.")
    return True


def looked_at(request: HttpRequest, held: BusinessMetric) -> dict[str, Any]:
    """What the file would change. Raises ValidationError."""
    file = request.FILES.get("file")
    if file is None or file.size is None or file.name is None:
        raise ValidationError("Choose a file.")
    if file.size > MOST_BYTES:
        raise ValidationError(f"The file is larger than {MOST_BYTES // 2**20} MiB: part it.")
    doing = act(request, timezone.now())
    lines = imports.from_csv(held, file.file)  # type: ignore[arg-type]
    taken = imports.take(held, lines, file.name, doing, preview=True)
    file.seek(0)
    text = file.read().decode(encoding_of(file.file))  # type: ignore[arg-type]
    imports.keep(held, text, file.name, doing)
    return {"preview": taken, "file_name": file.name}


def said_of(taken: imports.Taken) -> str:
    if not taken.added and not taken.replaced:
        return "All of it was known: nothing was changed."
    return f"{taken.added:,} values are new, {taken.replaced:,} take the place of others."


def example(metric: BusinessMetric) -> str:
    values = {"team": "search", "feature": "chat", "user": "ann", "cost_center": "CC-1100"}
    keys = [values.get(name, "acme") for name in metric.dimensions]
    is_money = metric.kind == BusinessMetric.Kind.MONEY
    amounts = ("1250.00", "980.50") if is_money else ("412", "385")
    lines = [["period", "value", *metric.dimensions]]
    lines += [[day, amount, *keys] for day, amount in zip(DAYS, amounts, strict=True)]
    return "\n".join(",".join(line) for line in lines)


DAYS = ("2026-10-01", "2026-10-02")


@never_cache
@require_http_methods(["POST"])
def remove(request: HttpRequest, key: str) -> HttpResponse:
    try:
        business_metrics.remove(key, act(request, timezone.now()))
    except BusinessMetric.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{key} is removed, with its values.")
    return redirect(TAB)
