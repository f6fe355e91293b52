"""When Celery's beat starts which task."""

from __future__ import annotations

from celery.schedules import crontab

# A task that waited longer than until its next turn is not run late.
SCHEDULE: dict[str, dict[str, object]] = {
    "sync_prices": {"task": "finops.tasks.sync_prices", "schedule": crontab(hour=3, minute=20)},
    "rerate_unpriced": {
        "task": "finops.tasks.rerate_unpriced",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "work_on_ratings": {
        "task": "finops.tasks.work_on_ratings",
        "schedule": 3.0,
        "options": {"expires": 3.0},
    },
    "work_on_operations": {
        "task": "finops.tasks.work_on_operations",
        "schedule": 2.5,
        "options": {"expires": 2.5},
    },
    "work_on_privacy": {
        "task": "finops.tasks.work_on_privacy",
        "schedule": 3.0,
        "options": {"expires": 3.0},
    },
    "fold_rollups": {
        "task": "finops.tasks.fold_rollups",
        "schedule": 1.0,
        # A run folds all that was there, so those that queued meanwhile have nothing to add.
        "options": {"expires": 1.0},
    },
    "send_alerts": {
        "task": "finops.tasks.send_alerts",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    "send_exports": {
        "task": "finops.tasks.send_exports",
        "schedule": 20.0,
        "options": {"expires": 20.0},
    },
    "follow_up_alerts": {
        "task": "finops.tasks.follow_up_alerts",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    # From a request to its alert no more than a minute may pass, and some of that is delivery's.
    "evaluate_budgets": {
        "task": "finops.tasks.evaluate_budgets",
        "schedule": 20.0,
        "options": {"expires": 20.0},
    },
    "refresh_enforcement": {
        "task": "finops.tasks.refresh_enforcement",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    # A minute is judged soon after it is complete; hours and days in the turn that finds them so.
    "judge_anomalies": {
        "task": "finops.tasks.judge_anomalies",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "watch_users": {
        "task": "finops.tasks.watch_users",
        "schedule": 300.0,
        "options": {"expires": 240.0},
    },
    "keep_up_books": {
        "task": "finops.tasks.keep_up_books",
        "schedule": 20.0,
        "options": {"expires": 20.0},
    },
    "end_budget_increases": {
        "task": "finops.tasks.end_budget_increases",
        "schedule": 20.0,
        "options": {"expires": 20.0},
    },
    "check_rollups": {
        "task": "finops.tasks.check_rollups",
        "schedule": crontab(hour=2, minute=40),
    },
    "maintain_partitions": {
        "task": "finops.tasks.maintain_partitions",
        "schedule": crontab(hour=0, minute=10),
    },
}
