"""Who may call the addresses of the books: see who_may_call.py."""

from __future__ import annotations

from tests.callers import ACT, ADMIN, API, FORM, MONEY, PAGE, READING, SIGNED_IN, WHERE, Row

BOOKS: dict[str, Row] = {
    "teams": Row("/teams", ADMIN, FORM, shows="A"),
    "teams/<int:team_id>": Row("/teams/{team}", ADMIN, FORM, shows="A"),
    "settings/ownership": Row("/settings/ownership", MONEY, FORM, shows="AF"),
    "settings/ownership/rules/<int:pk>": Row(
        "/settings/ownership/rules/{rule}", MONEY, FORM, shows="AF"
    ),
    "settings/ownership/rules.csv": Row("/settings/ownership/rules.csv", MONEY, PAGE, shows="AF"),
    "settings/ownership/import": Row("/settings/ownership/import", MONEY, FORM),
    "settings/ownership/cost-centers": Row(
        "/settings/ownership/cost-centers", MONEY, FORM, shows="AF"
    ),
    "unattributed": Row(f"/unattributed?{WHERE}", MONEY, PAGE),
    "api/v1/cost-centers": Row("/api/v1/cost-centers", MONEY, f"{API} POST", shows="AF"),
    "api/v1/ownership/rules": Row("/api/v1/ownership/rules", MONEY, f"{API} POST", shows="AF"),
    "api/v1/ownership/rules/<int:number>": Row(
        "/api/v1/ownership/rules/{rule}", MONEY, "PATCH DELETE OPTIONS"
    ),
    "api/v1/ownership/rules.csv": Row(
        "/api/v1/ownership/rules.csv", MONEY, f"{API} PUT", shows="AF"
    ),
    "api/v1/ownership/unattributed": Row(f"/api/v1/ownership/unattributed?{WHERE}", MONEY, API),
    "settings/cost-items": Row(
        "/settings/cost-items", MONEY, FORM, write=MONEY, got=200, shows="AF"
    ),
    "settings/cost-items/new": Row("/settings/cost-items/new?kind=fixed", MONEY, FORM),
    "settings/cost-items/<int:pk>": Row(
        "/settings/cost-items/{cost_item}", MONEY, FORM, shows="AF"
    ),
    "settings/cost-items/<int:pk>/end": Row("/settings/cost-items/{cost_item}/end", MONEY, ACT),
    "settings/cost-items/<int:pk>/move": Row("/settings/cost-items/{cost_item}/move", MONEY, ACT),
    "settings/exchange-rates": Row("/settings/exchange-rates", MONEY, FORM),
    "api/v1/exchange-rates": Row("/api/v1/exchange-rates", MONEY, f"{API} POST"),
    "api/v1/cost-items": Row("/api/v1/cost-items", MONEY, f"{API} POST", shows="AF"),
    "api/v1/cost-items/<int:number>": Row(
        "/api/v1/cost-items/{cost_item}", MONEY, f"{API} PATCH DELETE", shows="AF"
    ),
    "settings/exports": Row("/settings/exports", MONEY, FORM, write=MONEY, got=200),
    "settings/exports/new": Row("/settings/exports/new?to=email", MONEY, FORM),
    # Of one that is not there; tests/test_scheduled_exports.py has some.
    "settings/exports/<int:pk>": Row("/settings/exports/9", MONEY, FORM, got=404),
    "settings/exports/<int:pk>/send": Row("/settings/exports/9/send", MONEY, ACT, got=404),
    "settings/exports/<int:pk>/<str:verb>": Row("/settings/exports/9/pause", MONEY, ACT, got=404),
    "api/v1/export-schedules": Row("/api/v1/export-schedules", MONEY, f"{API} POST"),
    "api/v1/export-schedules/<int:number>": Row(
        "/api/v1/export-schedules/9", MONEY, f"{API} PATCH DELETE", got=404
    ),
    "api/v1/export-schedules/<int:number>/runs": Row(
        "/api/v1/export-schedules/9/runs", MONEY, f"{API} POST", got=404
    ),
    # Allocation.
    "allocation": Row("/allocation?month={month}", SIGNED_IN, PAGE, shows="AF"),
    "allocation/cost-center": Row(
        "/allocation/cost-center?month={month}&code=ads-center", SIGNED_IN, PAGE
    ),
    "api/v1/allocations/<month:month>.csv": Row(
        "/api/v1/allocations/{month}.csv", SIGNED_IN, READING, shows="AFE"
    ),
    "api/v1/allocations/<month:month>.xlsx": Row(
        "/api/v1/allocations/{month}.xlsx", SIGNED_IN, READING
    ),
    "api/v1/allocations/<month:month>.json": Row(
        "/api/v1/allocations/{month}.json", SIGNED_IN, READING, shows="AFE"
    ),
    # Files for other systems.
    "api/v1/allocations/<month:month>.journal.csv": Row(
        "/api/v1/allocations/{month}.journal.csv", MONEY, READING, got=409
    ),
    "settings/journal": Row("/settings/journal", MONEY, FORM),
    "api/v1/requests.csv": Row(f"/api/v1/requests.csv?{WHERE}", SIGNED_IN, READING, shows="AFE"),
    "api/v1/allocations/<month:month>.focus.csv": Row(
        "/api/v1/allocations/{month}.focus.csv", SIGNED_IN, READING, shows="AFE"
    ),
    "api/v1/allocations/<month:month>.focus.json": Row(
        "/api/v1/allocations/{month}.focus.json", SIGNED_IN, READING
    ),
    "close": Row("/close", MONEY, FORM),
    "statements": Row("/statements", MONEY, PAGE),
    "statements.csv": Row("/statements.csv", MONEY, PAGE, got=404),
    "statements.xlsx": Row("/statements.xlsx", MONEY, PAGE, got=404),
    "api/v1/books": Row("/api/v1/books", MONEY, READING),
    "api/v1/books/<month:month>": Row("/api/v1/books/{month}", MONEY, READING),
    "api/v1/books/<month:month>/close": Row("/api/v1/books/{month}/close", MONEY, ACT),
    "api/v1/books/<month:month>/reopening": Row(
        "/api/v1/books/{month}/reopening", MONEY, "POST DELETE"
    ),
    "api/v1/books/<month:month>/reopening/agreement": Row(
        "/api/v1/books/{month}/reopening/agreement", MONEY, ACT
    ),
    "api/v1/books/<month:month>/sent": Row("/api/v1/books/{month}/sent", MONEY, ACT),
    "api/v1/books/<month:month>/versions/<int:version>.csv": Row(
        "/api/v1/books/{month}/versions/1.csv", MONEY, READING, got=404
    ),
    "api/v1/books/<month:month>/versions/<int:version>.json": Row(
        "/api/v1/books/{month}/versions/1.json", MONEY, READING, got=404
    ),
    "api/v1/books/<month:month>/versions/<int:version>/differences": Row(
        "/api/v1/books/{month}/versions/2/differences", MONEY, READING, got=404
    ),
    # Unit economics. There is a metric of outcomes by team, and one of money.
    "unit-economics": Row(
        f"/unit-economics?metric=outcomes&{WHERE}&group_by=team", SIGNED_IN, PAGE, shows="AFE"
    ),
    "api/v1/unit-economics": Row(
        f"/api/v1/unit-economics?metric=outcomes&{WHERE}&group_by=team",
        SIGNED_IN,
        READING,
        shows="AFE",
    ),
    "api/v1/unit-economics.csv": Row(
        f"/api/v1/unit-economics.csv?metric=outcomes&{WHERE}&group_by=team",
        SIGNED_IN,
        READING,
        shows="AFE",
    ),
    "settings/business-metrics": Row("/settings/business-metrics", MONEY, FORM),
    "settings/business-metrics/<slug:key>": Row("/settings/business-metrics/earned", MONEY, FORM),
    "settings/business-metrics/<slug:key>/remove": Row(
        "/settings/business-metrics/earned/remove", MONEY, ACT
    ),
    "api/v1/business-metrics": Row("/api/v1/business-metrics", MONEY, f"{API} POST"),
    "api/v1/business-metrics/<slug:key>": Row(
        "/api/v1/business-metrics/earned", MONEY, f"{API} PATCH DELETE"
    ),
    "api/v1/business-metrics/<slug:key>/values": Row(
        f"/api/v1/business-metrics/earned/values?{WHERE}", MONEY, f"{API} POST", shows="AF"
    ),
    "reconcile": Row("/reconcile?month={month}", MONEY, FORM),
    "reconcile/accounts": Row("/reconcile/accounts?month={month}", MONEY, FORM),
    "api/v1/bills/<int:number>": Row("/api/v1/bills/999999", MONEY, "DELETE OPTIONS", got=404),
    "api/v1/bill-accounts": Row("/api/v1/bill-accounts", MONEY, f"{API} PUT DELETE"),
    "api/v1/bill-accounts.csv": Row("/api/v1/bill-accounts.csv", MONEY, f"{API} PUT"),
    "api/v1/bills": Row("/api/v1/bills", MONEY, f"{API} POST"),
    "api/v1/reconciliations/<month:month>.csv": Row(
        "/api/v1/reconciliations/{month}.csv", MONEY, READING
    ),
    "api/v1/reconciliations/<month:month>.json": Row(
        "/api/v1/reconciliations/{month}.json", MONEY, READING
    ),
    "api/v1/reconciliations/<month:month>/true-ups": Row(
        "/api/v1/reconciliations/{month}/true-ups", MONEY, ACT
    ),
}
