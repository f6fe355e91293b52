"""Every address of the pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from finops.pages import (
    account,
    accounts,
    alerts,
    arrival,
    audit,
    channels,
    explore,
    filters,
    forecast,
    ingest,
    invitations,
    keys,
    overview,
    people,
    request,
    requests,
    teams,
    tokens,
    unsubscribe,
)
from finops.pages.allocation import month as allocation
from finops.pages.anomalies import listing as anomaly_listing
from finops.pages.anomalies import one as one_anomaly
from finops.pages.anomalies import planned
from finops.pages.books import close, statements
from finops.pages.budgets import entry as budget_entry
from finops.pages.budgets import increases
from finops.pages.budgets import listing as budget_listing
from finops.pages.budgets import one as one_budget
from finops.pages.explain import page as explain_page
from finops.pages.ownership import centers as cost_centers
from finops.pages.ownership import files as ownership_files
from finops.pages.ownership import rules as ownership_rules
from finops.pages.ownership import unattributed
from finops.pages.prices import (
    calculator,
    entry,
    holds,
    listing,
    previews,
    ratings,
    sources,
    unpriced,
)
from finops.pages.reconcile import accounts as bill_accounts
from finops.pages.reconcile import page as reconcile
from finops.pages.settings import (
    anomalies as anomaly_settings,
)
from finops.pages.settings import (
    business_metrics as metrics_desk,
)
from finops.pages.settings import (
    calendar,
    cost_items,
    desk,
    exchange_rates,
    exports,
    limits,
    name_hashing,
    operations,
    privacy,
    retention,
    tags,
    tiers,
)
from finops.pages.settings import (
    journal as journal_settings,
)
from finops.pages.unit_economics import page as unit_economics
from finops.pages.users import limits as user_limits
from finops.pages.users import listing as users_listing
from finops.pages.users import one as one_user

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("explore", explore.explore, name="explore"),
    path("explain", explain_page.page, name="explain"),
    path("forecast", forecast.forecast, name="forecast"),
    path("requests", requests.listing, name="requests"),
    # A client's id may hold anything, slashes too.
    path("requests/<path:request_id>", request.detail, name="request"),
    path("budgets", budget_listing.listing, name="budgets"),
    path("budgets/new", budget_entry.new, name="budget-new"),
    path("budgets/<int:pk>", one_budget.budget, name="budget"),
    path("budgets/<int:pk>/change", budget_entry.change, name="budget-change"),
    path("budgets/<int:pk>/delete", budget_entry.remove, name="budget-delete"),
    path("budgets/<int:pk>/increase", increases.ask, name="budget-increase-new"),
    path("budgets/increases/<int:pk>", increases.increase, name="budget-increase"),
    path("unit-economics", unit_economics.page, name="unit-economics"),
    path("reconcile", reconcile.page, name="reconcile"),
    path("reconcile/accounts", bill_accounts.page, name="reconcile-accounts"),
    path("allocation", allocation.month, name="allocation"),
    path("close", close.page, name="close"),
    path("statements", statements.page, name="statements"),
    path("statements.csv", statements.file, name="statement-csv"),
    path("statements.xlsx", statements.in_sheets, name="statement-xlsx"),
    path("allocation/cost-center", allocation.cost_center, name="allocation-cost-center"),
    path("users", users_listing.listing, name="users"),
    path("users/profile", one_user.user, name="user"),
    path("users/limits", user_limits.limits, name="user-limits"),
    path("change", filters.change, name="change"),
    path("values", filters.values, name="values"),
    path("prices", listing.prices, name="prices"),
    path("prices/model", listing.model, name="prices-model"),
    path("prices/lines/<int:pk>", listing.line, name="prices-line"),
    path("prices/holds", holds.queue, name="prices-holds"),
    path("prices/holds/<int:pk>/<str:verb>", holds.decide, name="prices-hold"),
    path("prices/lines/<int:pk>/end", entry.end, name="prices-end"),
    path("prices/new", entry.new, name="prices-new"),
    path("prices/previews/<int:pk>", previews.preview, name="prices-preview"),
    path("prices/previews/<int:pk>/save", previews.save, name="prices-save"),
    path("prices/previews/<int:pk>/apply", previews.apply, name="prices-apply"),
    path("prices/unpriced", unpriced.unpriced, name="prices-unpriced"),
    path("prices/ratings", ratings.ratings, name="prices-ratings"),
    path("prices/sources", sources.sources, name="prices-sources"),
    path("prices/calculator", calculator.calculator, name="prices-calculator"),
    path("ingest", ingest.desk, name="ingest"),
    path("ingest/test", arrival.send, name="ingest-test"),
    path("ingest/test/<uuid:event_key>/<str:day>", arrival.show, name="ingest-arrival"),
    path("people", people.listing, name="people"),
    path("people/<int:user_id>", people.person, name="person"),
    path("people/<int:user_id>/active", people.active, name="person-active"),
    path("people/invitations", invitations.listing, name="invitations"),
    path("people/invitations/<int:number>/again", invitations.again, name="invitation-again"),
    path("people/invitations/<int:number>/revoke", invitations.revoke, name="invitation-revoke"),
    path("invitations/<str:token>", invitations.accept, name="invitation"),
    path("teams", teams.listing, name="teams"),
    path("teams/<int:team_id>", teams.team, name="team"),
    path("settings", desk.page, name="settings"),
    path("settings/tiers", tiers.page, name="settings-tiers"),
    path("settings/tiers/<int:tier_id>", tiers.tier, name="settings-tier"),
    path("settings/tiers/<int:tier_id>/remove", tiers.remove, name="settings-tier-remove"),
    path("settings/exchange-rates", exchange_rates.page, name="settings-exchange-rates"),
    path("settings/tags", tags.page, name="settings-tags"),
    path("settings/tags/<int:tag_id>/deactivate", tags.deactivate, name="settings-tag-remove"),
    path("settings/ownership", ownership_rules.page, name="settings-ownership"),
    path("settings/ownership/rules/<int:pk>", ownership_rules.rule, name="settings-ownership-rule"),
    path("settings/ownership/rules.csv", ownership_files.export, name="settings-ownership-csv"),
    path("settings/ownership/import", ownership_files.page, name="settings-ownership-import"),
    path("settings/ownership/cost-centers", cost_centers.page, name="settings-cost-centers"),
    path("unattributed", unattributed.page, name="unattributed"),
    path("settings/cost-items", cost_items.page, name="settings-cost-items"),
    path("settings/cost-items/new", cost_items.new, name="settings-cost-item-new"),
    path("settings/cost-items/<int:pk>", cost_items.item, name="settings-cost-item"),
    path("settings/cost-items/<int:pk>/end", cost_items.end, name="settings-cost-item-end"),
    path("settings/cost-items/<int:pk>/move", cost_items.move, name="settings-cost-item-move"),
    path("settings/exports", exports.page, name="settings-exports"),
    path("settings/exports/new", exports.new, name="settings-export-new"),
    path("settings/exports/<int:pk>", exports.schedule, name="settings-export"),
    path("settings/exports/<int:pk>/send", exports.send, name="settings-export-send"),
    path("settings/exports/<int:pk>/<str:verb>", exports.turn, name="settings-export-turn"),
    path("settings/business-metrics", metrics_desk.page, name="settings-business-metrics"),
    path(
        "settings/business-metrics/<slug:key>", metrics_desk.metric, name="settings-business-metric"
    ),
    path(
        "settings/business-metrics/<slug:key>/remove",
        metrics_desk.remove,
        name="settings-business-metric-remove",
    ),
    path("settings/limits", limits.page, name="settings-limits"),
    path("settings/retention", retention.page, name="settings-retention"),
    path("settings/calendar", calendar.page, name="settings-calendar"),
    path("settings/operations", operations.page, name="settings-operations"),
    path(
        "settings/operations/<int:pk>/<str:verb>", operations.turn, name="settings-operation-turn"
    ),
    path("settings/channels", channels.listing, name="channels"),
    path("settings/channels/new", channels.new, name="channel-new"),
    path("settings/channels/<int:pk>", channels.channel, name="channel"),
    path("settings/channels/<int:pk>/test", channels.test, name="channel-test"),
    path("settings/channels/<int:pk>/key", channels.renew_key, name="channel-key"),
    path("settings/channels/<int:pk>/remove", channels.remove, name="channel-remove"),
    path("settings/channels/<int:pk>/<str:verb>", channels.turn, name="channel-turn"),
    path("alerts", alerts.listing, name="alerts"),
    path("alerts/<int:pk>", alerts.alert, name="alert"),
    path("alerts/<int:pk>/acknowledge", alerts.acknowledge, name="alert-acknowledge"),
    path("alerts/<int:pk>/snooze", alerts.snooze, name="alert-snooze"),
    path("anomalies", anomaly_listing.listing, name="anomalies"),
    path("anomalies/<int:pk>", one_anomaly.anomaly, name="anomaly"),
    path("anomalies/<int:pk>/verdict", one_anomaly.verdict, name="anomaly-verdict"),
    path("anomalies/planned", planned.listing, name="planned-events"),
    path("anomalies/planned/<int:pk>", planned.event, name="planned-event"),
    path("anomalies/planned/<int:pk>/remove", planned.remove, name="planned-event-remove"),
    path("settings/journal", journal_settings.page, name="settings-journal"),
    path("settings/anomalies", anomaly_settings.page, name="settings-anomalies"),
    path("unsubscribe/<str:token>", unsubscribe.unsubscribe, name="unsubscribe"),
    path("account/summary", account.summary, name="account-summary"),
    path("settings/privacy", privacy.page, name="settings-privacy"),
    path("settings/privacy/hashing", name_hashing.page, name="settings-hashing"),
    path("settings/privacy/erase", privacy.erase, name="settings-erase"),
    path("settings/privacy/erasures/<int:pk>", privacy.certificate, name="settings-erasure"),
    path("settings/privacy/erasures/<int:pk>.json", privacy.as_json, name="settings-erasure-json"),
    path("audit", audit.log, name="audit"),
    path("keys", keys.listing, name="keys"),
    path("keys/new", keys.new, name="key-new"),
    path("keys/<slug:prefix>", keys.change, name="key"),
    path("keys/<slug:prefix>/rotate", keys.rotate, name="key-rotate"),
    path("keys/<slug:prefix>/revoke", keys.revoke, name="key-revoke"),
    path("tokens/new", tokens.new, name="token-new"),
    path("tokens/<slug:prefix>/revoke", tokens.revoke, name="token-revoke"),
    path("setup", accounts.setup, name="setup"),
    path("sign-in", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(next_page="sign-in"), name="sign-out"),
    path("", include("finops.pages.account_urls")),
]
