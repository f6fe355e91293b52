"""What was converted, and what is not compared, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from finops import formats
from finops.bills.apart import COUNTED, CURRENCY, NO_ACCOUNT, NO_REPORT, OWN_FLEET, Unbilled
from finops.bills.months import Reconciliation
from finops.models import BillImport

REASONS = {
    NO_REPORT: "of which no report says anything. Import its bill of these days.",
    COUNTED: "whose usage is reported without amounts. Import its costs too.",
    CURRENCY: "of which something is billed in a currency without a known exchange rate.",
    OWN_FLEET: "are of fleets of your own: nobody bills them.",
    NO_ACCOUNT: "are of services and teams that no account of a bill is mapped to.",
}


def exchanged(found: Reconciliation) -> Iterable[str]:
    """What was converted, in sentences."""
    for each in found.exchanged:
        days = f"{each.first}" if each.first == each.last else f"{each.first} to {each.last}"
        yield (
            f"{each.provider}: {formats.money_long(each.amount, each.currency)} in "
            f"{lines(each.lines)} are "
            f"{formats.money_long(each.converted, found.currency)}, each by the rate of its day "
            f"({each.source}, {days})."
        )


def apart(found: Reconciliation) -> Iterable[str]:
    for each in found.foreign:
        yield (
            f"{each.provider}: {each.amount:f} {each.currency} in {lines(each.lines)} of days on "
            "which something is billed in a currency without a known exchange rate are not "
            "compared. Import rates: Settings, Exchange rates."
        )
    for account in found.unmapped:
        named = f"account {account.account}" if account.account else "no account"
        yield (
            f"{account.provider}, {named}: {formats.money_long(account.amount, found.currency)} in "
            f"{lines(account.lines)}, of which nobody has said whose usage it is."
        )
    for unseen in found.unbilled:
        yield f"{unseen.provider}: {usage(unseen, found.currency)} {REASONS[unseen.reason]}"
    billed, used = set(found.providers), set(found.names)
    for provider in sorted(billed - used):
        known = ", ".join(sorted(used)) or "none"
        yield (
            f"{provider}: no usage of a provider of this name arrived; providers of usage are "
            f"{known}. Is the name misspelt, withdraw the import and import it with the right one."
        )


def usage(unseen: Unbilled, currency: str) -> str:
    """What it cost, as far as anybody knows."""
    unpriced = formats.count_long(unseen.unpriced_requests)
    if unseen.unpriced_requests == unseen.requests:
        cost = f"{unpriced} requests without a price"
    else:
        cost = f"{formats.money_long(unseen.cost, currency)} of ours"
        if unseen.unpriced_requests:
            cost += f", and {unpriced} requests without a price,"
    days = f"{unseen.days} day{'' if unseen.days == 1 else 's'}"
    return f"{cost} on {days} ({unseen.first} to {unseen.last})"


def lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"


def left_out(made: BillImport) -> str:
    """What of the file is no inference; "" of nothing."""
    if not made.left_out:
        return ""
    amounts = ", ".join(
        f"{amount} {currency}" for currency, amount in made.left_out["amounts"].items()
    )
    return f"{lines(made.left_out['lines'])} of other things than inference left out: {amounts}"
