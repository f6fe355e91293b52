"""What closed months came to, kept until something that it follows from has changed."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = (("finops", "0048_statement_line_in_order"),)

    operations = (
        migrations.RunSQL((SQL / "checked_schema.sql").read_text(), "DROP TABLE rollup_checked"),
        migrations.CreateModel(
            name="ClosedMonthChange",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField(unique=True)),
                ("mark", models.CharField(max_length=64)),
                ("direct", models.JSONField()),
                ("covered", models.JSONField()),
            ],
            options={
                "db_table": "closed_month_change",
            },
        ),
    )
