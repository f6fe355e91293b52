"""Budgets: kept, evaluated, told when their thresholds are reached, and tried on the past."""

from __future__ import annotations

from finops.budgets.back_tests import BackTest, Fired, back_test
from finops.budgets.checking import FIRST, check
from finops.budgets.drafts import Draft, filters_json, read
from finops.budgets.evaluation import evaluate
from finops.budgets.figures import Memory
from finops.budgets.keeping import (
    Outdated,
    amount_changed,
    change,
    changed_draft,
    fields_of,
    make,
    remove,
    visible,
)
from finops.budgets.moments import Report
from finops.budgets.past_periods import PastPeriods
from finops.budgets.prospective import forecast_params, forecast_span
from finops.budgets.spans import Calendar, Span
from finops.budgets.standings import Unread
from finops.budgets.thresholds import DEFAULTS, ThresholdDraft
from finops.budgets.unused import unused
from finops.budgets.watched import draft_of

__all__ = [
    "DEFAULTS",
    "FIRST",
    "BackTest",
    "Calendar",
    "Draft",
    "Fired",
    "Memory",
    "Outdated",
    "PastPeriods",
    "Report",
    "Span",
    "ThresholdDraft",
    "Unread",
    "amount_changed",
    "back_test",
    "change",
    "changed_draft",
    "check",
    "draft_of",
    "evaluate",
    "fields_of",
    "filters_json",
    "forecast_params",
    "forecast_span",
    "make",
    "read",
    "remove",
    "unused",
    "visible",
]
