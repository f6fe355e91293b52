"""Months that are closed, and their statements, which nobody changes."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import finops.models.budgets

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("finops", "0046_bills"),
    ]

    operations = [
        migrations.CreateModel(
            name="BooksMonth",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField(unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("draft", "Draft"), ("closed", "Closed"), ("sent", "Sent")],
                        max_length=16,
                    ),
                ),
                ("version", models.PositiveIntegerField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("sent_by", models.CharField(blank=True, max_length=200)),
                ("sent_to", models.TextField(blank=True)),
                ("reopen_asked_at", models.DateTimeField(null=True)),
                ("reopen_asked_by", models.CharField(blank=True, max_length=200)),
                ("reopen_reason", models.TextField(blank=True)),
            ],
            options={
                "db_table": "books_month",
                "ordering": ("month",),
            },
        ),
        migrations.CreateModel(
            name="StatementVersion",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("month", models.DateField()),
                ("version", models.PositiveIntegerField()),
                ("closed_at", models.DateTimeField()),
                ("closed_by", models.CharField(max_length=200)),
                ("checksum", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("rolled_up_to", models.DateTimeField(null=True)),
                ("totals", models.JSONField()),
                ("warnings", models.JSONField(default=dict)),
                ("capacity", models.JSONField(default=dict)),
                ("adjustments", models.JSONField(default=list)),
                ("charges", models.JSONField(default=list)),
                ("shares", models.JSONField(default=list)),
            ],
            options={
                "db_table": "statement_version",
                "ordering": ("month", "version"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("month", "version"), name="statement_version_number"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cost_center", models.TextField()),
                ("team", models.TextField(blank=True)),
                ("feature", models.TextField(blank=True)),
                ("provider", models.TextField(blank=True)),
                ("model", models.TextField(blank=True)),
                ("requests", models.BigIntegerField()),
                ("unpriced_requests", models.BigIntegerField()),
                ("input_tokens", models.BigIntegerField()),
                ("output_tokens", models.BigIntegerField()),
                (
                    "direct_cost",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200),
                ),
                (
                    "shared_cost",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200),
                ),
                ("idle_cost", finops.models.budgets.ExactField(decimal_places=100, max_digits=200)),
                (
                    "adjustment",
                    finops.models.budgets.ExactField(decimal_places=100, max_digits=200),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="lines",
                        to="finops.statementversion",
                    ),
                ),
            ],
            options={
                "db_table": "statement_line",
            },
        ),
        migrations.RunSQL(
            (SQL / "statement_schema.sql").read_text(),
            """
            DROP TRIGGER statement_line_stays ON statement_line;
            DROP TRIGGER statement_version_stays ON statement_version;
            DROP FUNCTION refuse_change_of_statement()
            """,
        ),
    ]
