"""A cost item as a person or a program writes it: what each kind has, and what fits together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar, cast

from django.core.exceptions import ValidationError

from finops.allocation import Charge, Percent, problem_of
from finops.allocation.charges import Measure, Method
from finops.budgets.drafts import filters_json, read_filters
from finops.budgets.fields import choice, note, number, positive
from finops.cost_items import values
from finops.cost_items.values import Size
from finops.models import CostItem
from finops.query import UNATTRIBUTED, Filter

Read = TypeVar("Read")
Kind = CostItem.Kind
# What every kind has, and what some have besides.
COMMON = (
    *("name", "kind", "effective_from", "effective_to", "filters", "method", "measure"),
    *("weights", "targets", "fallback", "currency", "gl_account", "note"),
)
OWN: Mapping[str, tuple[str, ...]] = {
    Kind.FIXED: ("amount",),
    Kind.OVERHEAD: ("percent", "percent_of"),
    Kind.COMMITMENT: (
        *("amount", "term_start", "term_end", "hour_price"),
        *("capacity_unit", "capacity_per_hour"),
    ),
    Kind.FLEET: ("sizes",),
    Kind.CREDIT: ("amount", "percent", "percent_of"),
    Kind.TAX: ("amount", "percent", "percent_of"),
    Kind.TRUE_UP: ("amount", "reference"),
}
FIELDS = tuple(dict.fromkeys((*COMMON, *(name for own in OWN.values() for name in own))))
CAPACITY = frozenset({Kind.COMMITMENT.value, Kind.FLEET.value})


@dataclass(frozen=True, slots=True)
class Draft:
    """Names are those of CostItem's columns."""

    name: str
    kind: str
    effective_from: date
    effective_to: date | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    percent_of: str = CostItem.Of.DIRECT_COST.value
    term_start: date | None = None
    term_end: date | None = None
    hour_price: Decimal | None = None
    capacity_unit: str = ""
    capacity_per_hour: Decimal | None = None
    sizes: tuple[Size, ...] = ()
    filters: tuple[Filter, ...] = ()
    method: str = CostItem.Method.PROPORTIONAL.value
    measure: str = CostItem.Measure.DIRECT_COST.value
    weights: Mapping[str, Decimal] | None = None
    targets: tuple[str, ...] = ()
    fallback: str = ""
    currency: str = ""  # empty: the reporting currency
    gl_account: str = ""
    reference: str = ""
    note: str = ""

    @property
    def is_capacity(self) -> bool:
        return self.kind in CAPACITY

    @property
    def counts_so_far(self) -> bool:
        """Whether it depends on what items before it gave."""
        is_percent = self.percent is not None and self.percent_of == CostItem.Of.SO_FAR
        return is_percent or self.measure == CostItem.Measure.SO_FAR


def read(given: Mapping[str, object]) -> Draft:
    """The draft of FIELDS, as JSON or a form has them. Raises ValidationError by field: of filters
    `filters.<dimension>`, of sizes `sizes.<number>`."""
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in Kind.values:
        raise ValidationError({"kind": f"Write one of {', '.join(Kind.values)}."})
    known = (*COMMON, *OWN[kind])
    wrong = {
        str(name)[:80]: f"A cost item of this kind has no such field; it has {', '.join(known)}."
        for name, value in given.items()
        if name not in known and (name not in FIELDS or value not in (None, "", [], {}))
    }
    if kind in CAPACITY and given.get("measure") in (None, ""):
        given = {**given, "measure": CostItem.Measure.USED.value}
    found: dict[str, Any] = {}
    for name, (reader, harmless) in READERS.items():
        found[name] = _field(given, name, reader, harmless, wrong)
    if isinstance(found["effective_from"], date):
        draft = Draft(kind=kind, **found)
        wrong = {**_parts_of_cents(draft), **problems(draft), **wrong}
    if wrong:
        raise ValidationError(wrong)
    return draft


def _field(
    given: Mapping[str, object],
    name: str,
    reader: Callable[[object], Read],
    harmless: Read,
    wrong: dict[str, str],
) -> Read:
    try:
        return reader(given.get(name))
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {name: error.messages}
        wrong.update({key: messages[0] for key, messages in found.items()})
    return harmless


READERS: Mapping[str, tuple[Callable[[object], Any], Any]] = {
    "name": (values.name, ""),
    "effective_from": (values.needed_day, None),
    "effective_to": (values.day, None),
    "amount": (number, None),
    "percent": (values.percent, None),
    "percent_of": (choice(CostItem.Of.values, "direct_cost"), "direct_cost"),
    "term_start": (values.day, None),
    "term_end": (values.day, None),
    "hour_price": (positive, None),
    "capacity_unit": (choice(("", *CostItem.Unit.values), ""), ""),
    "capacity_per_hour": (positive, None),
    "sizes": (values.sizes, ()),
    "filters": (read_filters, ()),
    "method": (choice(CostItem.Method.values, "proportional"), "proportional"),
    "measure": (choice(CostItem.Measure.values, "direct_cost"), "direct_cost"),
    "weights": (values.weights, {}),
    "targets": (values.targets, ()),
    "fallback": (values.text, ""),
    "currency": (values.currency, ""),
    "gl_account": (values.account, ""),
    "reference": (values.text, ""),
    "note": (note, ""),
}


