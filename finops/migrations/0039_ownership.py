"""Cost centers, which team has which from when, and rules that say otherwise."""

from __future__ import annotations

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"
# What teams name already.
KNOWN = """
    INSERT INTO cost_center (code, name, gl_account, owner_email, is_active)
    SELECT DISTINCT cost_center, '', '', '', true FROM team WHERE cost_center <> ''
"""


class Migration(migrations.Migration):
    dependencies = (("finops", "0038_anomalies"),)

    operations = (
        migrations.CreateModel(
            name="CostCenter",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code", models.CharField(max_length=200, unique=True)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("gl_account", models.CharField(blank=True, max_length=100)),
                ("owner_email", models.EmailField(blank=True, max_length=254)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={"db_table": "cost_center", "ordering": ("code",)},
        ),
        migrations.CreateModel(
            name="OwnershipState",
            fields=[
                (
                    "id",
                    models.BooleanField(default=True, primary_key=True, serialize=False),
                ),
                ("version", models.BigIntegerField(default=0)),
            ],
            options={"db_table": "ownership_state"},
        ),
        migrations.CreateModel(
            name="OwnershipRule",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("conditions", models.JSONField()),
                (
                    "dimensions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None
                    ),
                ),
                ("cost_center", models.CharField(max_length=200)),
                ("effective_from", models.DateField(null=True)),
                ("effective_to", models.DateField(null=True)),
            ],
            options={"db_table": "ownership_rule", "ordering": ("position",)},
        ),
        migrations.AddConstraint(
            model_name="ownershiprule",
            constraint=models.UniqueConstraint(
                deferrable=models.Deferrable.DEFERRED,
                fields=("position",),
                name="ownership_rule_position",
            ),
        ),
        migrations.CreateModel(
            name="TeamCostCenter",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cost_center", models.CharField(blank=True, max_length=200)),
                ("effective_from", models.DateField()),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moves",
                        to="finops.team",
                    ),
                ),
            ],
            options={
                "db_table": "team_cost_center",
                "ordering": ("team", "effective_from"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("team", "effective_from"), name="team_moves_once_a_day"
                    )
                ],
            },
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(
            (SQL / "ownership_schema.sql").read_text(),
            "DROP VIEW team_owner, user_owner; DROP TABLE attribution_owner",
        ),
    )
