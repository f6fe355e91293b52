"""What runs on a schedule or in the background; each task calls one domain function."""

from __future__ import annotations

from finops.tasks.figures import (
    check_rollups,
    fold_rollups,
    keep_up_books,
    maintain_partitions,
    rerate_unpriced,
    sync_prices,
    work_on_operations,
    work_on_privacy,
    work_on_ratings,
)
from finops.tasks.judging import (
    end_budget_increases,
    evaluate_budgets,
    judge_anomalies,
    refresh_enforcement,
    watch_users,
)
from finops.tasks.telling import (
    follow_up_alerts,
    send_alerts,
    send_exports,
)

__all__ = [
    "check_rollups",
    "end_budget_increases",
    "evaluate_budgets",
    "fold_rollups",
    "follow_up_alerts",
    "judge_anomalies",
    "keep_up_books",
    "maintain_partitions",
    "refresh_enforcement",
    "rerate_unpriced",
    "send_alerts",
    "send_exports",
    "sync_prices",
    "watch_users",
    "work_on_operations",
    "work_on_privacy",
    "work_on_ratings",
]
