"""Exchange rates, what an event was converted by, and the currency that all amounts are in."""

from __future__ import annotations

from pathlib import Path

import django.db.models.functions.datetime
from django.db import migrations, models

ROOT = Path(__file__).resolve().parent.parent.parent
FORMER = (
    "rate_usage(integer, integer, integer, integer, integer, integer, integer, integer, numeric,"
    " price, price)"
)


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0054_formats_of_exports"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExchangeFixing",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("rates", models.JSONField()),
                ("source", models.CharField(max_length=200)),
                (
                    "imported_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("imported_by", models.CharField(max_length=200)),
                ("superseded_at", models.DateTimeField(null=True)),
                ("superseded_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "db_table": "exchange_fixing",
                "ordering": ("-day", "-pk"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("superseded_at__isnull", True)),
                        fields=("day",),
                        name="exchange_fixing_in_force",
                    )
                ],
            },
        ),
        migrations.RunSQL(
            (ROOT / "finops/sql/exchange_factor.sql").read_text(), "DROP FUNCTION exchange_factor"
        ),
        migrations.RunSQL(
            # What is there already is in dollars: there was no other currency.
            """
            ALTER TABLE rollup_state ADD COLUMN currency text NOT NULL DEFAULT 'USD';
            ALTER TABLE rollup_state ALTER COLUMN currency DROP DEFAULT;
            ALTER TABLE usage_event ADD COLUMN fixing_id integer
            """,
            """
            ALTER TABLE usage_event DROP COLUMN fixing_id;
            ALTER TABLE rollup_state DROP COLUMN currency
            """,
        ),
        # An empty database has the new function from 0004_prices on.
        migrations.RunSQL(f"DROP FUNCTION IF EXISTS {FORMER}", migrations.RunSQL.noop),
        migrations.RunSQL((ROOT / "ingest/sql/rating.sql").read_text(), migrations.RunSQL.noop),
    ]