def problems(draft: Draft) -> dict[str, str]:
    """What is wrong with fields beside each other."""
    found = _amounts(draft)
    if draft.effective_to and draft.effective_to <= draft.effective_from:
        found["effective_to"] = "The end comes after the first day; it is the first day without it."
    if draft.kind == Kind.TRUE_UP and draft.effective_to:
        found["effective_to"] = "A one-off amount falls on one month: leave the end out."
    if draft.weights and draft.method not in {"fixed", "weighted"}:
        found["weights"] = "Only fixed percentages and weights have these: leave them out."
    if draft.targets and draft.method in {"fixed", "weighted"}:
        found["targets"] = "The cost centers are those with a share: leave these out."
    if draft.measure == CostItem.Measure.USED and not draft.is_capacity:
        found["measure"] = "Only a commitment or a fleet is used by the hour: choose another one."
    if problem := problem_of(sample(draft)):
        found.setdefault(_place(draft), problem)
    if draft.counts_so_far and not _has_whole_months(draft):
        found["effective_from"] = (
            "What counts what was borne so far begins and ends with a month: choose a first."
        )
    apart = {each.dimension for each in draft.filters} & {"user", "cost_center"}
    if draft.is_capacity and apart:
        found["filters"] = f"Capacity is known by the hour, {min(apart).replace('_', ' ')} is not."
    return found


def _parts_of_cents(draft: Draft) -> dict[str, str]:
    """An amount that nobody can pay. What a bill differs by may be so fine, and is kept exactly."""
    amount = draft.amount
    if amount is None or draft.kind == Kind.TRUE_UP or amount == round(amount, 2):
        return {}
    return {"amount": "Write whole cents, as they are paid: at most two decimals."}


def _place(draft: Draft) -> str:
    if draft.method in {"fixed", "weighted"}:
        return "weights"
    return "filters"


def sample(draft: Draft) -> Charge:
    """A charge of this kind, to see whether it can be shared out."""
    return Charge(
        item="",
        name=draft.name,
        amount=Percent(draft.percent, cast(Any, draft.percent_of)) if draft.percent else Decimal(1),
        method=cast(Method, draft.method),
        measure=cast(Measure, draft.measure),
        weights=draft.weights or {},
        scope={} if draft.filters or draft.is_capacity else None,
        targets=frozenset(draft.targets) or None,
        fallback=draft.fallback or UNATTRIBUTED,
    )


def _has_whole_months(draft: Draft) -> bool:
    if draft.kind == Kind.TRUE_UP:
        return True
    ends = draft.effective_to is None or draft.effective_to.day == 1
    return draft.effective_from.day == 1 and ends


def _amounts(draft: Draft) -> dict[str, str]:
    """What is to be paid, by kind."""
    match draft.kind:
        case Kind.FIXED if not (draft.amount and draft.amount > 0):
            return {"amount": "Write how much is paid a month, more than 0."}
        case Kind.TRUE_UP if not draft.amount:
            return {"amount": "Write the amount; below 0 where it is given back."}
        case Kind.OVERHEAD if draft.percent is None:
            return {"percent": "Write how many percent."}
        case Kind.CREDIT | Kind.TAX if (draft.amount is None) == (draft.percent is None):
            return {"amount": "Write either an amount a month or a percentage."}
        case Kind.CREDIT | Kind.TAX if draft.amount is not None and draft.amount <= 0:
            return {"amount": "Write more than 0; that a credit takes it off is understood."}
        case Kind.COMMITMENT:
            return _commitment(draft)
        case Kind.FLEET if not draft.sizes:
            return {"sizes": "Write from which day how many GPUs there are, and their price."}
    return {}


def _commitment(draft: Draft) -> dict[str, str]:
    found = {}
    term = (draft.amount, draft.term_start, draft.term_end)
    if draft.amount is None and draft.hour_price is None:
        found["amount"] = "Write what is paid for the term, a price per hour, or both."
    elif any(term) and not all(term):
        found["term_end"] = "An amount for a term needs the term's first day and its end."
    elif draft.amount is not None and draft.amount <= 0:
        found["amount"] = "Write more than 0."
    elif draft.term_start and draft.term_end and draft.term_end <= draft.term_start:
        found["term_end"] = "The end comes after the first day; it is the first day without it."
    if not (draft.capacity_unit and draft.capacity_per_hour):
        found["capacity_per_hour"] = "Write how much of what it holds in an hour."
    return found


def draft_of(item: CostItem) -> Draft:
    """The terms of a row."""
    held = {each.name: getattr(item, each.name) for each in fields(Draft)}
    held["filters"] = read_filters(item.filters)
    held["sizes"] = values.sizes(item.sizes)
    held["weights"] = values.weights(item.weights)
    held["targets"] = tuple(item.targets)
    return Draft(**held)


def fields_of(draft: Draft) -> dict[str, Any]:
    """As JSON has it and `read` reads it: the fields of its kind."""
    return {name: column(name, getattr(draft, name)) for name in (*COMMON, *OWN[draft.kind])}


# What is kept as JSON, and how nothing of it is written.
EMPTY: Mapping[str, Any] = {"filters": {}, "sizes": [], "weights": {}, "targets": []}


def column(name: str, value: object) -> Any:
    """A term as JSON has it."""
    return written(value) or EMPTY[name] if name in EMPTY else written(value)


def written(value: object) -> Any:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case date():
            return value.isoformat()
        case Mapping():
            return {key: written(each) for key, each in value.items()}
        case [Filter(), *_]:
            return filters_json(cast(Sequence[Filter], value))
        case [Size(), *_]:
            return [each.written() for each in cast(Sequence[Size], value)]
        case tuple():
            return list(value)
    return value
