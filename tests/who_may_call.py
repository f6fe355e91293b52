"""Who may call what with which method: by hand, so that wrong rules of finops.access are found.

A new address is added here by whoever makes it. Readers are letters: A administrator, F finance,
E an engineer of the secret team, O an engineer and V a viewer of another team, N nobody.
"""

from __future__ import annotations

from tests.callers import (
    ACT,
    ADMIN,
    ALL,
    ANY,
    API,
    DESKS,
    FORM,
    KEYS,
    METHODS,
    MONEY,
    PAGE,
    READERS,
    READING,
    SAFE,
    SIGNED_IN,
    SIGNING_IN,
    WHERE,
    Row,
)
from tests.who_may_keep_books import BOOKS

__all__ = ["METHODS", "READERS", "SAFE", "TABLE", "Row"]

# The address as in urls.py → who may do what there.
TABLE: dict[str, Row] = {
    **BOOKS,
    # Figures.
    "": Row(f"/?{WHERE}", SIGNED_IN, PAGE, shows="AFE"),
    "explore": Row(f"/explore?{WHERE}&group_by=team,feature", SIGNED_IN, PAGE, shows="AFE"),
    "explore.csv": Row(f"/explore.csv?{WHERE}&group_by=team", SIGNED_IN, READING, shows="AFE"),
    "requests": Row(f"/requests?{WHERE}", SIGNED_IN, PAGE, shows="AFE"),
    "requests/<path:request_id>": Row(
        "/requests/{event}", SIGNED_IN, PAGE, hidden="OV", shows="AFE"
    ),
    "change": Row("/change?page=explore&dimension=model&value=x", SIGNED_IN, PAGE, got=302),
    "values": Row(f"/values?dimension=team&{WHERE}", SIGNED_IN, PAGE, shows="AFE"),
    "api/v1/costs": Row(
        f"/api/v1/costs?{WHERE}&group_by=team,user", SIGNED_IN, READING, shows="AFE"
    ),
    "api/v1/costs.csv": Row(
        f"/api/v1/costs.csv?{WHERE}&group_by=team,model", SIGNED_IN, READING, shows="AFE"
    ),
    "api/v1/requests": Row(f"/api/v1/requests?{WHERE}", SIGNED_IN, API, shows="AFE"),
    "api/v1/requests/<anything:request_id>": Row(
        "/api/v1/requests/{event}", SIGNED_IN, API, hidden="OV", shows="AFE"
    ),
    "forecast": Row("/forecast?group_by=team", SIGNED_IN, PAGE, shows="AFE"),
    "forecast.csv": Row("/forecast.csv?group_by=team", SIGNED_IN, READING, shows="AFE"),
    "api/v1/forecast": Row("/api/v1/forecast?group_by=team", SIGNED_IN, READING, shows="AFE"),
    # Users.
    "users": Row(f"/users?{WHERE}", SIGNED_IN, PAGE, shows="AFE"),
    "users/profile": Row(f"/users/profile?{WHERE}&user=ann", SIGNED_IN, PAGE),
    "users/limits": Row("/users/limits", SIGNED_IN, PAGE),
    "users.csv": Row(f"/users.csv?{WHERE}", SIGNED_IN, READING, shows="AFE"),
    "api/v1/users": Row(f"/api/v1/users?{WHERE}", SIGNED_IN, API, shows="AFE"),
    "api/v1/users/concentration": Row(
        f"/api/v1/users/concentration?{WHERE}", SIGNED_IN, API, shows="E"
    ),
    "api/v1/users/limits": Row("/api/v1/users/limits", SIGNED_IN, API),
    "api/v1/users/<anything:user>": Row(
        f"/api/v1/users/cx-secret-user?{WHERE}", SIGNED_IN, API, hidden="OV", shows="AFE"
    ),
    "explain": Row(f"/explain?{WHERE}&group_by=team", SIGNED_IN, PAGE, shows="AFE"),
    "api/v1/explain": Row(
        f"/api/v1/explain?{WHERE}&group_by=team,user", SIGNED_IN, READING, shows="AFE"
    ),
    "api/v1/explain.csv": Row(
        f"/api/v1/explain.csv?{WHERE}&group_by=team,model", SIGNED_IN, READING, shows="AFE"
    ),
    # Budgets.
    "api/v1/budgets": Row("/api/v1/budgets", SIGNED_IN, f"{API} POST", write=MONEY, shows="AFE"),
    "api/v1/budgets/<int:number>": Row(
        "/api/v1/budgets/{budget}",
        *(SIGNED_IN, f"{API} PATCH DELETE"),
        write=MONEY,
        hidden="OV",
        shows="AFE",
    ),
    "api/v1/budgets/<int:number>/status": Row(
        "/api/v1/budgets/{budget}/status", SIGNED_IN, API, write=MONEY, hidden="OV"
    ),
    "budgets": Row("/budgets", SIGNED_IN, READING, shows="AFE"),
    "budgets/new": Row("/budgets/new", MONEY, FORM),
    "budgets/<int:pk>": Row("/budgets/{budget}", SIGNED_IN, READING, hidden="OV", shows="AFE"),
    "budgets/<int:pk>/change": Row("/budgets/{budget}/change", MONEY, FORM, shows="AF"),
    "budgets/<int:pk>/delete": Row("/budgets/{budget}/delete", MONEY, FORM, shows="AF"),
    "budgets/<int:pk>/increase": Row(
        "/budgets/{budget}/increase", DESKS, FORM, hidden="O", shows="AFE"
    ),
    "budgets/increases/<int:pk>": Row(
        "/budgets/increases/{increase}",
        *(SIGNED_IN, FORM, DESKS),
        hidden="OV",
        shows="AFE",
    ),
    "api/v1/budgets/<int:number>/increases": Row(
        "/api/v1/budgets/{budget}/increases",
        *(SIGNED_IN, "GET HEAD POST OPTIONS", DESKS),
        hidden="OV",
        shows="AFE",
    ),
    "api/v1/budgets/<int:number>/increases/<int:increase>": Row(
        "/api/v1/budgets/{budget}/increases/{increase}",
        *(SIGNED_IN, "GET HEAD POST OPTIONS", DESKS),
        hidden="OV",
        shows="AFE",
    ),
    # Anomalies.
    "anomalies": Row("/anomalies?parts=yes", SIGNED_IN, READING, shows="AFE"),
    "anomalies/<int:pk>": Row("/anomalies/{anomaly}", SIGNED_IN, READING, hidden="OV", shows="AFE"),
    "anomalies/<int:pk>/verdict": Row("/anomalies/{anomaly}/verdict", DESKS, ACT, hidden="O"),
    "anomalies/planned": Row(
        *("/anomalies/planned", SIGNED_IN, "GET HEAD POST", DESKS), shows="AFE"
    ),
    "anomalies/planned/<int:pk>": Row(
        "/anomalies/planned/{plan}", DESKS, "GET HEAD POST", hidden="O", shows="AFE"
    ),
    "anomalies/planned/<int:pk>/remove": Row(
        "/anomalies/planned/{plan}/remove", DESKS, ACT, hidden="O"
    ),
    "api/v1/anomalies": Row("/api/v1/anomalies?parts=yes", SIGNED_IN, API, shows="AFE"),
    "api/v1/anomalies/<int:number>": Row(
        "/api/v1/anomalies/{anomaly}", SIGNED_IN, API, hidden="OV", shows="AFE"
    ),
    "api/v1/anomalies/<int:number>/verdict": Row(
        "/api/v1/anomalies/{anomaly}/verdict", DESKS, "POST OPTIONS", hidden="O"
    ),
    "api/v1/planned-events": Row(
        *("/api/v1/planned-events", SIGNED_IN, f"{API} POST", DESKS), shows="AFE"
    ),
    "api/v1/planned-events/<int:number>": Row(
        *("/api/v1/planned-events/{plan}", SIGNED_IN, f"{API} PATCH DELETE", DESKS),
        hidden="OV",
        shows="AFE",
    ),
    "settings/anomalies": Row("/settings/anomalies", MONEY, FORM, write=ADMIN),
    # Prices.
    "api/v1/projection": Row(
        "/api/v1/projection?requests_per_day=1&input_tokens=1&output_tokens=1"
        "&input_price_per_million=1&output_price_per_million=1",
        *(DESKS, READING),
    ),
    "prices": Row("/prices", DESKS, PAGE),
    "prices/model": Row("/prices/model?provider=openai&model=gpt-4o", DESKS, PAGE),
    "prices/lines/<int:pk>": Row("/prices/lines/{price}", DESKS, PAGE),
    "prices/holds": Row("/prices/holds", DESKS, READING),
    "prices/holds/<int:pk>/<str:verb>": Row("/prices/holds/{hold}/refuse", MONEY, FORM),
    "prices/lines/<int:pk>/end": Row("/prices/lines/{contract}/end", MONEY, FORM),
    "prices/new": Row("/prices/new", MONEY, FORM),
    "prices/previews/<int:pk>": Row("/prices/previews/{preview}", MONEY, PAGE, shows="AF"),
    "prices/previews/<int:pk>/save": Row("/prices/previews/{proposal}/save", MONEY, ACT),
    "prices/previews/<int:pk>/apply": Row("/prices/previews/{preview}/apply", MONEY, ACT),
    "prices/unpriced": Row("/prices/unpriced", DESKS, PAGE, shows="AFE"),
    "prices/ratings": Row("/prices/ratings", MONEY, FORM, shows="AF"),
    "prices/sources": Row("/prices/sources", DESKS, FORM, write=MONEY),
    "prices/calculator": Row("/prices/calculator", DESKS, PAGE),
    # Ingest and keys.
    "ingest": Row("/ingest", DESKS, PAGE, shows="AFE"),
    "ingest/test": Row("/ingest/test", KEYS, ACT),
    "ingest/test/<uuid:event_key>/<str:day>": Row(
        "/ingest/test/{event_uuid}/{day}", DESKS, PAGE, hidden="O"
    ),
    "keys": Row("/keys", DESKS, READING, shows="AE"),
    "keys/new": Row("/keys/new", KEYS, FORM, shows="AE"),
    "keys/<slug:prefix>": Row("/keys/{key}", KEYS, FORM, hidden="O", shows="AE"),
    "keys/<slug:prefix>/rotate": Row("/keys/{key}/rotate", KEYS, FORM, hidden="O", shows="AE"),
    "keys/<slug:prefix>/revoke": Row("/keys/{key}/revoke", KEYS, FORM, hidden="O", shows="AE"),
    "tokens/new": Row("/tokens/new", DESKS, FORM),
    # Somebody else's: only an administrator reaches it.
    "tokens/<slug:prefix>/revoke": Row(
        "/tokens/{token}/revoke", DESKS, FORM, hidden="FEO", shows="A"
    ),
    # People and what they did.
    "people": Row("/people", ADMIN, PAGE, shows="A"),
    "people/<int:user_id>": Row("/people/{person}", ADMIN, FORM, shows="A"),
    "people/<int:user_id>/active": Row("/people/{person}/active", ADMIN, FORM, shows="A"),
    "people/invitations": Row("/people/invitations", ADMIN, FORM, shows="A"),
    "people/invitations/<int:number>/again": Row(
        "/people/invitations/{invitation}/again", ADMIN, ACT
    ),
    "people/invitations/<int:number>/revoke": Row(
        "/people/invitations/{invitation}/revoke", ADMIN, FORM, shows="A"
    ),
    # Whoever holds the link is invited; the others ask with one that is none.
    "invitations/<str:token>": Row("/invitations/no-such-link", ALL, FORM, got=404),
    "audit": Row("/audit", MONEY, PAGE, shows="AF"),
    "audit.csv": Row("/audit.csv", MONEY, API, shows="AF"),
    "audit.jsonl": Row("/audit.jsonl", MONEY, API, shows="AF"),
    # Settings.
    "settings": Row("/settings", MONEY, PAGE, write=ADMIN),
    "settings/tiers": Row("/settings/tiers", MONEY, FORM, write=ADMIN),
    "settings/tiers/<int:tier_id>": Row("/settings/tiers/{tier}", ADMIN, FORM),
    "settings/tiers/<int:tier_id>/remove": Row("/settings/tiers/{tier}/remove", ADMIN, FORM),
    "settings/tags": Row("/settings/tags", MONEY, FORM, write=ADMIN),
    "settings/tags/<int:tag_id>/deactivate": Row("/settings/tags/{tag}/deactivate", ADMIN, FORM),
    "settings/limits": Row("/settings/limits", MONEY, FORM, write=ADMIN),
    "settings/retention": Row("/settings/retention", MONEY, FORM, write=ADMIN),
    "settings/operations": Row("/settings/operations", MONEY, PAGE, write=ADMIN),
    "settings/operations/<int:pk>/<str:verb>": Row(
        "/settings/operations/{operation}/pause", ADMIN, ACT
    ),
    "api/v1/operations": Row("/api/v1/operations", MONEY, API),
    "settings/channels": Row("/settings/channels", MONEY, PAGE),
    "settings/channels/new": Row("/settings/channels/new?kind=slack", MONEY, FORM),
    "settings/channels/<int:pk>": Row("/settings/channels/{channel}", MONEY, FORM),
    "settings/channels/<int:pk>/test": Row("/settings/channels/{channel}/test", MONEY, ACT),
    "settings/channels/<int:pk>/key": Row("/settings/channels/{channel}/key", MONEY, FORM),
    "settings/channels/<int:pk>/remove": Row("/settings/channels/{channel}/remove", MONEY, FORM),
    "settings/channels/<int:pk>/<str:verb>": Row(
        "/settings/channels/{channel}/disable", MONEY, ACT
    ),
    # Alerts.
    "alerts": Row("/alerts", SIGNED_IN, PAGE, shows="AFE"),
    "alerts/<int:pk>": Row("/alerts/{alert}", SIGNED_IN, PAGE, hidden="OV", shows="AFE"),
    "alerts/<int:pk>/acknowledge": Row("/alerts/{alert}/acknowledge", DESKS, ACT, hidden="O"),
    "alerts/<int:pk>/snooze": Row("/alerts/{alert}/snooze", DESKS, ACT, hidden="O"),
    "api/v1/alerts": Row("/api/v1/alerts", SIGNED_IN, API, shows="AFE"),
    "api/v1/alerts/<int:number>": Row(
        "/api/v1/alerts/{alert}", SIGNED_IN, API, hidden="OV", shows="AFE"
    ),
    # Whoever holds the link of a mail; the others ask with one that is none.
    "unsubscribe/<str:token>": Row("/unsubscribe/no-such-link", ALL, FORM, got=404),
    "account/summary": Row("/account/summary", SIGNED_IN, ACT),
    "settings/calendar": Row("/settings/calendar", MONEY, FORM, write=ADMIN),
    "settings/privacy": Row("/settings/privacy", ADMIN, PAGE, shows="A"),
    "settings/privacy/hashing": Row("/settings/privacy/hashing", ADMIN, FORM),
    "settings/privacy/erase": Row("/settings/privacy/erase", ADMIN, ACT),
    "settings/privacy/erasures/<int:pk>": Row(
        "/settings/privacy/erasures/{erasure}", ADMIN, PAGE, shows="A"
    ),
    "settings/privacy/erasures/<int:pk>.json": Row(
        *("/settings/privacy/erasures/{erasure}.json", ADMIN, PAGE),
        got=404,  # before it has ended
    ),
    # What anybody may know.
    "api/schema/": Row("/api/schema/", ALL, API),
    "api/docs/": Row("/api/docs/", ALL, READING),
    r"api/^(?P<path>[\s\S]*)\Z": Row("/api/v2/anything", ALL, ANY, got=404),
    "healthz": Row("/healthz", ALL, READING),
    "readyz": Row("/readyz", ALL, READING),
    "metrics": Row("/metrics", ALL, READING),
    # Signing in.
    "setup": Row("/setup", ALL, FORM, got=302),
    "sign-in": Row("/sign-in?next=/keys", ALL, SIGNING_IN, away=SIGNED_IN),
    "sign-out": Row("/sign-out", ALL, "POST OPTIONS"),
    "sign-in/inactive": Row("/sign-in/inactive", ALL, API),
    "sign-in/code": Row("/sign-in/code", ALL, ANY, got=302),
    "sign-in/passkey": Row("/sign-in/passkey", ALL, SIGNING_IN, away=SIGNED_IN, got=302),
    "sign-in/cancelled": Row("/sign-in/cancelled", ALL, API),
    "sign-in/failed": Row("/sign-in/failed", ALL, API, got=401),
    "sign-in/with/<slug:provider_id>": Row("/sign-in/with/none", ALL, ANY, got=404),
    "sign-in/with/<slug:provider_id>/callback": Row(
        "/sign-in/with/none/callback", ALL, ANY, got=404
    ),
    "password": Row("/password", ALL, SIGNING_IN),
    "password/sent": Row("/password/sent", ALL, API),
    r"^password/new/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$": Row(
        "/password/new/1-none", ALL, ANY
    ),
    "password/changed": Row("/password/changed", ALL, API),
    # One's own account.
    "account": Row("/account", SIGNED_IN, PAGE, shows="E"),
    "account/sessions/<int:session_id>/end": Row(
        "/account/sessions/{session}/end", SIGNED_IN, ACT, hidden="AFEOV"
    ),
    "account/sessions/end-others": Row("/account/sessions/end-others", SIGNED_IN, ACT),
    "account/password": Row("/account/password", SIGNED_IN, SIGNING_IN),
    "account/password/set": Row("/account/password/set", SIGNED_IN, ANY, got=302),
    "account/confirm": Row("/account/confirm", SIGNED_IN, SIGNING_IN),
    "account/confirm/code": Row("/account/confirm/code", SIGNED_IN, ANY, got=302),
    "account/confirm/passkey": Row("/account/confirm/passkey", SIGNED_IN, ANY, got=302),
    "account/app": Row("/account/app", SIGNED_IN, SIGNING_IN),
    "account/app/remove": Row("/account/app/remove", SIGNED_IN, ANY, got=404),
    "account/codes": Row("/account/codes", SIGNED_IN, API, got=404),
    "account/codes/new": Row("/account/codes/new", SIGNED_IN, SIGNING_IN),
    "account/codes/download": Row("/account/codes/download", SIGNED_IN, ANY, got=404),
    "account/passkeys/add": Row("/account/passkeys/add", SIGNED_IN, SIGNING_IN),
    "account/passkeys/<int:pk>": Row(
        "/account/passkeys/{passkey}", SIGNED_IN, SIGNING_IN, hidden="AFEOV"
    ),
    "account/passkeys/<int:pk>/remove": Row(
        *("/account/passkeys/{passkey}/remove", SIGNED_IN, "GET HEAD POST DELETE OPTIONS"),
        hidden="AFEOV",
    ),
}

# Answered before the resolver is asked, by nginx or WhiteNoise.
FILES = {
    "/static/css/base.css": Row("/static/css/base.css", ALL, READING),
    "/static/js/theme.js": Row("/static/js/theme.js", ALL, READING),
}
