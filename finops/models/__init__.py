"""The small tables, kept by the ORM. Facts and rollups are SQL: see ingest/sql and finops/sql."""

from __future__ import annotations

from finops.models.alerts import Alert, Delivery, DeliveryAttempt, Snooze
from finops.models.anomalies import Anomaly, AnomalyTurn, PlannedEvent
from finops.models.bills import BillAccount, BillImport, BillLine
from finops.models.books import (
    BooksMonth,
    ClosedMonthChange,
    JournalAccounts,
    StatementLine,
    StatementUsage,
    StatementVersion,
)
from finops.models.budget_increases import BudgetIncrease
from finops.models.budget_records import BudgetClosing, PipelineWatch
from finops.models.budgets import Budget, BudgetPlan, BudgetStatus, Crossing, Threshold
from finops.models.business_metrics import (
    BusinessMetric,
    BusinessMetricImport,
    BusinessMetricUpload,
    BusinessMetricValue,
)
from finops.models.cache import CacheEntry
from finops.models.channels import Channel, Recipient
from finops.models.cost_items import CostItem
from finops.models.exchange import ExchangeFixing
from finops.models.intake import CardinalityOverflow, IngestSaturation, RejectedExample
from finops.models.keys import ApiToken, IngestKey, KeyRefusal
from finops.models.operations import Operation
from finops.models.ownership import (
    CostCenter,
    OwnershipRule,
    OwnershipState,
    OwnershipUpload,
    TeamCostCenter,
)
from finops.models.people import Account, AuditRecord, Invitation, Role, TeamMember
from finops.models.price_feeds import PriceHold, ReferencePrice
from finops.models.prices import Price
from finops.models.privacy import Erasure, NameHashing
from finops.models.reservations import (
    EnforcementPlan,
    EnforcementStanding,
    EnforcementState,
    EnforcementTally,
    Reservation,
    ReservationHold,
)
from finops.models.runs import RatingPreview, RatingRun, RollupCheck
from finops.models.scheduled_exports import ExportRun, ExportSchedule
from finops.models.taxonomy import ActivatedTag, LatencyTier, Setting, Team

__all__ = [
    "Account",
    "ActivatedTag",
    "Alert",
    "Anomaly",
    "AnomalyTurn",
    "ApiToken",
    "AuditRecord",
    "BillAccount",
    "BillImport",
    "BillLine",
    "BooksMonth",
    "Budget",
    "BudgetClosing",
    "BudgetIncrease",
    "BudgetPlan",
    "BudgetStatus",
    "BusinessMetric",
    "BusinessMetricImport",
    "BusinessMetricUpload",
    "BusinessMetricValue",
    "CacheEntry",
    "CardinalityOverflow",
    "Channel",
    "ClosedMonthChange",
    "CostCenter",
    "CostItem",
    "Crossing",
    "Delivery",
    "DeliveryAttempt",
    "EnforcementPlan",
    "EnforcementStanding",
    "EnforcementState",
    "EnforcementTally",
    "Erasure",
    "ExchangeFixing",
    "ExportRun",
    "ExportSchedule",
    "IngestKey",
    "IngestSaturation",
    "Invitation",
    "JournalAccounts",
    "KeyRefusal",
    "LatencyTier",
    "NameHashing",
    "Operation",
    "OwnershipRule",
    "OwnershipState",
    "OwnershipUpload",
    "PipelineWatch",
    "PlannedEvent",
    "Price",
    "PriceHold",
    "RatingPreview",
    "RatingRun",
    "Recipient",
    "ReferencePrice",
    "RejectedExample",
    "Reservation",
    "ReservationHold",
    "Role",
    "RollupCheck",
    "Setting",
    "Snooze",
    "StatementLine",
    "StatementUsage",
    "StatementVersion",
    "Team",
    "TeamCostCenter",
    "TeamMember",
    "Threshold",
]
