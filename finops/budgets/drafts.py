"""What somebody wants a budget to be: read from a form or from JSON, each wrong field named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError

from finops.budgets import enforcing, fields, thresholds
from finops.budgets.enforcing import ONLY_TOLD, Enforcement
from finops.budgets.thresholds import ThresholdDraft
from finops.models import Budget
from finops.periods import InvalidQuery
from finops.query import TAG_PREFIX, Filter, is_dimension, parse_filters, written

Read = TypeVar("Read")

LONGEST_NAME = 200
MOST_FILTER_VALUES = 100
ROLLING = (2, 366)
MOST_MONTHS = 120
FIELDS = (
    *("name", "filters", "for_each", "owner", "period", "rolling_days", "amount_kind", "amount"),
    *("change_percent", "plan", "cost", "unpriced", "unpriced_rate", "thresholds", "note"),
    *enforcing.FIELDS,
)
PLANNED = (Budget.Span.MONTHLY, Budget.Span.QUARTERLY, Budget.Span.YEARLY)


@dataclass(frozen=True, slots=True)
class Draft:
    """The terms of a budget, checked but for what only the database knows.

    `owner` is a user name, "" for nobody. `plan` is in order of months, each named by its first
    day.
    """

    name: str
    filters: tuple[Filter, ...]
    for_each: str
    owner: str
    period: str
    rolling_days: int | None
    amount_kind: str
    amount: Decimal | None
    change_percent: Decimal | None
    plan: tuple[tuple[date, Decimal], ...]
    cost: str
    unpriced: str
    unpriced_rate: Decimal | None
    thresholds: tuple[ThresholdDraft, ...]
    note: str = ""
    enforcement: Enforcement = ONLY_TOLD

    @property
    def team(self) -> str:
        """The one team whose usage this is all of, "" where there is none."""
        for each in self.filters:
            if each.dimension == "team" and not each.exclude and len(each.values) == 1:
                return each.values[0]
        return ""

    @property
    def is_of_users(self) -> bool:
        """Whether it reads usage by user, which is kept by the day."""
        return "user" in {self.for_each, *(each.dimension for each in self.filters)}


def read(given: Mapping[str, object]) -> Draft:
    """The draft of FIELDS, as JSON or a form has them: text or numbers, a mapping of filters and of
    the plan, a list of thresholds. Raises ValidationError with a message for every wrong field;
    those of thresholds are named `thresholds.<number>.<field>`, of filters `filters.<dimension>`,
    of the plan `plan.<month>`."""
    wrong: dict[str, str] = {
        name: f"There is no such field; known are {', '.join(FIELDS)}."
        for name in given
        if name not in FIELDS
    }

    def field(name: str, reader: Callable[[object], Read], harmless: Read) -> Read:
        try:
            return reader(given.get(name))
        except ValidationError as error:
            found = error.message_dict if hasattr(error, "error_dict") else {name: error.messages}
            wrong.update({key: messages[0] for key, messages in found.items()})
        return harmless

    draft = Draft(
        name=field("name", _name, ""),
        filters=field("filters", read_filters, ()),
        for_each=field("for_each", _for_each, ""),
        owner=field("owner", fields.text, ""),
        period=field("period", fields.choice(Budget.Span.values), Budget.Span.MONTHLY.value),
        rolling_days=field("rolling_days", _days, None),
        amount_kind=field("amount_kind", fields.choice(Budget.AmountKind.values, "fixed"), "fixed"),
        amount=field("amount", fields.positive, None),
        change_percent=field("change_percent", _change, None),
        plan=field("plan", _plan, ()),
        cost=field("cost", fields.choice(Budget.Cost.values, Budget.Cost.EFFECTIVE), ""),
        unpriced=field(
            "unpriced", fields.choice(Budget.Unpriced.values, Budget.Unpriced.IGNORE), ""
        ),
        unpriced_rate=field("unpriced_rate", fields.positive, None),
        thresholds=field("thresholds", thresholds.read, ()),
        note=field("note", fields.note, ""),
        enforcement=field("enforcement", lambda _: enforcing.read(given), ONLY_TOLD),
    )
    wrong = {**_together(draft, wrong), **wrong}
    if wrong:
        raise ValidationError(wrong)
    return draft


def _together(draft: Draft, wrong: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with fields beside each other, of those that are right by themselves."""
    found: dict[str, str] = {}
    rolling = draft.period == Budget.Span.ROLLING
    if rolling and draft.rolling_days is None:
        found["rolling_days"] = f"Write how many days, {ROLLING[0]} to {ROLLING[1]}."
    if not rolling and draft.rolling_days is not None:
        found["rolling_days"] = "Only a rolling budget has this: leave it out."
    match draft.amount_kind:
        case Budget.AmountKind.FIXED if draft.amount is None:
            found["amount"] = "Write how much may be spent in a period."
        case Budget.AmountKind.PLAN if draft.period not in PLANNED:
            found["amount_kind"] = "A plan is by month: the period is a month, a quarter or a year."
        case Budget.AmountKind.PLAN if not draft.plan:
            found["plan"] = "Write the amount of at least one month, such as 2026-10: 5000."
        case Budget.AmountKind.LAST_PERIOD if draft.change_percent is None:
            found["change_percent"] = "Write the change in percent, 0 for as much as last period."
    if draft.amount_kind != Budget.AmountKind.PLAN and draft.plan:
        found["plan"] = "Only a planned budget has this: leave it out."
    if draft.amount_kind != Budget.AmountKind.LAST_PERIOD and draft.change_percent is not None:
        found["change_percent"] = "Only a budget by the last period has this: leave it out."
    estimates = draft.unpriced == Budget.Unpriced.ESTIMATE
    if estimates and draft.unpriced_rate is None:
        found["unpriced_rate"] = (
            f"Write {settings.CURRENCY} per million tokens of requests without a price."
        )
    if not estimates and draft.unpriced_rate is not None:
        found["unpriced_rate"] = "Only estimates have a rate: leave it out."
    if "thresholds" not in wrong:
        found.update(thresholds.together(draft.thresholds, of_users=draft.is_of_users))
    return found


