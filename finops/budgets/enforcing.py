"""What a budget has gateways do that ask before a call: finops/enforcement hands it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError

from finops.budgets import fields
from finops.models import Budget

FIELDS = ("enforcement", "throttle_percent", "fail_closed")
MOST_PERCENT = 1_000
YES = (True, "true", "on", "1")
NO = (False, None, "", "false", "off", "0")


@dataclass(frozen=True, slots=True)
class Enforcement:
    """`policy` is one of Budget.Enforcement. Calls are spread from `throttle_percent` of the amount
    on; where figures are too old to go by, `fail_closed` lets none through."""

    policy: str = Budget.Enforcement.NONE.value
    throttle_percent: Decimal | None = None
    fail_closed: bool = False


ONLY_TOLD = Enforcement()


def read(given: Mapping[str, object]) -> Enforcement:
    """Of FIELDS, as JSON or a form has them. Raises ValidationError by field."""
    wrong: dict[str, str] = {}
    policy, percent = Budget.Enforcement.NONE.value, None
    try:
        policy = fields.choice(Budget.Enforcement.values, policy)(given.get("enforcement"))
    except ValidationError as error:
        wrong["enforcement"] = error.messages[0]
    try:
        percent = fields.positive(given.get("throttle_percent"))
    except ValidationError as error:
        wrong["throttle_percent"] = error.messages[0]
    if percent is not None and percent > MOST_PERCENT:
        wrong["throttle_percent"] = f"Write at most {MOST_PERCENT:,} percent."
    closed = given.get("fail_closed")
    if closed not in (*YES, *NO):
        wrong["fail_closed"] = "Write true or false."
    if "enforcement" not in wrong and policy == Budget.Enforcement.NONE:
        only = "Only a budget that throttles or blocks has this: leave it out."
        if percent is not None:
            wrong.setdefault("throttle_percent", only)
        if closed in YES:
            wrong["fail_closed"] = only
    if wrong:
        raise ValidationError(wrong)
    return Enforcement(policy, percent, closed in YES)
