"""The form of a cost item: what its kind has, filters and sizes of fleets as rows beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict

from finops import cost_items
from finops.cost_items import Draft
from finops.cost_items.drafts import CAPACITY, OWN
from finops.cost_items.values import OPTIONS
from finops.models import CostItem
from finops.pages.budgets.rows import (
    LEAST_FILTERS,
    FilterRow,
    choices,
    filter_rows,
    filters_of,
    posted_filters,
    with_spare,
)
from finops.pages.filters import Choice

NUMBER = forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
DAY = forms.DateInput({"type": "date"})
BY_SHARE = ("fixed", "weighted")


def text(label: str, hint: str = "", widget: forms.Widget | None = None) -> forms.CharField:
    return forms.CharField(required=False, label=label, help_text=hint, widget=widget)


def choice(label: str, known: list[tuple[str, str]], hint: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=known, help_text=hint)


FIELDS: Mapping[str, forms.Field] = {
    "name": text("Name", "As cost centers will read it."),
    "effective_from": text("From", "The first day on which it counts.", DAY),
    "effective_to": text("Until", "The first day without it; empty: it goes on.", DAY),
    "amount": text("Amount", "", NUMBER),
    "percent": text("Percent", "", NUMBER),
    "percent_of": choice(
        "Of",
        CostItem.Of.choices,
        "Of the month's own usage and items. Adjustments, what closed months came to later, are in "
        "neither: they bear no percentage.",
    ),
    "term_start": text("Term begins", "Of the amount for a term.", DAY),
    "term_end": text("Term ends", "The first day after it.", DAY),
    "hour_price": text("Price per hour", "Instead of the amount, or beside it.", NUMBER),
    "capacity_unit": choice("Capacity is in", CostItem.Unit.choices),
    "capacity_per_hour": text("Capacity per hour", "How much of it one hour holds.", NUMBER),
    "reference": text("Reference", "Where it is from, such as a bill's number."),
    "method": choice("Shared out", CostItem.Method.choices),
    "measure": choice("In proportion to", CostItem.Measure.choices, "Only of a proportion."),
    "centers": text(
        "Cost centers",
        "One a line; empty: all that have usage. By percentages or weights with a number: "
        "CC-1100 = 60.",
        forms.Textarea({"rows": 4}),
    ),
    "fallback": text("Otherwise", "The cost center that bears what nobody else does."),
    "currency": text("Currency", "A code; of another one, the mean of the month's rates counts."),
    "gl_account": text("GL account"),
    "note": text("Note"),
}
AMOUNTS = {
    "fixed": "A month; of part of a month by its days.",
    "commitment": "For the whole term; it is spread over its hours.",
    "credit": "A month, as a positive number. Or a percentage.",
    "tax": "A month. Or a percentage.",
    "true_up": "Below 0 where it is given back. It falls on the month of the first day.",
}
SHARED = ("method", "measure", "centers", "fallback", "currency", "gl_account", "note")


@dataclass(slots=True)
class SizeRow:
    day: str = ""
    count: str = ""
    hour_price: str = ""
    option: str = "on_demand"
    error: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.day or self.count or self.hour_price)

    @property
    def options(self) -> list[Choice]:
        return choices(OPTIONS, self.option)

    def terms(self) -> dict[str, str]:
        names = ("day", "count", "hour_price", "option")
        return {name: getattr(self, name) for name in names}


class ItemForm(forms.Form):
    """`filters` and `sizes` are rows beside the fields."""

    def __init__(
        self,
        kind: str,
        data: QueryDict | None = None,
        *,
        filters: list[FilterRow],
        sizes: list[SizeRow],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.kind, self.filters, self.sizes = kind, filters, sizes
        self.version: int | None = None
        own = [name for name in OWN[kind] if name in FIELDS]
        ends = () if kind == CostItem.Kind.TRUE_UP else ("effective_to",)
        self.first = ("name", "effective_from", *ends, *own)
        for name in (*self.first, *SHARED):
            self.fields[name] = FIELDS[name].__deepcopy__({})
        if "amount" in own:
            self.fields["amount"].help_text = AMOUNTS[kind]
        self.fields["measure"].choices = measures(kind)  # type: ignore[attr-defined]

    @classmethod
    def empty(cls, kind: str, today: date) -> ItemForm:
        counted = "so_far" if kind == CostItem.Kind.TAX else "direct_cost"
        initial = {
            "effective_from": today.replace(day=1).isoformat(),
            "percent_of": counted,
            "measure": "used" if kind in CAPACITY else counted,
            "currency": settings.CURRENCY,
        }
        return cls(kind, filters=[], sizes=[], initial=initial)

    @classmethod
    def held(cls, draft: Draft, version: int) -> ItemForm:
        terms = cost_items.fields_of(draft)
        shares = [f"{code} = {share}" for code, share in terms["weights"].items()]
        initial = {**terms, "centers": "\n".join([*shares, *terms["targets"]])}
        sizes = [SizeRow(**each.written()) for each in draft.sizes]
        form = cls(draft.kind, filters=filter_rows(draft.filters), sizes=sizes, initial=initial)
        form.version = version
        return form

    @classmethod
    def posted(cls, kind: str, data: QueryDict) -> ItemForm:
        names = ("size_day", "size_count", "size_price", "size_option")
        given = zip_longest(*(data.getlist(name) for name in names), fillvalue="")
        sizes = [SizeRow(*(text.strip() for text in row)) for row in given]
        form = cls(kind, data, filters=posted_filters(data), sizes=sizes)
        version = data.get("version", "")
        form.version = int(version) if version.isdecimal() and len(version) < 10 else None
        return form

    def draft(self) -> Draft | None:
        """None where the form says what is wrong."""
        self.is_valid()
        try:
            return cost_items.read(self.terms())
        except ValidationError as error:
            self.show(error)
        return None

    def terms(self) -> dict[str, Any]:
        single = {name: self.data.get(name, "").strip() for name in self.fields}
        centers = single.pop("centers")
        targets, weights = parted(centers)
        is_by_share = single["method"] in BY_SHARE
        found: dict[str, Any] = {
            **{name: value or None for name, value in single.items()},
            "kind": self.kind,
            "filters": filters_of(self.filters),
            "weights": weights | (dict.fromkeys(targets, "") if is_by_share else {}),
            "targets": [] if is_by_share else targets,
        }
        if self.kind == CostItem.Kind.FLEET:
            found["sizes"] = [each.terms() for each in self.sizes if not each.is_empty]
        return found

    def show(self, problem: ValidationError) -> None:
        """Put each objection beside what it is said of."""
        said = problem.message_dict if hasattr(problem, "error_dict") else {"": problem.messages}
        for name, listed in said.items():
            place, _, rest = name.partition(".")
            rows: list[Any] = []
            if place == "filters":
                rows = [each for each in self.filters if rest in {"", each.dimension}]
            elif place == "sizes" and rest:
                rows = [each for each in self.sizes if not each.is_empty][int(rest) :]
            if rows:
                rows[0].error = listed[0]
                continue
            place = "centers" if place in {"weights", "targets"} else place
            self.add_error(place if place in self.fields else None, listed)

    @property
    def has_errors(self) -> bool:
        rows: list[Any] = [*self.filters, *self.sizes]
        return bool(self.is_bound and self.errors) or any(row.error for row in rows)

    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.first]

    def shared_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in SHARED]

    def filter_rows(self) -> list[FilterRow]:
        return with_spare(self.filters, FilterRow, LEAST_FILTERS)

    def size_rows(self) -> list[SizeRow]:
        is_fleet = self.kind == CostItem.Kind.FLEET
        return with_spare(self.sizes, SizeRow) if is_fleet else []


def measures(kind: str) -> list[tuple[str, str]]:
    """What a kind can be shared out in proportion to; of capacity that is what nobody used."""
    without = CostItem.Measure.SO_FAR if kind in CAPACITY else CostItem.Measure.USED
    return [(value, label) for value, label in CostItem.Measure.choices if value != without]


def parted(text: str) -> tuple[list[str], dict[str, str]]:
    """Lines of cost centers, and those with a number behind the last equals sign."""
    targets, weights = [], {}
    for line in filter(None, map(str.strip, text.splitlines())):
        code, sign, number = line.rpartition("=")
        if sign:
            weights[code.strip()] = number.strip()
        else:
            targets.append(line)
    return targets, weights
