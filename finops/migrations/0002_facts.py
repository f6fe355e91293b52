"""The tables of ingest and of the rollups, which are SQL and not models."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

ROOT = Path(__file__).resolve().parent.parent.parent


class Migration(migrations.Migration):
    dependencies = (("finops", "0001_initial"),)

    operations = (
        migrations.RunSQL(
            (ROOT / "ingest/sql/schema.sql").read_text(),
            "DROP TABLE usage_event, ingest_batch, end_user, attribution",
        ),
    )
