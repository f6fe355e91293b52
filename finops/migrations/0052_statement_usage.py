"""What closed months' requests used, by day and price line."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import finops.models.budgets

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0051_scheduled_exports"),
    ]

    operations = [
        migrations.AddField(
            model_name="statementversion",
            name="kinds",
            field=models.JSONField(default=dict),
        ),
        migrations.CreateModel(
            name="StatementUsage",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("cost_center", models.TextField()),
                ("team", models.TextField()),
                ("feature", models.TextField()),
                ("provider", models.TextField()),
                ("model", models.TextField()),
                ("service", models.TextField(blank=True)),
                ("environment", models.TextField(blank=True)),
                ("region", models.TextField(blank=True)),
                ("service_tier", models.TextField(blank=True)),
                ("fleet", models.TextField(blank=True)),
                ("tags", models.JSONField()),
                ("price_id", models.IntegerField()),
                ("contract_price_id", models.IntegerField(null=True)),
                ("uncached_input", models.BigIntegerField()),
                ("cache_read_input", models.BigIntegerField()),
                ("cache_creation_5m_input", models.BigIntegerField()),
                ("cache_creation_1h_input", models.BigIntegerField()),
                ("input_audio", models.BigIntegerField()),
                ("text_output", models.BigIntegerField()),
                ("reasoning_output", models.BigIntegerField()),
                ("output_audio", models.BigIntegerField()),
                (
                    "gpu_seconds",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200),
                ),
                ("requests", models.BigIntegerField()),
                ("list_cost", finops.models.budgets.ExactField(decimal_places=100, max_digits=200)),
                (
                    "effective_cost",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="usage",
                        to="finops.statementversion",
                    ),
                ),
            ],
            options={
                "db_table": "statement_usage",
                "indexes": [
                    models.Index(fields=["statement", "id"], name="statement_usage_in_order")
                ],
            },
        ),
        migrations.RunSQL(
            (SQL / "statement_usage_schema.sql").read_text(),
            "DROP TRIGGER statement_usage_stays ON statement_usage",
        ),
    ]
