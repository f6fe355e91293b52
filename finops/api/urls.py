"""Every address below /api/."""

from __future__ import annotations

from datetime import date

from django.urls import path, re_path, register_converter
from django.urls.converters import PathConverter, StringConverter
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from finops.api.alerts import AlertsView, AlertView
from finops.api.allocations import (
    AllocationCsvView,
    AllocationView,
    AllocationXlsxView,
    JournalView,
)
from finops.api.anomalies import AnomaliesView, AnomalyVerdictView, AnomalyView
from finops.api.bill_accounts import BillAccountsCsvView, BillAccountsView
from finops.api.books import (
    AgreementView,
    BooksMonthView,
    BooksView,
    CloseView,
    DifferencesView,
    ReopeningView,
    SentView,
    VersionCsvView,
    VersionView,
)
from finops.api.budget_increases import IncreasesView, IncreaseView
from finops.api.budget_status import BudgetStatusView
from finops.api.budgets import BudgetsView, BudgetView
from finops.api.business_metrics import (
    BusinessMetricsView,
    BusinessMetricValuesView,
    BusinessMetricView,
)
from finops.api.cost_items import CostItemsView, CostItemView
from finops.api.costs import CostsCsvView, CostsView
from finops.api.exchange_rates import ExchangeRatesView
from finops.api.explain import ExplainCsvView, ExplainView
from finops.api.export_schedules import (
    ExportRunsView,
    ExportSchedulesView,
    ExportScheduleView,
)
from finops.api.focus import FocusCsvView, FocusMetadataView
from finops.api.forecast import ForecastView
from finops.api.operations import OperationsView
from finops.api.ownership import (
    CostCentersView,
    RulesCsvView,
    RulesView,
    RuleView,
    UnattributedView,
)
from finops.api.planned_events import PlannedEventsView, PlannedEventView
from finops.api.problems import nothing_here
from finops.api.projection import ProjectionView
from finops.api.reconciliations import (
    BillsView,
    BillView,
    ReconciliationCsvView,
    ReconciliationView,
    TrueUpsView,
)
from finops.api.requests import RequestsView, RequestView
from finops.api.requests_csv import RequestsCsvView
from finops.api.unit_economics import UnitEconomicsCsvView, UnitEconomicsView
from finops.api.users import ConcentrationView, LimitsView, UsersView, UserView


class AnythingConverter(PathConverter):
    """A client's id may hold anything: slashes, and line breaks too."""

    regex = r"[\s\S]+"


class MonthConverter(StringConverter):
    """A month like 2026-10, as its first day."""

    regex = r"20\d\d-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:  # type: ignore[override]
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date) -> str:  # type: ignore[override]
        return f"{value:%Y-%m}"


register_converter(AnythingConverter, "anything")
register_converter(MonthConverter, "month")