def read_filters(given: object) -> tuple[Filter, ...]:
    """From dimension → value or values, "!" before one that is excluded, as the query API has."""
    if given in (None, ""):
        return ()
    if not isinstance(given, Mapping):
        raise ValidationError({"filters": 'Write them as {"team": ["cx"], "model": ["!gpt-4o"]}.'})
    params: dict[str, list[str]] = {}
    wrong: dict[str, str] = {}
    for dimension, values in given.items():
        listed = [values] if isinstance(values, str) else values
        if not (isinstance(dimension, str) and is_dimension(dimension)):
            wrong["filters"] = f"{str(dimension)[:80]!r} is no dimension."
        elif not (isinstance(listed, Sequence) and all(isinstance(v, str) for v in listed)):
            wrong[f"filters.{dimension}"] = "Write a list of values."
        else:
            params[dimension] = list(listed)
            wrong.update(_wrong_filter(dimension, params[dimension]))
    if sum(map(len, params.values())) > MOST_FILTER_VALUES:
        wrong["filters"] = f"Write at most {MOST_FILTER_VALUES} values in all."
    if wrong:
        raise ValidationError(wrong)
    return parse_filters(params)


def _wrong_filter(dimension: str, values: Sequence[str]) -> dict[str, str]:
    try:
        parse_filters({dimension: values})
    except InvalidQuery as error:
        return {f"filters.{dimension}": f"{error.message[:1].upper()}{error.message[1:]}."}
    return {}


def filters_json(filters: Sequence[Filter]) -> dict[str, list[str]]:
    """As `read_filters` reads them, and budgets keep them."""
    found: dict[str, list[str]] = {}
    for each in filters:
        found.setdefault(each.dimension, []).extend(
            written(value, each.exclude) for value in each.values
        )
    return found


def tags_of(draft: Draft) -> set[str]:
    """Keys of the tags that it goes by."""
    named = {draft.for_each, *(each.dimension for each in draft.filters)}
    return {each.removeprefix(TAG_PREFIX) for each in named if each.startswith(TAG_PREFIX)}


def _name(given: object) -> str:
    name = fields.text(given)
    if not name or len(name) > LONGEST_NAME:
        raise ValidationError("Write what the budget is called, in at most 200 characters.")
    return name


def _for_each(given: object) -> str:
    name = fields.text(given)
    if name and not is_dimension(name):
        raise ValidationError(f"{name[:80]!r} is no dimension, such as user, team or tag:release.")
    return name


def _days(given: object) -> int | None:
    return fields.whole(given, *ROLLING)


def _change(given: object) -> Decimal | None:
    number = fields.number(given)
    if number is not None and not -100 < number <= 10_000:
        raise ValidationError("Write more than -100 and at most 10,000 percent.")
    return number


def _plan(given: object) -> tuple[tuple[date, Decimal], ...]:
    if given in (None, ""):
        return ()
    if not isinstance(given, Mapping) or len(given) > MOST_MONTHS:
        raise ValidationError('Write months and amounts: {"2026-10": "5000"}, at most 120.')
    found: dict[date, Decimal] = {}
    wrong: dict[str, str] = {}
    for month, amount in given.items():
        try:
            if (read_amount := fields.positive(amount)) is not None:
                found[fields.month(month)] = read_amount
        except ValidationError as error:
            wrong[f"plan.{str(month)[:20]}"] = error.messages[0]
    if wrong:
        raise ValidationError(wrong)
    return tuple(sorted(found.items()))
