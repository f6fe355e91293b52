"""Forecasts by models, and of what has ended."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0036_rollup_minute"),)

    operations = (
        migrations.AlterField(
            model_name="budgetstatus",
            name="forecast_method",
            field=models.CharField(
                choices=[
                    ("none", "none"),
                    ("complete", "period is over"),
                    ("proportion", "daily average"),
                    ("weekdays", "days of the week"),
                    ("model", "models"),
                    ("ended", "has ended"),
                ],
                default="none",
                max_length=16,
            ),
        ),
    )
