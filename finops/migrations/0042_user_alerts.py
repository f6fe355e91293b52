"""Alerts of users who have run away or call like a bot."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0041_rollup_user_span"),)

    operations = (
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
                    ("user", "Unusual user"),
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
    )
