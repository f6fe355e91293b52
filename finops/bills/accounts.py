"""Accounts of bills (projects, workspaces, keys): whose usage each of them is the bill of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import locks
from finops.bills import storing
from finops.locks import Lock
from finops.models import BillAccount
from finops.organisation.stored import Act, log
from finops.periods import add_months
from finops.query import is_text
from finops.reconciliation import provider_name
from finops.reconciliation.lines import plus

DIMENSIONS = ("service", "team")
HEADER = ("provider", "account", *DIMENSIONS)
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Mapped:
    """`dimension` and `value` are whose usage it is; "" where nobody has said."""

    provider: str
    account: str
    dimension: str = ""
    value: str = ""

    @property
    def target(self) -> str:
        return target(self.dimension, self.value)


@dataclass(frozen=True, slots=True)
class Charged:
    """An account in a month's bills; `amounts` are by currency, of all reports that name it, the
    dearest report's."""

    mapped: Mapped
    amounts: Mapping[str, Decimal]
    lines: int


def target(dimension: str, value: str) -> str:
    """What both sides call it."""
    return f"{dimension} {value}"


def every() -> list[Mapped]:
    held = BillAccount.objects.values_list("provider", "account", "dimension", "value")
    return [Mapped(*row) for row in held]


def targets(held: Sequence[Mapped]) -> dict[tuple[str, str], str]:
    """By provider and account."""
    return {(each.provider, each.account): each.target for each in held}


def charged(month: date) -> list[Charged]:
    """The accounts that the month's bills name, those without a service or team first."""
    known = {(each.provider, each.account): each for each in every()}
    sums: dict[tuple[str, str], dict[str, dict[str, Decimal]]] = {}
    lines: dict[tuple[str, str], int] = {}
    for line in storing.in_force(month, add_months(month, 1)):
        if not line.account:
            continue
        key = provider_name(line.provider), line.account
        lines[key] = lines.get(key, 0) + 1
        held = sums.setdefault(key, {}).setdefault(line.source, {})
        if line.amount is not None:
            held[line.currency] = plus(held.get(line.currency), line.amount) or Decimal(0)
    found = [
        Charged(known.get(key, Mapped(*key)), max(of.values(), key=largest), lines[key])
        for key, of in sums.items()
    ]
    return sorted(
        found,
        key=lambda each: (
            bool(each.mapped.value),
            -largest(each.amounts),
            each.mapped.provider,
            each.mapped.account,
        ),
    )


def largest(amounts: Mapping[str, Decimal]) -> Decimal:
    return max(map(abs, amounts.values()), default=Decimal(0))


def read(row: Mapping[str, object]) -> Mapped:
    """Of HEADER's terms; raises ValidationError by term."""
    given = {name: row.get(name) or "" for name in HEADER}
    wrong = {
        name: "Write plain text of at most 200 characters."
        for name, value in given.items()
        if not isinstance(value, str) or not is_text(value) or len(value) > 200
    }
    if wrong:
        raise ValidationError(wrong)
    terms = {name: str(value).strip() for name, value in given.items()}
    wrong = {name: "Write it as the bill has it." for name in HEADER[:2] if not terms[name]}
    said = [name for name in DIMENSIONS if terms[name]]
    if len(said) != 1:
        wrong["service"] = "Name the service or the team whose usage it is: one of the two."
    if wrong:
        raise ValidationError(wrong)
    return Mapped(provider_name(terms["provider"]), terms["account"], said[0], terms[said[0]])


def put(mapped: Mapped, act: Act) -> None:
    """Say whose usage an account is the bill of."""
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        provider, account = mapped.provider, mapped.account
        held = BillAccount.objects.filter(provider=provider, account=account).first()
        before = {held.dimension: held.value} if held else None
        after = {mapped.dimension: mapped.value}
        if before == after:
            return
        BillAccount.objects.update_or_create(
            provider=provider,
            account=account,
            defaults={"dimension": mapped.dimension, "value": mapped.value},
        )
        log("bill.account", f"{mapped.provider} {mapped.account}", act, before=before, after=after)


def forget(provider: str, account: str, act: Act) -> None:
    """Raises ValidationError of `account`."""
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        held = BillAccount.objects.filter(provider=provider, account=account).first()
        if held is None:
            raise ValidationError({"account": "Nobody has said whose usage this account is."})
        held.delete()
        before = {held.dimension: held.value}
        log("bill.account", f"{provider} {account}", act, before=before, after={})


def replace(rows: Sequence[Mapped], act: Act) -> None:
    """All of them at once, in the place of what there is."""
    with transaction.atomic():
        locks.hold(Lock.BILLS)
        before = {f"{each.provider} {each.account}": each.target for each in every()}
        after = {f"{each.provider} {each.account}": each.target for each in rows}
        if before == after:
            return
        BillAccount.objects.all().delete()
        BillAccount.objects.bulk_create(
            BillAccount(
                provider=each.provider,
                account=each.account,
                dimension=each.dimension,
                value=each.value,
            )
            for each in rows
        )
        gone = {name: value for name, value in before.items() if after.get(name) != value}
        new = {name: value for name, value in after.items() if before.get(name) != value}
        log("bill.accounts", "accounts of bills", act, before=gone, after=new)
