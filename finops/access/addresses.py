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
_SIGNED_IN = Rule(Open.SIGNED_IN)

# Signing in, in as many steps as it takes; names with an underscore are django-allauth's.
_SIGNING_IN = (
    *("setup", "sign-in", "sign-out", "account_login", "account_logout", "account_inactive"),
    *("account_reset_password", "account_reset_password_done"),
    *("account_reset_password_from_key", "account_reset_password_from_key_done"),
    *("mfa_authenticate", "mfa_login_webauthn"),
    *("openid_connect_login", "openid_connect_callback"),
    *("socialaccount_login_cancelled", "socialaccount_login_error"),
)
_OWN_ACCOUNT = (
    *("account", "account-session-end", "account-sessions-end"),
    *("account_change_password", "account_set_password", "account_reauthenticate"),
    *("mfa_index", "mfa_list_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
    *("mfa_generate_recovery_codes", "mfa_download_recovery_codes"),
    *("mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn"),
    "socialaccount_connections",
)
_SETTINGS = Rule(Ability.SEE_SETTINGS, Ability.MANAGE_SETTINGS)
_BOOKS = Rule(Ability.SEE_BOOKS, Ability.MANAGE_BOOKS)
_MANAGE_BUDGETS = Rule(Ability.SEE_BUDGETS, Ability.MANAGE_BUDGETS)
_MANAGE_BOOKS = Rule(Ability.MANAGE_BOOKS)
_MANAGE_PRICES = Rule(Ability.MANAGE_PRICES)
_CHANNELS = Rule(Ability.MANAGE_CHANNELS)
_BUDGETS = Rule(Ability.SEE_BUDGETS)
_PLANS = Rule(Ability.SEE_COSTS, Ability.ANSWER_ALERTS)

# The name of an address, as in urls.py, and its rule.
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("overview", "explore", "explore-csv", "requests", "request"), _COSTS),
    **dict.fromkeys(("change", "values", "forecast", "forecast-csv", "api-forecast"), _COSTS),
    **dict.fromkeys(("users", "user", "user-limits", "users-csv"), _COSTS),
    **dict.fromkeys(("api-users", "api-user", "api-user-concentration"), _COSTS),
    "api-user-limits": _COSTS,
    **dict.fromkeys(("explain", "api-explain", "api-explain-csv"), _COSTS),
    **dict.fromkeys(("budgets", "budget"), _BUDGETS),
    **dict.fromkeys(("budget-new", "budget-change", "budget-delete"), Rule(Ability.MANAGE_BUDGETS)),
    "budget-increase-new": Rule(Ability.ASK_FOR_BUDGETS),
    # Who may decide, and who withdraw, is for the page: it is another person's or one's own.
    **dict.fromkeys(
        ("budget-increase", "api-budget-increases", "api-budget-increase"),
        Rule(Ability.SEE_BUDGETS, Ability.ASK_FOR_BUDGETS),
    ),
    **dict.fromkeys(("api-costs", "api-costs-csv", "api-requests", "api-request"), _COSTS),
    "api-requests-csv": _COSTS,
    **dict.fromkeys(("api-projection", "prices-calculator"), _PRICES),
    **dict.fromkeys(("prices", "prices-model", "prices-line", "prices-unpriced"), _PRICES),
    "prices-holds": _PRICES,
    "prices-sources": Rule(Ability.SEE_PRICES, Ability.MANAGE_PRICES),
    "prices-hold": Rule(Ability.MANAGE_PRICES),
    **dict.fromkeys(("people", "person", "person-active"), Rule(Ability.MANAGE_PEOPLE)),
    **dict.fromkeys(("teams", "team"), Rule(Ability.MANAGE_PEOPLE)),
    **dict.fromkeys(("ingest", "ingest-arrival"), Rule(Ability.SEE_INGEST)),
    "ingest-test": Rule(Ability.MANAGE_KEYS),
    **dict.fromkeys(("invitations", "invitation-again"), Rule(Ability.MANAGE_PEOPLE)),
    "invitation-revoke": Rule(Ability.MANAGE_PEOPLE),
    "invitation": _ANYBODY,
    **dict.fromkeys(("settings", "settings-calendar", "settings-retention"), _SETTINGS),
    **dict.fromkeys(("settings-ownership", "settings-ownership-import"), _BOOKS),
    **dict.fromkeys(("settings-ownership-csv", "settings-cost-centers"), _BOOKS),
    **dict.fromkeys(("unattributed", "api-unattributed", "api-cost-centers"), _BOOKS),
    **dict.fromkeys(("api-ownership-rules", "api-ownership-rules-csv"), _BOOKS),
    **dict.fromkeys(("settings-ownership-rule", "api-ownership-rule"), _BOOKS),
    **dict.fromkeys(("reconcile", "api-bills", "api-reconciliation-csv"), _BOOKS),
    **dict.fromkeys(("reconcile-accounts", "api-bill-accounts"), _BOOKS),
    **dict.fromkeys(("api-bill-accounts-csv", "api-bill"), _BOOKS),
    **dict.fromkeys(("api-reconciliation-json", "api-reconciliation-true-ups"), _BOOKS),
    **dict.fromkeys(("settings-tiers", "settings-tags", "settings-limits"), _SETTINGS),
    **dict.fromkeys(("allocation", "api-allocation-csv", "api-allocation-json"), _COSTS),
    **dict.fromkeys(("allocation-cost-center", "api-allocation-xlsx"), _COSTS),
    **dict.fromkeys(("close", "statements", "statement-csv", "statement-xlsx"), _BOOKS),
    **dict.fromkeys(("api-allocation-journal", "settings-journal"), _BOOKS),
    **dict.fromkeys(("api-books", "api-books-month", "api-books-close", "api-books-sent"), _BOOKS),
    **dict.fromkeys(("api-books-reopening", "api-books-agreement"), _BOOKS),
    **dict.fromkeys(("api-books-version-csv", "api-books-version-json"), _BOOKS),
    "api-books-differences": _BOOKS,
    **dict.fromkeys(("api-allocation-focus-csv", "api-allocation-focus-json"), _COSTS),
    **dict.fromkeys(("settings-exchange-rates", "api-exchange-rates"), _BOOKS),
    **dict.fromkeys(("api-cost-items", "api-cost-item", "settings-cost-items"), _BOOKS),
    **dict.fromkeys(
        ("settings-cost-item-new", "settings-cost-item", "settings-cost-item-end"), _MANAGE_BOOKS
    ),
    "settings-cost-item-move": _MANAGE_BOOKS,
    **dict.fromkeys(("settings-exports", "api-export-schedules"), _BOOKS),
    **dict.fromkeys(("api-export-schedule", "api-export-runs"), _BOOKS),
    **dict.fromkeys(("settings-export-new", "settings-export"), _MANAGE_BOOKS),
    **dict.fromkeys(("settings-export-send", "settings-export-turn"), _MANAGE_BOOKS),
    **dict.fromkeys(("settings-tier", "settings-tier-remove"), Rule(Ability.MANAGE_SETTINGS)),
    **dict.fromkeys(
        ("settings-privacy", "settings-erase", "settings-hashing"), Rule(Ability.MANAGE_SETTINGS)
    ),
    **dict.fromkeys(("settings-erasure", "settings-erasure-json"), Rule(Ability.MANAGE_SETTINGS)),
    "settings-operations": _SETTINGS,
    "settings-operation-turn": Rule(Ability.MANAGE_SETTINGS),
    **dict.fromkeys(("api-budgets", "api-budget", "api-budget-status"), _MANAGE_BUDGETS),
    "api-operations": Rule(Ability.SEE_SETTINGS),
    **dict.fromkeys(("channels", "channel-new", "channel", "channel-remove"), _CHANNELS),
    **dict.fromkeys(("channel-test", "channel-turn", "channel-key"), _CHANNELS),
    **dict.fromkeys(("alerts", "alert", "api-alerts", "api-alert"), _BUDGETS),
    **dict.fromkeys(("alert-acknowledge", "alert-snooze"), Rule(Ability.ANSWER_ALERTS)),
    **dict.fromkeys(("anomalies", "anomaly", "api-anomalies", "api-anomaly"), _COSTS),
    **dict.fromkeys(("anomaly-verdict", "api-anomaly-verdict"), Rule(Ability.ANSWER_ALERTS)),
    # Who sees teams of their own plans for those: that is for the page.
    **dict.fromkeys(("planned-events", "api-planned-events", "api-planned-event"), _PLANS),
    **dict.fromkeys(("planned-event", "planned-event-remove"), Rule(Ability.ANSWER_ALERTS)),
    "settings-anomalies": _SETTINGS,
    # Which metrics, and of whom, is for the page: money is for who sees the books.
    **dict.fromkeys(("unit-economics", "api-unit-economics", "api-unit-economics-csv"), _COSTS),
    **dict.fromkeys(("api-business-metrics", "api-business-metric"), _BOOKS),
    **dict.fromkeys(("api-business-metric-values", "settings-business-metrics"), _BOOKS),
    **dict.fromkeys(("settings-business-metric", "settings-business-metric-remove"), _BOOKS),
    "unsubscribe": _ANYBODY,  # whoever has the link of a mail
    "account-summary": _COSTS,
    "settings-tag-remove": Rule(Ability.MANAGE_SETTINGS),
    **dict.fromkeys(("audit", "audit-csv", "audit-lines"), Rule(Ability.SEE_AUDIT)),
    # The list shows ingest keys to those who manage them, and to each reader their own tokens.
    **dict.fromkeys(("keys", "token-new", "token-revoke"), Rule(Ability.MAKE_TOKENS)),
    **dict.fromkeys(("key-new", "key", "key-rotate", "key-revoke"), Rule(Ability.MANAGE_KEYS)),
    **dict.fromkeys(("prices-new", "prices-end", "prices-preview", "prices-save"), _MANAGE_PRICES),
    **dict.fromkeys(("prices-apply", "prices-ratings"), _MANAGE_PRICES),
    **dict.fromkeys(("api-schema", "api-docs", "api-nothing"), _ANYBODY),
    **dict.fromkeys(("healthz", "readyz", "metrics"), _ANYBODY),
    **dict.fromkeys(_SIGNING_IN, _ANYBODY),
    **dict.fromkeys(_OWN_ACCOUNT, _SIGNED_IN),
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
