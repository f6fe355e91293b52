"""Anomalies, how far they are judged, and events that are planned."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

import finops.models.budgets


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0037_forecast_methods"),
    ]

    operations = [
        migrations.CreateModel(
            name="AnomalyTurn",
            fields=[
                (
                    "scale",
                    models.CharField(
                        choices=[
                            ("minute", "by the minute"),
                            ("hour", "by the hour"),
                            ("day", "by the day"),
                        ],
                        max_length=8,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("judged_to", models.DateTimeField()),
                ("judged_at", models.DateTimeField()),
                ("series", models.PositiveIntegerField(default=0)),
                ("left_out", models.PositiveIntegerField(default=0)),
                ("notes", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "anomaly_turn",
            },
        ),
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("budget_actual", "Spent"),
                    ("budget_forecast", "Forecast"),
                    ("budget_burn_rate", "Burn rate"),
                    ("budget_unpriced", "Unpriced requests"),
                    ("budget_late_usage", "Late usage"),
                    ("budget_increase", "Budget increase"),
                    ("anomaly", "Anomaly"),
                    ("pipeline_stale", "Figures are stale"),
                    ("pipeline_recovered", "Figures are fresh again"),
                    ("channel_stopped", "Channel stopped"),
                    ("answer", "Answer to an alert"),
                    ("summary", "Weekly summary"),
                    ("test", "Test"),
                ],
                max_length=24,
            ),
        ),
        migrations.CreateModel(
            name="PlannedEvent",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("start", models.DateTimeField()),
                ("end", models.DateTimeField()),
                ("filters", models.JSONField(default=dict)),
                ("factor", models.DecimalField(decimal_places=3, max_digits=10, null=True)),
                ("created_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "planned_event",
                "ordering": ("-start", "-id"),
                "indexes": [models.Index(fields=["end"], name="planned_event_end")],
            },
        ),
        migrations.CreateModel(
            name="Anomaly",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("series", models.CharField(max_length=2000)),
                ("filters", models.JSONField(default=dict)),
                ("team", models.CharField(blank=True, max_length=200)),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("effective_cost", "Cost"),
                            ("requests", "Requests"),
                            ("errors", "Errors"),
                            ("tokens_per_request", "Tokens per request"),
                            ("unit_price", "Cost per 1M tokens"),
                            ("cache_share", "Share of input read from cache"),
                            ("error_share", "Share of errors"),
                            ("latency_p95", "Latency, p95"),
                        ],
                        max_length=24,
                    ),
                ),
                (
                    "scale",
                    models.CharField(
                        choices=[
                            ("minute", "by the minute"),
                            ("hour", "by the hour"),
                            ("day", "by the day"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("spike", "Spike"),
                            ("shift", "Shift"),
                            ("drift", "Drift"),
                            ("drop", "Drop"),
                        ],
                        max_length=8,
                    ),
                ),
                ("direction", models.SmallIntegerField()),
                (
                    "severity",
                    models.CharField(
                        choices=[
                            ("info", "Info"),
                            ("warning", "Warning"),
                            ("critical", "Critical"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField()),
                ("spans", models.JSONField(default=dict)),
                ("picture", models.JSONField(default=dict)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("actual", finops.models.budgets.ExactField(decimal_places=100, max_digits=200)),
                ("expected", finops.models.budgets.ExactField(decimal_places=100, max_digits=200)),
                (
                    "impact",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200, null=True),
                ),
                ("surprise", models.FloatField()),
                ("told_severity", models.CharField(blank=True, max_length=16)),
                ("closing_told", models.BooleanField(default=False)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("real", "Real"),
                            ("false", "False alarm"),
                            ("planned", "Planned"),
                        ],
                        max_length=8,
                    ),
                ),
                ("verdict_reason", models.TextField(blank=True)),
                ("decided_by", models.CharField(blank=True, max_length=200)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "lead",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="also_seen_in",
                        to="finops.anomaly",
                    ),
                ),
                (
                    "like",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="finops.anomaly",
                    ),
                ),
            ],
            options={
                "db_table": "anomaly",
                "ordering": ("-started_at", "-id"),
                "indexes": [
                    models.Index(fields=["series", "metric", "ended_at"], name="anomaly_of_series"),
                    models.Index(fields=["ended_at"], name="anomaly_ended_at"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("series", "metric"),
                        name="anomaly_open_once",
                    )
                ],
            },
        ),
    ]
