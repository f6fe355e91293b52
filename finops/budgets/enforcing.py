"""What a budget has gateways do that ask before a call: finops/enforcement hands it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError

from finops.budgets import fields
from finops.models import Budget

FIELDS = ("enforcement", "throttle_percent", "fail_closed")
MOST_PERCENT = 100
REFUSING, SLOWING = "refusing", "slowing"
YES = (True, "true", "on", "1")
NO = (False, None, "", "false", "off", "0")


@dataclass(frozen=True, slots=True)
class Enforcement:
    """`policy` is one of Budget.Enforcement. Calls are spread from `throttle_percent` of the amount
    on; where figures are too old to go by, `fail_closed` lets none through."""

    policy: str = Budget.Enforcement.NONE.value
    throttle_percent: Decimal | None = None
    fail_closed: bool = False

    def refuses_from(self, amount: Decimal) -> Decimal | None:
        return amount if self.policy == Budget.Enforcement.BLOCK else None

    def slows_from(self, amount: Decimal) -> Decimal | None:
        """As ingest/enforcement/decisions.py has it."""
        if self.policy == Budget.Enforcement.NONE:
            return None
        if self.throttle_percent is not None:
            return amount * self.throttle_percent.scaleb(-2)
        return amount if self.policy == Budget.Enforcement.THROTTLE else None


@dataclass(frozen=True, slots=True)
class Acting:
    """What calls meet where so much is spent: `acting` is REFUSING, SLOWING or "" while they are
    let in. `until` is the end of the period; None where it rolls, or nothing acts."""

    policy: str
    acting: str
    refuses_from: Decimal | None
    slows_from: Decimal | None
    until: datetime | None


def acting(
    terms: Enforcement, amount: Decimal | None, spent: Decimal, ends: datetime | None
) -> Acting | None:
    """None where nothing is enforced."""
    if amount is None or terms.policy == Budget.Enforcement.NONE:
        return None
    refuses, slows = terms.refuses_from(amount), terms.slows_from(amount)
    acts = ""
    if refuses is not None and spent >= refuses:
        acts = REFUSING
    elif slows is not None and spent >= slows:
        acts = SLOWING
    return Acting(terms.policy, acts, refuses, slows, ends if acts else None)


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
        wrong["throttle_percent"] = (
            f"Write at most {MOST_PERCENT} percent: past its amount a budget throttles or blocks "
            "anyway."
        )
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
