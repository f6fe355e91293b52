"""What a rule asks of usage: exact values of dimensions, and the days on which it holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError

from finops.query import DIMENSIONS, MAX_VALUE_LENGTH, TAG_PREFIX, is_text, unknown

USER = "user"
# A rule on a user is on nothing else: of users it is kept what they used, by attribution.
ASKED = tuple(name for name in DIMENSIONS if name != "cost_center")
FIRST, LAST = date(1, 1, 1), date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Days:
    """From a day (None: ever) until before another one (None: for ever)."""

    start: date | None = None
    end: date | None = None

    def overlaps(self, other: Days) -> bool:
        return (self.start or FIRST) < (other.end or LAST) and (other.start or FIRST) < (
            self.end or LAST
        )

    def __str__(self) -> str:
        if self.start and self.end:
            return f"{self.start} until before {self.end}"
        if self.end:
            return f"until before {self.end}"
        return f"from {self.start} on" if self.start else "always"


ALWAYS = Days()


def check(conditions: Mapping[str, str], days: Days, activated: Collection[str]) -> dict[str, str]:
    """What is wrong, by field: a dimension, `conditions` or `effective_to`; nothing is empty.
    `activated` are the keys of tags that are dimensions."""
    wrong: dict[str, str] = {}
    if not conditions:
        wrong["conditions"] = "Say at least one value, such as that of team or feature."
    for name, value in conditions.items():
        if problem := problem_of(name, value, activated):
            wrong[name if name in ASKED or name.startswith(TAG_PREFIX) else "conditions"] = problem
    if USER in conditions and len(conditions) > 1:
        wrong.setdefault(USER, "A rule on a user can ask for nothing else.")
    if days.start and days.end and days.start >= days.end:
        wrong["effective_to"] = "The last day comes before the first one."
    return wrong


def problem_of(name: str, value: str, activated: Collection[str]) -> str:
    if name not in ASKED:
        if not name.startswith(TAG_PREFIX):
            return f"{unknown('dimension', name, ASKED)}."
        if name.removeprefix(TAG_PREFIX) not in activated:
            return "This tag is not activated (Settings, Tags), so no usage has it as a dimension."
    if not value or not is_text(value) or len(value) > MAX_VALUE_LENGTH:
        return f"Write a value of at most {MAX_VALUE_LENGTH} characters of plain text."
    if name == USER and value == "Unattributed":
        return "Usage without a user is nobody's: ask for its team, feature or the like."
    return ""


def refuse(conditions: Mapping[str, str], days: Days, activated: Collection[str]) -> None:
    """Raises ValidationError, by field."""
    if wrong := check(conditions, days, activated):
        raise ValidationError(wrong)
