"""Every address of the pages and of the query API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from finops.api import health
from finops.api.audit import AuditCsvView, AuditLinesView
from finops.api.costs import CostsView
from finops.api.forecast import ForecastCsvView
from finops.api.users import UsersCsvView

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", include("finops.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("explore.csv", CostsView.as_view(schema=None), {"format": "csv"}, name="explore-csv"),
    path("forecast.csv", ForecastCsvView.as_view(), name="forecast-csv"),
    path("users.csv", UsersCsvView.as_view(), name="users-csv"),
    path("audit.csv", AuditCsvView.as_view(), name="audit-csv"),
    path("audit.jsonl", AuditLinesView.as_view(), name="audit-lines"),
    path("", include("finops.pages.urls")),
]

handler500 = "finops.pages.errors.server_error"
