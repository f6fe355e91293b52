"""Cost items may be shared out in proportion to what was used of paid capacity."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0056_business_metrics"),)

    operations = (
        migrations.AlterField(
            "costitem",
            "measure",
            models.CharField(
                choices=[
                    ("direct_cost", "Direct cost"),
                    ("so_far", "Direct cost and what earlier items gave"),
                    ("requests", "Requests"),
                    ("tokens", "Tokens"),
                    ("used", "What was used of the capacity"),
                ],
                default="direct_cost",
                max_length=16,
            ),
        ),
    )
