from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("finops", "0034_answers"),)

    operations = (
        migrations.CreateModel(
            name="EnforcementTally",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.TextField(blank=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField(db_index=True)),
                ("refused", models.BigIntegerField()),
                ("slowed", models.BigIntegerField()),
                ("refused_at", models.DateTimeField(null=True)),
                ("slowed_at", models.DateTimeField(null=True)),
                (
                    "budget",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="finops.budget",
                    ),
                ),
            ],
            options={
                "db_table": "enforcement_tally",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("budget", "value", "period_start"), name="enforcement_tally_once"
                    )
                ],
            },
        ),
    )
