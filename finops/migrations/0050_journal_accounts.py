"""The accounts that a statement's journal was first made with, which nobody changes."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("finops", "0049_books_kept_up")]

    operations = [
        migrations.CreateModel(
            name="JournalAccounts",
            fields=[
                (
                    "id",
                    models.AutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("accounts", models.JSONField()),
                ("fixed_at", models.DateTimeField()),
                (
                    "statement",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="finops.statementversion",
                    ),
                ),
            ],
            options={"db_table": "journal_accounts"},
        ),
        migrations.RunSQL(
            (SQL / "journal_schema.sql").read_text(),
            "DROP TRIGGER journal_accounts_stay ON journal_accounts",
        ),
    ]