urlpatterns = [
    path("v1/costs", CostsView.as_view(), name="api-costs"),
    path("v1/costs.csv", CostsCsvView.as_view(), {"format": "csv"}, name="api-costs-csv"),
    path(
        "v1/allocations/<month:month>.csv",
        AllocationCsvView.as_view(),
        {"format": "csv"},
        name="api-allocation-csv",
    ),
    path(
        "v1/allocations/<month:month>.xlsx",
        AllocationXlsxView.as_view(),
        {"format": "xlsx"},
        name="api-allocation-xlsx",
    ),
    path(
        "v1/allocations/<month:month>.journal.csv",
        JournalView.as_view(),
        {"format": "csv"},
        name="api-allocation-journal",
    ),
    path(
        "v1/allocations/<month:month>.json",
        AllocationView.as_view(),
        {"format": "json"},
        name="api-allocation-json",
    ),
    path("v1/books", BooksView.as_view(), name="api-books"),
    path("v1/books/<month:month>", BooksMonthView.as_view(), name="api-books-month"),
    path("v1/books/<month:month>/close", CloseView.as_view(), name="api-books-close"),
    path("v1/books/<month:month>/reopening", ReopeningView.as_view(), name="api-books-reopening"),
    path(
        "v1/books/<month:month>/reopening/agreement",
        AgreementView.as_view(),
        name="api-books-agreement",
    ),
    path("v1/books/<month:month>/sent", SentView.as_view(), name="api-books-sent"),
    path(
        "v1/books/<month:month>/versions/<int:version>.csv",
        VersionCsvView.as_view(),
        {"format": "csv"},
        name="api-books-version-csv",
    ),
    path(
        "v1/books/<month:month>/versions/<int:version>.json",
        VersionView.as_view(),
        {"format": "json"},
        name="api-books-version-json",
    ),
    path(
        "v1/books/<month:month>/versions/<int:version>/differences",
        DifferencesView.as_view(),
        name="api-books-differences",
    ),
    path(
        "v1/allocations/<month:month>.focus.csv",
        FocusCsvView.as_view(),
        {"format": "csv"},
        name="api-allocation-focus-csv",
    ),
    path(
        "v1/allocations/<month:month>.focus.json",
        FocusMetadataView.as_view(),
        {"format": "json"},
        name="api-allocation-focus-json",
    ),
    path("v1/exchange-rates", ExchangeRatesView.as_view(), name="api-exchange-rates"),
    path("v1/bills", BillsView.as_view(), name="api-bills"),
    path("v1/bills/<int:number>", BillView.as_view(), name="api-bill"),
    path("v1/bill-accounts", BillAccountsView.as_view(), name="api-bill-accounts"),
    path("v1/bill-accounts.csv", BillAccountsCsvView.as_view(), name="api-bill-accounts-csv"),
    path(
        "v1/reconciliations/<month:month>.csv",
        ReconciliationCsvView.as_view(),
        {"format": "csv"},
        name="api-reconciliation-csv",
    ),
    path(
        "v1/reconciliations/<month:month>.json",
        ReconciliationView.as_view(),
        {"format": "json"},
        name="api-reconciliation-json",
    ),
    path(
        "v1/reconciliations/<month:month>/true-ups",
        TrueUpsView.as_view(),
        name="api-reconciliation-true-ups",
    ),
    path("v1/export-schedules", ExportSchedulesView.as_view(), name="api-export-schedules"),
    path(
        "v1/export-schedules/<int:number>",
        ExportScheduleView.as_view(),
        name="api-export-schedule",
    ),
    path("v1/export-schedules/<int:number>/runs", ExportRunsView.as_view(), name="api-export-runs"),
    path("v1/cost-items", CostItemsView.as_view(), name="api-cost-items"),
    path("v1/cost-items/<int:number>", CostItemView.as_view(), name="api-cost-item"),
    path("v1/business-metrics", BusinessMetricsView.as_view(), name="api-business-metrics"),
    path(
        "v1/business-metrics/<slug:key>",
        BusinessMetricView.as_view(),
        name="api-business-metric",
    ),
    path(
        "v1/business-metrics/<slug:key>/values",
        BusinessMetricValuesView.as_view(),
        name="api-business-metric-values",
    ),
    path("v1/unit-economics", UnitEconomicsView.as_view(), name="api-unit-economics"),
    path(
        "v1/unit-economics.csv",
        UnitEconomicsCsvView.as_view(),
        {"format": "csv"},
        name="api-unit-economics-csv",
    ),
    path("v1/explain", ExplainView.as_view(), name="api-explain"),
    path("v1/explain.csv", ExplainCsvView.as_view(), {"format": "csv"}, name="api-explain-csv"),
    path("v1/forecast", ForecastView.as_view(), name="api-forecast"),
    path("v1/requests", RequestsView.as_view(), name="api-requests"),
    path(
        "v1/requests.csv",
        RequestsCsvView.as_view(),
        {"format": "csv"},
        name="api-requests-csv",
    ),
    path("v1/requests/<anything:request_id>", RequestView.as_view(), name="api-request"),
    path("v1/users", UsersView.as_view(), name="api-users"),
    path("v1/users/concentration", ConcentrationView.as_view(), name="api-user-concentration"),
    path("v1/users/limits", LimitsView.as_view(), name="api-user-limits"),
    path("v1/users/<anything:user>", UserView.as_view(), name="api-user"),
    path("v1/projection", ProjectionView.as_view(), name="api-projection"),
    path("v1/alerts", AlertsView.as_view(), name="api-alerts"),
    path("v1/alerts/<int:number>", AlertView.as_view(), name="api-alert"),
    path("v1/anomalies", AnomaliesView.as_view(), name="api-anomalies"),
    path("v1/anomalies/<int:number>", AnomalyView.as_view(), name="api-anomaly"),
    path(
        "v1/anomalies/<int:number>/verdict",
        AnomalyVerdictView.as_view(),
        name="api-anomaly-verdict",
    ),
    path("v1/cost-centers", CostCentersView.as_view(), name="api-cost-centers"),
    path("v1/ownership/rules", RulesView.as_view(), name="api-ownership-rules"),
    path("v1/ownership/rules.csv", RulesCsvView.as_view(), name="api-ownership-rules-csv"),
    path("v1/ownership/rules/<int:number>", RuleView.as_view(), name="api-ownership-rule"),
    path("v1/ownership/unattributed", UnattributedView.as_view(), name="api-unattributed"),
    path("v1/planned-events", PlannedEventsView.as_view(), name="api-planned-events"),
    path("v1/planned-events/<int:number>", PlannedEventView.as_view(), name="api-planned-event"),
    path("v1/budgets", BudgetsView.as_view(), name="api-budgets"),
    path("v1/budgets/<int:number>", BudgetView.as_view(), name="api-budget"),
    path("v1/budgets/<int:number>/status", BudgetStatusView.as_view(), name="api-budget-status"),
    path("v1/operations", OperationsView.as_view(), name="api-operations"),
    path("v1/budgets/<int:number>/increases", IncreasesView.as_view(), name="api-budget-increases"),
    path(
        "v1/budgets/<int:number>/increases/<int:increase>",
        IncreaseView.as_view(),
        name="api-budget-increase",
    ),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(
            url_name="api-schema",
            template_name="api_docs.html",
            # To OPTIONS it would answer with its template, which has nothing to fill it with.
            http_method_names=["get", "head"],
        ),
        name="api-docs",
    ),
    re_path(r"^(?P<path>[\s\S]*)\Z", nothing_here, name="api-nothing"),
]
