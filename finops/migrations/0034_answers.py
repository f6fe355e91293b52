"""Why somebody answered an alert, and whether a snooze holds for what is critical too."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0033_summary_pauses"),)

    operations = (
        migrations.AddField(
            model_name="alert",
            name="acknowledged_reason",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="snooze",
            name="reason",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="snooze",
            name="spares_critical",
            field=models.BooleanField(default=False),
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
