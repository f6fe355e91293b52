"""Who may do what about an increase that somebody asked for."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import PermissionDenied, ValidationError

from finops import access, audit
from finops.access import Ability, Reader
from finops.budgets import increases
from finops.budgets.increases import Doing, NotWaiting, State
from finops.models import BudgetIncrease

APPROVE, REFUSE, WITHDRAW, END = "approve", "refuse", "withdraw", "end"
VERBS = (APPROVE, REFUSE, WITHDRAW, END)


def holds(increase: BudgetIncrease, now: datetime) -> bool:
    return increase.state == State.APPROVED and increase.until > now


def open_to(reader: Reader, increase: BudgetIncrease, now: datetime) -> tuple[str, ...]:
    """What this reader may do about it as it is now."""
    manages = access.standing(reader).may(Ability.MANAGE_BUDGETS)
    if increase.state == State.ASKED:
        own = (WITHDRAW,) if increase.asked_by == audit.name_of(reader) else ()
        return (APPROVE, REFUSE, *own) if manages else own
    return (END,) if manages and holds(increase, now) else ()


def do(
    reader: Reader, increase: BudgetIncrease, verb: str, note: str, act: Doing
) -> BudgetIncrease:
    """Raises PermissionDenied where it is not for this reader, NotWaiting where it is too late for
    anybody, and ValidationError, field by field."""
    if verb not in VERBS:
        raise ValidationError({"verb": f"Write one of {', '.join(VERBS)}."})
    if verb not in open_to(reader, increase, act.at):
        raise _refusal(increase, verb, act.at)
    if verb == APPROVE:
        return increases.approve(increase.pk, note, act)
    if verb == REFUSE:
        return increases.refuse(increase.pk, note, act)
    if verb == END:
        return increases.end(increase.pk, note, act)
    return increases.withdraw(increase.pk, act)


def _refusal(increase: BudgetIncrease, verb: str, now: datetime) -> Exception:
    could_be = holds(increase, now) if verb == END else increase.state == State.ASKED
    if not could_be:
        return NotWaiting(f"It is {increase.get_state_display()}, so that cannot be done.")
    if verb == WITHDRAW:
        return PermissionDenied("Only who asked may withdraw it.")
    return PermissionDenied("Administrators and finance decide about budgets.")
