"""Accounts of the general ledger: which there are now, and which a closed month was booked with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from finops import audit
from finops.exports.journal import Accounts, Costs
from finops.models import (
    BooksMonth,
    CostCenter,
    CostItem,
    JournalAccounts,
    StatementVersion,
)
from finops.organisation import stored
from finops.organisation.stored import Act
from finops.query import UNATTRIBUTED, is_text

NAME = "journal_accounts"
LONGEST = 100


@dataclass(frozen=True, slots=True)
class General:
    """Those that are nobody's. '' is not given."""

    clearing: str = ""
    unattributed: str = ""


class MissingAccounts(Exception):
    """By what they are missing for: words that say where to give them."""

    def __init__(self, missing: Mapping[str, str]) -> None:
        self.missing = missing
        super().__init__("The journal needs accounts that are not given yet.")


def general() -> General:
    held = stored.value(NAME)
    return General(**held) if isinstance(held, dict) else General()


def keep(given: General, act: Act) -> bool:
    """Whether that changed anything. Raises ValidationError."""
    if wrong := {
        name: f"Write at most {LONGEST} characters of plain text."
        for name, account in asdict(given).items()
        if len(account) > LONGEST or not is_text(account)
    }:
        raise ValidationError(wrong)
    kept = asdict(given) if given != General() else None
    before, after = asdict(general()), asdict(given)
    return stored.store(NAME, kept, act, subject="Journal", before=before, after=after)


def in_force(costs: Costs) -> Accounts:
    """Those of now, of what is to be booked."""
    held = general()
    centers = CostCenter.objects.filter(code__in=costs.centers).values_list("code", "gl_account")
    numbers = [int(item) for item in costs.items if item.isdigit()]
    items = CostItem.objects.filter(pk__in=numbers).values_list("pk", "gl_account")
    return Accounts(
        held.clearing,
        held.unattributed,
        dict(centers),
        {str(number): account for number, account in items},
    )


def missing_of(accounts: Accounts, centers: Collection[str]) -> dict[str, str]:
    """What has no account, and where to give it one."""
    found = {
        code: "Give the cost center a GL account: Settings, Ownership, Cost centers."
        for code in sorted(centers)
        if code != UNATTRIBUTED and not accounts.of_center(code)
    }
    where = "Settings, Journal."
    if UNATTRIBUTED in centers and not accounts.unattributed:
        found["unattributed"] = f"Give what has no cost center an account: {where}"
    if not accounts.clearing:
        found["clearing"] = f"Give the account that bills were booked to: {where}"
    return found


def of_draft(costs: Costs) -> Accounts:
    """Raises MissingAccounts."""
    found = in_force(costs)
    if missing := missing_of(found, [code for code, cost in costs.centers.items() if cost]):
        raise MissingAccounts(missing)
    return found


def of_statement(statement: StatementVersion, costs: Costs, act: Act) -> Accounts:
    """Those that its journal was first made with, which is now where it never was: from then on it
    stays the same, whatever accounts are changed. Raises MissingAccounts."""
    if held := fixed(statement):
        return held
    found = of_draft(costs)
    with transaction.atomic():
        _, is_new = JournalAccounts.objects.get_or_create(
            statement_id=statement.pk, defaults={"accounts": asdict(found), "fixed_at": act.at}
        )
        if is_new:
            audit.record(
                "books.journal",
                str(statement),
                at=act.at,
                by=act.by,
                address=act.address,
                after={"clearing": found.clearing, "unattributed": found.unattributed},
            )
    return fixed(statement) or found


def fixed(statement: StatementVersion) -> Accounts | None:
    held = JournalAccounts.objects.filter(statement_id=statement.pk).first()
    return Accounts(**held.accounts) if held else None


def missing_in(month: date, centers: Collection[str]) -> list[str]:
    """Names of what has no account to book the month with."""
    newest = StatementVersion.objects.filter(month=month).order_by("-version").first()
    is_closed = BooksMonth.objects.filter(month=month).exclude(state=BooksMonth.State.DRAFT)
    if newest and is_closed.exists() and fixed(newest):
        return []
    return list(missing_of(in_force(Costs(dict.fromkeys(centers, Decimal(0)), {})), centers))
