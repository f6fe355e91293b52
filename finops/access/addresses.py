"""Who may call which address. An address that is not listed is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple

from finops.access.roles import Ability, Reader, standing

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Open(Enum):
    ANYBODY = auto()
    SIGNED_IN = auto()


Needed = Ability | Open


class Rule(NamedTuple):
    """What reading needs, and what anything else needs where that differs."""

    read: Needed
    write: Needed | None = None

    def needed(self, method: str) -> Needed:
        return self.read if method in SAFE_METHODS or self.write is None else self.write


_COSTS = Rule(Ability.SEE_COSTS)
_ANYBODY = Rule(Open.ANYBODY)
_PRICES = Rule(Ability.SEE_PRICES)

# The name of an address, as in urls.py, and its rule.
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("overview", "explore", "explore-csv", "requests", "request"), _COSTS),
    **dict.fromkeys(("change", "values"), _COSTS),
    **dict.fromkeys(("api-costs", "api-costs-csv", "api-requests", "api-request"), _COSTS),
    **dict.fromkeys(("api-projection", "prices-calculator"), _PRICES),
    **dict.fromkeys(("prices", "prices-model", "prices-line"), _PRICES),
    **dict.fromkeys(("audit", "audit-csv", "audit-lines"), Rule(Ability.SEE_AUDIT)),
    **dict.fromkeys(("api-schema", "api-docs", "api-nothing"), _ANYBODY),
    **dict.fromkeys(("healthz", "readyz", "metrics"), _ANYBODY),
    **dict.fromkeys(("setup", "sign-in", "sign-out"), _ANYBODY),
}


def allows(name: str, method: str, user: Reader) -> bool:
    """Whether this user may call the address of this name with this method."""
    rule = RULES.get(name)
    if rule is None:
        return False
    needed = rule.needed(method)
    if needed is Open.ANYBODY:
        return True
    if isinstance(needed, Ability):
        return standing(user).may(needed)
    return bool(user.is_authenticated and user.is_active)
