"""The form of a budget. What is wrong is what finops.budgets says, beside the field it is of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import QueryDict

from finops import labels
from finops.models import Budget
from finops.pages.budgets.rows import (
    LEAST_FILTERS,
    FilterRow,
    PlanRow,
    ThresholdRow,
    filters_of,
    posted_filters,
    posted_plan,
    posted_thresholds,
    with_spare,
)
from finops.pages.filters import dimensions

LONG, SHORT = forms.TextInput(), forms.TextInput({"inputmode": "decimal", "autocomplete": "off"})
ENFORCED = [
    ("none", "Nothing: it only tells"),
    ("throttle", "To wait, when it runs out too soon"),
    ("block", "To refuse what does not fit"),
]
KINDS_OF_COST = [
    ("effective_cost", "Effective cost, after discounts"),
    ("list_cost", "List cost"),
]


def text(label: str, hint: str = "", widget: forms.Widget = LONG) -> forms.CharField:
    return forms.CharField(required=False, label=label, help_text=hint, widget=widget, strip=True)


def choice(label: str, known: list[tuple[str, str]], hint: str = "") -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=known, help_text=hint)


class BudgetForm(forms.Form):
    """The single fields; `filters`, `thresholds` and `plan` are rows beside them."""

    name = text("Name")
    owner = forms.ChoiceField(required=False, label="Owner", help_text="Is told of it.")
    note = text("Note")
    for_each = forms.ChoiceField(
        required=False,
        label="For each",
        help_text="The amount is then that of every single value, such as of each user.",
    )
    cost = choice("Cost", KINDS_OF_COST)
    period = choice("Period", Budget.Span.choices, "Of the reporting calendar.")
    rolling_days = text("Rolling days", "Only of a rolling budget: the last so many.", SHORT)
    amount_kind = choice("Amount is", Budget.AmountKind.choices)
    amount = text(f"Amount, {settings.CURRENCY}", "Of a period.", SHORT)
    change_percent = text("Change, %", "Only by the last period: 10 is a tenth more.", SHORT)
    unpriced = choice("They are", Budget.Unpriced.choices)
    unpriced_rate = text(
        f"{settings.CURRENCY} per million tokens", "Only where they are estimated.", SHORT
    )

    enforcement = choice(
        "Gateways that ask are told",
        ENFORCED,
        "By /api/v1/authorize. To wait never blocks: with nothing left a call a minute goes on. "
        "For each user: calls that name none are not limited.",
    )
    throttle_percent = text(
        "Slow down from, %",
        "Of the amount, at most 100. Empty: from 100 on where calls are to wait; never where they "
        "are refused, which begins at 100.",
        SHORT,
    )
    fail_closed = forms.BooleanField(
        required=False,
        label="Refuse while figures are stale",
        help_text="Otherwise calls are then let through.",
    )

    GROUPS = (
        ("What it is", ("name", "owner", "note")),
        ("Of what", ("for_each", "cost")),
        ("How much", ("period", "rolling_days", "amount_kind", "amount", "change_percent")),
        ("Requests without a price", ("unpriced", "unpriced_rate")),
        ("Before a call", ("enforcement", "throttle_percent", "fail_closed")),
    )

    def __init__(
        self,
        data: QueryDict | None,
        *,
        filters: list[FilterRow],
        thresholds: list[ThresholdRow],
        plan: list[PlanRow],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.filters, self.thresholds, self.plan = filters, thresholds, plan
        people = User.objects.filter(is_active=True).order_by("username")
        names = people.values_list("username", flat=True)
        self._offer("owner", [("", "Nobody"), *((name, name) for name in names)])
        each = [(name, labels.dimension(name)) for name in dimensions()]
        self._offer("for_each", [("", "No: one amount for all of it"), *each])

    def _offer(self, name: str, known: list[tuple[str, str]]) -> None:
        """What it is now is offered too, or saving the form would lose it."""
        held = self.initial.get(name) or self.data.get(name)
        is_known = held in {None, *(value for value, _ in known)}
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = known if is_known else [*known, (held, held)]

    @classmethod
    def posted(cls, data: QueryDict, first: date) -> BudgetForm:
        return cls(
            data,
            filters=posted_filters(data),
            thresholds=posted_thresholds(data),
            plan=posted_plan(data, first),
        )

    def terms(self) -> dict[str, Any]:
        """What was filled in, as finops.budgets reads it."""
        single = {name: self.data.get(name, "").strip() for name in self.fields}
        is_closed = single.pop("fail_closed") == "on"
        told = [each.terms() for each in self.thresholds if not each.is_empty]
        plan = {each.month: each.amount for each in self.plan if each.amount}
        return {
            **{name: text or None for name, text in single.items()},
            "fail_closed": is_closed,
            "filters": filters_of(self.filters),
            "thresholds": told,
            "plan": plan or None,
        }

    def digest(self) -> str:
        """Of the terms: what was tested is what is saved."""
        written = json.dumps(self.terms(), sort_keys=True).encode()
        return hashlib.sha256(written).hexdigest()

    def is_complete(self) -> bool:
        """Whether nothing is wrong with the form by itself."""
        for row in self.filters:
            if row.value and not row.dimension:
                row.error = "Choose the dimension that has this value."
        return self.is_valid() and not any(row.error for row in self.filters)

    def show(self, problem: ValidationError) -> None:
        """Put each objection beside what it is said of."""
        said = problem.message_dict if hasattr(problem, "error_dict") else {"": problem.messages}
        for name, messages in said.items():
            place, _, rest = name.partition(".")
            if self._beside_row(place, rest, messages[0]) or place in self.errors:
                continue
            self.add_error(place if place in self.fields else None, messages)

    def _beside_row(self, place: str, rest: str, message: str) -> bool:
        rows: list[Any] = []
        if place == "thresholds":
            filled = [each for each in self.thresholds if not each.is_empty]
            number = rest.partition(".")[0]
            rows = filled[int(number) :] if number else self.thresholds
        elif place == "filters":
            rows = [each for each in self.filters if each.dimension == rest or not rest]
        elif place == "plan":
            rows = [each for each in self.plan if each.month == rest or not rest]
        if not rows:
            return False
        rows[0].error = " ".join(filter(None, (rows[0].error, message)))
        return True

    @property
    def has_errors(self) -> bool:
        rows: list[Any] = [*self.filters, *self.thresholds, *self.plan]
        return bool(self.errors) or any(row.error for row in rows)

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def filter_rows(self) -> list[FilterRow]:
        return with_spare(self.filters, FilterRow, LEAST_FILTERS)

    def threshold_rows(self) -> list[ThresholdRow]:
        return with_spare(self.thresholds, ThresholdRow)

    def plan_rows(self) -> list[PlanRow]:
        return self.plan

    def has_plan(self) -> bool:
        return any(each.amount or each.error for each in self.plan)
