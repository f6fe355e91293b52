"""Who may call the addresses of the books: see who_may_call.py."""

from __future__ import annotations

from tests.callers import ADMIN, API, FORM, MONEY, PAGE, WHERE, Row

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
}
