"""Finding budgets among many: by name and by how they stand, the most urgent first."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import NullIf

from finops.budgets.questions import NO_VALUES
from finops.budgets.recording import UNREAD_FOR
from finops.models import Budget, BudgetStatus
from finops.periods import InvalidQuery

State = BudgetStatus.State
OVER, NEAR, UNPRICED, STALE = "over", "near", "unpriced", "stale"
STATES = (OVER, NEAR, UNPRICED, STALE)
BY_NAME, BY_URGENCY = "name", "urgency"
SORTS = (BY_NAME, BY_URGENCY)


@dataclass(frozen=True, slots=True)
class Search:
    """Words that the name has, in any case; `state` is one of STATES, "" any."""

    text: str = ""
    state: str = ""

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Search:
        """Raises InvalidQuery, which names the parameter."""
        text, state = params.get("q", ""), params.get("state", "")
        if "\0" in text:
            raise InvalidQuery("q", "must be text")
        if state and state not in STATES:
            raise InvalidQuery("state", f"{state[:80]!r} is none of {', '.join(STATES)}")
        return cls(text.strip(), state)

    def to_params(self) -> dict[str, str]:
        given = {"q": self.text, "state": self.state}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Place:
    """One budget of a list: how the whole of it stands, and the status whose figures stand for it:
    of a budget for each value that of the worst. None before the first evaluation."""

    number: int
    name: str
    whole: BudgetStatus | None
    shown: BudgetStatus | None

    @property
    def urgency(self) -> tuple[int, Decimal]:
        return min(urgency(self.shown), urgency(self.whole))

    @property
    def marked(self) -> BudgetStatus | None:
        """The status whose state stands for it: a value may have reached a threshold on its
        forecast or burn rate while another one is nearer to its amount."""
        is_worse = urgency(self.whole)[0] < urgency(self.shown)[0]
        return self.whole if is_worse else self.shown


def named(seen: QuerySet[Budget], search: Search) -> QuerySet[Budget]:
    found = seen.prefetch_related(None).select_related(None)
    for word in search.text.split():
        found = found.filter(name__icontains=word)
    return found


def after(found: QuerySet[Budget], last: tuple[int, str]) -> QuerySet[Budget]:
    """Those that follow one of this number and name, which may be there no more."""
    number, name = last
    return found.filter(Q(name__gt=name) | Q(name=name, pk__gt=number))


def places(
    found: QuerySet[Budget], search: Search, now: datetime, *, sort: str = BY_URGENCY
) -> list[Place]:
    """All that the search finds, in order."""
    rows = list(found.order_by("name", "pk").values_list("pk", "name", "for_each"))
    whole = wholes_of([number for number, _, _ in rows])
    worst = worst_of([number for number, _, for_each in rows if for_each])
    listed = [
        Place(number, name, whole.get(number), worst.get(number) or whole.get(number))
        for number, name, _ in rows
    ]
    kept = [each for each in listed if is_in(each, search.state, now)]
    return kept if sort == BY_NAME else sorted(kept, key=lambda each: (each.urgency, each.name))


def is_in(place: Place, state: str, now: datetime) -> bool:
    whole, shown = place.whole, place.shown
    if not state:
        return True
    if whole is None or shown is None:
        return False
    if state == OVER:
        return State.OVER in (whole.state, shown.state)
    if state == NEAR:
        states = (whole.state, shown.state)
        is_near = State.NEAR in states or is_heading_over(shown)
        return is_near and State.OVER not in states
    if state == UNPRICED:
        return whole.unpriced_requests > 0
    return whole.is_stale or bool(whole.problem) or is_old(whole, now)


def is_old(whole: BudgetStatus, now: datetime) -> bool:
    is_far: bool = now - whole.evaluated_at >= UNREAD_FOR
    return is_far


def wholes_of(numbers: Collection[int]) -> dict[int, BudgetStatus]:
    """Budget → how all of it stands."""
    rows = BudgetStatus.objects.filter(budget__in=numbers, value="")
    return {each.budget_id: each for each in rows}


def worst_of(numbers: Collection[int]) -> dict[int, BudgetStatus]:
    """Budget for each value → the value that is nearest to its amount or furthest over it."""
    rows = BudgetStatus.objects.filter(budget__in=numbers)
    share = (F("actual") / NullIf(F("amount"), Value(Decimal(0)))).desc(nulls_last=True)
    ranked = rows.exclude(value__in=["", *NO_VALUES]).order_by("budget_id", share, "value")
    return {each.budget_id: each for each in ranked.distinct("budget_id")}


def farthest_of(numbers: Collection[int]) -> dict[int, BudgetStatus]:
    """Budget for each value → the value whose forecast is furthest over its amount, if one is."""
    rows = BudgetStatus.objects.filter(budget__in=numbers, forecast__gt=F("amount"))
    share = (F("forecast") / NullIf(F("amount"), Value(Decimal(0)))).desc(nulls_last=True)
    ranked = rows.exclude(value__in=["", *NO_VALUES]).order_by("budget_id", share, "value")
    return {each.budget_id: each for each in ranked.distinct("budget_id")}


def is_heading_over(status: BudgetStatus) -> bool:
    known = status.forecast is not None and status.amount is not None
    return known and status.state != State.OVER and status.forecast > status.amount


def urgency(status: BudgetStatus | None) -> tuple[int, Decimal]:
    """To sort by: what is over first, then by the share that is spent."""
    if status is None:
        return 9, Decimal(0)
    ranks = {State.OVER: 0, State.NEAR: 1, State.UNKNOWN: 2}
    rank = 2 if is_heading_over(status) else ranks.get(State(status.state), 3)
    return rank, -(status.actual / status.amount) if status.amount else Decimal(0)


@dataclass(frozen=True, slots=True)
class Portion:
    """`next_cursor` is the `cursor` of the portion after; None on the last."""

    numbers: Sequence[int]
    next_cursor: str | None


def portion(
    seen: QuerySet[Budget], search: Search, now: datetime, *, sort: str, cursor: str, size: int
) -> Portion:
    """So many budgets that come after the one of the cursor. Raises InvalidQuery."""
    found, last = named(seen, search), read_cursor(cursor) if cursor else None
    if last and sort == BY_NAME:
        found = after(found, last)
    listed = places(found, search, now, sort=sort)
    if last and sort == BY_URGENCY:
        numbers = [each.number for each in listed]
        if last[0] not in numbers:
            raise InvalidQuery("cursor", "is of a budget that left this list: begin again")
        listed = listed[numbers.index(last[0]) + 1 :]
    following = cursor_of(listed[size - 1]) if len(listed) > size else None
    return Portion([each.number for each in listed[:size]], following)


def cursor_of(place: Place) -> str:
    written = f"{place.number} {place.name}".encode()
    return urlsafe_b64encode(written).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, str]:
    """The number and the name. Raises InvalidQuery."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        number, _, name = urlsafe_b64decode(padded).decode().partition(" ")
        found = int(number)
    except ValueError:
        found, name = -1, ""
    if not 0 <= found < 2**31 or "\0" in name:
        raise InvalidQuery("cursor", f"{cursor[:80]!r} is none that was given out")
    return found, name
