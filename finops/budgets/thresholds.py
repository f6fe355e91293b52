"""Thresholds as people write them: each wrong field named, none twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError

from finops.budgets import fields
from finops.models import Threshold

Basis, Kind, Severity = Threshold.Basis, Threshold.Kind, Threshold.Severity

MOST = 20
MOST_PERCENT = Decimal(10_000)
# Hours are read that far; what is longer is read by whole days.
HOURLY = 48
LONGEST_WINDOW = 30 * 24
DAY = 24
FIELDS = ("basis", "kind", "value", "window_hours", "severity")


@dataclass(frozen=True, slots=True)
class ThresholdDraft:
    """`window_hours` is None but for a burn rate."""

    basis: str
    kind: str
    value: Decimal
    window_hours: int | None = None
    severity: str = Severity.WARNING

    @property
    def terms(self) -> tuple[str, str, Decimal, int | None]:
        """What makes two of them the same threshold."""
        return self.basis, self.kind, self.value, self.window_hours


DEFAULTS = (
    ThresholdDraft(Basis.ACTUAL, Kind.PERCENT, Decimal(80), None, Severity.WARNING),
    ThresholdDraft(Basis.ACTUAL, Kind.PERCENT, Decimal(100), None, Severity.CRITICAL),
    ThresholdDraft(Basis.FORECAST, Kind.PERCENT, Decimal(100), None, Severity.WARNING),
)


def read(given: object) -> tuple[ThresholdDraft, ...]:
    """DEFAULTS where nothing was written. Raises ValidationError by field."""
    if given is None:
        return DEFAULTS
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ValidationError({"thresholds": "Write a list of thresholds."})
    if not 1 <= len(given) <= MOST:
        raise ValidationError(
            {"thresholds": f"Write 1 to {MOST} thresholds: without one nobody would be told."}
        )
    found: list[ThresholdDraft] = []
    wrong: dict[str, str] = {}
    for number, each in enumerate(given):
        try:
            found.append(_read_one(each))
        except ValidationError as error:
            said = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            for name, messages in said.items():
                wrong[f"thresholds.{number}.{name}".rstrip(".")] = messages[0]
    if wrong:
        raise ValidationError(wrong)
    return tuple(found)


def _read_one(given: object) -> ThresholdDraft:
    if not isinstance(given, Mapping):
        raise ValidationError('Write it as {"basis": "actual", "kind": "percent", "value": 80}.')
    wrong = {str(name): "There is no such field." for name in given if name not in FIELDS}
    held: dict[str, str] = {}
    known = {"basis": (Basis.values, ""), "kind": (Kind.values, Kind.PERCENT.value)}
    known["severity"] = (Severity.values, Severity.WARNING.value)
    for name, (values, default) in known.items():
        try:
            held[name] = fields.choice(values, default)(given.get(name))
        except ValidationError as error:
            wrong[name] = error.messages[0]
    value = window = None
    try:
        value = fields.positive(given.get("value"))
        if value is None:
            wrong["value"] = "Write at how many percent, or at how much money."
        elif held.get("kind") == Kind.PERCENT and value > MOST_PERCENT:
            wrong["value"] = f"Write at most {MOST_PERCENT:,} percent."
    except ValidationError as error:
        wrong["value"] = error.messages[0]
    try:
        window = fields.whole(given.get("window_hours"), 1, LONGEST_WINDOW)
    except ValidationError as error:
        wrong["window_hours"] = error.messages[0]
    if wrong:
        raise ValidationError(wrong)
    assert value is not None
    return ThresholdDraft(held["basis"], held["kind"], value, window, held["severity"])


def together(found: Sequence[ThresholdDraft], *, of_users: bool) -> dict[str, str]:
    """What is wrong with them beside each other, and beside a budget that is `of_users`."""
    wrong: dict[str, str] = {}
    seen: set[object] = set()
    for number, each in enumerate(found):
        if each.terms in seen:
            wrong[f"thresholds.{number}.value"] = "There is the same threshold already."
        seen.add(each.terms)
        if problem := _wrong_window(each, of_users):
            wrong[f"thresholds.{number}.window_hours"] = problem
    return wrong


def _wrong_window(each: ThresholdDraft, of_users: bool) -> str:
    hours = each.window_hours
    if each.basis != Basis.BURN_RATE:
        return "Only a burn rate has a window: leave it out." if hours is not None else ""
    if hours is None:
        return f"Write over how many hours the spending is looked at, 1 to {LONGEST_WINDOW}."
    if of_users and hours % DAY:
        return "Usage by user is kept by the day: write 24 hours or a multiple of it."
    if hours > HOURLY and hours % DAY:
        return f"Beyond {HOURLY} hours write a multiple of 24."
    return ""
