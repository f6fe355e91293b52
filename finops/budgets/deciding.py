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
# After these the amount is another.
CHANGING = (APPROVE, END)
OWN = (
    "You asked for this yourself: somebody else of administrators and finance decides. "
    "You may withdraw it."
)


def holds(increase: BudgetIncrease, now: datetime) -> bool:
    return increase.state == State.APPROVED and increase.until > now


def open_to(reader: Reader, increase: BudgetIncrease, now: datetime) -> tuple[str, ...]:
    """What this reader may do about it as it is now."""
    manages = access.standing(reader).may(Ability.MANAGE_BUDGETS)
    if increase.state == State.ASKED:
        own = (WITHDRAW,) if is_own(reader, increase) else ()
        decides = manages and not waits_for_others(reader, increase)
        return (APPROVE, REFUSE, *own) if decides else own
    return (END,) if manages and holds(increase, now) else ()


def is_own(reader: Reader, increase: BudgetIncrease) -> bool:
    return increase.asked_by == audit.name_of(reader)


def waits_for_others(reader: Reader, increase: BudgetIncrease) -> bool:
    """Whether somebody else has to decide: nobody does about what they asked for themselves, as
    long as there is another active user who may."""
    if not is_own(reader, increase):
        return False
    return access.holders(Ability.MANAGE_BUDGETS).exclude(username=increase.asked_by).exists()


def do(
    reader: Reader, increase: BudgetIncrease, verb: str, note: str, act: Doing
) -> BudgetIncrease:
    """Raises PermissionDenied where it is not for this reader, NotWaiting where it is too late for
    anybody, and ValidationError, field by field."""
    if verb not in VERBS:
        raise ValidationError({"verb": f"Write one of {', '.join(VERBS)}."})
    if verb not in open_to(reader, increase, act.at):
        raise _refusal(reader, increase, verb, act.at)
    if verb == APPROVE:
        return increases.approve(increase.pk, note, act, is_alone=is_own(reader, increase))
    if verb == REFUSE:
        return increases.refuse(increase.pk, note, act)
    if verb == END:
        return increases.end(increase.pk, note, act)
    return increases.withdraw(increase.pk, act)


def _refusal(reader: Reader, increase: BudgetIncrease, verb: str, now: datetime) -> Exception:
    could_be = holds(increase, now) if verb == END else increase.state == State.ASKED
    if not could_be:
        return NotWaiting(f"It is {increase.get_state_display()}, so that cannot be done.")
    if verb == WITHDRAW:
        return PermissionDenied("Only who asked may withdraw it.")
    if verb in (APPROVE, REFUSE) and waits_for_others(reader, increase):
        return PermissionDenied(OWN)
    return PermissionDenied("Administrators and finance decide about budgets.")
