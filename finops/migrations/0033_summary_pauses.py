"""Weekly summaries that take too long are tried later each time."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0032_budget_increases"),)

    operations = (
        migrations.AddField(
            model_name="channel",
            name="summary_failures",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="channel",
            name="summary_held_until",
            field=models.DateTimeField(null=True),
        ),
    )
