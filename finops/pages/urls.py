"""Every address of the pages."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from finops.pages import (
    accounts,
    arrival,
    audit,
    explore,
    filters,
    ingest,
    invitations,
    keys,
    overview,
    people,
    request,
    requests,
    teams,
    tokens,
)
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
from finops.pages.settings import calendar, desk

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("explore", explore.explore, name="explore"),
    path("requests", requests.listing, name="requests"),
    # A client's id may hold anything, slashes too.
    path("requests/<path:request_id>", request.detail, name="request"),
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
    path("settings/calendar", calendar.page, name="settings-calendar"),
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
